package stats

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// mostSplits is the number of splits up to which a permutation test looks at
// every one: enough for 10 against 10 runs (184,756).
const mostSplits = 200_000

// splits are ways to divide n runs into two groups, each as the sorted list
// of the runs that form the second group. The observed split, whose second
// group is the last runs, is among them.
type splits struct {
	n, second int
	masks     []uint64
	exact     bool // all splits, each once
}

// countSplits is the binomial coefficient n over k, +Inf beyond float64.
func countSplits(n, k int) float64 {
	c := 1.0
	for i := 1; i <= min(k, n-k); i++ {
		c = c * float64(n-min(k, n-k)+i) / float64(i)
	}
	return math.Round(c)
}

// newSplits lists every split if there are at most most, else the observed one
// and most − 1 random ones. At most 64 runs fit.
func newSplits(first, second, most int, g *rand.PCG) splits {
	n := first + second
	s := splits{n: n, second: second}
	observed := (uint64(1)<<second - 1) << first
	if countSplits(n, second) <= float64(most) {
		s.exact = true
		s.masks = make([]uint64, 0, int(countSplits(n, second)))
		last := observed
		for m := uint64(1)<<second - 1; ; m = nextOfSameSize(m) {
			s.masks = append(s.masks, m)
			if m == last {
				return s
			}
		}
	}
	s.masks = append(s.masks, observed)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for len(s.masks) < most {
		var m uint64
		for i := range second { // a random subset, by a shuffle cut short
			j := i + below(g, n-i)
			order[i], order[j] = order[j], order[i]
			m |= 1 << order[i]
		}
		s.masks = append(s.masks, m)
	}
	return s
}

// nextOfSameSize is the next larger number with as many bits set (Gosper).
func nextOfSameSize(m uint64) uint64 {
	low := m & -m
	ripple := m + low
	return ripple | (m^ripple)>>2>>bits.TrailingZeros64(low)
}

// difference is the mean of the second group less that of the first.
func (s splits) difference(mask uint64, scores []float64, total float64) float64 {
	sum := 0.0
	for m := mask; m != 0; m &= m - 1 {
		sum += scores[bits.TrailingZeros64(m)]
	}
	return sum/float64(s.second) - (total-sum)/float64(s.n-s.second)
}

// mostRuns is the number of runs in two arms that splits can hold.
const mostRuns = 64

// permutationP is the two-sided unpaired permutation test for a difference of
// means: the share of all splits of the runs into groups of the arms' sizes
// whose difference is at least as large as the observed one. Where there are
// more than 200,000 splits a random sample takes their place, the observed
// split counted in (Phipson & Smyth 2010, "Permutation p-values should never
// be zero"), and exact is false.
func permutationP(a, b []float64, seed int64) (p float64, exact bool) {
	s := newSplits(len(a), len(b), mostSplits, stream(seed, useSplits, 0))
	pooled := slices.Concat(a, b)
	total := 0.0
	for _, v := range pooled {
		total += v
	}
	// Sums in another order differ in the last bits: what is equal but for
	// rounding counts as equal.
	slack := 1e-9 * (slices.Max(pooled) - slices.Min(pooled))
	observed := math.Abs(mean1(b)-mean1(a)) - slack
	count := 0
	for _, m := range s.masks {
		if math.Abs(s.difference(m, pooled, total)) >= observed {
			count++
		}
	}
	return float64(count) / float64(len(s.masks)), s.exact
}

// SmallestP returns the smallest p-value that the permutation test can give
// for arms of nA and nB runs: one split in all, or two where the arms are of
// one size and each split has its mirror image.
func SmallestP(nA, nB int) float64 {
	if nA < 1 || nB < 1 {
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
// dependence of the tests.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case p[i] < p[j]:
			return -1
		case p[i] > p[j]:
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
