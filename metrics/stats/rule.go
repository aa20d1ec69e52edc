package stats

import "math"

// rule is how the contrasts of one metric are judged: tests, Holm's adjustment
// over the contrasts, and the looks if there are several. [Compare], [Plan] and
// the simulations share it.
type rule struct {
	alpha       float64
	minimum     float64 // as a score
	exploratory bool    // no verdict
	*schedule           // nil for one look at everything
}

// evidence is what one look at a contrast found.
type evidence struct {
	a, b []float64 // scores of the replicates that the look has
	estimate
	permutation
	careful  float64 // p of the interval's test as the verdict takes it
	untested string
}

// course is a contrast's way through the looks.
type course struct {
	// look makes the k-th look, from 0; false if runs are missing.
	look func(k int) (evidence, bool)
	seen []evidence
	// What each look decided: a verdict, decisionFutile or decisionContinue.
	decisions []string
	// p-values over the looks so far, NaN without a test, and adjusted over
	// the contrasts.
	p, pInterval, pCareful, pEquivalence                 float64
	pHolm, pIntervalHolm, pCarefulHolm, pEquivalenceHolm float64
	// The look that gave p: whether it saw every split, and else the standard
	// error that is left.
	pExact bool
	pError float64

	verdict         Verdict
	decided, futile bool
}

// What a look decides where it gives no verdict.
const (
	decisionFutile   = "futile"
	decisionContinue = "continue"
)

func newCourse(look func(k int) (evidence, bool)) *course {
	none := math.NaN()
	return &course{look: look, p: none, pInterval: none, pCareful: none, pEquivalence: none, pError: none}
}

// follow takes contrasts through their looks. At each look those that are not
// decided are tested, and Holm's method is applied to all contrasts' p-values so
// far, sequential ones where there are several looks. That keeps α over
// contrasts and looks together (Maurer & Bretz 2013, "Multiple testing in group
// sequential trials using graphical approaches", Statistics in
// Biopharmaceutical Research 5:311–320). p-values only ever fall from look to
// look, so that a verdict once given stands.
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

// looks is how many there are.
func (r rule) looks() int {
	if r.schedule == nil {
		return 1
	}
	return len(r.Seeds)
}

// level is the two-sided level of a look, and wide that of the interval whose
// sides are each a one-sided test at α.
func (r rule) level(k int) float64 {
	if r.schedule == nil {
		return r.alpha
	}
	return r.levels[k]
}

func (r rule) wideLevel(k int) float64 {
	if r.schedule == nil {
		return 2 * r.alpha
	}
	return r.wide[k]
}

// sequential is the p-value over all looks of a p found at look k.
func (r rule) sequential(k int, p float64) float64 {
	if r.schedule == nil {
		return p
	}
	return r.overall(k, p)
}

// see takes in what the next look found.
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

// judge returns the verdict on what a contrast has shown so far, and says whether more seeds are
// wanted. A contrast without a verdict may get one when another has been decided and Holm's
// method leaves it more of α.
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

// verdict is what tests, interval and minimum agree on; "" if nothing.
func (r rule) verdict(c *course, last evidence, k int) Verdict {
	if last.untested != "" {
		return ""
	}
	tested := c.pHolm < r.alpha && c.pCarefulHolm < r.alpha
	outside := last.careful < r.level(k) // the interval leaves 0 out
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
// last look, in the direction seen so far, given what look k found and that the
// true difference is the larger of the observed one and the minimum (Jennison &
// Turnbull 2000, chapter 10). More seeds make the seeds' part of the standard
// error smaller, and leave that of the images, so that the information a look
// has is the share t of the last look's variance in its own.
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
