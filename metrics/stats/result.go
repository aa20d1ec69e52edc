package stats

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// result returns the Result of a contrast in a metric. of is its course in that
// metric, primary its course in the primary metric, and contrasts the number of
// contrasts over which tests are adjusted.
func (c *comparison) result(name Contrast, pair [2]int, metric int, of, primary *course, contrasts int) Result {
	rule := c.rule(metric, contrasts)
	r := Result{Contrast: name, Metric: c.o.Metrics[metric], Verdict: of.verdict}
	if c.o.Looks != nil {
		r.Decided, r.Futile = primary.decided, primary.futile
		if !r.Decided {
			r.NextLook = c.o.Looks.Seeds[len(primary.seen)]
		}
	}
	k := len(of.seen) - 1
	var last evidence
	if k >= 0 {
		last = of.seen[k]
	} else {
		a, b := c.units[pair[0]], c.units[pair[1]]
		last = evidence{a: c.scores(pair[0], a.n(), metric), b: c.scores(pair[1], b.n(), metric),
			untested: fmt.Sprintf("the first look is at %d seeds: %s has %d, %s has %d", c.o.Looks.Seeds[0], b, b.n(), a, a.n())}
	}
	r.NA, r.NB, r.MeanA, r.MeanB = len(last.a), len(last.b), mean1(last.a), mean1(last.b)
	r.Untested = last.untested
	if k >= 0 {
		r.waiting(c, pair)
	}
	if r.Untested != "" {
		r.forget()
		return r
	}
	r.Difference, r.PercentileLow, r.PercentileHigh = last.Value, last.PercentileLow, last.PercentileHigh
	r.Low, r.High = last.around(rule.level(k))
	r.EquivalenceLow, r.EquivalenceHigh = last.equivalence(rule.wideLevel(k))
	if last.SE < rounding { // nothing varied, so an interval of width 0 would be meaningless
		for _, bound := range []*float64{&r.Low, &r.High, &r.PercentileLow, &r.PercentileHigh, &r.EquivalenceLow, &r.EquivalenceHigh} {
			*bound = math.NaN()
		}
	}
	r.SE, r.SeedSE, r.ImageSE, r.DF = last.SE, last.SeedSE, last.ImageSE, last.DF
	r.P, r.PHolm, r.PError, r.PExact = of.p, of.pHolm, of.pError, of.pExact
	r.PInterval, r.PIntervalHolm, r.PCarefulHolm = of.pInterval, of.pIntervalHolm, of.pCarefulHolm
	r.PEquivalence, r.PEquivalenceHolm = of.pEquivalence, of.pEquivalenceHolm
	r.PBetter = better(last.a, last.b)
	r.SmallestP = 1
	for look, e := range of.seen {
		if e.untested == "" {
			r.SmallestP = min(r.SmallestP, rule.sequential(look, SmallestP(len(e.a), len(e.b)))*float64(contrasts))
		}
	}
	if c.o.Looks != nil {
		r.tellLooks(of, rule)
	}
	r.warn(c.o.Alpha, contrasts)
	if of.pIntervalHolm < c.o.Alpha && of.pCarefulHolm >= c.o.Alpha {
		r.Warnings = append(r.Warnings, fmt.Sprintf("one side's seeds spread more than twice as wide as the other's: "+
			"the verdict uses p = %.3g for the interval's test", of.pCarefulHolm))
	}
	r.DetectableEffect = r.detectable(last, rule, c.images, contrasts, c.o)
	return r
}

// forget sets the numbers of an untested contrast: the difference of the means,
// and NaN for those that need a test.
func (r *Result) forget() {
	if r.Difference = r.MeanB - r.MeanA; math.Abs(r.Difference) < rounding {
		r.Difference = 0
	}
	for _, number := range []*float64{&r.Low, &r.High, &r.SE, &r.SeedSE, &r.ImageSE, &r.DF, &r.PercentileLow, &r.PercentileHigh,
		&r.P, &r.PHolm, &r.PInterval, &r.PIntervalHolm, &r.PCarefulHolm, &r.PError, &r.PBetter,
		&r.PEquivalence, &r.PEquivalenceHolm, &r.EquivalenceLow, &r.EquivalenceHigh} {
		*number = math.NaN()
	}
	r.SmallestP = 1
}

// tellLooks fills in the looks so far.
func (r *Result) tellLooks(of *course, rule rule) {
	for k, e := range of.seen {
		l := Look{Seeds: rule.Seeds[k], Level: rule.strict[k], Difference: e.Value,
			P: e.permutation.p, PInterval: e.P, Decision: of.decisions[k]}
		l.Low, l.High = e.around(rule.levels[k])
		if e.untested != "" {
			l.Difference = mean1(e.b) - mean1(e.a)
			l.Low, l.High, l.P, l.PInterval = math.NaN(), math.NaN(), math.NaN(), math.NaN()
		}
		r.Looks = append(r.Looks, l)
	}
}

// waiting warns of runs that no look has used.
func (r *Result) waiting(c *comparison, pair [2]int) {
	if c.o.Looks == nil {
		return
	}
	var more []string
	for _, k := range []int{pair[1], pair[0]} {
		if u := c.units[k]; u.n() > r.NA {
			more = append(more, fmt.Sprintf("%s (%d)", u, u.n()))
		}
	}
	switch arms := strings.Join(more, " and "); {
	case len(more) == 0:
	case r.Decided:
		r.Warnings = append(r.Warnings, fmt.Sprintf("decided at %d seeds: later seeds of %s are not used", r.NA, arms))
	default:
		r.Warnings = append(r.Warnings, fmt.Sprintf("seeds of %s after %d wait for the look at %d", arms, r.NA, r.NextLook))
	}
}

// better estimates P(B > A): the share of pairs of runs in which B's score is
// higher, ties counting half.
func better(a, b []float64) float64 {
	wins := 0.0
	for _, x := range b {
		for _, y := range a {
			switch {
			case x > y:
				wins++
			case x == y:
				wins += 0.5
			}
		}
	}
	return wins / float64(len(a)*len(b))
}

// detectable returns the detectable effect, in points, of studies with this
// contrast's spreads, by simulation. With looks, the studies run to the last look.
func (r *Result) detectable(last evidence, rule rule, images, contrasts int, o Options) *float64 {
	if r.SE < rounding {
		return nil
	}
	rule.minimum = 0
	if r.Metric == o.Primary {
		rule.minimum = o.MinimumEffect
	}
	d := design{
		nA: r.NA, nB: r.NB, images: images, contrasts: contrasts, rule: rule,
		sdA: math.Sqrt(variance(last.a)) * pointsPerScore, sdB: math.Sqrt(variance(last.b)) * pointsPerScore,
		imageSE: r.ImageSE * pointsPerScore,
	}
	if o.Looks != nil {
		d.nA = slices.Max(o.Looks.Seeds)
		d.nB = d.nA
	}
	return d.detectable(d.studies(o.Seed), o.Power)
}
