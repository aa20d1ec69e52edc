package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
	"glimpse/results/view"
)

func compareCommand() *cobra.Command {
	var (
		db, study    string
		wide, asJSON bool
	)
	c := &cobra.Command{
		Use:   "compare A B",
		Short: "Compare two runs, or two arms of a study",
		Long: `Compare B with A: is B better, and how certain is that? The difference is B − A.

Two runs, each named by the start of its ID, are compared over the test images:
paired bootstrap, approximate randomization, Holm. Such tests say nothing about
training the same model again.

With --study, A and B are two arms, and the numbers are those of the study's
report: an interval over seeds and images, the permutation test over seeds, both
adjusted over all declared contrasts, and the verdict on the primary metric. In
a study with further factors an arm is averaged over them; a label such as "soft
dropout=0.3" names one level. A contrast that the study does not declare is
computed alone and marked exploratory.

Runs scored under different protocols or on different data are rejected; the
error says what differs.`,
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
				return compareArms(c, opened, study, args, wide, asJSON)
			}
			return compareRuns(c, opened, args, wide, asJSON)
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVar(&study, "study", "", "compare two arms of this study (its name or its YAML file) instead of two runs")
	_ = c.RegisterFlagCompletionFunc("study", func(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return cli.CompleteStudy(c, nil, typed)
	})
	cli.AddWide(c, &wide)
	cli.AddJSON(c, &asJSON)
	return c
}

// compareRuns compares two runs over their images.
func compareRuns(c *cobra.Command, db *store.DB, ids []string, wide, asJSON bool) error {
	var runs [2]store.Run
	for i, id := range ids {
		run, err := db.Run(c.Context(), id)
		if errors.Is(err, store.ErrNotFound) {
			err = fmt.Errorf("%w; to compare arms of a study, add --study NAME", err)
		}
		if err != nil {
			return err
		}
		runs[i] = run
	}
	if runs[0].ID == runs[1].ID {
		return cli.Usage(fmt.Errorf("%s and %s are the same run, %s", ids[0], ids[1], runs[0].ID))
	}
	pair, err := view.CompareRuns(c.Context(), db, runs[0], runs[1])
	if err != nil {
		return err
	}
	if asJSON {
		return term.WriteJSON(c.OutOrStdout(), pair)
	}
	return printRunPair(c, pair, wide)
}

// compareArms compares two arms of a study as its report does.
func compareArms(c *cobra.Command, db *store.DB, study string, arms []string, wide, asJSON bool) error {
	if arms[0] == arms[1] {
		return cli.Usage(fmt.Errorf("%s and %s are the same arm", arms[0], arms[1]))
	}
	name, err := cli.StudyName(c.Context(), db, study)
	if err != nil {
		return err
	}
	pair, err := view.CompareArms(c.Context(), db, name, arms[0], arms[1])
	if unknown := (*results.UnknownArmError)(nil); errors.As(err, &unknown) {
		return cli.Usage(err)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return term.WriteJSON(c.OutOrStdout(), pair)
	}
	return printArmPair(c, pair, wide)
}
