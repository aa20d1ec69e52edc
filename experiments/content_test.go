package experiments

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestSetContents(t *testing.T) {
	const text = "study: a\nsweep: {over: {data.captions_per_image: [3, 5], model.attention: [none, soft], seed: [1, 2]}}\n"
	s := load(t, text, "data.root=/pictures")
	if err := s.MatchParameters(count); err != nil {
		t.Fatal(err)
	}
	before, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	of := func(d Data) (Content, error) {
		calls++
		if d.Root != "/pictures" || d.Split != "official" || d.Content != (Content{}) {
			t.Errorf("asked for the content of %+v", d)
		}
		return Content{Captions: "c" + string(rune('0'+d.CaptionsPerImage)), Pictures: "p"}, nil
	}
	if err := s.SetContents(of); err != nil {
		t.Fatal(err)
	}
	after, err := s.Plan()
	if err != nil || len(after) != len(before) || calls != 2 {
		t.Fatalf("%d trials (%v) after %d questions, want %d after 2", len(after), err, calls, len(before))
	}
	for i, trial := range after {
		d := trial.Settings.Data
		if want := (Content{Captions: "c" + string(rune('0'+d.CaptionsPerImage)), Pictures: "p"}); d.Content != want {
			t.Errorf("trial %d has the content %+v, want %+v", i, d.Content, want)
		}
		bare := trial.Settings.Bare()
		if trial.ID == before[i].ID || trial.ID != trial.Settings.ID() || bare.ID() != before[i].ID || bare.Data.Root != "" {
			t.Errorf("trial %d is %s, bare %s, before %s", i, trial.ID, bare.ID(), before[i].ID)
		}
		if trial.Parameters != before[i].Parameters || trial.Parameters == 0 {
			t.Errorf("trial %d has %d parameters, %d before", i, trial.Parameters, before[i].Parameters)
		}
	}
	// Matching again does not depend on the content.
	if err := s.MatchParameters(count); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Plan(); err != nil || !reflect.DeepEqual(again, after) {
		t.Errorf("matching again (%v) changes the plan", err)
	}
}

func TestSetContentsFails(t *testing.T) {
	s, gone := load(t, plain), errors.New("captions.txt is gone")
	err := s.SetContents(func(Data) (Content, error) { return Content{}, gone })
	if !errors.Is(err, gone) || !strings.Contains(err.Error(), "study.yaml:1: cannot identify the content of the data: captions.txt is gone") {
		t.Errorf("SetContents says %v", err)
	}
	if _, err := s.Plan(); err != nil {
		t.Errorf("a failed SetContents leaves a mark: %v", err)
	}
}

// A search that proposes more trials asks for the content of their data.
func TestContentsOfASearch(t *testing.T) {
	s := load(t, "study: a\nsweep: {method: tpe, samples: 9, startup: 3, over: {data.min_count: {int: [1, 90]}}}\n")
	if err := s.SetContents(func(d Data) (Content, error) { return Content{Captions: "c"}, nil }); err != nil {
		t.Fatal(err)
	}
	var known []Result
	for range 3 {
		trials, err := s.Plan()
		if err != nil {
			t.Fatal(err)
		}
		known = nil
		for _, trial := range trials {
			if trial.Settings.Data.Content.Captions != "c" {
				t.Fatalf("trial %s has no content", trial.ID)
			}
			known = append(known, Result{Swept: trial.Swept, Seed: 1, Ended: true, Value: float64(trial.Settings.Data.MinCount)})
		}
		s.Continue(known)
	}
	if len(known) <= 3 {
		t.Errorf("the search has not grown: %d trials", len(known))
	}
}

func TestContentIsNoKey(t *testing.T) {
	if find("data.content") != nil || fieldIndex["data.content"] != nil {
		t.Error("data.content is a key")
	}
	settings := plan(t, "study: a")[0].Settings
	text, err := json.Marshal(settings)
	if err != nil || strings.Contains(string(text), "content") {
		t.Errorf("settings without content are %s (%v)", text, err)
	}
	settings.Data.Content.Splits = "5a"
	text, err = json.Marshal(settings)
	if err != nil || !strings.Contains(string(text), `"content":{"captions":"","splits":"5a","pictures":""}`) {
		t.Errorf("settings with content are %s (%v)", text, err)
	}
}

