package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"glimpse/metrics"
)

// flat returns an arm whose runs score the given points on each of 200 images, plus
// a pattern over images that all runs share.
func flat(name string, points ...float64) Arm {
	a := Arm{Name: name, Signature: "k=1"}
	for s, p := range points {
		images := make([]metrics.ImageScore, 200)
		for i := range images {
			images[i] = metrics.ImageScore{ID: fmt.Sprint(i), CIDEr: (p + float64(i%7)) / pointsPerScore}
		}
		a.Runs = append(a.Runs, Run{Seed: int64(s + 1), Images: images})
	}
	return a
}

// TestCompareByHand checks numbers computed by hand. The pattern over images
// cancels in the difference, so the test is Welch's t test: means 48 and 52,
// variances of 2.5 from 5 values each, SE √(2·2.5/5) = 1, df 8, t 2.306.
func TestCompareByHand(t *testing.T) {
	arms := []Arm{flat("none", 46, 47, 48, 49, 50), flat("adaptive", 50, 51, 52, 53, 54)}
	c := Contrast{B: "adaptive", A: "none"}
	a, err := Compare(arms, []Contrast{c}, Options{Metrics: []string{"cider"}, MinimumEffect: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, pattern := a.Result(c, "cider"), 0.0
	for i := range 200 {
		pattern += float64(i%7) / 200
	}
	near(t, "mean B", r.MeanB, (52+pattern)/100, 1e-12)
	near(t, "difference", r.Difference, 0.04, 1e-12)
	near(t, "seed part", r.SeedSE, 0.01, 1e-12)
	near(t, "image part", r.ImageSE, 0, 1e-9)
	near(t, "df", r.DF, 8, 1e-6)
	near(t, "low", r.Low, 0.04-0.02306, 1e-5)
	near(t, "high", r.High, 0.04+0.02306, 1e-5)
	// Apart from the observed split, one is as extreme: the two runs of 50 are
	// exchanged. Both have a mirror image.
	near(t, "p", r.P, 4.0/252, 1e-12)
	near(t, "p over one contrast", r.PHolm, r.P, 0)
	near(t, "p of the interval: t = 4, df 8", r.PInterval, 0.003950, 1e-6)
	near(t, "the same over one contrast", r.PIntervalHolm, r.PInterval, 0)
	near(t, "smallest p", r.SmallestP, 2.0/252, 1e-12)
	near(t, "P(B > A): 24 of 25 pairs and one tie", r.PBetter, 24.5/25, 1e-12)
	if r.Verdict != Supported {
		t.Errorf("verdict %s, want supported", r.Verdict)
	}
	s := a.Summary("none", "cider")
	near(t, "mean", s.Mean, (48+pattern)/100, 1e-12)
	near(t, "SD", *s.SD, 0.0158114, 1e-6) // √2.5 points
	if len(s.Seeds) != 5 || s.Seeds[4] != 5 || s.N != 5 {
		t.Errorf("summary %+v", s)
	}
	if a.Result(c, "bleu4") != nil || a.Summary("soft", "cider") != nil {
		t.Error("found a result or summary that does not exist")
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"contrasts":[{"b":"adaptive","a":"none","metric":"cider"`, `"p_holm":`, `"p_better":`, `"detectable_effect":`, `"s_sel":`, `"minimum_effect":1`, `"verdict":"supported"`} {
		if !strings.Contains(string(text), key) {
			t.Errorf("JSON lacks %s: %s", key, text)
		}
	}
}

func TestVerdicts(t *testing.T) {
	low, high := []float64{46, 47, 48, 49, 50}, []float64{51, 52, 53, 54, 55}
	mixed := []float64{50, 48, 47, 49, 46} // the scores of low in another order
	for _, c := range []struct {
		name    string
		b, a    []float64
		minimum float64
		want    Verdict
	}{
		{"better", high, low, 1, Supported},
		{"worse", low, high, 1, Opposite},
		{"equal but for the order of seeds", low, mixed, 0, Inconclusive},
		{"better by less than matters", high, low, 6, Inconclusive},
		{"worse by less than matters", low, high, 6, Inconclusive},
		{"too few seeds", []float64{90, 91, 92}, []float64{10, 11, 12}, 1, Inconclusive},
	} {
		a, err := Compare([]Arm{flat("A", c.a...), flat("B", c.b...)}, []Contrast{{"B", "A"}}, Options{Draws: 300, MinimumEffect: c.minimum})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Result(Contrast{"B", "A"}, "cider").Verdict; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got := a.Result(Contrast{"B", "A"}, "bleu4").Verdict; got != Exploratory {
			t.Errorf("%s: bleu4 is %s, want exploratory", c.name, got)
		}
	}
}

// TestHolmOverContrasts checks that p-values are adjusted over three contrasts: the
// smallest is multiplied by three.
func TestHolmOverContrasts(t *testing.T) {
	arms := []Arm{flat("none", 46, 47, 48, 49, 50), flat("soft", 47, 47.5, 48, 48.5, 49), flat("adaptive", 60, 61, 62, 63, 64)}
	a, err := Compare(arms, []Contrast{{"soft", "none"}, {"adaptive", "soft"}, {"adaptive", "none"}}, Options{Metrics: []string{"cider"}, Draws: 300})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		p       float64
		verdict Verdict
	}{{1, Inconclusive}, {3 * 2.0 / 252, Supported}, {3 * 2.0 / 252, Supported}} {
		near(t, a.Results[i].String(), a.Results[i].PHolm, want.p, 1e-12)
		if a.Results[i].Verdict != want.verdict {
			t.Errorf("%s: %s, want %s", a.Results[i].Contrast, a.Results[i].Verdict, want.verdict)
		}
	}
}

// noisy returns a flat arm whose seeds differ in another statistic than CIDEr.
func noisy(name string, points ...float64) Arm {
	a := flat(name, points...)
	for r := range a.Runs {
		a.Runs[r].Images[0].RougeL = float64(r+1) / 10
	}
	return a
}

// TestUntested checks that a contrast without usable replicates has a reason
// instead of numbers, which are null in JSON.
func TestUntested(t *testing.T) {
	for _, c := range []struct {
		name string
		b, a Arm
		want string
	}{
		{"one seed", flat("B", 90), flat("A", 10, 11, 12), "one seed in arm B"},
		{"one seed each", flat("B", 90), flat("A", 10), "one seed in arm B; one seed in arm A"},
		{"a seed that changes nothing", flat("B", 90, 91, 92), flat("A", 10, 10, 10),
			"the 3 seeds of arm A gave the same statistics for every image: the seed changed nothing, so there are no replicates"},
		{"a setting that changes nothing", flat("B", 10, 11, 12), flat("A", 10, 11, 12),
			"arm B and arm A gave the same statistics for every image with each seed: the setting changed nothing"},
		{"with fewer seeds", flat("B", 10, 11, 12), flat("A", 10, 11), "the setting changed nothing"},
	} {
		a, err := Compare([]Arm{c.a, c.b}, []Contrast{{"B", "A"}}, Options{Draws: 300, MinimumEffect: 1})
		if err != nil {
			t.Fatal(err)
		}
		r := a.Result(Contrast{"B", "A"}, "cider")
		if !strings.Contains(r.Untested, c.want) {
			t.Errorf("%s: untested because %q, want %q", c.name, r.Untested, c.want)
		}
		if got := a.Result(Contrast{"B", "A"}, "bleu4"); got.Verdict != "" || got.Untested != r.Untested {
			t.Errorf("%s: another metric is %q, untested because %q", c.name, got.Verdict, got.Untested)
		}
		near(t, c.name+": difference", r.Difference, r.MeanB-r.MeanA, 1e-12)
		near(t, c.name+": smallest p", r.SmallestP, 1, 0)
		if r.Verdict != "" || r.DetectableEffect != nil || len(r.Warnings) > 0 {
			t.Errorf("%s: verdict %q, detectable %v, warnings %q", c.name, r.Verdict, r.DetectableEffect, r.Warnings)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"low", "high", "se", "seed_se", "image_se", "df", "percentile_low", "percentile_high",
			"p", "p_holm", "p_interval", "p_interval_holm", "p_error", "p_better"} {
			if !strings.Contains(string(text), `"`+key+`":null`) {
				t.Errorf("%s: %s is not null: %s", c.name, key, text)
			}
		}
	}
}

// TestUntestedComposites checks that composites are untested if a cell has no
// replicates, or if no cell's setting changed anything.
func TestUntestedComposites(t *testing.T) {
	still, copied := factorial(), factorial()
	still[3] = flat("gate/lstm", 58, 58, 58, 58, 58)
	copied[2], copied[3] = flat("gate/gru", 40, 41, 42, 43, 44), flat("gate/lstm", 50, 51, 50, 51, 53)
	for want, arms := range map[string][]Arm{
		"the 5 seeds of arm gate/lstm gave the same":                                       still,
		"composite gate and composite plain gave the same statistics for every image with": copied,
	} {
		o := Options{Metrics: []string{"cider"}, Draws: 300, Composites: []Composite{
			half("plain", "plain/gru", "plain/lstm"), half("gate", "gate/gru", "gate/lstm")}}
		a, err := Compare(arms, []Contrast{{"gate", "plain"}}, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Results[0].Untested; !strings.Contains(got, want) {
			t.Errorf("untested because %q, want %q", got, want)
		}
	}
}

// TestNothingAgainstNothing checks that two arms that match no 4-gram do not differ
// in BLEU-4, whatever the lengths of their captions.
func TestNothingAgainstNothing(t *testing.T) {
	arms := []Arm{noisy("A", 1, 2, 3), noisy("B", 3, 2, 1)}
	for k, a := range arms {
		for _, r := range a.Runs {
			for i := range r.Images {
				r.Images[i].Length, r.Images[i].RefLength = 6+i%3+k, 8
			}
		}
	}
	a, err := Compare(arms, []Contrast{{"B", "A"}}, Options{Draws: 300})
	if err != nil {
		t.Fatal(err)
	}
	r := a.Result(Contrast{"B", "A"}, "bleu4")
	if r.Difference != 0 || math.Signbit(r.Difference) || r.P != 1 || r.PInterval != 1 || r.DetectableEffect != nil || r.Untested != "" {
		t.Errorf("%+v", r)
	}
	if r := a.Result(Contrast{"B", "A"}, "cider"); r.Difference != 0 || math.Signbit(r.Difference) {
		t.Errorf("equal scores in another order differ by %v", r.Difference)
	}
}

// TestMethodsSayWhatWasDone checks that the description of the test is true for all
// results.
func TestMethodsSayWhatWasDone(t *testing.T) {
	many := func(name string, first float64) Arm {
		var points []float64
		for i := range 40 {
			points = append(points, first+float64(i))
		}
		return flat(name, points...)
	}
	few, err := Compare([]Arm{flat("A", 1, 2), flat("B", 3, 4)}, []Contrast{{"B", "A"}}, Options{Metrics: []string{"cider"}, Draws: 200})
	if err != nil {
		t.Fatal(err)
	}
	lots, err := Compare([]Arm{flat("A", 1, 2), many("B", 3), many("C", 9)}, []Contrast{{"B", "A"}, {"C", "B"}}, Options{Metrics: []string{"cider"}, Draws: 200})
	if err != nil {
		t.Fatal(err)
	}
	if got := few.Methods.Test; !strings.Contains(got, "exact") {
		t.Errorf("all splits: %q", got)
	}
	if got := lots.Methods.Test; strings.Contains(got, "exact") || !strings.Contains(got, "200000") {
		t.Errorf("some splits: %q", got)
	}
	if r := lots.Results; r[0].PError != 0 || !(r[1].PError > 0) {
		t.Errorf("standard errors %v and %v", r[0].PError, r[1].PError)
	}
}

func TestWarnings(t *testing.T) {
	short := flat("A", 1, 2, 3)
	for i := range short.Runs {
		short.Runs[i].Images = short.Runs[i].Images[:50]
	}
	for _, c := range []struct {
		name string
		arms []Arm
		want string
	}{
		{"three seeds", []Arm{flat("A", 1, 2, 3), flat("B", 4, 5, 6)}, "3 against 3 runs can reach p = 0.1 at best"},
		{"three seeds, arm", []Arm{flat("A", 1, 2, 3), flat("B", 4, 5, 6)}, "arm A has 3 runs: at least 5 are advised"},
		{"one seed", []Arm{flat("A", 1, 2, 3), flat("B", 4)}, "arm B has one run"},
		{"twins", []Arm{flat("A", 1, 2, 2), flat("B", 4, 5, 6)}, "seeds 2 and 3 gave the same statistics"},
		{"no spread", []Arm{noisy("A", 1, 1), noisy("B", 4, 4)}, "all seeds have equal scores"},
		{"few images", []Arm{short}, "only 50 images"},
		{"not over three contrasts", []Arm{flat("A", 10, 10, 10, 10, 30), flat("B", 24, 25, 26, 27, 28), flat("C", 17, 18, 19, 20, 21)}, "its p over 3 contrasts is 0.0"},
		{"no METEOR counts", []Arm{flat("A", 1, 2)}, "meteor: a run lacks METEOR's counts"},
		{"many splits", []Arm{flat("A", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), flat("B", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12)}, "200000 random splits"},
	} {
		var contrasts []Contrast
		if len(c.arms) > 1 {
			contrasts = []Contrast{{"B", "A"}}
		}
		if len(c.arms) > 2 {
			contrasts = append(contrasts, Contrast{"C", "A"}, Contrast{"C", "B"})
		}
		a, err := Compare(c.arms, contrasts, Options{Metrics: []string{"cider", "meteor"}, Draws: 200})
		if err != nil {
			t.Fatal(err)
		}
		all := a.Warnings
		for _, r := range a.Results {
			all = append(all, r.Warnings...)
		}
		if !strings.Contains(strings.Join(all, "\n"), c.want) {
			t.Errorf("%s: warnings %q, want %q", c.name, all, c.want)
		}
	}
}

// TestFamilyOfDeclaredContrasts checks that p-values are also adjusted for declared
// contrasts without runs.
func TestFamilyOfDeclaredContrasts(t *testing.T) {
	w := world{seeds: 5, images: 50, arms: 2, image: 40, seed: 0.7, caption: 20}
	arms := w.fill(w.empty(), rand.New(rand.NewPCG(1, 2)))
	alone, err := Compare(arms, []Contrast{{"arm1", "arm0"}}, Options{Metrics: []string{"cider"}})
	if err != nil {
		t.Fatal(err)
	}
	three, err := Compare(arms, []Contrast{{"arm1", "arm0"}}, Options{Metrics: []string{"cider"}, Family: 3})
	if err != nil {
		t.Fatal(err)
	}
	one, of := alone.Results[0], three.Results[0]
	if want := min(1, 3*one.P); math.Abs(of.PHolm-want) > 1e-12 || of.P != one.P || math.Abs(of.SmallestP-3*one.SmallestP) > 1e-12 {
		t.Errorf("p %g, over three contrasts %g, want %g; smallest %g", of.P, of.PHolm, want, of.SmallestP)
	}
}
