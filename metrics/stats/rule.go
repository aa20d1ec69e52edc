package stats

import "math"

// rule is how the contrasts of one metric are judged: by tests, Holm's adjustment
// over the contrasts and, if there are several, looks. [Compare], [Plan] and the
// simulations share it.
type rule struct {
	alpha       float64
	minimum     float64 // in the unit of the scores
	exploratory bool    // no verdict
	*schedule           // nil for a study of fixed size
}

// evidence is the outcome of one look at a contrast.
type evidence struct {
	a, b []float64 // scores of the look's replicates
	estimate
	permutation
	careful  float64 // p of the interval's test that the verdict uses
	untested string  // see Result
}

// course is the state of a contrast over the looks.
type course struct {
	// look computes the k-th look, from 0; false if runs are missing.
	look func(k int) (evidence, bool)
	seen []evidence
	// The decision of each look: a verdict, decisionFutile or decisionContinue.
	decisions []string
	// p-values over the looks so far, NaN without a test, and then adjusted over
	// the contrasts.
	p, pInterval, pCareful, pEquivalence                 float64
	pHolm, pIntervalHolm, pCarefulHolm, pEquivalenceHolm float64
	// Whether the look that gave p used every split, and if not, p's standard
	// error.
	pExact bool
	pError float64

	verdict         Verdict
	decided, futile bool
}

// The decisions of a look that gives no verdict.
const (
	decisionFutile   = "futile"
	decisionContinue = "continue"
)

func newCourse(look func(k int) (evidence, bool)) *course {
	none := math.NaN()
	return &course{look: look, p: none, pInterval: none, pCareful: none, pEquivalence: none, pError: none}
}

// follow takes contrasts through their looks. At each look, undecided contrasts
// are tested, and Holm's method is applied to the p-values of all contrasts so
// far, which are sequential if there are several looks. This controls the error
// rate at α over contrasts and looks together (Maurer & Bretz 2013, "Multiple
// testing in group sequential trials using graphical approaches", Statistics in
// Biopharmaceutical Research 5:311–320). p-values can only decrease from look to
// look, so a verdict is final.
func (r rule) follow(courses []*course) {
	for k := range r.looks() {
		for _, c := range courses {
			if c.decided || len(c.seen) < k {
				continue
			}
			if e, ok := c.look(k); ok {
				r.see(c, e)
			}
		}
		adjust(courses)
		for _, c := range courses {
			r.judge(c)
		}
	}
}

// looks returns the number of looks.
func (r rule) looks() int {
	if r.schedule == nil {
		return 1
	}
	return len(r.Seeds)
}

// level returns the nominal two-sided level of look k.
func (r rule) level(k int) float64 {
	if r.schedule == nil {
		return r.alpha
	}
	return r.levels[k]
}

// wideLevel is level for 2α: each side of an interval of level 1 − wideLevel is a
// one-sided test at α.
func (r rule) wideLevel(k int) float64 {
	if r.schedule == nil {
		return 2 * r.alpha
	}
	return r.wide[k]
}

// sequential converts the p of look k alone to a sequential p-value.
func (r rule) sequential(k int, p float64) float64 {
	if r.schedule == nil {
		return p
	}
	return r.overall(k, p)
}

// see adds the evidence of the next look to a course.
func (r rule) see(c *course, e evidence) {
	k := len(c.seen)
	e.careful = e.P
	if !r.exploratory && e.untested == "" {
		e.careful = e.pCareful()
	}
	c.seen, c.decisions = append(c.seen, e), append(c.decisions, "")
	if e.untested != "" {
		return
	}
	if p := r.sequential(k, e.permutation.p); !(p >= c.p) {
		c.p, c.pExact = p, e.exact
		c.pError = r.sequential(k, min(1, e.permutation.p+e.se)) - p
	}
	if p := r.sequential(k, e.P); !(p >= c.pInterval) {
		c.pInterval = p
	}
	if p := r.sequential(k, e.careful); !(p >= c.pCareful) {
		c.pCareful = p
	}
	if r.minimum == 0 || r.exploratory {
		return
	}
	p := e.pEquivalence(r.minimum)
	if 2*p < 1 {
		p = r.sequential(k, 2*p) / 2
	}
	if !(p >= c.pEquivalence) {
		c.pEquivalence = p
	}
}

