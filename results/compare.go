package results

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics/stats"
)

// Compare analyses the difference B − A of two arms of the study in the metrics given. If the study declares it, either way
// round, the numbers are those of its analysis, adjusted over all its contrasts;
// if not, they are of this difference alone and exploratory.
func (s *Study) Compare(ctx context.Context, b, a string, metrics []string) (*Analysis, *Contrast, error) {
	d := s.Declared
	sideB, err := s.sideOf(b)
	if err != nil {
		return nil, nil, err
	}
	sideA, err := s.sideOf(a)
	if err != nil {
		return nil, nil, err
	}
	o := Options{Metrics: metrics, Contrasts: d.Contrasts(), SidesAlone: true}
	at := slices.IndexFunc(o.Contrasts, func(c experiments.Contrast) bool {
		return c.B.Name == sideB.Name && c.A.Name == sideA.Name || c.B.Name == sideA.Name && c.A.Name == sideB.Name
	})
	switch {
	case at < 0:
		o.Contrasts = []experiments.Contrast{{Kind: "pair", B: sideB, A: sideA, Label: sideB.Label + " − " + sideA.Label}}
		o.Undeclared, at = true, 0
	case o.Contrasts[at].B.Name != sideB.Name:
		c := &o.Contrasts[at]
		c.B, c.A, c.Label = c.A, c.B, sideB.Label+" − "+sideA.Label
	}
	analysis, err := s.Analyse(ctx, d, o)
	if err != nil {
		return nil, nil, err
	}
	c := analysis.Contrasts[at]
	for _, side := range []experiments.Side{c.A, c.B} {
		if arm := analysis.unscored(side); c.Result == nil && arm != "" {
			return nil, nil, fmt.Errorf("study %s: arm %s has no completed runs; complete them with `glimpse run`", s.Name, arm)
		}
	}
	if c.Result == nil {
		why := "one side has no seed with scored captions at all levels"
		if len(analysis.Remarks) > 0 {
			why = strings.Join(analysis.Remarks, " ")
		}
		return nil, nil, fmt.Errorf("study %s: cannot compare %s by %s: %s", s.Name, c.Label, analysis.Primary, why)
	}
	return analysis, c, nil
}

// unscored is the label of an arm of a side without a completed run, "" if there
// is none.
func (a *Analysis) unscored(side experiments.Side) string {
	for _, arm := range a.Arms {
		if holds(side, arm.Name) && !slices.ContainsFunc(arm.Runs, func(r *Run) bool { return r.State == store.Completed }) {
			return arm.Label
		}
	}
	return ""
}

// sideOf finds what a name stands for: an arm, which is averaged over the other
// factors, or an arm at certain levels of them, by its label.
func (s *Study) sideOf(name string) (experiments.Side, error) {
	cells := s.Declared.Cells()
	var of []experiments.Cell
	var known []string
	for _, c := range cells {
		if c.Name == name || c.Label == name {
			return experiments.Side{
				Name: c.Name, Label: c.Label, Arm: c.Arm, Terms: []experiments.Term{{Cell: c.Name, Weight: 1}},
			}, nil
		}
		if c.Arm == name {
			of = append(of, c)
		}
		for _, name := range []string{c.Arm, c.Label} {
			if !slices.Contains(known, name) {
				known = append(known, name)
			}
		}
	}
	if len(of) == 0 {
		return experiments.Side{}, &UnknownArmError{Study: s.Name, Arm: name, Known: known}
	}
	side := experiments.Side{Name: name, Label: name, Arm: name}
	for _, c := range of {
		side.Terms = append(side.Terms, experiments.Term{Cell: c.Name, Weight: 1 / float64(len(of))})
	}
	return side, nil
}

// An UnknownArmError is the name of an arm that a study does not have.
type UnknownArmError struct {
	Study, Arm string
	Known      []string
}

func (e *UnknownArmError) Error() string {
	return fmt.Sprintf("study %s has no arm %q; its arms are %s", e.Study, e.Arm, strings.Join(e.Known, ", "))
}

// Of narrows the statistics to one contrast and its two sides, in all metrics.
func (a *Analysis) Of(c *Contrast) stats.Analysis {
	narrow := *a.Stats
	narrow.Arms, narrow.Results = nil, nil
	for _, s := range a.Stats.Arms {
		if s.Arm == c.Result.A || s.Arm == c.Result.B {
			narrow.Arms = append(narrow.Arms, s)
		}
	}
	for _, r := range a.Stats.Results {
		if r.Contrast == c.Result.Contrast {
			if r.Metric == a.Primary.Key && c.Verdict != "" {
				r.Verdict = c.Verdict
			}
			narrow.Results = append(narrow.Results, r)
		}
	}
	return narrow
}
