package reports

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"

	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/metrics/stats"
)

// result is the analysed study: what the pages, plots and tables show.
type result struct {
	*evidence
	Arms          []*arm
	Contrasts     []*contrast
	MinimumEffect float64     // points
	Level         string      // of the intervals: "95 %"
	Parameters    []parameter // that a search varies, nil for a study of arms and seeds
	ArmInterval   string      // what the interval of an arm's mean is, "" where there is none
	Analysis      *stats.Analysis
	Read          []*armReading  // arms whose captions were read again, in the order of the study
	GainContrasts []gainContrast // of the declared contrasts between them
	Notices       []string       // what a reader has to know before believing anything
}

// An arm is a group of runs that differ in their seed alone.
type arm struct {
	Name      string
	Label     string // the name for plots and sentences: without the sections of swept settings
	Index     int    // its place in the study, which decides its colour
	Runs      []*run
	Scores    scores // of the primary metric, finished runs only
	Mean      float64
	SD        float64 // over seeds, NaN for fewer than two
	Low, High float64 // interval of the mean, NaN where there is none
}

// A score is the primary metric of one run, in points.
type score struct {
	Seed   int64
	Points float64
}

type scores []score

// A contrast is a declared difference B − A of two arms, in points.
type contrast struct {
	B, A       *arm
	Result     *stats.Result // nil where an arm has no scored run
	Difference float64       // NaN where an arm has no finished run
	Low, High  float64       // NaN where an arm has fewer than two seeds
	Verdict    stats.Verdict // "" where there is nothing to judge
}

// decided says whether the contrast was answered, one way or the other.
func (c *contrast) decided() bool {
	return c.Verdict == stats.Supported || c.Verdict == stats.Opposite
}

// analyse groups the runs into arms and has the statistics done.
func analyse(e *evidence) (*result, error) {
	r := &result{evidence: e, MinimumEffect: e.Compare.Primary.MinimumEffect}
	alpha := e.Compare.Primary.Alpha
	if alpha == 0 {
		alpha = 0.05
	}
	r.Level = number(100*(1-alpha)) + "\u00a0%"
	r.group()
	r.Parameters = e.parameters()
	if err := r.sameProtocol(); err != nil {
		return nil, err
	}
	if err := r.compare(alpha); err != nil {
		return nil, fmt.Errorf("study %q: %w", e.Study.Name, err)
	}
	if err := r.read(); err != nil {
		return nil, fmt.Errorf("study %q: %w", e.Study.Name, err)
	}
	r.notice()
	return r, nil
}

// group makes the arms in the order of the plan, with their scores.
func (r *result) group() {
	byName := map[string]*arm{}
	for _, run := range r.Runs {
		a := byName[run.Group]
		if a == nil {
			a = &arm{Name: run.Group, Index: len(r.Arms), Low: math.NaN(), High: math.NaN()}
			byName[run.Group] = a
			r.Arms = append(r.Arms, a)
		}
		a.Runs = append(a.Runs, run)
	}
	for _, a := range r.Arms {
		slices.SortStableFunc(a.Runs, func(x, y *run) int { return cmp.Compare(x.Seed, y.Seed) })
		for _, run := range a.Runs {
			if v, ok := r.Primary.of(run); ok && run.completed() {
				a.Scores = append(a.Scores, score{run.Seed, 100 * v})
			}
		}
		a.Mean, a.SD = meanSD(a.Scores.points())
	}
	label(r.Arms)
	for _, pair := range r.Compare.Contrasts {
		for _, b := range r.Arms {
			if b.Runs[0].Arm != pair[0] {
				continue
			}
			if a := byName[pair[1]+settingOf(b.Runs[0].Run, r.Compare.Arms)]; a != nil {
				r.Contrasts = append(r.Contrasts, &contrast{B: b, A: a, Difference: b.Mean - a.Mean, Low: math.NaN(), High: math.NaN()})
			}
		}
	}
}

// pathPrefix matches the sections before the last part of a swept setting's path:
// train.optimizer. in train.optimizer.lr=0.001.
var pathPrefix = regexp.MustCompile(`(^| )(?:[a-z_0-9]+\.)+([a-z_0-9]+=)`)

// label gives the arms their short names, or the full ones where two arms would
// get the same.
func label(arms []*arm) {
	seen := map[string]bool{}
	for _, a := range arms {
		a.Label = pathPrefix.ReplaceAllString(a.Name, "$1$2")
		seen[a.Label] = true
	}
	if len(seen) < len(arms) {
		for _, a := range arms {
			a.Label = a.Name
		}
	}
}

