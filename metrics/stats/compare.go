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
	c := newComparison(arms, units, o)
	out := Analysis{Options: o, Images: c.images,
		Arms: []Summary{}, Results: []Result{}, Warnings: append(armWarnings(arms), metricWarnings(o.Metrics, arms)...)}
	for k := range units {
		for m := range o.Metrics {
			out.Arms = append(out.Arms, c.summarize(k, m))
		}
	}
	// The primary metric decides how many looks a contrast has.
	judged := c.judge(slices.Index(o.Metrics, o.Primary), pairs, nil)
	sampled := false
	for m, key := range o.Metrics {
		courses := judged
		if key != o.Primary {
			courses = c.judge(m, pairs, judged)
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
	heads    []head
	schedule *schedule   // nil without looks
	observed [][]float64 // [metric][run or replicate]
	*resample
}

func newComparison(arms []Arm, units []unit, o Options) *comparison {
	c := &comparison{o: o, arms: arms, units: units, observed: make([][]float64, len(o.Metrics))}
	var runs []Run
	for _, a := range arms {
		runs = append(runs, a.Runs...)
	}
	t := newTable(runs, o.Metrics)
	_, scores := t.observed()
	for m := range o.Metrics {
		c.observed[m] = make([]float64, units[len(units)-1].end)
		for r, run := range scores {
			c.observed[m][r] = run[m]
		}
		addComposites(units, c.observed[m])
	}
	c.images = t.images
	if o.Looks != nil {
		for _, u := range units {
			for _, n := range o.Looks.Seeds {
				if n <= u.n() {
					c.heads = append(c.heads, newHead(u, n))
				}
			}
		}
	}
	c.resample = t.bootstrap(units, c.heads, o.Draws, o.Seed)
	return c
}

// scores are those of the first n replicates of a unit.
func (c *comparison) scores(unit, n, metric int) []float64 {
	first := c.units[unit].first
	return c.observed[metric][first : first+n]
}

// side is the first n replicates of a unit: those of a look, or all.
func (c *comparison) side(unit, n int, sign float64) side {
	u := c.units[unit]
	s := side{first: u.first, end: u.first + n, sign: sign}
	if c.o.Looks != nil {
		is := newHead(u, n)
		at := slices.IndexFunc(c.heads, func(h head) bool { return h.n == n && h.stream == is.stream })
		s.drawn = c.heads[at].first - u.first
	}
	return s
}

func (c *comparison) summarize(unit, metric int) Summary {
	u := c.units[unit]
	e := c.estimate(metric, c.images, c.observed[metric], []side{{first: u.first, end: u.end, sign: 1}}, c.o.Alpha)
	out := Summary{Arm: u.name, Metric: c.o.Metrics[metric], N: u.n(), Seeds: u.seeds, Scores: c.scores(unit, u.n(), metric),
		Mean: e.Value, Low: e.Low, High: e.High, SSel: c.selection(metric, u)}
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
func (s *resample) selection(metric int, u unit) float64 {
	sum := 0.0
	drawn := make([]float64, s.draws)
	for r := u.first; r < u.end; r++ {
		for d := range drawn {
			drawn[d] = s.on(metric, d)[r]
		}
		sum += math.Sqrt(variance(drawn))
	}
	return sum / float64(u.n())
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
func (c *comparison) judge(metric int, pairs [][2]int, primary []*course) []*course {
	courses := make([]*course, len(pairs))
	for i, pair := range pairs {
		courses[i] = newCourse(func(k int) (evidence, bool) {
			if primary != nil && k >= len(primary[i].seen) {
				return evidence{}, false
			}
			nA, nB := c.units[pair[0]].n(), c.units[pair[1]].n()
			if l := c.o.Looks; l != nil {
				if min(nA, nB) < l.Seeds[k] {
					return evidence{}, false
				}
				nA, nB = l.Seeds[k], l.Seeds[k]
			}
			return c.evidence(metric, pair, nA, nB), true
		})
	}
	for range c.o.family(len(pairs)) - len(pairs) {
		courses = append(courses, newCourse(func(int) (evidence, bool) { return evidence{}, false }))
	}
	c.rule(metric, len(courses)).follow(courses)
	return courses[:len(pairs)]
}

// evidence is what the first nA and nB replicates of two units say.
func (c *comparison) evidence(metric int, pair [2]int, nA, nB int) evidence {
	e := evidence{a: c.scores(pair[0], nA, metric), b: c.scores(pair[1], nB, metric)}
	if e.untested = c.reason(c.units[pair[0]], c.units[pair[1]], nA, nB); e.untested != "" {
		return e
	}
	e.estimate = c.estimate(metric, c.images, c.observed[metric], []side{c.side(pair[1], nB, 1), c.side(pair[0], nA, -1)}, c.o.Alpha)
	e.permutation = permute(e.a, e.b, mostSplits, c.o.Seed)
	return e
}
