package stats

import (
	"math"
	"strings"
	"testing"

	"glimpse/metrics"
)

func scored(ciders ...float64) []metrics.ImageScore {
	var out []metrics.ImageScore
	for i, c := range ciders {
		out = append(out, metrics.ImageScore{ID: string(rune('a' + i)), CIDEr: c})
	}
	return out
}

func TestRefusals(t *testing.T) {
	one := func(name string, runs ...Run) Arm { return Arm{Name: name, Signature: "k=1 m=2", Runs: runs} }
	good := one("A", Run{Seed: 1, Images: scored(1, 2)}, Run{Seed: 2, Images: scored(1, 3)})
	renamed := scored(1, 2)
	renamed[1].ID = "z"
	twice := scored(1, 2)
	twice[1].ID = "a"
	for _, c := range []struct {
		name      string
		arms      []Arm
		contrasts []Contrast
		o         Options
		want      string
	}{
		{"no arms", nil, nil, Options{}, "no arms"},
		{"no name", []Arm{{}}, nil, Options{}, "arm 1 has no name"},
		{"name twice", []Arm{good, good}, nil, Options{}, `two arms are named "A"`},
		{"no runs", []Arm{one("A")}, nil, Options{}, "arm A has no runs"},
		{"seed twice", []Arm{one("A", good.Runs[0], good.Runs[0])}, nil, Options{}, "two runs of seed 1"},
		{"fewer images", []Arm{good, one("B", Run{Seed: 4, Images: scored(1)})}, nil, Options{}, "arm B, seed 4 has 1 images, but arm A, seed 1 has 2"},
		{"other images", []Arm{good, one("B", Run{Seed: 4, Images: renamed})}, nil, Options{}, `arm B, seed 4: image 2 is "z", but "b" in arm A, seed 1`},
		{"image twice", []Arm{one("A", Run{Images: twice})}, nil, Options{}, `image "a" occurs twice`},
		{"one image", []Arm{one("A", Run{Images: scored(1)})}, nil, Options{}, "at least 2"},
		{"not a number", []Arm{one("A", Run{Seed: 7, Images: scored(1, math.NaN())})}, nil, Options{}, `arm A, seed 7, image "b": cider is NaN`},
		{"infinite", []Arm{one("A", Run{Images: scored(1, math.Inf(1))})}, nil, Options{}, "cider is +Inf"},
		{"other protocol of an arm", []Arm{good, {Name: "B", Signature: "k=1 m=3", Runs: good.Runs}}, nil, Options{}, "m is 3 against 2"},
		{"other protocol of a run", []Arm{one("A", good.Runs[0], Run{Seed: 2, Signature: "k=1", Images: scored(1, 2)})}, nil, Options{},
			"arm A, seed 2 was scored under another protocol than arm A, seed 1: m is absent against 2"},
		{"contrast of no arm", []Arm{good}, []Contrast{{"B", "A"}}, Options{}, `no arm "B" (arms: A)`},
		{"contrast with itself", []Arm{good}, []Contrast{{"A", "A"}}, Options{}, "compares an arm with itself"},
		{"no such metric", []Arm{good}, nil, Options{Metrics: []string{"spice"}}, `no metric "spice"`},
		{"metric twice", []Arm{good}, nil, Options{Metrics: []string{"cider", "cider"}}, "listed twice"},
		{"primary not compared", []Arm{good}, nil, Options{Metrics: []string{"bleu4"}}, `primary metric "cider" is not among`},
		{"alpha", []Arm{good}, nil, Options{Alpha: 5}, "alpha is 5"},
		{"power", []Arm{good}, nil, Options{Power: -1}, "power is -1"},
		{"minimum", []Arm{good}, nil, Options{MinimumEffect: math.NaN()}, "minimum effect is NaN"},
		{"draws", []Arm{good}, nil, Options{Draws: 10}, "10 draws are too few"},
	} {
		_, err := Compare(c.arms, c.contrasts, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	b := one("B", good.Runs...)
	both := []Contrast{{"B", "A"}, {"A", "B"}}
	if _, err := Compare([]Arm{good, b}, both, Options{}); err == nil || !strings.Contains(err.Error(), "listed twice") {
		t.Errorf("a contrast in both directions: %v", err)
	}
	if _, err := Pairwise([]Arm{good, b}, Options{}); err == nil || !strings.Contains(err.Error(), "A has 2 runs") {
		t.Errorf("pairs of arms: %v", err)
	}
	if _, err := Pairwise([]Arm{one("A", good.Runs[0])}, Options{}); err == nil || !strings.Contains(err.Error(), "only one run") {
		t.Errorf("one run: %v", err)
	}
}

func TestSignatureDifferences(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"x=1 y=2", "x=1 y=2", ""},
		{"", "", ""},
		{"x=1 y=2", "y=2 x=1", ""},
		{"x=1 y=2", "x=1 y=3", "y is 2 against 3"},
		{"x=1", "x=1 y=3", "y is absent against 3"},
		{"x=1 flag", "x=2", "x is 1 against 2; flag is present against absent"},
		{"x=1 y=2,3 free=1", "x=1 y=2,4 free=2", "y is 2,3 against 2,4"},
	} {
		if got := strings.Join(SignatureDifferences(c.a, c.b, "free"), "; "); got != c.want {
			t.Errorf("differences of %q and %q: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}