// adjust applies Holm's method to each of the tests.
func adjust(courses []*course) {
	for _, test := range []func(c *course) (p, holm *float64){
		func(c *course) (p, holm *float64) { return &c.p, &c.pHolm },
		func(c *course) (p, holm *float64) { return &c.pInterval, &c.pIntervalHolm },
		func(c *course) (p, holm *float64) { return &c.pCareful, &c.pCarefulHolm },
		func(c *course) (p, holm *float64) { return &c.pEquivalence, &c.pEquivalenceHolm },
	} {
		all := make([]float64, len(courses))
		for i, c := range courses {
			p, _ := test(c)
			all[i] = *p
		}
		for i, adjusted := range Holm(all) {
			_, holm := test(courses[i])
			*holm = adjusted
		}
	}
}

// judge sets the verdict of a contrast given its evidence so far, and whether it
// is decided or needs more seeds. A contrast without a verdict can get one when
// another is decided, because Holm's method then leaves it more of α.
func (r rule) judge(c *course) {
	k := len(c.seen) - 1
	if k < 0 {
		if !r.exploratory {
			c.verdict = Undecided
		}
		return
	}
	last := c.seen[k]
	if r.exploratory {
		if last.untested == "" {
			c.verdict = Exploratory
		}
		return
	}
	c.verdict = r.verdict(c, last, k)
	switch {
	case c.verdict != "":
		c.decided, c.futile = true, false
		c.decisions[k] = string(c.verdict)
	case k+1 == r.looks():
		c.decided = true
		if last.untested == "" {
			c.verdict = Inconclusive
			c.decisions[k] = string(Inconclusive)
		}
	case last.untested != "":
	case r.conditionalPower(last, k) < r.Futility:
		c.verdict, c.decided, c.futile = Inconclusive, true, true
		c.decisions[k] = decisionFutile
	default:
		c.verdict = Undecided
		c.decisions[k] = decisionContinue
	}
}

// verdict returns the verdict on which tests, interval and minimum agree, or ""
// if there is none.
func (r rule) verdict(c *course, last evidence, k int) Verdict {
	if last.untested != "" {
		return ""
	}
	tested := c.pHolm < r.alpha && c.pCarefulHolm < r.alpha
	outside := last.careful < r.level(k) // the interval excludes 0
	switch {
	case tested && outside && last.Value > 0 && last.Value >= r.minimum:
		return Supported
	case tested && outside && last.Value < 0 && last.Value <= -r.minimum:
		return Opposite
	case c.pEquivalenceHolm < r.alpha && math.Abs(last.Value) < r.minimum:
		return Equivalent
	}
	return ""
}

// conditionalPower is the probability that the interval's test rejects at the
// last look, in the direction observed so far, given the evidence of look k and a
// true difference equal to the larger of the observed one and the minimum
// (Jennison & Turnbull 2000, "Group sequential methods", chapter 10). More seeds
// shrink the seed part of the standard error but not the image part, so the
// information fraction t is the ratio of the last look's variance to the current
// one.
func (r rule) conditionalPower(e evidence, k int) float64 {
	last := r.looks() - 1
	final := math.Hypot(e.SeedSE*math.Sqrt(float64(r.Seeds[k])/float64(r.Seeds[last])), e.ImageSE)
	t := square(final / e.SE)
	observed := math.Abs(e.Value)
	expected := t*observed + (1-t)*max(observed, r.minimum)
	short := upperQuantile(r.levels[last]/2)*final - expected
	if sd := final * math.Sqrt(1-t); sd > 0 {
		return upperTail(short / sd)
	}
	if short > 0 {
		return 0
	}
	return 1
}
