package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// design determines the power of a contrast: its sizes, its spreads and the rule
// of the verdict. Spreads and minimum share one unit.
type design struct {
	nA, nB    int     // planned runs; looks that need more are skipped
	sdA, sdB  float64 // standard deviations of a run's score over seeds
	imageSE   float64 // standard error of the difference due to images
	images    int
	contrasts int // over which Holm adjusts
	rule      rule
}

// powerStudies is the number of simulated studies per contrast. It makes the
// standard error of a power at most 0.016.
const powerStudies = 1000

// powerSplits is the largest number of splits for which the simulation carries
// out the permutation test: that of 6 against 6 runs. Beyond it, the simulation
// uses the t test to which the permutation test converges (Lehmann & Romano
// 2005, "Testing statistical hypotheses", section 15.2).
const powerSplits = 924

// stage is a look of a simulated study: its sizes, and the levels of its tests at
// Holm's strictest step, as if no other contrast were significant.
type stage struct {
	look, nA, nB int
	level        float64                      // two-sided
	wide         float64                      // of the equivalence interval
	limit        func(a, b []float64) float64 // see testLimit
}

// stages returns the looks that the planned runs reach; one stage without looks.
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

// outcomes are the results of one simulated study, by look, as functions of the
// true difference δ of its arms. δ shifts arm B and leaves the spreads unchanged.
// So interval and minimum directly give the smallest δ that is "supported". Each
// split of the permutation test is as extreme as the observed one up to some δ.
// If the level allows c such splits, the test rejects for δ beyond the (c+1)-th
// largest of these.
type outcomes []outcome

type outcome struct {
	look  int
	found float64  // smallest δ for which the look gives "supported"; +Inf if none
	seen  estimate // the look's estimate for δ = 0
	equal float64  // an absolute estimate below this is "equivalent"
}

// studies simulates studies with normally distributed seed and image effects. It
// returns nil if no look can reject.
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

// supported reports whether the study ends with the verdict "supported" if the
// true difference is effect.
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

// testLimit returns a function of the scores of two arms: the δ beyond which the
// permutation test rejects at a level.
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

// splits are all divisions of the runs of two arms into groups of their sizes.
type splits struct {
	first, second int
	groups        [][]int // the runs of each second group
}

func newSplits(first, second int) splits {
	s := splits{first: first, second: second}
	eachSplit(first+second, second, math.MaxInt, nil, func(group []int) { s.groups = append(s.groups, slices.Clone(group)) })
	return s
}

// limit returns the δ beyond which at most `allowed` splits are as extreme as the
// observed one. A split that moves j runs out of B has the difference base + cδ
// with c = 1 − j/nA − j/nB. It is as extreme as long as |base + cδ| ≥
// observed + δ. limits is scratch space, one element per split.
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

// crossing returns the largest δ with gain ≥ slope·δ. The slope is 0 for the
// observed split and its mirror image, which are always as extreme.
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

// powerAt returns the share of studies that end with "supported" if the true
// difference is effect.
func (d design) powerAt(studies []outcomes, effect float64) float64 {
	n := 0
	for _, o := range studies {
		if o.supported(d.rule, effect) {
			n++
		}
	}
	return float64(n) / powerStudies
}

// detectable returns the smallest effect with at least the given power, or nil if
// there is none.
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
