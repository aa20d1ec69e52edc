package stats

import (
	"fmt"
	"math"
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
	names := make([]string, len(arms))
	for i, a := range arms {
		names[i] = a.Name
	}
	pairs, err := findContrasts(names, contrasts)
	if err != nil {
		return Analysis{}, err
	}
	for i, p := range pairs {
		if n := len(arms[p[0]].Runs) + len(arms[p[1]].Runs); n > mostRuns {
			return Analysis{}, fmt.Errorf("stats: contrast %s has %d runs: the permutation test takes %d at most", contrasts[i], n, mostRuns)
		}
	}
	c := newComparison(arms, o)
	out := Analysis{Options: o, Images: c.images, Methods: compareMethods(),
		Arms: []Summary{}, Results: []Result{}, Warnings: append(armWarnings(arms), metricWarnings(o.Metrics, arms)...)}
	for k := range arms {
		for m := range o.Metrics {
			out.Arms = append(out.Arms, c.summarize(arms[k], k, m))
		}
	}
	for m := range o.Metrics {
		results := make([]Result, len(contrasts))
		p, q := make([]float64, len(contrasts)), make([]float64, len(contrasts))
		for i, contrast := range contrasts {
			results[i] = c.contrast(contrast, pairs[i], m, len(contrasts))
			p[i], q[i] = results[i].P, results[i].PInterval
		}
		p, q = Holm(p), Holm(q)
		for i := range results {
			results[i].PHolm, results[i].PIntervalHolm = p[i], q[i]
			results[i].judge(o)
			results[i].warn(o.Alpha, len(contrasts))
			results[i].DetectableEffect = results[i].detectable(c.scores(pairs[i][0], m), c.scores(pairs[i][1], m), c.images, len(contrasts), o)
		}
		out.Results = append(out.Results, results...)
	}
	return out, nil
}

// comparison is the material of one analysis.
type comparison struct {
	o        Options
	images   int
	arms     [][2]int    // half-open ranges of runs
	observed [][]float64 // [metric][run]
	*resample
}

func newComparison(arms []Arm, o Options) *comparison {
	c := &comparison{o: o, observed: make([][]float64, len(o.Metrics))}
	var runs []Run
	for _, a := range arms {
		c.arms = append(c.arms, [2]int{len(runs), len(runs) + len(a.Runs)})
		runs = append(runs, a.Runs...)
	}
	t := newTable(runs, o.Metrics)
	_, scores := t.observed()
	for m := range o.Metrics {
		for _, run := range scores {
			c.observed[m] = append(c.observed[m], run[m])
		}
	}
	c.images = t.images
	c.resample = t.bootstrap(c.arms, o.Draws, o.Seed)
	return c
}

func (c *comparison) scores(arm, metric int) []float64 {
	return c.observed[metric][c.arms[arm][0]:c.arms[arm][1]]
}

func (c *comparison) side(arm int, sign float64) side {
	return side{c.arms[arm][0], c.arms[arm][1], sign}
}

func (c *comparison) summarize(a Arm, arm, metric int) Summary {
	e := c.estimate(metric, c.images, c.observed[metric], []side{c.side(arm, 1)}, c.o.Alpha)
	out := Summary{Arm: a.Name, Metric: c.o.Metrics[metric], N: len(a.Runs), Scores: c.scores(arm, metric),
		Mean: e.Value, Low: e.Low, High: e.High, SSel: c.selection(metric, c.arms[arm])}
	for _, r := range a.Runs {
		out.Seeds = append(out.Seeds, r.Seed)
	}
	if len(a.Runs) > 1 {
		sd := math.Sqrt(variance(out.Scores))
		out.SD = &sd
	}
	return out
}

// selection is s_sel: the deviation of a run's score over draws of images,
// averaged over runs.
func (s *resample) selection(metric int, runs [2]int) float64 {
	sum := 0.0
	drawn := make([]float64, s.draws)
	for r := runs[0]; r < runs[1]; r++ {
		for d := range drawn {
			drawn[d] = s.on(metric, d)[r]
		}
		sum += math.Sqrt(variance(drawn))
	}
	return sum / float64(runs[1]-runs[0])
}

// contrast is everything about a contrast but Holm's p-values and what follows
// from them.
func (c *comparison) contrast(name Contrast, pair [2]int, metric, contrasts int) Result {
	a, b := c.scores(pair[0], metric), c.scores(pair[1], metric)
	e := c.estimate(metric, c.images, c.observed[metric], []side{c.side(pair[1], 1), c.side(pair[0], -1)}, c.o.Alpha)
	p, exact := permutationP(a, b, c.o.Seed)
	r := Result{
		Contrast: name, Metric: c.o.Metrics[metric],
		NB: len(b), NA: len(a), MeanB: mean1(b), MeanA: mean1(a),
		Difference: e.Value, Low: e.Low, High: e.High, SE: e.SE, SeedSE: e.SeedSE, ImageSE: e.ImageSE, DF: e.DF,
		PercentileLow: e.PercentileLow, PercentileHigh: e.PercentileHigh,
		P: p, PExact: exact, PInterval: e.P, PBetter: better(a, b),
		SmallestP: min(1, SmallestP(len(a), len(b))*float64(contrasts)),
	}
	return r
}

// better is P(B > A) over all pairs of runs, ties counting half.
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

// judge applies the rule of the verdict.
func (r *Result) judge(o Options) {
	minimum := o.MinimumEffect / pointsPerScore
	tested := r.PHolm < o.Alpha && r.PIntervalHolm < o.Alpha
	switch {
	case r.Metric != o.Primary:
		r.Verdict = Exploratory
	case tested && r.Low > 0 && r.Difference >= minimum:
		r.Verdict = Supported
	case tested && r.High < 0 && r.Difference <= -minimum:
		r.Verdict = Opposite
	default:
		r.Verdict = Inconclusive
	}
}

// detectable simulates studies with this contrast's spreads.
func (r *Result) detectable(a, b []float64, images, contrasts int, o Options) *float64 {
	d := design{
		nA: len(a), nB: len(b), images: images, alpha: o.Alpha, contrasts: contrasts,
		sdA: math.Sqrt(variance(a)) * pointsPerScore, sdB: math.Sqrt(variance(b)) * pointsPerScore,
		imageSE: r.ImageSE * pointsPerScore,
	}
	if r.Metric == o.Primary {
		d.minimum = o.MinimumEffect
	}
	return detectable(d.thresholds(o.Seed), o.Power)
}
