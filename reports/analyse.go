package reports

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"glimpse/experiments"
	"glimpse/metrics"
	"glimpse/metrics/stats"
	"glimpse/reports/charts"
	"glimpse/results"
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
	summaries     map[string]*stats.Summary // of its arms and composites in the primary metric, by name
	byName        map[string]*arm           // the arms
	pending       func(*contrast) int       // declared trials of a contrast that have not ended
	Amended       []*results.Analysis       // of what was declared after scores were known
	Read          []*armReading             // arms whose captions were read again, in the order of the study
	GainContrasts []gainContrast            // of the declared contrasts between them
	beta          *armBeta                  // nil until it is asked for
	made          map[string][]string       // environments of the runs, nil until they are asked for
	withheld      string                    // why the test split is hidden where the study is watched
	Notices       []string                  // what a reader has to know before believing anything
}

// An arm is a group of runs that differ in their seed alone or, as a side of a
// contrast, the average of several such groups.
type arm struct {
	Name      string
	Label     string // only what distinguishes it from the other arms
	Arm       string // the arm of the study that it belongs to
	Index     int    // its place in the study
	Colour    int    // its place in the palette
	Runs      []*run
	Scores    scores     // of the primary metric, finished runs only
	images    *imageSums // of a side of a contrast of two arms
	Mean      float64
	SD        float64 // over seeds, NaN for fewer than two
	Low, High float64 // interval of the mean, NaN where there is none
}

// A score is the primary metric of one run, or of one seed's runs, in points.
type score struct {
	Seed   int64
	Points float64
}

type scores []score

// A contrast is a declared difference B − A of two arms, in points.
type contrast struct {
	*results.Contrast
	B, A       *arm
	Difference float64 // NaN where an arm has no finished run
	Low, High  float64 // NaN where nothing was tested
}

// decided says whether the contrast was answered, one way or the other.
func (c *contrast) decided() bool {
	return c.Verdict == stats.Supported || c.Verdict == stats.Opposite
}

// interaction is the kind of a contrast whose sides are differences themselves, and not arms.
const interaction = "interaction"

func (c *contrast) interacts() bool { return c.Kind == interaction }

// analyse groups the runs into arms and has the statistics done.
func analyse(ctx context.Context, e *evidence) (*result, error) {
	r := &result{evidence: e, MinimumEffect: e.Compare.Primary.MinimumEffect}
	alpha := e.Compare.Primary.Alpha
	if alpha == 0 {
		alpha = 0.05
	}
	r.Level = number(100*(1-alpha)) + "\u00a0%"
	r.group()
	r.Parameters = e.parameters()
	if err := r.compare(ctx); err != nil {
		return nil, err
	}
	if err := r.read(); err != nil {
		return nil, fmt.Errorf("study %q: %w", e.Study.Name, err)
	}
	r.notice()
	return r, e.said.err
}

// group makes the arms in the order of the plan, with their scores.
func (r *result) group() {
	r.byName = map[string]*arm{}
	byID := make(map[string]*run, len(r.Runs))
	for _, run := range r.Runs {
		byID[run.ID] = run
	}
	for _, cell := range r.Study.ArmsOf(r.Study.Declared) {
		a := &arm{Name: cell.Name, Label: cell.Label, Arm: cell.Arm, Index: cell.Index, Low: math.NaN(), High: math.NaN()}
		for _, one := range cell.Runs {
			run := byID[one.ID]
			run.Cell = a
			a.Runs = append(a.Runs, run)
			if v, ok := r.Primary.of(run); ok && run.completed() {
				a.Scores = append(a.Scores, score{run.Seed, 100 * v})
			}
		}
		a.Mean, a.SD = meanSD(a.Scores.points())
		r.Arms = append(r.Arms, a)
		r.byName[a.Name] = a
	}
	labels := make([]string, len(r.Arms))
	for i, a := range r.Arms {
		labels[i] = a.Label
	}
	for i, colour := range charts.Colours(labels) {
		r.Arms[i].Colour = colour
	}
}

