package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/stats"
	"glimpse/results"
)

func compareCommand() *cobra.Command {
	var (
		db, study string
		asJSON    bool
	)
	c := &cobra.Command{
		Use:   "compare A B",
		Short: "Two runs, or two arms of a study: is B better than A, and how sure is that?",
		Long: `Compares the captions of B with those of A.

Two runs, named by their ids or the beginnings of them, are compared over the
test images: paired bootstrap, approximate randomization, Holm. Such tests say
nothing about another training of the same model.

With --study, A and B are two arms of that study, and the numbers are those of
its report: an interval over seeds and images, the permutation test over seeds,
both adjusted over all contrasts that the study declares, and the verdict on its
primary metric. In a study with further factors an arm is averaged over them; a
label such as "soft dropout=0.3" names one level. A contrast that the study does
not declare is computed alone and marked exploratory.

Runs scored under different protocols or on different data are refused. The error
names what differs.`,
		Example: `  glimpse compare 3f2a 9b07
  glimpse compare none adaptive --study flickr8k-attention
  glimpse compare none adaptive --study demo --db demo.db --json`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: cli.CompleteCompared,
		RunE: func(c *cobra.Command, args []string) error {
			opened, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			if c.Flags().Changed("study") {
				return compareArms(c, opened, study, args[0], args[1], asJSON)
			}
			return compareRuns(c, opened, args[0], args[1], asJSON)
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVar(&study, "study", "", "compare two arms of this study (its name or its YAML file) instead of two runs")
	_ = c.RegisterFlagCompletionFunc("study", func(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return cli.CompleteStudy(c, nil, typed)
	})
	cli.AddJSON(c, &asJSON)
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
			return cli.Usage(fmt.Errorf("%s and %s are the same run, %s", a, b, run.ID))
		}
		scored, err := results.ScoredRun(c.Context(), db, run, "test")
		if err != nil {
			return err
		}
		runs[i] = run
		arms = append(arms, stats.Arm{Name: run.ID, Runs: []stats.Run{scored}})
	}
	if err := results.SameProtocol(runs[:]); err != nil {
		return err
	}
	analysis, err := stats.Pairwise(arms, stats.Options{Metrics: metrics.Tested(results.MeteorOf(runs[0], "test"))})
	if err != nil {
		return err
	}
	if asJSON {
		return term.WriteJSON(c.OutOrStdout(), pairJSON{runs[0].Signature, [2]runJSON{newRunJSON(runs[0]), newRunJSON(runs[1])}, analysis})
	}
	return printRunPair(c.OutOrStdout(), runs, &analysis)
}

// compareArms compares two arms of a study as its report does.
func compareArms(c *cobra.Command, db *store.DB, name, a, b string, asJSON bool) error {
	if a == b {
		return cli.Usage(fmt.Errorf("%s and %s are the same arm", a, b))
	}
	name, err := cli.StudyName(c.Context(), db, name)
	if err != nil {
		return err
	}
	study, err := results.Open(c.Context(), db, name)
	if err != nil {
		return err
	}
	if err := study.Load(c.Context()); err != nil {
		return err
	}
	analysis, contrast, err := study.Compare(b, a, metrics.Tested(study.Meteor()))
	if unknown := (*results.UnknownArmError)(nil); errors.As(err, &unknown) {
		return cli.Usage(err)
	}
	if err != nil {
		return err
	}
	out := newArmsJSON(study, analysis, contrast)
	if asJSON {
		return term.WriteJSON(c.OutOrStdout(), out)
	}
	return out.print(c.OutOrStdout())
}
