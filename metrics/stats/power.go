package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// design is what decides how likely a true effect is found: sizes, spreads
// (any one unit), and the rule of the verdict.
type design struct {
	nA, nB    int     // runs planned; looks that need more do not happen
	sdA, sdB  float64 // of a run's score over seeds
	imageSE   float64 // of the difference, from the images alone
	images    int
	contrasts int  // over which Holm adjusts
	rule      rule // with the minimum in the unit of the spreads
}

// powerStudies is the number of simulated studies that a power rests on: its
// standard error is at most 0.016.
const powerStudies = 1000

// powerSplits is the number of splits up to which the simulation makes the
// permutation test itself: 6 against 6 runs. Beyond, it takes the t test that
// the permutation test tends to (Lehmann & Romano 2005, "Testing statistical
// hypotheses", section 15.2).
const powerSplits = 924

// stage is a look in the making: its sizes and the levels of its tests at Holm's
// strictest step, as if no other contrast were significant.
type stage struct {
	look, nA, nB int
	level        float64 // two-sided
	wide         float64 // of the interval that stands for equivalence
	limit        func(a, b []float64) float64
}

// stages are those of the looks that the planned runs reach, one without looks.
func (d design) stages() []stage {
	if d.rule.schedule == nil {
		return []stage{d.stage(0, d.nA, d.nB, d.rule.alpha/float64(d.contrasts), 0)}
	}
	var out []stage
	for k, n := range d.rule.Seeds {
		if n <= min(d.nA, d.nB) {
			out = append(out, d.stage(k, n, n, d.rule.strict[k], d.rule.strictWide[k]))
		}
	}
	return out
}

func (d design) stage(look, nA, nB int, level, wide float64) stage {
	return stage{look, nA, nB, level, wide, testLimit(nA, nB, level)}
}

// outcomes are what the looks of one simulated study say, by the true
// difference δ of its arms. A δ shifts the arm B and leaves the spreads alone, so
// that interval and minimum give the least δ that is "supported" directly, and
// each split of the permutation test has one δ up to which it is as extreme as
// the observed one: the test rejects beyond the (c+1)-th largest of these, c
// being the number of splits that the level allows.
type outcomes []outcome

type outcome struct {
	look  int
	found float64 // the δ from which on the look says "supported", +Inf if none
	// Without a true difference the look sees this, and the difference that it
	// calls equivalent lies below equal.
	seen  estimate
	equal float64
}

// studies simulates studies with normal seeds and images.
func (d design) studies(seed int64) []outcomes {
	stages := d.stages()
	reach := func(s stage) bool { return SmallestP(s.nA, s.nB) < s.level }
	if !slices.ContainsFunc(stages, reach) {
		return nil
	}
	out := make([]outcomes, powerStudies)
	g := rand.New(stream(seed, usePower, 0))
	scores := make([]float64, d.nA+d.nB)
	pooled := make([]float64, 0, d.nA+d.nB)
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
		for _, s := range stages {
			pooled = append(append(pooled[:0], scores[:s.nA]...), scores[d.nA:d.nA+s.nB]...)
			a, b := side{scores: pooled[:s.nA], sign: -1}, side{scores: pooled[s.nA:], sign: 1}
			o := outcome{look: s.look, found: math.Inf(1), seen: newEstimate([]side{b, a}, d.imageSE*d.imageSE, d.images)}
			if reach(s) {
				half := tQuantile(1-s.level/2, o.seen.DF) * o.seen.SE
				o.found = max(max(half, d.rule.minimum)-o.seen.Value, s.limit(pooled[:s.nA], pooled[s.nA:]))
			}
			if len(stages) > 1 {
				o.equal = d.rule.minimum - tQuantile(1-s.wide/2, o.seen.DF)*o.seen.SE
			}
			out[i] = append(out[i], o)
		}
	}
	return out
}

// supported reports whether a study of a true difference ends with this verdict.
func (o outcomes) supported(r rule, effect float64) bool {
	for _, look := range o {
		if effect >= look.found {
			return true
		}
		if r.schedule == nil || look.look+1 == r.looks() {
			continue
		}
		e := evidence{estimate: look.seen}
		e.Value += effect
		if math.Abs(e.Value) < look.equal || r.conditionalPower(e, look.look) < r.Futility {
			return false
		}
	}
	return false
}

// testLimit returns the function that gives the δ from which on the permutation
// test of two arms rejects at a level.
func testLimit(nA, nB int, level float64) func(a, b []float64) float64 {
	if n := countSplits(nA+nB, nA); n <= powerSplits {
		s := newSplits(nA, nB)
		allowed := int(math.Ceil(level*n)) - 1
		limits := make([]float64, len(s.groups))
		return func(a, b []float64) float64 { return s.limit(slices.Concat(a, b), limits, allowed) }
	}
	t := tQuantile(1-level/2, float64(nA+nB-2))
	return func(a, b []float64) float64 { return t*pooledSE(a, b) - (mean1(b) - mean1(a)) }
}

// pooledSE is the standard error of Student's two-sample t test.
func pooledSE(a, b []float64) float64 {
	nA, nB := float64(len(a)), float64(len(b))
	pooled := ((nA-1)*variance(a) + (nB-1)*variance(b)) / (nA + nB - 2)
	return math.Sqrt(pooled * (1/nA + 1/nB))
}

// splits are all ways to divide the runs of two arms into groups of their sizes.
type splits struct {
	first, second int
	groups        [][]int // the runs of each second group
}

func newSplits(first, second int) splits {
	s := splits{first: first, second: second}
	eachSplit(first+second, second, math.MaxInt, nil, func(group []int) { s.groups = append(s.groups, slices.Clone(group)) })
	return s
}

// limit is the δ beyond which at most allowed splits are as extreme as the
// observed one. A split that takes j runs out of B has the difference
// base + cδ with c = 1 − j/nA − j/nB, and stays as extreme while
// |base + cδ| ≥ observed + δ.
func (s splits) limit(scores, limits []float64, allowed int) float64 {
	total := 0.0
	for _, v := range scores {
		total += v
	}
	home := make([]int, s.second)
	for i := range home {
		home[i] = s.first + i
	}
	observed := difference(home, scores, total)
	for i, group := range s.groups {
		base := difference(group, scores, total)
		out := 0.0
		for _, r := range group {
			if r < s.first {
				out++
			}
		}
		c := 1 - out/float64(s.first) - out/float64(s.second)
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
func (d design) powerAt(studies []outcomes, effect float64) float64 {
	n := 0
	for _, o := range studies {
		if o.supported(d.rule, effect) {
			n++
		}
	}
	return float64(n) / powerStudies
}

// detectable is the smallest effect found with the given power; nil if no effect is.
func (d design) detectable(studies []outcomes, power float64) *float64 {
	var limits []float64
	for _, o := range studies {
		for _, look := range o {
			if !math.IsInf(look.found, 0) {
				limits = append(limits, look.found)
			}
		}
	}
	slices.Sort(limits)
	at := sort.Search(len(limits), func(i int) bool { return d.powerAt(studies, limits[i]) >= power })
	if at == len(limits) {
		return nil
	}
	return &limits[at]
}
