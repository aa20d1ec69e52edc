package stats

import (
	"math"
	"strings"
	"testing"
)

// Welch's t test by hand, as in TestCompareByHand: SE 1 point, df 8. A difference of
// 0.1 is 2.9 below a minimum of 3, so p is scipy.stats.t.cdf(-2.9, 8) = 0.0099459.
func TestEquivalentByHand(t *testing.T) {
	arms := []Arm{flat("none", 46, 47, 48, 49, 50), flat("adaptive", 50.1, 49.1, 48.1, 47.1, 46.1)}
	c := Contrast{"adaptive", "none"}
	a, err := Compare(arms, []Contrast{c}, Options{Metrics: []string{"cider", "rouge_l"}, Draws: 300, MinimumEffect: 3})
	if err != nil {
		t.Fatal(err)
	}
	r := a.Result(c, "cider")
	near(t, "p", r.PEquivalence, 0.0099459, 1e-6)
	near(t, "p over one contrast", r.PEquivalenceHolm, r.PEquivalence, 0)
	near(t, "low of the 90 % interval", r.EquivalenceLow, 0.001-0.0185955, 1e-6) // t of 8 at 0.95: 1.85955
	near(t, "high of the 90 % interval", r.EquivalenceHigh, 0.001+0.0185955, 1e-6)
	if r.Verdict != Equivalent {
		t.Errorf("verdict %s, want equivalent", r.Verdict)
	}
	if r := a.Result(c, "rouge_l"); !math.IsNaN(r.PEquivalence) || !math.IsNaN(r.PEquivalenceHolm) || r.Verdict != Exploratory {
		t.Errorf("a metric without a minimum: %+v", r)
	}
	for minimum, want := range map[float64]Verdict{0: Inconclusive, 1.5: Inconclusive, 2: Equivalent} {
		a, err := Compare(arms, []Contrast{c}, Options{Metrics: []string{"cider"}, Draws: 300, MinimumEffect: minimum})
		if err != nil {
			t.Fatal(err)
		}
		if r := a.Results[0]; r.Verdict != want || math.IsNaN(r.PEquivalence) != (minimum == 0) {
			t.Errorf("minimum %g: %s with p = %g, want %s", minimum, r.Verdict, r.PEquivalence, want)
		}
	}
}

