package results

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/metrics/stats"
)

// An Arm is a cell of the study's design: runs that differ only in their seed.
type Arm struct {
	experiments.Cell
	Index int    // its place in the study
	Runs  []*Run // of all states, by seed, or in the declared order of a sequential study
}

// A Contrast is a declared difference B − A with what the statistics say of it.
type Contrast struct {
	experiments.Contrast
	Result *stats.Result // nil where a side has no scored runs
	// Verdict is that of Result or, where it was declared after scores were
	// known, stats.Exploratory; "" where nothing was tested.
	Verdict stats.Verdict
}

// An Analysis is a study analysed under one of its declarations.
type Analysis struct {
	Declaration Declaration
	Primary     Metric
	Arms        []*Arm // in the order of the plan
	Contrasts   []*Contrast
	Stats       *stats.Analysis // nil where no captions are scored
	Remarks     []string        // what was left out, and why: whole sentences
	Undeclared  bool            // nobody declared these contrasts
	Pending     map[string]int  // cell → declared trials that have not ended; none of a sequential study
}

// Options say what an analysis is of, besides the declared contrasts.
type Options struct {
	// Metrics are the keys to analyse, the primary one among them; nil is the
	// primary one alone.
	Metrics []string
	// Describe names further arms (cells) to summarise.
	Describe []string
	// Contrasts take the place of the declared ones; nil for those declared.
	Contrasts []experiments.Contrast
	// SidesAlone leaves arms out of the summaries that are not themselves a side of a contrast.
	SidesAlone bool
	// Undeclared says that nobody declared these contrasts: they are exploratory.
	Undeclared bool
	// Seen is called with the scores of the completed runs of the arms that are analysed, arm by arm, as
	// they are read. It may be nil, and must not keep them.
	Seen func(*Run, []metrics.ImageScore)
}

// ArmsOf groups the study's runs into the arms of a declaration.
func (s *Study) ArmsOf(d Declaration) []*Arm {
	byID := make(map[string]*Run, len(s.Runs))
	for _, r := range s.Runs {
		byID[r.ID] = r
	}
	var arms []*Arm
	for _, cell := range d.Cells() {
		a := &Arm{Cell: cell, Index: len(arms)}
		for _, id := range cell.Trials {
			if r := byID[id]; r != nil {
				a.Runs = append(a.Runs, r)
			}
		}
		if !d.Compare.Stop.Active() {
			slices.SortStableFunc(a.Runs, func(x, y *Run) int { return cmp.Compare(x.Seed, y.Seed) })
		}
		arms = append(arms, a)
	}
	return arms
}

// Analyse does the statistics of a declaration of the study. It refuses runs of
// different protocols or data, and reads the scores of the arms that it needs, run by run.
func (s *Study) Analyse(ctx context.Context, d Declaration, o Options) (*Analysis, error) {
	a := &Analysis{Declaration: d, Primary: s.Primary, Arms: s.ArmsOf(d), Undeclared: o.Undeclared}
	var runs []*Run
	for _, arm := range a.Arms {
		runs = append(runs, arm.Runs...)
	}
	if err := s.sameProtocol(runs); err != nil {
		return nil, err
	}
	if m := d.Compare.Primary.Metric; m != "" {
		a.Primary = ParseMetric(m)
	}
	contrasts := o.Contrasts
	if contrasts == nil {
		contrasts = d.Contrasts()
	}
	for _, c := range contrasts {
		a.Contrasts = append(a.Contrasts, &Contrast{Contrast: c})
	}
	cautions, err := s.cautions(ctx, d)
	if err != nil {
		return nil, err
	}
	a.Remarks = append(a.Remarks, cautions...)
	a.Pending = pending(a.Arms, d.Compare.Stop.Active())
	if a.Primary.Split != s.Primary.Split {
		a.Remarks = append(a.Remarks, fmt.Sprintf("The amendment declares the %s split, but this analysis "+
			"uses the %s split: the amendment is not computed.", a.Primary.Split, s.Primary.Split))
		return a, nil
	}
	if !a.Primary.Tested() {
		a.Remarks = append(a.Remarks, fmt.Sprintf("The metric %s has no test: the report only describes it.",
			a.Primary.Key))
		return a, nil
	}
	if err := a.test(s.reading(ctx, o.Seen), o); err != nil {
		return nil, fmt.Errorf("study %q: %w", s.Name, err)
	}
	return a, nil
}

