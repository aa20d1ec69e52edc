package stats

import (
	"math"
	"slices"
)

// pointsPerScore turns a score, a fraction of 1, into points.
const pointsPerScore = 100

// Compare analyses the contrasts between arms by the methods of the package
// comment. It refuses arms of unequal images or protocol signatures, naming
// the first difference.
func Compare(arms []Arm, contrasts []Contrast, o Options) (Analysis, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Analysis{}, err
	}
	if arms, err = reduceArms(arms, o.Metrics); err != nil {
		return Analysis{}, err
	}
	if err := checkArms(arms); err != nil {
		return Analysis{}, err
	}
	units, err := unitsOf(arms, o.Composites, o.Looks != nil)
	if err != nil {
		return Analysis{}, err
	}
	pairs, err := findSides(units, contrasts)
	if err != nil {
		return Analysis{}, err
	}
	c := newComparison(arms, units, pairs, o)
	out := Analysis{Options: o, Images: c.images,
		Arms: []Summary{}, Results: []Result{}, Warnings: append(armWarnings(arms), metricWarnings(o.Metrics, arms)...)}
	c.resample(func(unit int) {
		for m := range o.Metrics {
			out.Arms = append(out.Arms, c.summarize(unit, m))
		}
	})
	// The primary metric decides how many looks a contrast has.
	judged := c.judge(slices.Index(o.Metrics, o.Primary), nil)
	sampled := false
	for m, key := range o.Metrics {
		courses := judged
		if key != o.Primary {
			courses = c.judge(m, judged)
		}
		for i, contrast := range contrasts {
			sampled = sampled || slices.ContainsFunc(courses[i].seen, func(e evidence) bool { return e.untested == "" && !e.exact })
			out.Results = append(out.Results, c.result(contrast, pairs[i], m, courses[i], judged[i], o.family(len(contrasts))))
		}
	}
	out.Methods = compareMethods(sampled, o.Looks)
	return out, nil
}

// comparison is the material of one analysis.
type comparison struct {
	o        Options
	images   int
	arms     []Arm
	units    []unit
	pairs    [][2]int // contrasts, as units {A, B}
	table    *table
	schedule *schedule   // nil without looks
	observed [][]float64 // [metric][run or replicate]
	drawn    []*resample // of units, as long as they are needed
	// found is the evidence of contrasts by metric and contrast, where there is one look at everything.
	found [][]evidence
}

func newComparison(arms []Arm, units []unit, pairs [][2]int, o Options) *comparison {
	c := &comparison{o: o, arms: arms, units: units, pairs: pairs, observed: make([][]float64, len(o.Metrics))}
	var runs []Run
	for _, a := range arms {
		runs = append(runs, a.Runs...)
	}
	c.table = newTable(runs, o.Metrics)
	_, scores := c.table.observed()
	for m := range o.Metrics {
		c.observed[m] = make([]float64, units[len(units)-1].end)
		for r, run := range scores {
			c.observed[m][r] = run[m]
		}
		addComposites(units, c.observed[m])
	}
	c.images = c.table.images
	return c
}

// drawsAtOnce is how many scores of runs on draws of images are in memory at a
// time, beside those of units that contrasts wait for: 32 MB of them. Tests take fewer.
var drawsAtOnce = 4 << 20

// resample has images and replicates drawn, and calls visit for each unit in
// their order. It goes through the arms by blocks, and keeps the draws of a unit no longer than a
// contrast needs them: thousands of runs would take gigabytes.
func (c *comparison) resample(visit func(unit int)) {
	c.drawn = make([]*resample, len(c.units))
	if c.o.Looks == nil {
		c.found = make([][]evidence, len(c.o.Metrics))
		for m := range c.found {
			c.found[m] = make([]evidence, len(c.pairs))
		}
	}
	arms := len(c.arms)
	b := c.table.bootstrap(c.o.Draws, c.o.Seed)
	sums := make([]*resample, len(c.units)-arms) // of composites
	for i, u := range c.units[arms:] {
		sums[i] = newResample(len(c.o.Metrics), c.o.Draws, u.n(), nil)
	}
	for first := 0; first < arms; {
		end, runs := first, 0
		for end < arms && (end == first || (runs+c.units[end].n())*c.o.Draws*len(c.o.Metrics) <= drawsAtOnce) {
			runs += c.units[end].n()
			end++
		}
		copy(c.drawn[first:end], b.next(c.units[first:end], c.headsOf))
		for i, u := range c.units[arms:] {
			c.addTerms(sums[i], u, first, end)
		}
		for k := first; k < end; k++ {
			visit(k)
		}
		c.weigh(end)
		first = end
	}
	if len(sums) > 0 {
		copy(c.drawn[arms:], b.last(c.units[arms:], c.headsOf))
		for i, sum := range sums {
			c.drawn[arms+i].score = sum.score
			visit(arms + i)
		}
		c.weigh(len(c.units))
	}
}

// addTerms adds to a composite's scores those of its terms that are among the
// arms from first to end, in the order of the terms.
func (c *comparison) addTerms(sum *resample, u unit, first, end int) {
	for _, t := range u.terms {
		if t.arm < first || t.arm >= end {
			continue
		}
		arm := c.drawn[t.arm]
		for m := range c.o.Metrics {
			for d := range c.o.Draws {
				row, into := arm.on(m, d), sum.on(m, d)
				for r := range into {
					into[r] += t.weight * row[r]
				}
			}
		}
	}
}

