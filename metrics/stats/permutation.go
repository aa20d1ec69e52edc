package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// mostSplits is the largest number of splits for which a permutation test is
// exact. It is enough for 10 against 10 runs (184,756 splits).
const mostSplits = 200_000

// countSplits is the binomial coefficient n over k; +Inf if it overflows.
func countSplits(n, k int) float64 {
	c := 1.0
	for i := 1; i <= min(k, n-k); i++ {
		c = c * float64(n-min(k, n-k)+i) / float64(i)
	}
	return math.Round(c)
}

// eachSplit calls f for splits of n runs into two groups. f gets the runs of the
// second group, which has the given size, and must not keep its argument. If
// there are at most `most` splits, f is called once for each, and exact is true.
// Otherwise it is called for the observed split, whose second group is the last
// runs, and for most − 1 random ones.
func eachSplit(n, second, most int, g *rand.PCG, f func(group []int)) (exact bool) {
	group := make([]int, second)
	if countSplits(n, second) <= float64(most) {
		for i := range group {
			group[i] = i
		}
		for {
			f(group)
			// Move to the next group in lexicographic order: advance the last
			// run that can advance, and put the later ones right after it.
			i := second - 1
			for i >= 0 && group[i] == n-second+i {
				i--
			}
			if i < 0 {
				return true
			}
			group[i]++
			for j := i + 1; j < second; j++ {
				group[j] = group[j-1] + 1
			}
		}
	}
	for i := range group {
		group[i] = n - second + i
	}
	f(group)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for range most - 1 {
		for i := range second { // a partial shuffle gives a random subset
			j := i + below(g, n-i)
			order[i], order[j] = order[j], order[i]
		}
		f(order[:second])
	}
	return false
}

// difference is the mean of a group minus the mean of the other scores.
func difference(group []int, scores []float64, total float64) float64 {
	sum := 0.0
	for _, i := range group {
		sum += scores[i]
	}
	return sum/float64(len(group)) - (total-sum)/float64(len(scores)-len(group))
}

// permutation is the outcome of a permutation test.
type permutation struct {
	p     float64
	exact bool    // every split was evaluated
	se    float64 // standard error of p; 0 if exact
}

// permute is the two-sided, unpaired permutation test for a difference of means.
// p is the share of all splits of the runs into groups of the arms' sizes whose
// difference is at least as large as the observed one in absolute value. If
// there are more than `most` splits, p comes from the observed split and a
// random sample (Phipson & Smyth 2010, "Permutation p-values should never be
// zero"), and has a standard error.
func permute(a, b []float64, most int, seed int64) permutation {
	pooled := slices.Concat(a, b)
	total := 0.0
	for _, v := range pooled {
		total += v
	}
	// Sums in another order differ in the last bits, so differences count as
	// equal up to rounding.
	slack := 1e-9 * (slices.Max(pooled) - slices.Min(pooled))
	observed := math.Abs(mean1(b)-mean1(a)) - slack
	count, all := 0, 0
	exact := eachSplit(len(pooled), len(b), most, stream(seed, useSplits, 0), func(group []int) {
		all++
		if math.Abs(difference(group, pooled, total)) >= observed {
			count++
		}
	})
	out := permutation{p: float64(count) / float64(all), exact: exact}
	if !exact {
		out.se = math.Sqrt(out.p * (1 - out.p) / float64(all))
	}
	return out
}

// SmallestP returns the smallest p-value that the permutation test can give for
// arms of nA and nB runs: the share of one split among all, or of two if the arms
// are of equal size, since each split then has a mirror image. It is 1 if an arm
// has fewer than two runs, because such arms are not tested.
func SmallestP(nA, nB int) float64 {
	if nA < fewestReplicates || nB < fewestReplicates {
		return 1
	}
	p := 1 / countSplits(nA+nB, nA)
	if nA == nB {
		p *= 2
	}
	return min(1, p)
}

// Holm returns the k given p-values adjusted by Holm's step-down method, in the
// order given (Holm 1979, Scandinavian Journal of Statistics 6:65–70). The
// smallest is multiplied by k, the next by k − 1, and so on; each is at least as
// large as the one before and at most 1. Rejecting where the adjusted p is below
// α bounds the probability of any false rejection by α, however the tests depend
// on one another. A NaN, for a test that was not made, counts as one of the k and
// stays NaN.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case p[i] < p[j] || math.IsNaN(p[j]) && !math.IsNaN(p[i]):
			return -1
		case p[i] > p[j] || math.IsNaN(p[i]) && !math.IsNaN(p[j]):
			return 1
		}
		return 0
	})
	out := make([]float64, len(p))
	last := 0.0
	for rank, i := range order {
		last = max(last, min(1, float64(len(p)-rank)*p[i]))
		out[i] = last
	}
	return out
}
