package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics/stats"
	"glimpse/reports"
)

func compareCommand() *cobra.Command {
	var (
		db, study string
		asJSON    bool
	)
	c := &cobra.Command{
		Use:   "compare A B",
		Short: "Two runs, or two arms of a study: is B better than A, and how sure is that?",
		Long: `Compares the test captions of B with those of A.

Two runs, named by their ids or the beginnings of them, are compared over the
images: paired bootstrap, approximate randomization, Holm. Such tests say nothing
about another training of the same model.

With --study, A and B are two arms of that study, and all their completed runs
count: an interval that takes in seeds and images, the exact permutation test over
seeds, and a verdict on the metric that the study declared, with the smallest
effect and the α that it declared. Only these two arms are looked at, so nothing
is adjusted for other contrasts; the report does that.

Runs of different protocol signatures are refused, with what differs.`,
		Example: `  glimpse compare 3f2a 9b07
  glimpse compare none adaptive --study flickr8k-attention
  glimpse compare none adaptive --study demo --db demo.db --json`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeCompared,
		RunE: func(c *cobra.Command, args []string) error {
			results, err := openResults(db)
			if err != nil {
				return err
			}
			defer results.Close()
			if c.Flags().Changed("study") {
				return compareArms(c, results, study, args[0], args[1], asJSON)
			}
			return compareRuns(c, results, args[0], args[1], asJSON)
		},
	}
	addDBFlag(c, &db)
	c.Flags().StringVar(&study, "study", "", "compare two arms of this study (its name or its YAML file) instead of two runs")
	_ = c.RegisterFlagCompletionFunc("study", func(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return completeStudy(c, nil, typed)
	})
	addJSONFlag(c, &asJSON)
	return c
}

// compareRuns compares two runs over their images.
func compareRuns(c *cobra.Command, db *store.DB, a, b string, asJSON bool) error {
	var (
		runs [2]store.Run
		arms []stats.Arm
	)
	for i, id := range []string{a, b} {
		run, err := db.Run(c.Context(), id)
		if errors.Is(err, store.ErrNotFound) {
			err = fmt.Errorf("%w; arms are compared with --study", err)
		}
		if err != nil {
			return err
		}
		if i == 1 && run.ID == runs[0].ID {
			return usageError{fmt.Errorf("%s and %s are the same run, %s", a, b, run.ID)}
		}
		scored, err := scoredRun(c.Context(), db, run)
		if err != nil {
			return err
		}
		runs[i] = run
		arms = append(arms, stats.Arm{Name: run.ID, Runs: []stats.Run{scored}})
	}
	if err := sameProtocol(runs[:]); err != nil {
		return err
	}
	analysis, err := stats.Pairwise(arms, stats.Options{Metrics: testedMetrics(storedMeteor(runs[0]))})
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), pairJSON{runs[0].Signature, [2]runJSON{newRunJSON(runs[0]), newRunJSON(runs[1])}, analysis})
	}
	return printRunPair(c.OutOrStdout(), runs, &analysis)
}

// compareArms compares two arms of a study over seeds and images.
func compareArms(c *cobra.Command, db *store.DB, study, a, b string, asJSON bool) error {
	if a == b {
		return usageError{fmt.Errorf("%s and %s are the same arm", a, b)}
	}
	name, err := studyName(c.Context(), db, study)
	if err != nil {
		return err
	}
	record, err := db.Study(c.Context(), name)
	if err != nil {
		return err
	}
	all, err := db.Runs(c.Context(), name)
	if err != nil {
		return err
	}
	var (
		arms []stats.Arm
		runs []store.Run
	)
	for _, arm := range []string{a, b} {
		of, err := armRuns(all, name, arm)
		if err != nil {
			return err
		}
		one := stats.Arm{Name: arm}
		for _, run := range of {
			scored, err := scoredRun(c.Context(), db, run)
			if err != nil {
				return err
			}
			one.Runs = append(one.Runs, scored)
		}
		arms, runs = append(arms, one), append(runs, of...)
	}
	if err := sameProtocol(runs); err != nil {
		return err
	}
	options, err := declared(record, storedMeteor(runs[0]))
	if err != nil {
		return err
	}
	analysis, err := stats.Compare(arms, []stats.Contrast{{B: b, A: a}}, options)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), armsJSON{name, runs[0].Signature, analysis})
	}
	return printArms(c.OutOrStdout(), name, runs[0].Signature, &analysis)
}

