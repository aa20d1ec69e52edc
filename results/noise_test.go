package results

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// captionSettings are settings of a trial, as far as the noise of a plan asks.
func captionSettings(data, arm string, epochs int, seed int64) experiments.Settings {
	return experiments.Settings{Data: experiments.Data{Name: data, Root: "here"}, Model: experiments.Model{Attention: arm},
		Train: experiments.Train{Epochs: epochs}, Seed: seed}
}

func knownRun(t *testing.T, id string, s experiments.Settings, cider float64) store.Run {
	t.Helper()
	s.Data.Root = "there" // where data lie is no part of what a run is
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return store.Run{ID: id, State: store.Completed, Signature: "data=a", Settings: text, Seed: s.Seed,
		Metrics: map[string]map[string]float64{"test": {"cider": cider, "bleu4": cider}}}
}

func TestNoiseOfEarlierRuns(t *testing.T) {
	pair := func(arm string, epochs int, low, high float64) []store.Run {
		return []store.Run{knownRun(t, "1", captionSettings("flickr8k", arm, epochs, 1), low), knownRun(t, "2", captionSettings("flickr8k", arm, epochs, 2), high)}
	}
	otherProtocol := pair("none", 10, 0.50, 0.52)
	otherProtocol[1].Signature = "data=b"
	otherContent := pair("none", 10, 0.50, 0.52)
	for i := range otherContent {
		otherContent[i].Environment = json.RawMessage(`{"hashes":{"pictures":"p2"}}`)
	}
	unfinished := pair("none", 10, 0.50, 0.52)
	unfinished[1].State = store.Failed
	for name, c := range map[string]struct {
		data, metric string
		known        []store.Run
		from         string // "" where nothing is known
		seedSD       float64
	}{
		"no run":         {"flickr8k", "test.cider", nil, FromAssumption, 0.8},
		"own settings":   {"flickr8k", "test.cider", append(pair("soft", 3, 0.1, 0.9), pair("none", 10, 0.50, 0.52)...), FromSettings, math.Sqrt2},
		"same data":      {"flickr8k", "test.cider", pair("none", 3, 0.50, 0.54), FromData, 2 * math.Sqrt2},
		"one seed each":  {"flickr8k", "test.cider", append(pair("none", 3, 0.5, 0.6)[:1], pair("none", 10, 0.5, 0.6)[:1]...), FromAssumption, 0.8},
		"two protocols":  {"flickr8k", "test.cider", otherProtocol, FromAssumption, 0.8},
		"one unfinished": {"flickr8k", "test.cider", unfinished, FromAssumption, 0.8},
		"other content":  {"flickr8k", "test.cider", otherContent, FromAssumption, 0.8},
		"other data":     {"coco", "test.cider", pair("none", 10, 0.50, 0.52), "", 0},
		"other metric":   {"flickr8k", "test.bleu4", pair("none", 10, 0.50, 0.52), "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			trials := []experiments.Trial{{Settings: captionSettings(c.data, "none", 10, 1)}}
			trials[0].Settings.Data.Content = experiments.Content{Pictures: "p1"} // which older runs do not say
			got, err := NoiseOf(context.Background(), nil, c.known, ParseMetric(c.metric), trials)
			switch {
			case err != nil:
				t.Fatal(err)
			case got == nil && c.from == "":
			case got == nil || got.From != c.from || math.Abs(got.SeedSD-c.seedSD) > 1e-9 || got.Images || got.ImageSD != 15:
				t.Errorf("got %+v, want seeds by %g from %q", got, c.seedSD, c.from)
			}
		})
	}
}

// On every image the second arm is better or worse than the first by 0.1: the deviation over images is 10 points.
func TestNoiseOverImages(t *testing.T) {
	db := openTemporary(t)
	var runs []madeRun
	for i, arm := range []string{"none", "none", "soft", "soft"} {
		captions := captionsAround(0.5, int64(1+i%2))
		if arm == "soft" {
			for j := range captions {
				captions[j].Score.CIDEr += 0.1 * float64(1-2*(j%2))
			}
		}
		runs = append(runs, madeRun{id: fmt.Sprintf("%012x", i+1), arm: arm, seed: int64(i % 2), captions: captions})
	}
	save(t, db, store.Study{Name: "s", Spec: "study: s\n"}, store.Declaration{}, runs)
	known, err := db.Runs(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range known {
		known[i] = knownRun(t, known[i].ID, captionSettings("shapes", known[i].Arm, 1, known[i].Seed), 0.5+0.01*float64(known[i].Seed))
	}
	cider := ParseMetric("test.cider")
	got, err := NoiseOf(context.Background(), db, known, cider, []experiments.Trial{{Settings: captionSettings("shapes", "none", 1, 7)}, {Settings: captionSettings("shapes", "soft", 1, 7)}})
	if err != nil {
		t.Fatal(err)
	}
	if got == nil || got.Runs != 4 || got.Arms != 2 || !got.Images || math.Abs(got.ImageSD-10) > 0.5 || math.Abs(got.SeedSD-math.Sqrt(0.5)) > 1e-9 {
		t.Errorf("got %+v, want a deviation of 10 points over images and of 1/√2 over seeds, of 4 runs in 2 arms", got)
	}
	const want = "as in 4 completed runs of 2 arms with this study's settings"
	if got.String() != want {
		t.Errorf("says %q, want %q", got, want)
	}
	known[3].ID = "gone"
	if got, err := NoiseOf(context.Background(), db, known, cider, []experiments.Trial{{Settings: captionSettings("shapes", "none", 1, 7)}, {Settings: captionSettings("shapes", "soft", 1, 7)}}); got != nil || err == nil {
		t.Errorf("a run that cannot be read gives %+v and %v", got, err)
	}
}
