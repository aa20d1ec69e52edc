package view

import (
	"context"
	"slices"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/metrics/stats"
	"glimpse/results"
)

// RunPair is the comparison of two runs over their images: a contract as JSON, whose keys are only ever added to.
type RunPair struct {
	Signature string `json:"signature"`
	Runs      [2]Run `json:"runs"` // A, B
	stats.PairAnalysis
}

// CompareRuns compares run b with run a over their test images. Runs that lack scored captions or were scored under
// different protocols are an error.
func CompareRuns(ctx context.Context, db *store.DB, a, b store.Run) (*RunPair, error) {
	runs := []store.Run{a, b}
	var arms []stats.Arm
	for _, run := range runs {
		scored, err := results.ScoredRun(ctx, db, run, "test")
		if err != nil {
			return nil, err
		}
		arms = append(arms, stats.Arm{Name: run.ID, Runs: []stats.Run{scored}})
	}
	if err := results.SameProtocol(runs); err != nil {
		return nil, err
	}
	analysis, err := stats.Pairwise(arms, stats.Options{Metrics: metrics.Tested(results.MeteorOf(a, "test"))})
	if err != nil {
		return nil, err
	}
	return &RunPair{a.Signature, [2]Run{NewRun(a), NewRun(b)}, analysis}, nil
}

// ArmPair is the comparison of two arms of a study: a contract as JSON, whose keys are only ever added to.
type ArmPair struct {
	Study     string `json:"study"`
	Signature string `json:"signature"`
	Split     string `json:"split"`
	Declared  bool   `json:"declared"` // whether the study declares the contrast
	// Contrasts is the number of contrasts over which p is adjusted.
	Contrasts int      `json:"contrasts_adjusted_over"`
	Remarks   []string `json:"remarks"`
	// Ensembles are those of the two arms, where the study has them: no test is of them.
	Ensembles []Ensemble `json:"ensembles,omitempty"`
	stats.Analysis

	Labels map[string]string `json:"-"` // name of a side → what to show
	Label  string            `json:"-"` // of the contrast
}

// CompareArms compares arm b of a study with arm a as the study's report does. An arm that the study lacks is a
// [results.UnknownArmError].
func CompareArms(ctx context.Context, db *store.DB, name, a, b string) (*ArmPair, error) {
	study, err := results.Open(ctx, db, name)
	if err != nil {
		return nil, err
	}
	analysis, c, err := study.Compare(ctx, b, a, metrics.Tested(study.Meteor()))
	if err != nil {
		return nil, err
	}
	ensembles, err := study.Ensembles(ctx)
	if err != nil {
		return nil, err
	}
	pair := &ArmPair{
		Study: study.Name, Signature: study.Signature(), Split: analysis.Primary.Split,
		Declared: !analysis.Undeclared, Contrasts: len(analysis.Contrasts),
		Remarks: append([]string{}, analysis.Remarks...), Analysis: analysis.Of(c),
		Labels: map[string]string{c.Result.B: c.B.Label, c.Result.A: c.A.Label}, Label: c.Label,
	}
	for _, side := range []experiments.Side{c.A, c.B} {
		for _, e := range ensembles {
			if slices.ContainsFunc(side.Terms, func(t experiments.Term) bool { return t.Cell == e.Cell }) {
				pair.Ensembles = append(pair.Ensembles, NewEnsemble(e, study.Primary))
			}
		}
	}
	return pair, nil
}