// Captioners with exactly equal scores in the primary metric, whatever the seed, are
// not called equivalent, because nothing varied.
func TestNoSpreadIsNoEquivalence(t *testing.T) {
	a, err := Compare([]Arm{noisy("A", 4, 4, 4, 4, 4), noisy("B", 4, 4, 4, 4, 4)}, []Contrast{{"B", "A"}},
		Options{Metrics: []string{"cider"}, Draws: 300, MinimumEffect: 1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Compare([]Arm{noisy("A", 4, 4, 4, 4, 4), turned(noisy("B", 4, 4, 4, 4, 4))}, []Contrast{{"B", "A"}},
		Options{Metrics: []string{"cider"}, Draws: 300, MinimumEffect: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r := a.Results[0]; r.Verdict != "" || !strings.Contains(r.Untested, "the setting changed nothing") {
		t.Errorf("equal arms: %+v", r)
	}
	if r := b.Results[0]; r.Verdict != Inconclusive || r.PEquivalence != 1 {
		t.Errorf("arms of one constant: %s, p = %v", r.Verdict, r.PEquivalence)
	}
}

// turned changes a statistic of an arm's runs other than CIDEr, as if they had other
// captions.
func turned(a Arm) Arm {
	for r := range a.Runs {
		a.Runs[r].Images[0].RougeL = 1 - a.Runs[r].Images[0].RougeL
	}
	return a
}

// told returns a course whose looks have the given p-values, for both tests, and a
// difference of 1, which is above a minimum of 0.5.
func told(p ...float64) *course {
	return newCourse(func(k int) (evidence, bool) {
		if k >= len(p) {
			return evidence{}, false
		}
		return evidence{estimate: estimate{Value: 1, SE: 0.5, SeedSE: 0.5, DF: 20, P: p[k]}, permutation: permutation{p: p[k]}}, true
	})
}

// Computed by hand from the levels of two looks, with one contrast and with two,
// adjusted by Holm.
func TestFollowLooks(t *testing.T) {
	l := Looks{Seeds: []int{8, 16}, Spending: Pocock, Futility: -1}
	one, half := l.Levels(0.05), l.Levels(0.025)
	for _, c := range []struct {
		name      string
		courses   []*course
		verdicts  []Verdict
		decisions []string // of each course, with commas
	}{
		{"at once", []*course{told(0.9*one[0], 1)}, []Verdict{Supported}, []string{"supported"}},
		{"not at once", []*course{told(1.1 * one[0])}, []Verdict{Undecided}, []string{"continue"}},
		{"at the last look", []*course{told(1.1*one[0], 0.9*one[1])}, []Verdict{Supported}, []string{"continue,supported"}},
		{"never", []*course{told(1.1*one[0], 1.1*one[1])}, []Verdict{Inconclusive}, []string{"continue,inconclusive"}},
		{"no look yet", []*course{told()}, []Verdict{Undecided}, []string{""}},
		{"one of two passes the strict level, and leaves all of α to the other",
			[]*course{told(0.9 * half[0]), told(0.9 * one[0])}, []Verdict{Supported, Supported}, []string{"supported", "supported"}},
		{"neither passes the strict level", []*course{told(0.99 * one[0]), told(0.99 * one[0])},
			[]Verdict{Undecided, Undecided}, []string{"continue", "continue"}},
		{"a contrast that waits for a look profits from one that had it",
			[]*course{told(0.9 * one[0]), told(0.99*one[0], 0.9*half[1])}, []Verdict{Supported, Supported}, []string{"supported", "continue,supported"}},
	} {
		rule := rule{alpha: 0.05, minimum: 0.5, schedule: newSchedule(l, 0.05, len(c.courses))}
		rule.follow(c.courses)
		for i, of := range c.courses {
			if of.verdict != c.verdicts[i] || strings.Join(of.decisions, ",") != c.decisions[i] || of.decided != (of.verdict != Undecided) {
				t.Errorf("%s: contrast %d is %s (%v, decided %v), want %s (%s)", c.name, i, of.verdict, of.decisions, of.decided, c.verdicts[i], c.decisions[i])
			}
		}
	}
}

// The sequential p-value is the smallest α at which any look would have rejected.
func TestSequentialP(t *testing.T) {
	l := Looks{Seeds: []int{8, 16}, Spending: OBrienFleming, Futility: -1}
	rule := rule{alpha: 0.05, schedule: newSchedule(l, 0.05, 1)}
	c := told(l.Levels(0.06)[0], l.Levels(0.2)[1])
	rule.follow([]*course{c})
	near(t, "sequential p", c.p, 0.06, 1e-6)
	near(t, "sequential p of the interval", c.pInterval, 0.06, 1e-6)
	c = told(l.Levels(0.2)[0], l.Levels(0.06)[1])
	rule.follow([]*course{c})
	near(t, "sequential p of the last look", c.p, 0.06, 1e-6)
	// One-sided: t = (1 − 2)/0.5 with 20 df, at the levels for 2α.
	rule.minimum = 2
	c = told(1)
	rule.follow([]*course{c})
	q := estimate{Value: 1, SE: 0.5, DF: 20}.pEquivalence(2)
	near(t, "one-sided t", q, 0.029633, 1e-6) // scipy.stats.t.cdf(-2, 20)
	near(t, "the level of its sequential p", l.Levels(2 * c.pEquivalence)[0]/2, q, 1e-6)
}

// Computed by hand. With half of the seeds and no image part, SE is 1, so the last
// look's SE is √½, and t is ½. The z of the last level is set to 2. Observed 1,
// minimum 3: expected ½·1 + ½·3 = 2, needed 2·√½ = 1.4142, standard deviation
// √½·√½ = 0.5: 1 − Φ(−1.1716) = 0.8793. Observed 0, minimum 0: 1 − Φ(2.8284) =
// 0.0023.
func TestConditionalPower(t *testing.T) {
	r := rule{alpha: 0.05, schedule: &schedule{Looks: Looks{Seeds: []int{5, 10}, Futility: 0.1}, levels: []float64{0, 2 * upperTail(2)}}}
	e := evidence{estimate: estimate{Value: -1, SE: 1, SeedSE: 1}}
	r.minimum = 3
	near(t, "conditional power", r.conditionalPower(e, 0), 0.8793, 1e-4)
	e.Value, r.minimum = 0, 0
	near(t, "conditional power of nothing", r.conditionalPower(e, 0), 0.0023, 1e-4)
	// With only an image part, more seeds add no information.
	e = evidence{estimate: estimate{Value: 1.9, SE: 1, ImageSE: 1}}
	near(t, "images alone, below", r.conditionalPower(e, 0), 0, 0)
	e.Value = 2.1
	near(t, "images alone, above", r.conditionalPower(e, 0), 1, 0)
}
