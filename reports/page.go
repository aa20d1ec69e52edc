package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"glimpse/metrics"
)

// A page is everything that the report says, in the order in which it is said:
// the page and its Markdown twin are two ways to write it down.
type page struct {
	Study     string
	Question  string
	Verdict   verdict
	Terms     []string // what was declared before anything was scored
	Notices   []string
	Scores    table
	Answer    []figure // every seed, and the contrasts
	Contrasts *table
	Methods   []string // how the numbers of the contrasts were made
	Learning  []figure
	Beta      *figure
	Samples   []sample
	Failures  *table
	Runs      table
	Facts     []fact
	Command   string
	Spec      string
	Tables    []string // names of the CSV files
}

// newPage lays out a result.
func newPage(r *result) page {
	p := page{
		Study:    r.Study.Name,
		Question: r.Study.Question,
		Verdict:  r.verdict(),
		Terms:    r.terms(),
		Notices:  r.Notices,
		Scores:   r.scoreTable(),
		Runs:     r.runTable(),
		Samples:  r.samples(),
		Facts:    r.provenance(),
		Command:  fmt.Sprintf("glimpse run %s.yaml --report report", fileName(r.Study.Name)),
		Spec:     strings.TrimRight(strings.ReplaceAll(r.Study.Spec, "\r\n", "\n"), "\n"),
		Tables:   slices.Sorted(maps.Keys(r.csvFiles())),
	}
	if strings.TrimSpace(p.Question) == "" {
		p.Question = "Study " + r.Study.Name
	}
	if slices.ContainsFunc(r.Arms, func(a *arm) bool { return len(a.Scores) > 0 }) {
		p.Answer = append(p.Answer, dotsFigure(r))
	}
	if len(r.Contrasts) > 0 {
		t := r.contrastTable()
		p.Contrasts = &t
		if slices.ContainsFunc(r.Contrasts, func(c *contrast) bool { return finite(c.Difference) }) {
			p.Answer = append(p.Answer, forestFigure(r))
		}
		p.Methods = r.methods()
	}
	p.Learning = learning(r)
	if f, ok := r.betaFigure(); ok {
		p.Beta = &f
	}
	if t := r.failureTable(); len(t.Rows) > 0 {
		p.Failures = &t
	}
	return p
}

// learning are the curves of the training loss and of the validation metric.
func learning(r *result) []figure {
	var figures []figure
	if f, ok := curvesFigure(r, "loss", "Training loss by epoch", "training loss (nats per token)",
		func(e epoch) float64 { return e.Loss }); ok {
		figures = append(figures, f)
	}
	key := r.validationKey()
	name := metricName(key)
	if f, ok := curvesFigure(r, "validation", name+" on the validation split by epoch", name+", validation split (points, ×100)",
		func(e epoch) float64 { return points(e.Val, key) }); ok {
		figures = append(figures, f)
	}
	return figures
}

// validationKey is the validation metric to draw: the primary one if it was
// measured, else the first that was, in the usual order.
func (r *result) validationKey() string {
	measured := map[string]bool{}
	for _, run := range r.Runs {
		for _, e := range run.Epochs {
			for key := range e.Val {
				measured[key] = true
			}
		}
	}
	if measured[r.Primary.Key] || len(measured) == 0 {
		return r.Primary.Key
	}
	for _, m := range metricNames {
		if measured[m.Key] {
			return m.Key
		}
	}
	return slices.Sorted(maps.Keys(measured))[0]
}

// terms say what was declared before the test split was scored.
func (r *result) terms() []string {
	finished := r.finished()
	terms := []string{fmt.Sprintf("%d of %s finished", finished, count(len(r.Runs), "trial"))}
	if len(r.Contrasts) == 0 {
		return append(terms, "metric: "+r.Primary.name())
	}
	terms = append(terms, "declared metric: "+r.Primary.name())
	if r.MinimumEffect > 0 {
		terms = append(terms, "smallest effect that matters: "+pointsText(r.MinimumEffect))
	}
	if r.Analysis != nil {
		terms = append(terms, "α = "+number(r.Analysis.Options.Alpha), count(r.Analysis.Images, "image"))
	}
	return terms
}

// methods say how intervals, p-values and verdicts came about.
func (r *result) methods() []string {
	if r.Analysis == nil {
		return nil
	}
	m := r.Analysis.Methods
	return []string{
		"Interval: " + m.Interval + ".",
		"p: " + m.Test + "; " + m.Adjustment + ".",
		"Detectable: the smallest true difference, in points, that this study would find in " + number(100*r.Analysis.Options.Power) + " % of cases; " + m.Detectable + ".",
		"Supported: the interval excludes 0, Holm’s p is below α, and the difference reaches the declared minimum. Opposite: the same with the sign turned round.",
		"Assumed: " + m.Assumption + ". Metric definitions: version " + metrics.Version + ".",
	}
}

// mostDrawn is the most arms that a figure shows: beyond it names and colours
// tell nothing apart.
const mostDrawn = 24

// drawn are the arms that figures show, in the order of the study, with a note
// where they are not all.
func (r *result) drawn() (arms []*arm, note string) {
	if len(r.Arms) <= mostDrawn {
		return r.Arms, ""
	}
	best := slices.SortedStableFunc(slices.Values(r.Arms), func(a, b *arm) int {
		return cmp.Or(cmp.Compare(b.Mean, a.Mean), cmp.Compare(a.Index, b.Index)) // NaN is below every number
	})[:mostDrawn]
	slices.SortFunc(best, func(a, b *arm) int { return cmp.Compare(a.Index, b.Index) })
	return best, fmt.Sprintf(" Shown: the %d highest means of %d arms.", mostDrawn, len(r.Arms))
}

// points is a metric of an epoch, NaN where it was not measured.
func points(values map[string]float64, key string) float64 {
	if v, ok := values[key]; ok {
		return 100 * v
	}
	return math.NaN()
}

// figures are all figures of the page in their order.
func (p *page) figures() []figure {
	all := slices.Concat(p.Answer, p.Learning)
	if p.Beta != nil {
		all = append(all, *p.Beta)
	}
	return all
}

// fileName makes a study's name fit for a command line.
func fileName(study string) string {
	name := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, study)
	if name = strings.TrimLeft(name, "-."); name == "" {
		return "study"
	}
	return name
}