// compare runs the statistics over the arms that have scored captions.
func (r *result) compare(alpha float64) error {
	if !slices.Contains(append(stats.DefaultMetrics(), "meteor-exact-stem"), r.Primary.Key) {
		r.Notices = append(r.Notices, fmt.Sprintf("There is no test for the metric %s: the report only describes it.", r.Primary.Key))
		return nil
	}
	var arms []stats.Arm
	scored := map[string]bool{}
	for _, a := range r.analysed() {
		one := stats.Arm{Name: a.Name}
		for _, run := range a.Runs {
			images, err := ImageScores(run.Captions)
			if err != nil {
				return fmt.Errorf("run %s: %w", run.ID, err)
			}
			if len(images) > 0 {
				one.Runs = append(one.Runs, stats.Run{Seed: run.Seed, Images: images})
			} else if _, ok := r.Primary.of(run); ok && run.completed() {
				r.Notices = append(r.Notices, fmt.Sprintf("Run %s (%s, seed %d) has no scored captions of the %s split: it is left out of intervals and tests.",
					run.ID, a.Label, run.Seed, r.Primary.Split))
			}
		}
		if len(one.Runs) > 0 {
			arms = append(arms, one)
			scored[a.Name] = true
		}
	}
	if len(arms) == 0 {
		return nil
	}
	var asked []stats.Contrast
	var of []*contrast
	for _, c := range r.Contrasts {
		if scored[c.A.Name] && scored[c.B.Name] {
			asked, of = append(asked, stats.Contrast{B: c.B.Name, A: c.A.Name}), append(of, c)
		}
	}
	analysis, err := stats.Compare(arms, asked, stats.Options{
		Metrics: []string{r.Primary.Key}, Primary: r.Primary.Key, MinimumEffect: r.MinimumEffect, Alpha: alpha,
	})
	if err != nil {
		return err
	}
	r.Analysis = &analysis
	for _, a := range r.Arms {
		if s := analysis.Summary(a.Name, r.Primary.Key); s != nil && s.N > 1 {
			a.Low, a.High = 100*s.Low, 100*s.High
			r.ArmInterval = r.Level + " interval"
		}
	}
	for i, c := range of {
		c.Result = analysis.Result(asked[i], r.Primary.Key)
		if c.Result.NA > 1 && c.Result.NB > 1 {
			c.Difference = 100 * c.Result.Difference
			c.Low, c.High, c.Verdict = 100*c.Result.Low, 100*c.Result.High, c.Result.Verdict
		}
	}
	return nil
}

// analysed are the arms that have their intervals and tests: those that are
// shown or compared. The thousands of arms of a search are described alone.
func (r *result) analysed() []*arm {
	shown, _ := r.drawn()
	var list []*arm
	for _, a := range r.Arms {
		if slices.Contains(shown, a) || slices.ContainsFunc(r.Contrasts, func(c *contrast) bool { return c.A == a || c.B == a }) {
			list = append(list, a)
		}
	}
	return list
}

// finished is the number of runs that have a score.
func (r *result) finished() int {
	n := 0
	for _, a := range r.Arms {
		n += len(a.Scores)
	}
	return n
}

// ImageScores are the statistics of stored captions as the statistics take
// them, nil if any of the captions has not been scored.
func ImageScores(captions []store.Caption) ([]metrics.ImageScore, error) {
	images := make([]metrics.ImageScore, len(captions))
	for i, c := range captions {
		if !c.Scored {
			return nil, nil
		}
		images[i] = metrics.ImageScore{
			ID: c.Image, Match: c.Stats.Match, Length: c.Stats.Length, RefLength: c.Stats.RefLength,
			RougeL: c.Stats.RougeL, CIDEr: c.Stats.CIDEr, CIDErD: c.Stats.CIDErD, METEOR: c.Stats.METEOR,
			Blank: c.Stats.Length == 0,
		}
		if len(c.Stats.MeteorStats) == 0 {
			continue
		}
		if err := json.Unmarshal(c.Stats.MeteorStats, &images[i].MeteorStats); err != nil {
			return nil, fmt.Errorf("read METEOR's counts of image %q: %w", c.Image, err)
		}
	}
	return images, nil
}

// points are the scores alone.
func (s scores) points() []float64 {
	list := make([]float64, len(s))
	for i := range s {
		list[i] = s[i].Points
	}
	return list
}

func (s scores) least() float64    { return slices.Min(s.points()) }
func (s scores) greatest() float64 { return slices.Max(s.points()) }

// meanSD describes values: their mean, NaN without any, and their standard
// deviation, NaN for fewer than two.
func meanSD(values []float64) (mean, sd float64) {
	for _, v := range values {
		mean += v
	}
	n := float64(len(values))
	mean /= n
	for _, v := range values {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / (n - 1))
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