func TestContentDifferences(t *testing.T) {
	for _, c := range []struct {
		a, b Content
		want string
	}{
		{Content{}, Content{"a", "b", "c"}, ""},
		{Content{"a", "b", "c"}, Content{"a", "b", "c"}, ""},
		{Content{"a", "b", "3fa2c0d1e4"}, Content{"a", "", "9b07aa12ff"}, "pictures 3fa2c0d1 against 9b07aa12"},
		{Content{"a", "b", ""}, Content{"d", "e", "c"}, "captions a against d; splits b against e"},
		{Content{Splits: "0123456789"}, Content{Splits: "012345678a"}, "splits 0123456789 against 012345678a"},
	} {
		if got := strings.Join(c.a.Differences(c.b), "; "); got != c.want {
			t.Errorf("%+v and %+v differ in %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

// TestSetFeatures holds that what files of features hold is part of a trial's identity, where they lie is not, and that each
// file is asked for once.
func TestSetFeatures(t *testing.T) {
	plan := func(text string, of func(Data, Encoder) (FeatureContent, error), overrides ...string) []Trial {
		t.Helper()
		s := load(t, text, overrides...)
		if of != nil {
			if err := s.SetFeatures(of); err != nil {
				t.Fatal(err)
			}
		}
		trials, err := s.Plan()
		if err != nil {
			t.Fatal(err)
		}
		return trials
	}
	const text = "study: a\nencoder: {name: precomputed, path: one.npz, image_size: 64}\nsweep: {over: {seed: [1, 2]}}\n"
	calls := 0
	holds := func(sha string) func(Data, Encoder) (FeatureContent, error) {
		return func(d Data, e Encoder) (FeatureContent, error) {
			if calls++; d.Name != "shapes" || e.Name != "precomputed" || e.Content != (FeatureContent{}) {
				t.Errorf("asked for the features of %+v by %+v", d, e)
			}
			return FeatureContent{SHA256: sha, Least: 10, Most: 100, Dim: 2048}, nil
		}
	}
	bare := plan(text, nil)
	known := plan(text, holds("aa"))
	if calls != 1 {
		t.Errorf("%d questions for one file", calls)
	}
	e := known[0].Settings.Encoder
	if e.Content.SHA256 != "aa" || !e.Content.Varies() || e.ImageSize != 0 || e.Weights != "" || e.Path != "one.npz" {
		t.Errorf("settings %+v", e)
	}
	if known[0].ID == bare[0].ID || known[0].ID == known[1].ID {
		t.Error("what the features hold, or the seed, is no part of the identity")
	}
	for _, same := range []string{"encoder.path=elsewhere/two.safetensors", "encoder.names=list.txt"} {
		if moved := plan(text, holds("aa"), same); moved[0].ID != known[0].ID {
			t.Errorf("%s is part of the identity", same)
		}
	}
	if other := plan(text, holds("bb")); other[0].ID == known[0].ID {
		t.Error("other features are the same trial")
	}
	if n, err := known[0].Settings.Parameters(100); err != nil || n < 2048*256 {
		t.Errorf("%d parameters, %v", n, err)
	}
	if features, err := e.Features(); err != nil || features.Regions != 100 || features.Dim != 2048 {
		t.Errorf("features %+v, %v", features, err)
	}
	// Two files are two arms as long as they hold different features.
	arms := "study: a\nencoder: {name: precomputed}\nsweep: {over: {encoder.path: [one.npz, two.npz], seed: [1, 2]}}\ncompare: {arms: encoder.path, baseline: one.npz, primary: {metric: test.cider, minimum_effect: 1}}\n"
	byPath := plan(arms, func(_ Data, e Encoder) (FeatureContent, error) {
		return FeatureContent{SHA256: e.Path, Least: 1, Most: 1, Dim: len(e.Path)}, nil
	})
	if len(byPath) != 4 || byPath[0].Arm != "one.npz" || byPath[0].Settings.kin() == byPath[1].Settings.kin() {
		t.Errorf("%d trials, the first of arm %s", len(byPath), byPath[0].Arm)
	}
	err := load(t, arms).SetFeatures(holds("aa"))
	if err == nil || !strings.Contains(err.Error(), "are the same trial") {
		t.Errorf("two arms with the same features: %v", err)
	}
	gone := errors.New("one.npz is gone")
	s := load(t, text)
	if err := s.SetFeatures(func(Data, Encoder) (FeatureContent, error) { return FeatureContent{}, gone }); !errors.Is(err, gone) {
		t.Errorf("error %v, want %v", err, gone)
	}
	// Other encoders have no content, and ids of theirs stay.
	cnn := plan("study: a\nencoder: {path: one.npz}\n", holds("aa"))
	if want := plan("study: a\n", nil); cnn[0].ID != want[0].ID || cnn[0].Settings.Encoder.Path != "" {
		t.Errorf("the path changes a trial that reads no features: %+v", cnn[0].Settings.Encoder)
	}
}