// A reader gives the scores of a completed run.
type reader func(*Run) ([]metrics.ImageScore, error)

// reading reads scores from the database, and shows them to seen.
func (s *Study) reading(ctx context.Context, seen func(*Run, []metrics.ImageScore)) reader {
	return func(r *Run) ([]metrics.ImageScore, error) {
		images, err := s.db.Scores(ctx, r.ID, s.Primary.Split)
		if err == nil && seen != nil {
			seen(r, images)
		}
		return images, err
	}
}

// test runs the statistics over the arms that have scored captions.
func (a *Analysis) test(read reader, o Options) error {
	in := newDesign()
	options := a.options(o)
	reducer, err := stats.NewReducer(options.Metrics)
	if err != nil {
		return err
	}
	analysed := map[string]bool{}
	for _, c := range a.Contrasts {
		maps.Copy(analysed, cellsOf(c.Contrast))
	}
	for _, name := range o.Describe {
		analysed[name] = true
	}
	for _, arm := range a.Arms {
		if !analysed[arm.Name] {
			continue
		}
		runs, remarks, err := a.scored(arm, read, reducer)
		if err != nil {
			return err
		}
		a.Remarks = append(a.Remarks, remarks...)
		if len(runs) > 0 {
			in.add(stats.Arm{Name: arm.Name, Runs: runs})
		}
	}
	if len(in.arms) == 0 {
		return nil
	}
	var of []*Contrast
	for _, c := range a.Contrasts {
		b, okB := in.side(c.B)
		base, okA := in.side(c.A)
		if okB && okA {
			in.contrasts, of = append(in.contrasts, stats.Contrast{B: b, A: base}), append(of, c)
		}
	}
	options.Composites = in.composites
	if o.SidesAlone {
		options.Summaries = []string{}
		for _, c := range in.contrasts {
			options.Summaries = append(options.Summaries, c.B, c.A)
		}
	}
	analysis, err := stats.Compare(in.arms, in.contrasts, options)
	if err != nil {
		return err
	}
	labels := a.labels()
	for i, warning := range analysis.Warnings {
		analysis.Warnings[i] = labels.Replace(warning)
	}
	a.Stats = &analysis
	primary := map[stats.Contrast]*stats.Result{}
	for i := range analysis.Results {
		if r := &analysis.Results[i]; r.Metric == a.Primary.Key {
			primary[r.Contrast] = r
		}
	}
	for i, c := range of {
		c.Result = primary[in.contrasts[i]]
		c.Result.Untested = labels.Replace(c.Result.Untested)
		if c.Result.Untested == "" {
			c.Verdict = c.Result.Verdict
			switch {
			case a.Declaration.Late() || o.Undeclared:
				c.Verdict = stats.Exploratory
			case a.PendingOf(c) > 0:
				c.Verdict = stats.Undecided
			}
		}
	}
	return nil
}

// labels puts the arms' labels in the place of their names.
func (a *Analysis) labels() *strings.Replacer {
	names := slices.Clone(a.Arms)
	slices.SortFunc(names, func(x, y *Arm) int { return len(y.Name) - len(x.Name) }) // a name may begin with another
	var pairs []string
	for _, arm := range names {
		pairs = append(pairs, "arm "+arm.Name, "arm "+arm.Label)
	}
	return strings.NewReplacer(pairs...)
}

// options are those of the statistics, as declared.
func (a *Analysis) options(o Options) stats.Options {
	out := optionsOf(a.Declaration.Compare, a.Primary, nil)
	out.Family = len(a.Contrasts)
	if o.Metrics != nil {
		out.Metrics = o.Metrics
	}
	if !a.sequential() {
		out.Looks = nil
	}
	return out
}

