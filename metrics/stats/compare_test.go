package stats

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"glimpse/metrics"
)

// flat is an arm whose runs score the given points on each of 200 images but
// for a pattern that is the same in all runs.
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

// The images' pattern cancels in the difference, so that the numbers are those
// of Welch's t test by hand: means 48 and 52, variances 2.5 each of 5 values,
// SE √(2·2.5/5) = 1, df 8, t 2.306.
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
	// One split besides the observed one and their mirrors is as extreme: the
	// two runs of 50 change places.
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
		t.Error("found what is not there")
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
	for _, c := range []struct {
		name    string
		b, a    []float64
		minimum float64
		want    Verdict
	}{
		{"better", high, low, 1, Supported},
		{"worse", low, high, 1, Opposite},
		{"equal", low, low, 0, Inconclusive},
		{"better by less than matters", high, low, 6, Inconclusive},
		{"worse by less than matters", low, high, 6, Inconclusive},
		{"too few seeds", []float64{90, 91, 92}, []float64{10, 11, 12}, 1, Inconclusive},
		{"one seed", []float64{90}, []float64{10}, 1, Inconclusive},
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

// Three contrasts share α: the smallest of three p-values counts three times.
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
		{"no spread", []Arm{flat("A", 1, 1), flat("B", 4, 4)}, "no difference between seeds"},
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