// armRuns gives the completed runs of an arm. An arm that does not exist, has none, or mixes settings, is an error.
func armRuns(all []store.Run, study, arm string) ([]store.Run, error) {
	var (
		names     []string
		completed []store.Run
		known     bool
	)
	for _, run := range all {
		if !slices.Contains(names, run.Arm) {
			names = append(names, run.Arm)
		}
		if run.Arm != arm {
			continue
		}
		known = true
		if run.State == store.Completed {
			completed = append(completed, run)
		}
	}
	switch {
	case !known:
		return nil, usageError{fmt.Errorf("study %s has no arm %q; there are %s", study, arm, strings.Join(names, ", "))}
	case len(completed) == 0:
		return nil, fmt.Errorf("study %s: no run of arm %s is completed; `glimpse run` completes them", study, arm)
	}
	for _, run := range completed[1:] {
		if !maps.Equal(run.Swept, completed[0].Swept) {
			return nil, fmt.Errorf("study %s: runs %s and %s of arm %s differ in more than their seed, which an arm must not mix: compare runs, or read the report",
				study, completed[0].ID, run.ID, arm)
		}
	}
	return completed, nil
}

// declared gives the options of a comparison as the study declared them.
func declared(study store.Study, meteorKey string) (stats.Options, error) {
	o := stats.Options{Metrics: testedMetrics(meteorKey)}
	if len(study.Compare) == 0 {
		return o, nil
	}
	var compare experiments.Compare
	if err := json.Unmarshal(study.Compare, &compare); err != nil {
		return o, fmt.Errorf("study %s: the comparison it declared cannot be read: %w", study.Name, err)
	}
	primary := strings.TrimPrefix(compare.Primary.Metric, "test.")
	if primary != "" && !slices.Contains(o.Metrics, primary) {
		return o, fmt.Errorf("study %s declared %s as its primary metric, which cannot be tested here; there are %s of the test split",
			study.Name, compare.Primary.Metric, strings.Join(o.Metrics, ", "))
	}
	o.Primary, o.MinimumEffect, o.Alpha = primary, compare.Primary.MinimumEffect, compare.Primary.Alpha
	return o, nil
}

// scoredRun reads the statistics of a run's test captions.
func scoredRun(ctx context.Context, db *store.DB, run store.Run) (stats.Run, error) {
	captions, err := db.Captions(ctx, run.ID, "test")
	if err != nil {
		return stats.Run{}, err
	}
	images, err := reports.ImageScores(captions)
	if err != nil {
		return stats.Run{}, fmt.Errorf("run %s: %w", run.ID, err)
	}
	if len(images) == 0 {
		return stats.Run{}, fmt.Errorf("run %s is %s and has no scored test captions to compare", run.ID, run.State)
	}
	return stats.Run{Seed: run.Seed, Signature: run.Signature, Images: images}, nil
}

// sameProtocol refuses runs whose protocol signatures differ.
func sameProtocol(runs []store.Run) error {
	for _, run := range runs[1:] {
		if found := stats.SignatureDifferences(runs[0].Signature, run.Signature); len(found) > 0 {
			return fmt.Errorf("run %s (%s, seed %d) and run %s (%s, seed %d) were scored under different protocols and cannot be compared: %s",
				runs[0].ID, runs[0].Arm, runs[0].Seed, run.ID, run.Arm, run.Seed, strings.Join(found, "; "))
		}
	}
	return nil
}

// storedMeteor is the name that METEOR goes by in a run.
func storedMeteor(run store.Run) string {
	if _, ok := run.Metrics["test"]["meteor"]; ok {
		return "meteor"
	}
	return "meteor-exact-stem"
}
