package stats

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// sequence returns an arm of n runs around a score, in points. number is the seed of
// its random numbers.
func sequence(name string, n int, points, spread float64, number uint64) Arm {
	g := rand.New(rand.NewPCG(number, 1))
	scores := make([]float64, n)
	for i := range scores {
		scores[i] = points + spread*g.NormFloat64()
	}
	return flat(name, scores...)
}

var fourLooks = &Looks{Seeds: []int{5, 8, 12, 16}}

func looksAt(t *testing.T, arms []Arm, o Options, contrasts ...Contrast) Analysis {
	t.Helper()
	if o.Looks == nil {
		o.Looks = fourLooks
	}
	o.Draws = 300
	a, err := Compare(arms, contrasts, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var ba = Contrast{"B", "A"}

// A contrast decided at a look keeps that look's numbers, to the last bit, when its
// own arms or others get more runs.
func TestDecidedContrastStands(t *testing.T) {
	o := Options{Metrics: []string{"cider", "rouge_l"}, MinimumEffect: 1}
	study := func(n, other int) []Arm {
		return []Arm{sequence("C", other, 41, 1, 3), sequence("A", n, 40, 1, 1), sequence("B", n, 47, 1, 2)}
	}
	now := looksAt(t, study(8, 8), o, ba)
	later := looksAt(t, study(14, 16), o, ba)
	for _, key := range o.Metrics {
		x, y := now.Result(ba, key), later.Result(ba, key)
		if !x.Decided || x.NextLook != 0 || x.NA != 8 || key == "cider" && (x.Verdict != Supported || len(x.Looks) != 2) {
			t.Fatalf("%s: %+v", key, x)
		}
		if !strings.Contains(strings.Join(y.Warnings, "\n"), "decided at 8 seeds: later seeds of arm B (14) and arm A (14) are not used") {
			t.Errorf("%s: warnings %q", key, y.Warnings)
		}
		x.Warnings, y.Warnings = nil, nil
		if a, b := marshal(t, x), marshal(t, y); a != b {
			t.Errorf("%s: decided as\n%s\nand with more runs\n%s", key, a, b)
		}
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The numbers of a look equal those of a fixed study of its runs, at its level.
func TestLookIsAStudyOfItsRuns(t *testing.T) {
	arms := []Arm{sequence("A", 10, 40, 1.5, 1), sequence("B", 10, 41, 1.5, 2)}
	o := Options{Metrics: []string{"cider"}, MinimumEffect: 1}
	a := looksAt(t, arms, o, ba)
	r := a.Result(ba, "cider")
	if r.Verdict != Undecided || r.Decided || r.NextLook != 12 || r.NB != 8 || len(r.Looks) != 2 {
		t.Fatalf("%+v", r)
	}
	if w := strings.Join(r.Warnings, "\n"); !strings.Contains(w, "seeds of arm B (10) and arm A (10) after 8 wait for the look at 12") {
		t.Errorf("warnings %q", r.Warnings)
	}
	smallest := 1.0
	levels := a.Options.Looks.Levels(0.05)
	for k, n := range []int{5, 8} {
		o := Options{Metrics: []string{"cider"}, MinimumEffect: 1, Draws: 300, Alpha: levels[k]}
		first := func(a Arm) Arm { a.Runs = a.Runs[:n]; return a }
		fixed, err := Compare([]Arm{first(arms[0]), first(arms[1])}, []Contrast{ba}, o)
		if err != nil {
			t.Fatal(err)
		}
		f, l := fixed.Results[0], r.Looks[k]
		want := Look{Seeds: n, Level: levels[k], Difference: f.Difference, Low: f.Low, High: f.High, P: f.P, PInterval: f.PInterval, Decision: "continue"}
		if !reflect.DeepEqual(l, want) {
			t.Errorf("look %d: %+v, a study of its runs %+v", k+1, l, want)
		}
		smallest = min(smallest, newSchedule(*a.Options.Looks, 0.05, 1).overall(k, f.P))
	}
	near(t, "sequential p", r.P, smallest, 1e-12)
	near(t, "interval", r.Low, r.Looks[1].Low, 0)
	if s := a.Summary("A", "cider"); s.N != 10 {
		t.Errorf("the summary of an arm has %d of 10 runs", s.N)
	}
	if !strings.Contains(a.Methods.Interval, "5, 8, 12, 16 seeds by O’Brien–Fleming spending") || !strings.Contains(a.Methods.Test, "sequential") {
		t.Errorf("methods %+v", a.Methods)
	}
}

func TestVerdictsWithLooks(t *testing.T) {
	for _, c := range []struct {
		name       string
		nA, nB     int
		difference float64
		spread     float64
		minimum    float64
		want       Verdict
		at, next   int // seeds of the look that the numbers are from, and of the next
		futile     bool
	}{
		{"no look yet", 5, 4, 9, 1, 1, Undecided, 0, 5, false},
		{"the first look cannot decide by five seeds", 5, 5, 9, 1, 1, Undecided, 5, 8, false},
		{"supported", 8, 8, 9, 1, 1, Supported, 8, 0, false},
		{"opposite", 9, 8, -9, 1, 1, Opposite, 8, 0, false},
		{"equivalent", 16, 16, 0, 0.5, 2, Equivalent, 5, 0, false},
		{"futile", 16, 16, 0, 9, 1, Inconclusive, 5, 0, true},
		{"supported by less than matters is not enough", 16, 16, 2, 1, 2.55, Inconclusive, 16, 0, false},
	} {
		a := looksAt(t, []Arm{sequence("A", c.nA, 40, c.spread, 1), sequence("B", c.nB, 40+c.difference, c.spread, 2)},
			Options{MinimumEffect: c.minimum}, ba)
		r := a.Result(ba, "cider")
		if r.Verdict != c.want || r.NextLook != c.next || r.Futile != c.futile || r.Decided != (c.want != Undecided) || c.at > 0 && r.NA != c.at {
			t.Errorf("%s: %s at %d seeds, next %d, futile %v, looks %+v, equivalence %g", c.name, r.Verdict, r.NA, r.NextLook, r.Futile, r.Looks, r.PEquivalence)
		}
		if other := a.Result(ba, "bleu4"); (other.Verdict == Exploratory) != (c.at > 0) || other.NA != r.NA || other.Decided != r.Decided || len(other.Looks) != len(r.Looks) {
			t.Errorf("%s: another metric is %s at %d seeds", c.name, other.Verdict, other.NA)
		}
		if c.futile || c.want == Equivalent {
			if w := strings.Join(r.Warnings, "\n"); strings.Contains(w, "inconclusive whatever") {
				t.Errorf("%s: warnings %q", c.name, r.Warnings)
			}
		}
		if c.at == 0 && !strings.Contains(r.Untested, "the first look is at 5 seeds: arm B has 4, arm A has 5") {
			t.Errorf("%s: untested because %q", c.name, r.Untested)
		}
	}
}

// If the smallest p is that of an early, exact look, the result is exact although a
// later look used random splits. The description of the methods mentions them.
func TestExactnessIsThatOfTheLookThatCounts(t *testing.T) {
	arms := []Arm{sequence("A", 16, 40, 1, 1), sequence("B", 16, 42, 1, 2)}
	for k := 8; k < 16; k++ { // the later runs of B score like those of A
		arms[1].Runs[k].Images = sequence("", 16, 40, 1, 3).Runs[k].Images
	}
	a := looksAt(t, arms, Options{Metrics: []string{"cider"}, MinimumEffect: 3, Looks: &Looks{Seeds: fourLooks.Seeds, Futility: -1}}, ba)
	r := a.Results[0]
	if len(r.Looks) < 3 || !(r.Looks[2].P > r.Looks[1].P) || !r.PExact || r.PError != 0 || strings.Contains(a.Methods.Test, "exact") {
		t.Errorf("exact %v, error %v, looks %+v, methods %q", r.PExact, r.PError, r.Looks, a.Methods.Test)
	}
}

// While a study runs, the arms of a composite have unequal numbers of runs.
func TestCompositesWithLooks(t *testing.T) {
	arms := []Arm{sequence("a1", 9, 40, 1, 1), sequence("a2", 8, 41, 1, 2), sequence("b1", 8, 50, 1, 3), sequence("b2", 11, 51, 1, 4)}
	a := looksAt(t, arms, Options{Metrics: []string{"cider"}, Composites: []Composite{half("B", "b1", "b2"), half("A", "a1", "a2")}}, ba)
	if r := a.Results[0]; r.Verdict != Supported || r.NA != 8 || a.Summary("B", "cider").N != 8 {
		t.Errorf("%+v", r)
	}
}

// Seeds that change nothing are reported at a look too.
func TestUntestedLook(t *testing.T) {
	still := flat("A", 40, 40, 40, 40, 40, 40, 40, 40)
	a := looksAt(t, []Arm{still, sequence("B", 8, 47, 1, 2)}, Options{Metrics: []string{"cider"}}, ba)
	r := a.Results[0]
	if r.Verdict != "" || !strings.Contains(r.Untested, "the seed changed nothing") || r.Decided || r.NextLook != 12 {
		t.Errorf("%+v", r)
	}
	if text := marshal(t, r); strings.Contains(text, "NaN") {
		t.Errorf("%s", text)
	}
}
