package stats

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// factorial returns a 2×2 study of five seeds. Each run scores the level of its
// cell plus noise.
func factorial() []Arm {
	return []Arm{
		flat("plain/gru", 40, 41, 42, 43, 44), flat("plain/lstm", 50, 51, 50, 51, 53),
		flat("gate/gru", 45, 46, 47, 48, 49), flat("gate/lstm", 58, 57, 58, 59, 58),
	}
}

func half(name string, arms ...string) Composite {
	return Composite{Name: name, Terms: []Term{{arms[0], 0.5}, {arms[1], 0.5}}}
}

// Computed by hand. Means over cells, by seed: plain 45, 46, 46, 47, 48.5 (mean
// 46.5, variance 1.75), gate 51.5, 51.5, 52.5, 53.5, 53.5 (mean 52.5, variance 1).
// Effects of the gate, by seed: gru 5 five times; lstm 8, 6, 8, 8, 5 (mean 7,
// variance 2).
func TestCompositesByHand(t *testing.T) {
	o := Options{Metrics: []string{"cider"}, Draws: 300, MinimumEffect: 1, Composites: []Composite{
		half("plain", "plain/gru", "plain/lstm"), half("gate", "gate/gru", "gate/lstm"),
		{"gate at gru", []Term{{"gate/gru", 1}, {"plain/gru", -1}}},
		{"gate at lstm", []Term{{"gate/lstm", 1}, {"plain/lstm", -1}}},
	}}
	effect, interaction := Contrast{"gate", "plain"}, Contrast{"gate at lstm", "gate at gru"}
	a, err := Compare(factorial(), []Contrast{effect, interaction, {"gate/gru", "plain/gru"}}, o)
	if err != nil {
		t.Fatal(err)
	}
	r := a.Result(effect, "cider")
	near(t, "main effect", r.Difference, 0.06, 1e-12)
	near(t, "its seed part", r.SeedSE, math.Sqrt(1.75/5+1.0/5)/100, 1e-12)
	near(t, "its p: the groups are separated", r.P, 2.0/252, 1e-12)
	near(t, "its p over three contrasts", r.PHolm, 3*2.0/252, 1e-12)
	near(t, "its P(B > A)", r.PBetter, 1, 0)
	if r.Verdict != Supported || r.NA != 5 || r.DetectableEffect == nil || r.PercentileLow > 0.06 || r.PercentileHigh < 0.06 {
		t.Errorf("main effect: %+v", r)
	}
	r = a.Result(interaction, "cider")
	near(t, "interaction", r.Difference, 0.02, 1e-12)
	near(t, "its seed part", r.SeedSE, math.Sqrt(2.0/5)/100, 1e-12)
	// Of the ten values 5 5 5 5 5 | 8 6 8 8 5, the sum of five differs from the
	// expected 30 by 5 or more if it has all of 6, 8, 8, 8 or none of them: 6
	// splits and their mirror images.
	near(t, "its p", r.P, 12.0/252, 1e-12)

	if len(a.Arms) != 8 || a.Arms[4].Arm != "plain" || a.Arms[4].N != 5 || a.Arms[4].Seeds[4] != 5 {
		t.Errorf("summaries %+v", a.Arms)
	}
	near(t, "SD of a composite", *a.Summary("plain", "cider").SD, math.Sqrt(1.75)/100, 1e-12)
}

