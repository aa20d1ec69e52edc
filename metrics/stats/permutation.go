package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// mostSplits is the number of splits up to which a permutation test looks at
// every one: enough for 10 against 10 runs (184,756).
const mostSplits = 200_000

// countSplits is the binomial coefficient n over k, +Inf beyond float64.
func countSplits(n, k int) float64 {
	c := 1.0
	for i := 1; i <= min(k, n-k); i++ {
		c = c * float64(n-min(k, n-k)+i) / float64(i)
	}
	return math.Round(c)
}

// eachSplit calls f for ways to divide n runs into two groups, with the runs of
// the second group, of the given size: for every way, once, if there are at
// most most of them; else for the observed one, whose second group is the last
// runs, and for most − 1 random ones. f must not keep its argument.
func eachSplit(n, second, most int, g *rand.PCG, f func(group []int)) (exact bool) {
	group := make([]int, second)
	if countSplits(n, second) <= float64(most) {
		for i := range group {
			group[i] = i
		}
		for {
			f(group)
			// The next group in lexicographic order: the last run that can
			// move up does, and those after it follow closely.
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
		for i := range second { // a random subset, by a shuffle cut short
			j := i + below(g, n-i)
			order[i], order[j] = order[j], order[i]
		}
		f(order[:second])
	}
	return false
}

// difference is the mean of a group less that of the other scores.
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
	exact bool // every split was looked at
	se    float64
}

// permute is the two-sided unpaired permutation test for a difference of means:
// the share of all splits of the runs into groups of the arms' sizes whose
// difference is at least as large as the observed one. Where there are more
// than most splits a random sample takes their place, the observed split
// counted in (Phipson & Smyth 2010, "Permutation p-values should never be
// zero"), and p has a standard error.
func permute(a, b []float64, most int, seed int64) permutation {
	pooled := slices.Concat(a, b)
	total := 0.0
	for _, v := range pooled {
		total += v
	}
	// Sums in another order differ in the last bits: what is equal but for
	// rounding counts as equal.
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

// SmallestP returns the smallest p-value that the permutation test can give
// for arms of nA and nB runs: one split in all, or two where the arms are of
// one size and each split has its mirror image. It is 1 where an arm has fewer
// than two runs, which are not tested.
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

// Holm returns the p-values adjusted for their number by Holm's step-down
// method, in the order given: the smallest times k, the next times k − 1, and
// so on, each at least as large as the one before and at most 1. Comparing
// them with α keeps the probability of any false rejection at α, whatever the
// dependence of the tests. A NaN, a test that was not made, counts among the
// tests and stays NaN.
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
