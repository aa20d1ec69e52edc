package stats

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// design is what decides how likely a true effect is found: sizes, spreads
// (any one unit), and the rule of the verdict.
type design struct {
	nA, nB    int
	sdA, sdB  float64 // of a run's score over seeds
	imageSE   float64 // of the difference, from the images alone
	images    int
	alpha     float64
	contrasts int // over which Holm adjusts
	minimum   float64
}

// powerStudies is the number of simulated studies that a power rests on: its
// standard error is at most 0.016.
const powerStudies = 1000

// powerSplits is the number of splits up to which the simulation makes the
// permutation test itself: 6 against 6 runs. Beyond, it takes the t test that
// the permutation test tends to (Lehmann & Romano 2005, "Testing statistical
// hypotheses", section 15.2).
const powerSplits = 924

// thresholds simulates studies with normal seeds and images, and returns for
// each the smallest true difference at which its verdict would have been
// "supported", sorted; +Inf where none would.
//
// A true difference δ shifts the arm B of a study by δ and leaves the spreads
// alone. So interval and minimum give the least δ directly, and each split of
// the permutation test has one δ up to which it is as extreme as the observed
// one: the test rejects beyond the (c+1)-th largest of these, c being the
// number of splits that p < α/k allows. Holm is taken at its strictest, as if
// no other contrast were significant, for the interval's test too.
func (d design) thresholds(seed int64) []float64 {
	out := make([]float64, powerStudies)
	g := rand.New(stream(seed, usePower, 0))
	if d.nA < 2 || d.nB < 2 || SmallestP(d.nA, d.nB)*float64(d.contrasts) >= d.alpha {
		for i := range out {
			out[i] = math.Inf(1)
		}
		return out
	}
	scores := make([]float64, d.nA+d.nB)
	testLimit := d.testLimit()
	for i := range out {
		for r := range scores {
			sd := d.sdA
			if r >= d.nA {
				sd = d.sdB
			}
			scores[r] = sd * g.NormFloat64()
		}
		shift := d.imageSE * g.NormFloat64()
		for r := d.nA; r < len(scores); r++ {
			scores[r] += shift
		}
		out[i] = max(d.intervalLimit(scores), testLimit(scores))
	}
	slices.Sort(out)
	return out
}

// testLimit returns the function that gives the δ of the permutation test.
func (d design) testLimit() func(scores []float64) float64 {
	level := d.alpha / float64(d.contrasts)
	if n := countSplits(d.nA+d.nB, d.nA); n <= powerSplits {
		s := newSplits(d.nA, d.nB, powerSplits, nil)
		allowed := int(math.Ceil(level*n)) - 1
		limits := make([]float64, len(s.masks))
		return func(scores []float64) float64 { return s.limit(scores, limits, allowed) }
	}
	nA, nB := float64(d.nA), float64(d.nB)
	t := tQuantile(1-level/2, nA+nB-2)
	return func(scores []float64) float64 {
		a, b := scores[:d.nA], scores[d.nA:]
		pooled := ((nA-1)*variance(a) + (nB-1)*variance(b)) / (nA + nB - 2)
		return t*math.Sqrt(pooled*(1/nA+1/nB)) - (mean1(b) - mean1(a))
	}
}

// intervalLimit is the δ from which on the interval lies above 0 and the
// difference reaches the minimum.
func (d design) intervalLimit(scores []float64) float64 {
	a, b := scores[:d.nA], scores[d.nA:]
	partA, partB := variance(a)/float64(d.nA), variance(b)/float64(d.nB)
	byImage := d.imageSE * d.imageSE
	total := partA + partB + byImage
	df := satterthwaite(total, partA*partA/float64(d.nA-1)+partB*partB/float64(d.nB-1), byImage, d.images)
	half := tQuantile(1-d.alpha/float64(d.contrasts)/2, df) * math.Sqrt(total)
	return max(half, d.minimum) - (mean1(b) - mean1(a))
}

// limit is the δ beyond which at most allowed splits are as extreme as the
// observed one. A split that takes j runs out of B has the difference
// base + cδ with c = 1 − j/nA − j/nB, and stays as extreme while
// |base + cδ| ≥ observed + δ.
func (s splits) limit(scores, limits []float64, allowed int) float64 {
	first := s.n - s.second
	total := 0.0
	for _, v := range scores {
		total += v
	}
	home := (uint64(1)<<s.second - 1) << first
	observed := s.difference(home, scores, total)
	for i, m := range s.masks {
		base := s.difference(m, scores, total)
		out := float64(s.second - bits.OnesCount64(m&home))
		c := 1 - out/float64(first) - out/float64(s.second)
		limits[i] = max(crossing(base-observed, 1-c), crossing(-base-observed, 1+c))
	}
	return kthLargest(limits, allowed+1)
}

// crossing solves gain ≥ slope·δ for the largest δ; a slope of 0 belongs to
// the observed split or its mirror image, which are always as extreme.
func crossing(gain, slope float64) float64 {
	if slope < 1e-9 {
		return math.Inf(1)
	}
	return gain / slope
}

// kthLargest returns the k-th largest value; k is small.
func kthLargest(x []float64, k int) float64 {
	top := make([]float64, 0, k+1) // the largest so far, ascending
	for _, v := range x {
		if len(top) == k && v <= top[0] {
			continue
		}
		at, _ := slices.BinarySearch(top, v)
		top = slices.Insert(top, at, v)
		if len(top) > k {
			top = top[1:]
		}
	}
	if len(top) < k {
		return math.Inf(-1)
	}
	return top[0]
}

// powerAt is the share of studies that an effect would have convinced.
func powerAt(thresholds []float64, effect float64) float64 {
	n, _ := slices.BinarySearchFunc(thresholds, effect, func(t, e float64) int {
		if t <= e {
			return -1
		}
		return 1
	})
	return float64(n) / float64(len(thresholds))
}

// detectable is the smallest effect found with the given power, nil where no
// effect is.
func detectable(thresholds []float64, power float64) *float64 {
	at := int(math.Ceil(power*float64(len(thresholds)))) - 1
	if v := thresholds[max(0, at)]; !math.IsInf(v, 0) {
		return &v
	}
	return nil
}