// A composite gives the same results as an arm whose runs score the composite's sum
// on every image, if the metric is a mean over images.
func TestCompositeIsAsAnArm(t *testing.T) {
	w := world{seeds: 4, images: 300, arms: 3, image: 40, arm: 20, seed: 0.8, caption: 25}
	arms := w.fill(w.empty(), rand.New(rand.NewPCG(3, 4)))
	sum := w.empty()[0]
	sum.Name = "written out"
	for r := range sum.Runs {
		for i := range sum.Runs[r].Images {
			sum.Runs[r].Images[i].CIDEr = 0.25*arms[0].Runs[r].Images[i].CIDEr + 0.75*arms[1].Runs[r].Images[i].CIDEr
		}
	}
	o := Options{Metrics: []string{"cider"}, Draws: 4000,
		Composites: []Composite{{"sum", []Term{{"arm0", 0.25}, {"arm1", 0.75}}}}}
	a, err := Compare(append(arms, sum), []Contrast{{"arm2", "sum"}, {"arm2", "written out"}}, o)
	if err != nil {
		t.Fatal(err)
	}
	x, y := a.Results[0], a.Results[1]
	for _, c := range []struct {
		name      string
		got, want float64
		tolerance float64
	}{
		{"difference", x.Difference, y.Difference, 1e-12}, {"low", x.Low, y.Low, 1e-12}, {"high", x.High, y.High, 1e-12},
		{"image part", x.ImageSE, y.ImageSE, 1e-12}, {"p", x.P, y.P, 0},
		{"percentile, other draws of runs", x.PercentileLow, y.PercentileLow, 0.05 * x.SE},
		{"s_sel", a.Summary("sum", "cider").SSel, a.Summary("written out", "cider").SSel, 1e-12},
	} {
		near(t, c.name, c.got, c.want, c.tolerance)
	}
}

// Composites do not change the results of arms, bit for bit.
func TestCompositesLeaveArmsAlone(t *testing.T) {
	arms := captions(rand.New(rand.NewPCG(7, 8)), 3, 3, 50)
	c := Contrast{"arm1", "arm0"}
	alone, err := Compare(arms, []Contrast{c}, Options{Draws: 300})
	if err != nil {
		t.Fatal(err)
	}
	beside, err := Compare(arms, []Contrast{c}, Options{Draws: 300, Composites: []Composite{half("both", "arm0", "arm1")}})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range alone.Results {
		if got := beside.Results[i]; got.Low != r.Low || got.PercentileLow != r.PercentileLow || got.P != r.P || got.ImageSE != r.ImageSE {
			t.Errorf("%s: %+v beside a composite, %+v alone", r.Metric, got, r)
		}
	}
}

func TestCompositeRefusals(t *testing.T) {
	later := flat("later", 1, 2, 3, 4, 5)
	later.Runs[2].Seed = 9
	arms := append(factorial(), flat("short", 1, 2, 3), later)
	for _, c := range []struct {
		name      string
		composite Composite
		contrasts []Contrast
		want      string
	}{
		{"no name", Composite{}, nil, "composite 1 has no name"},
		{"name of an arm", half("short", "plain/gru", "gate/gru"), nil, `the name of composite "short" is already used`},
		{"no arms", Composite{Name: "c"}, nil, "composite c has no arms"},
		{"unknown arm", half("c", "plain/gru", "plain/rnn"), nil, `no arm "plain/rnn"`},
		{"arm twice", half("c", "plain/gru", "plain/gru"), nil, "has arm plain/gru twice"},
		{"no weight", Composite{"c", []Term{{"short", 0}}}, nil, "the weight of arm short is 0"},
		{"weight that is none", Composite{"c", []Term{{"short", math.NaN()}}}, nil, "the weight of arm short is NaN"},
		{"fewer seeds", half("c", "plain/gru", "short"), nil, "arm short has no run of seed 4, but arm plain/gru has"},
		{"more seeds", half("c", "short", "plain/gru"), nil, "arm short has no run of seed 4, but arm plain/gru has"},
		{"other seeds", half("c", "plain/gru", "later"), nil, "run 3 of arm later has seed 9, but that of arm plain/gru has seed 3"},
		{"one arm on both sides", half("c", "plain/gru", "gate/gru"), []Contrast{{"c", "gate/gru"}}, "must not share an arm"},
		{"unknown composite", half("c", "plain/gru", "gate/gru"), []Contrast{{"d", "gate/gru"}}, `no arm "d"`},
	} {
		_, err := Compare(arms, c.contrasts, Options{Composites: []Composite{c.composite}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}