// weigh takes the evidence of contrasts whose units are among the first n, and
// drops the draws that no contrast waits for. Looks come one after the other, so that
// a study with looks keeps all.
func (c *comparison) weigh(n int) {
	if c.o.Looks != nil {
		return
	}
	waited := make([]bool, n)
	for i, pair := range c.pairs {
		a, b := pair[0], pair[1]
		switch {
		case max(a, b) >= n:
			if low := min(a, b); low < n {
				waited[low] = true
			}
		case c.drawn[a] != nil && c.drawn[b] != nil && c.found[0][i].a == nil:
			for m := range c.o.Metrics {
				c.found[m][i] = c.evidence(m, pair, c.units[a].n(), c.units[b].n())
			}
		}
	}
	for k := range waited {
		if !waited[k] {
			c.drawn[k] = nil
		}
	}
}

// headsOf are the first replicates of a unit that looks take.
func (c *comparison) headsOf(u unit) []head {
	var heads []head
	if c.o.Looks != nil {
		for _, n := range c.o.Looks.Seeds {
			if n <= u.n() {
				heads = append(heads, newHead(u, n))
			}
		}
	}
	return heads
}

// scores are those of the first n replicates of a unit.
func (c *comparison) scores(unit, n, metric int) []float64 {
	first := c.units[unit].first
	return c.observed[metric][first : first+n]
}

// side is the first n replicates of a unit: those of a look, or all.
func (c *comparison) side(metric, unit, n int, sign float64) side {
	s := side{scores: c.scores(unit, n, metric), sign: sign, of: c.drawn[unit]}
	if c.o.Looks != nil {
		at := slices.IndexFunc(s.of.heads, func(h head) bool { return h.n == n })
		s.place = s.of.heads[at].first
	}
	return s
}

func (c *comparison) summarize(unit, metric int) Summary {
	u := c.units[unit]
	whole := side{scores: c.scores(unit, u.n(), metric), sign: 1, of: c.drawn[unit]}
	e := newInterval(metric, c.images, []side{whole}, c.o.Alpha)
	out := Summary{Arm: u.name, Metric: c.o.Metrics[metric], N: u.n(), Seeds: u.seeds, Scores: whole.scores,
		Mean: e.Value, Low: e.Low, High: e.High, SSel: c.drawn[unit].selection(metric)}
	if u.n() >= fewestReplicates {
		sd := math.Sqrt(variance(out.Scores))
		out.SD = &sd
	}
	if u.n() < fewestReplicates || c.seedless(u, u.n()) != "" || variance(out.Scores) == 0 {
		out.Low, out.High = math.NaN(), math.NaN()
	}
	return out
}

// selection is s_sel: the deviation of a run's score over draws of images,
// averaged over runs.
func (s *resample) selection(metric int) float64 {
	sum := 0.0
	drawn := make([]float64, s.draws)
	for r := range s.runs {
		for d := range drawn {
			drawn[d] = s.on(metric, d)[r]
		}
		sum += math.Sqrt(variance(drawn))
	}
	return sum / float64(s.runs)
}

// rule is that of a metric.
func (c *comparison) rule(metric, contrasts int) rule {
	r := rule{alpha: c.o.Alpha, minimum: c.o.MinimumEffect / pointsPerScore, exploratory: c.o.Metrics[metric] != c.o.Primary}
	if c.o.Looks != nil {
		if c.schedule == nil {
			c.schedule = newSchedule(*c.o.Looks, c.o.Alpha, contrasts)
		}
		r.schedule = c.schedule
	}
	return r
}

// judge takes the contrasts through their looks in a metric; as far as those of
// the primary metric went, if given.
func (c *comparison) judge(metric int, primary []*course) []*course {
	courses := make([]*course, len(c.pairs))
	for i, pair := range c.pairs {
		courses[i] = newCourse(func(k int) (evidence, bool) {
			switch l := c.o.Looks; {
			case primary != nil && k >= len(primary[i].seen):
				return evidence{}, false
			case l == nil:
				return c.found[metric][i], true
			case min(c.units[pair[0]].n(), c.units[pair[1]].n()) < l.Seeds[k]:
				return evidence{}, false
			default:
				return c.evidence(metric, pair, l.Seeds[k], l.Seeds[k]), true
			}
		})
	}
	for range c.o.family(len(c.pairs)) - len(c.pairs) {
		courses = append(courses, newCourse(func(int) (evidence, bool) { return evidence{}, false }))
	}
	c.rule(metric, len(courses)).follow(courses)
	return courses[:len(c.pairs)]
}

// evidence is what the first nA and nB replicates of two units say.
func (c *comparison) evidence(metric int, pair [2]int, nA, nB int) evidence {
	e := evidence{a: c.scores(pair[0], nA, metric), b: c.scores(pair[1], nB, metric)}
	if e.untested = c.reason(c.units[pair[0]], c.units[pair[1]], nA, nB); e.untested != "" {
		return e
	}
	sides := []side{c.side(metric, pair[1], nB, 1), c.side(metric, pair[0], nA, -1)}
	e.estimate = newInterval(metric, c.images, sides, c.o.Alpha)
	e.PercentileLow, e.PercentileHigh = percentiles(metric, sides, c.o.Alpha)
	e.permutation = permute(e.a, e.b, mostSplits, c.o.Seed)
	return e
}
