package stats

import (
	"math"
	"slices"
)

// pointsPerScore converts a score, a fraction of 1, to points.
const pointsPerScore = 100

// Compare analyses the contrasts between arms with the methods described in the
// package comment. It returns an error for invalid options, composites or
// contrasts, for arms without runs, for two runs of one seed, for runs with
// different images or protocol signatures, and for per-image numbers that are
// negative, NaN or infinite. The error names the first fault.
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
	wanted := map[string]bool{}
	for _, name := range o.Summaries {
		wanted[name] = true
	}
	summaries := make([][]Summary, len(units))
	c.resample(func(unit int) {
		if o.Summaries != nil && !wanted[units[unit].name] {
			return
		}
		for m := range o.Metrics {
			summaries[unit] = append(summaries[unit], c.summarize(unit, m))
		}
	})
	out.Arms = append(out.Arms, slices.Concat(summaries...)...)
	// The primary metric determines how many looks each contrast gets.
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

// comparison is the state of one analysis.
type comparison struct {
	o        Options
	images   int
	arms     []Arm
	units    []unit
	pairs    [][2]int // contrasts, as units {A, B}
	table    *table
	schedule *schedule    // nil without looks
	observed [][]float64  // [metric][column of a unit]
	drawn    []*resample  // [unit]; nil once no longer needed
	done     []bool       // [unit]: whether it has been resampled
	added    []int        // [composite]: the number of terms in its scores so far
	found    [][]evidence // [metric][contrast]; nil with looks
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

// drawsAtOnce bounds the scores of runs on draws of images that are in memory at
// a time (32 MB), not counting units that a contrast still needs. It is a
// variable so that tests can lower it.
var drawsAtOnce = 4 << 20

// resample draws images and replicates and calls visit for each unit. It
// processes the arms in blocks and drops the scores of a unit as soon as nothing
// needs them, because the scores of thousands of runs would take gigabytes.
func (c *comparison) resample(visit func(unit int)) {
	c.drawn = make([]*resample, len(c.units))
	if c.o.Looks == nil {
		c.found = make([][]evidence, len(c.o.Metrics))
		for m := range c.found {
			c.found[m] = make([]evidence, len(c.pairs))
		}
	}
	compared := make([]bool, len(c.units))
	for _, pair := range c.pairs {
		compared[pair[0]], compared[pair[1]] = true, true
	}
	b := &bootstrap{c.table, c.o.Draws, c.o.Seed}
	drawn := b.replicates(c.units, func(k int) ([]head, bool) { return c.headsOf(c.units[k]), compared[k] })
	arms := len(c.arms)
	for k, u := range c.units[arms:] {
		c.drawn[arms+k] = newResample(len(c.o.Metrics), c.o.Draws, u.n())
	}
	c.done, c.added = make([]bool, len(c.units)), make([]int, len(c.units)-arms)
	for _, block := range c.blocks() {
		var units []unit
		for _, k := range block {
			units = append(units, c.units[k])
		}
		for i, scores := range b.scores(units) {
			scores.drawn = drawn[block[i]]
			c.drawn[block[i]], c.done[block[i]] = scores, true
		}
		c.addTerms()
		for _, k := range block {
			visit(k)
		}
		c.weigh()
	}
	for k := arms; k < len(c.units); k++ {
		c.drawn[k].drawn, c.done[k] = drawn[k], true
		visit(k)
	}
	c.weigh()
}

// blocks divides the arms into blocks to be resampled together. Arms of
// composites come first, in the order of the terms, which is the order in which
// addTerms needs them. So few arms have to be kept for later.
func (c *comparison) blocks() [][]int {
	var order []int
	listed := make([]bool, len(c.arms))
	add := func(k int) {
		if !listed[k] {
			listed[k], order = true, append(order, k)
		}
	}
	for _, u := range c.units[len(c.arms):] {
		for _, t := range u.terms {
			add(t.arm)
		}
	}
	for k := range c.arms {
		add(k)
	}
	var blocks [][]int
	scores := 0 // of the last block
	for _, k := range order {
		more := c.units[k].n() * c.o.Draws * len(c.o.Metrics)
		if len(blocks) == 0 || scores+more > drawsAtOnce {
			blocks, scores = append(blocks, nil), 0
		}
		last := len(blocks) - 1
		blocks[last], scores = append(blocks[last], k), scores+more
	}
	return blocks
}

// addTerms adds the scores of resampled arms to their composites. It always adds
// in the order of the terms, so that sums are the same to the last bit for any
// number of blocks.
func (c *comparison) addTerms() {
	for i, u := range c.units[len(c.arms):] {
		sum := c.drawn[len(c.arms)+i]
		for c.added[i] < len(u.terms) && c.done[u.terms[c.added[i]].arm] {
			t := u.terms[c.added[i]]
			arm := c.drawn[t.arm]
			for m := range c.o.Metrics {
				for d := range c.o.Draws {
					row, into := arm.on(m, d), sum.on(m, d)
					for r := range into {
						into[r] += t.weight * row[r]
					}
				}
			}
			c.added[i]++
		}
	}
}

// weigh computes the evidence of the contrasts whose two units have been
// resampled, and drops the scores of arms that no contrast or composite still
// needs. With looks it keeps everything, because judge computes the evidence
// look by look.
func (c *comparison) weigh() {
	if c.o.Looks != nil {
		return
	}
	waited := make([]bool, len(c.units))
	for i, pair := range c.pairs {
		a, b := pair[0], pair[1]
		switch {
		case !c.done[a] || !c.done[b]:
			waited[a], waited[b] = true, true
		case c.found[0][i].a == nil:
			for m := range c.o.Metrics {
				c.found[m][i] = c.evidence(m, pair, c.units[a].n(), c.units[b].n())
			}
		}
	}
	for i, added := range c.added {
		for _, t := range c.units[len(c.arms)+i].terms[added:] {
			waited[t.arm] = true
		}
	}
	for k := range c.arms {
		if c.done[k] && !waited[k] {
			c.drawn[k] = nil
		}
	}
}

// headsOf returns the head of a unit for each look that the unit has reached.
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

// scores returns the scores of a unit's first n replicates.
func (c *comparison) scores(unit, n, metric int) []float64 {
	first := c.units[unit].first
	return c.observed[metric][first : first+n]
}

// side returns the first n replicates of a unit as a side of a contrast: those
// of a look, or all.
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

// selection returns s_sel: the standard deviation of a run's score over draws of
// the images, averaged over the runs.
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

// rule returns the rule by which the contrasts of a metric are judged.
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

// judge takes the contrasts through their looks in a metric. If the courses of
// the primary metric are given, it stops each contrast at the same look.
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

// evidence computes the evidence from the first nA and nB replicates of units A
// and B.
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