// compare has the statistics done, over the arms that are shown or compared: the
// thousands of arms of a search are described alone.
func (r *result) compare(ctx context.Context) error {
	shown, _ := r.drawn()
	var describe []string
	for _, a := range shown {
		describe = append(describe, a.Name)
	}
	book := bookImages(r.Primary.Key, r.Study.Declared.Contrasts(), r.Arms)
	analysis, err := r.Study.Analyse(ctx, r.Study.Declared, results.Options{
		Describe: describe, Seen: func(run *results.Run, scores []metrics.ImageScore) { book.add(run.ID, scores) },
	})
	if err != nil {
		return err
	}
	r.Analysis = analysis.Stats
	r.summaries = map[string]*stats.Summary{}
	if r.Analysis != nil {
		for i := range r.Analysis.Arms {
			if s := &r.Analysis.Arms[i]; s.Metric == r.Primary.Key {
				r.summaries[s.Arm] = s
			}
		}
	}
	r.pending = func(c *contrast) int { return analysis.PendingOf(c.Contrast) }
	r.withheld = r.Study.Withheld(analysis)
	r.Notices = append(r.Notices, analysis.Remarks...)
	for _, a := range r.Arms {
		r.interval(a)
	}
	for _, c := range analysis.Contrasts {
		shown := r.contrast(c)
		shown.B.images, shown.A.images = book.sides[c.B.Name], book.sides[c.A.Name]
		r.Contrasts = append(r.Contrasts, shown)
	}
	for _, d := range r.Study.Amendments {
		amended, err := r.Study.Analyse(ctx, d, results.Options{})
		if err != nil { // which must not keep the answer back
			amended = &results.Analysis{Declaration: d, Remarks: []string{fmt.Sprintf("Cannot be analysed: %v.", err)}}
		}
		r.Amended = append(r.Amended, amended)
	}
	return nil
}

// contrast is a contrast of the analysis with the arms of the report.
func (r *result) contrast(c *results.Contrast) *contrast {
	b, a := r.side(c.B), r.side(c.A)
	shown := &contrast{Contrast: c, B: b, A: a, Difference: b.Mean - a.Mean, Low: math.NaN(), High: math.NaN()}
	if c.Verdict != "" { // of a sequential study, at the look that counts
		shown.Difference, shown.Low, shown.High = 100*c.Result.Difference, 100*c.Result.Low, 100*c.Result.High
	}
	return shown
}

// interval fills in the interval of an arm's mean, if the statistics have one.
func (r *result) interval(a *arm) {
	if s := r.summaries[a.Name]; s != nil && s.N > 1 && finite(s.Low) {
		a.Low, a.High = 100*s.Low, 100*s.High
		r.ArmInterval = r.Level + " interval"
	}
}

// side is the arm that a side of a contrast is or, for the average over other
// factors and for differences of their levels, stands for: its score of a seed is
// the weighted sum of those of its arms.
func (r *result) side(s experiments.Side) *arm {
	one := &arm{Name: s.Name, Label: s.Label, Arm: s.Arm, Low: math.NaN(), High: math.NaN()}
	weighted, times := map[int64]float64{}, map[int64]int{}
	for i, term := range s.Terms {
		a := r.byName[term.Cell]
		if len(s.Terms) == 1 && term.Weight == 1 {
			return a
		}
		if i == 0 {
			one.Index, one.Colour = a.Index, a.Colour
		}
		one.Runs = append(one.Runs, a.Runs...)
		for _, score := range a.Scores {
			weighted[score.Seed] += term.Weight * score.Points
			times[score.Seed]++
		}
	}
	seeds := slices.Sorted(maps.Keys(times))
	if r.sequential() { // a look is at the first ones of these
		seeds = r.Study.Declared.Seeds
	}
	for _, seed := range seeds {
		if times[seed] == len(s.Terms) {
			one.Scores = append(one.Scores, score{seed, weighted[seed]})
		}
	}
	one.Mean, one.SD = meanSD(one.Scores.points())
	r.interval(one)
	return one
}

// finished is the number of runs that have a score.
func (r *result) finished() int {
	n := 0
	for _, a := range r.Arms {
		n += len(a.Scores)
	}
	return n
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