// sequential reports whether the contrasts are looked at as seeds are added. The stopping rule is of the
// declared ones: others are computed from all seeds.
func (a *Analysis) sequential() bool {
	return a.Declaration.Compare.Stop.Active() && !a.Undeclared
}

// optionsOf are those that plan and analysis share.
func optionsOf(compare experiments.Compare, primary Metric, composites []stats.Composite) stats.Options {
	return stats.Options{
		Metrics: []string{primary.Key}, Primary: primary.Key,
		MinimumEffect: compare.Primary.MinimumEffect, Alpha: compare.Primary.Alpha,
		Composites: composites, Looks: Looks(compare),
	}
}

// Looks is the stopping rule as the statistics take it, nil without one.
func Looks(c experiments.Compare) *stats.Looks {
	if !c.Stop.Active() {
		return nil
	}
	futility := c.Stop.Futility
	if futility == 0 {
		futility = -1 // of the statistics, where 0 is the default
	}
	return &stats.Looks{Seeds: c.Stop.Looks, Spending: c.Stop.Spending, Futility: futility}
}

// PendingOf is how many of a contrast's trials have not ended. There is no verdict
// until they have: stopping at will would be a rule that nobody declared.
func (a *Analysis) PendingOf(c *Contrast) int {
	n := 0
	for cell := range cellsOf(c.Contrast) {
		n += a.Pending[cell]
	}
	return n
}

// cellsOf are the cells of some contrasts, by name.
func cellsOf(contrasts ...experiments.Contrast) map[string]bool {
	cells := map[string]bool{}
	for _, c := range contrasts {
		for _, t := range slices.Concat(c.B.Terms, c.A.Terms) {
			cells[t.Cell] = true
		}
	}
	return cells
}

// scored are the runs of an arm as the statistics take them, and what was left
// out. A sequential study takes seeds in their declared order, up to the first
// that is missing: a look at other seeds than those declared would be a choice.
func (a *Analysis) scored(arm *Arm, read reader, reducer *stats.Reducer) (runs []stats.Run, remarks []string, err error) {
	sequential := a.sequential()
	byID := make(map[string]*Run, len(arm.Runs))
	for _, r := range arm.Runs {
		byID[r.ID] = r
	}
	for _, id := range arm.Trials {
		var one *stats.Run
		if r := byID[id]; r != nil {
			var why string
			if one, why, err = a.usable(r, read); err != nil {
				return nil, nil, err
			}
			if why != "" {
				remarks = append(remarks, fmt.Sprintf("Run %s (%s, seed %d) %s: it is left out of means, intervals and tests.",
					r.ID, arm.Label, r.Seed, why))
			}
		}
		switch {
		case one != nil:
			runs = append(runs, reducer.Run(*one))
		case sequential:
			return runs, remarks, nil
		}
	}
	if !sequential {
		slices.SortStableFunc(runs, func(x, y stats.Run) int { return cmp.Compare(x.Seed, y.Seed) })
	}
	return runs, remarks, nil
}

// usable is a run as the statistics take it, nil where it cannot be used; why
// says what keeps a completed run out.
func (a *Analysis) usable(r *Run, read reader) (one *stats.Run, why string, err error) {
	if r.State != store.Completed {
		return nil, "", nil
	}
	images, err := read(r)
	if err != nil {
		return nil, "", err
	}
	if _, ok := a.Primary.Of(&r.Run); !ok {
		return nil, fmt.Sprintf("has no finite score in %s", a.Primary), nil
	}
	if len(images) == 0 {
		return nil, fmt.Sprintf("has no scored captions of the %s split", a.Primary.Split), nil
	}
	return &stats.Run{Seed: r.Seed, Images: images}, "", nil
}

// holds says whether a cell is part of a side.
func holds(s experiments.Side, cell string) bool {
	return slices.ContainsFunc(s.Terms, func(t experiments.Term) bool { return t.Cell == cell })
}
