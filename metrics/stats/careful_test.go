package stats

import (
	"math"
	"strings"
	"testing"
)

// TestCochranCox checks values computed by hand: for parts 1 and 9 with 4 degrees
// of freedom and 5 with 999, Cochran and Cox's quantile at 0.975 is
// (10·2.77645 + 5·1.96234)/15 = 2.50508, so a value of that many standard errors
// has p = 0.05.
func TestCochranCox(t *testing.T) {
	p := parts{{1, 4, 5}, {9, 4, 45}, {5, 999, 0}}
	near(t, "quantile", p.quantile(0.025), 2.50508, 1e-5)
	e := estimate{Value: 2.50508 * math.Sqrt(15), SE: math.Sqrt(15), DF: satterthwaite(15, (1.0+81)/4, 5, 1000), parts: p}
	near(t, "p", e.pCareful(), 0.05, 1e-6)
	if q := tTest(e.Value, e.SE, e.DF); q >= 0.05 {
		t.Errorf("Satterthwaite's p is %v, not below Cochran and Cox's", q)
	}
	low, high := e.equivalence(0.05)
	near(t, "low", low, 0, 1e-4)
	near(t, "high", high, 2*e.Value, 1e-4)
	near(t, "equivalence at the end of its interval", e.pEquivalence(high), 0.025, 1e-6)

	for _, x := range []float64{0.9, 1.5, 3, 7, 30} { // the quantile of the tail is the statistic
		tail := e.tail(x)
		if q := e.parts.quantile(tail); math.Abs(q/x-1) > 1e-5 && tail > 1e-14 {
			t.Errorf("tail of %v is %v, whose quantile is %v", x, tail, q)
		}
	}
	even := e
	even.parts = parts{{1, 4, 5}, {4, 4, 20}, {5, 999, 0}}
	even.P = 0.03
	near(t, "no more than four times as wide", even.pCareful(), 0.03, 0)
	if one := (parts{{1, 4, 5}, {5, 999, 0}}); one.uneven() {
		t.Error("one side alone is uneven")
	}
	if !(parts{{0, 4, 0}, {1, 4, 5}, {5, 999, 0}}).uneven() {
		t.Error("a side that does not vary and one that does are not uneven")
	}
}

// TestUnevenSpreads checks that a contrast with uneven spreads keeps the interval
// and its p-value, while the verdict uses the conservative test and a warning says
// why.
func TestUnevenSpreads(t *testing.T) {
	arms := []Arm{flat("A", 47.9, 47.95, 48, 48.05, 48.1), flat("B", 49.1, 50.9, 52.9, 54.9, 59.7)}
	for _, run := range arms[1].Runs { // B finds other images hard
		for i := range run.Images {
			run.Images[i].CIDEr += 0.245 * float64(2*(i%2)-1)
		}
	}
	a, err := Compare(arms, []Contrast{ba}, Options{Metrics: []string{"cider"}})
	if err != nil {
		t.Fatal(err)
	}
	r := a.Results[0]
	if !(r.PHolm < 0.05 && r.PIntervalHolm < 0.05 && r.Low > 0) || r.Verdict != Inconclusive {
		t.Errorf("p %v and %v, low %v, verdict %s", r.PHolm, r.PIntervalHolm, r.Low, r.Verdict)
	}
	want := "one side's seeds spread more than twice as wide as the other's: the verdict uses p = 0.0"
	if !strings.Contains(strings.Join(r.Warnings, "\n"), want) {
		t.Errorf("warnings %q", r.Warnings)
	}
}
