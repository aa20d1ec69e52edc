package stats

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestPermutationP(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []float64
		want float64
	}{
		// By hand: the differences of the six splits of {0, 2, 1, 5} into pairs are
		// 2 (observed), -2, 3, -3, 1 and -1; four are at least 2.
		{"worked by hand", []float64{0, 2}, []float64{1, 5}, 4.0 / 6},
		// Only the observed split and its mirror image separate the groups.
		{"separated", []float64{1, 2, 3}, []float64{4, 5, 6}, 2.0 / 20},
		{"separated the other way", []float64{4, 5, 6}, []float64{1, 2, 3}, 2.0 / 20},
		{"five against five", []float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, 2.0 / 252},
		// Of the 10 ways to take 2 of {1, 2, 3, 9, 10}, only {9, 10} is 7.5 above
		// the others, and none is as far below.
		{"unequal sizes", []float64{1, 2, 3}, []float64{9, 10}, 1.0 / 10},
		{"equal scores", []float64{1, 1, 1}, []float64{1, 1, 1}, 1},
		{"no more than rounding apart", []float64{0.1, 0.2, 0.3}, []float64{0.3, 0.2, 0.1}, 1},
		{"one run each", []float64{1}, []float64{2}, 1},
	} {
		got := permute(c.a, c.b, mostSplits, 1)
		if !got.exact || got.se != 0 {
			t.Errorf("%s: not exact", c.name)
		}
		near(t, c.name, got.p, c.want, 1e-15)
	}
}

// With 11 against 11 runs, there are 705,432 splits. The test samples them, and
// agrees with the normal limit of the permutation distribution.
func TestPermutationPSampled(t *testing.T) {
	var a, b []float64
	for i := range 11 {
		a, b = append(a, float64(2*i)), append(b, float64(2*i)+7)
	}
	got := permute(a, b, mostSplits, 1)
	if got.exact {
		t.Error("exact, want sampled")
	}
	// The pooled values have variance 55.90 (22 values around 13.5), so the
	// difference 7 is 7/√(55.90·(2/11)) = 2.196 standard errors from 0: two-sided p
	// 0.028.
	near(t, "p", got.p, 0.028, 0.004)
	// The standard error of 0.028 is √(0.028·0.972/200,000) = 0.00037.
	near(t, "its standard error", got.se, 0.00037, 0.00003)
	if again := permute(a, b, mostSplits, 1); again != got {
		t.Errorf("repeated: %+v, first %+v", again, got)
	}
	// With a higher limit, all C(22, 11) = 705,432 splits are evaluated.
	all := permute(a, b, 1_000_000, 1)
	if !all.exact {
		t.Error("705,432 splits are sampled, want all")
	}
	near(t, "sampled p", got.p, all.p, 3*got.se)
}

// Any number of runs works: if they have few splits, all are evaluated, and if
// they have many, a sample is.
func TestPermutationOfManyRuns(t *testing.T) {
	few, many := []float64{1000, 1001}, make([]float64, 100)
	for i := range many {
		many[i] = float64(i)
	}
	got := permute(many, few, mostSplits, 1)
	if !got.exact {
		t.Error("5,151 splits are sampled, want all")
	}
	near(t, "the two largest of 102", got.p, 1.0/5151, 1e-15) // C(102, 2)
	near(t, "the two largest, the other way round", permute(few, many, mostSplits, 1).p, 1.0/5151, 1e-15)

	above := make([]float64, 100)
	for i := range above {
		above[i] = many[i] + 200
	}
	got = permute(many, above, 5000, 1)
	if got.exact {
		t.Error("100 against 100 runs: exact, want sampled")
	}
	near(t, "only the observed split", got.p, 1.0/5000, 1e-15)
}

func TestSmallestP(t *testing.T) {
	for _, c := range []struct {
		a, b int
		want float64
	}{
		// The binomial coefficients are 20, 70, 252, 56 and 184756.
		{3, 3, 2.0 / 20}, {4, 4, 2.0 / 70}, {5, 5, 2.0 / 252}, {3, 5, 1.0 / 56}, {10, 10, 2.0 / 184756},
		{2, 2, 2.0 / 6}, {1, 1, 1}, {1, 40, 1}, {0, 5, 1},
	} {
		near(t, "smallest p", SmallestP(c.a, c.b), c.want, 1e-15)
	}
}

func TestHolm(t *testing.T) {
	for _, c := range []struct{ p, want []float64 }{
		// By hand: 4·0.005, 3·0.01, 2·0.03, and 0.04 raised to the 0.06 before it.
		{[]float64{0.01, 0.04, 0.03, 0.005}, []float64{0.03, 0.06, 0.06, 0.02}},
		{[]float64{0.5, 0.6}, []float64{1, 1}},
		{[]float64{0.02}, []float64{0.02}},
		{nil, []float64{}},
		// A test that was not made counts as one with the largest p.
		{[]float64{math.NaN(), 0.01, 0.04}, []float64{math.NaN(), 0.03, 0.08}},
	} {
		got := Holm(c.p)
		if len(got) != len(c.want) {
			t.Fatalf("Holm(%v) = %v", c.p, got)
		}
		for i := range got {
			if math.IsNaN(c.want[i]) != math.IsNaN(got[i]) {
				t.Errorf("Holm(%v) = %v, want %v", c.p, got, c.want)
			}
			if !math.IsNaN(c.want[i]) {
				near(t, "Holm", got[i], c.want[i], 1e-15)
			}
		}
	}
}
