package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results/view"
	"glimpse/runner"
)

func collectCommand() *cobra.Command {
	var (
		db     string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "collect STUDY|RUN...",
		Short: "Merge what a cluster's jobs have finished so far",
		Long: `Add to the database the results, epochs and checkpoints that Slurm jobs
(glimpse run --on slurm) have written so far. This reads only the shared folder,
without asking Slurm or waiting. To find out whether jobs without results still
run, use glimpse run --on slurm.`,
		Example: `  glimpse collect flickr8k-attention
  glimpse collect 3f2a 81c0 --db demo.db`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.StudyNames),
		RunE: func(c *cobra.Command, args []string) error {
			results, err := cli.OpenForWriting(db)
			if err != nil {
				return err
			}
			defer results.Close()
			ids, err := cli.RunsOf(c.Context(), results, args)
			if err != nil {
				return err
			}
			read := func() ([]store.Run, error) {
				runs := make([]store.Run, len(ids))
				for i, id := range ids {
					if runs[i], err = results.Run(c.Context(), id); err != nil {
						return nil, err
					}
				}
				return runs, nil
			}
			runs, err := read()
			if err != nil {
				return err
			}
			show := cli.NewEvents(c.ErrOrStderr(), nil)
			err = runner.Collect(c.Context(), results, runs, func(e runner.Event) {
				if e.Kind != runner.EventEpoch {
					show.Show(e)
				}
			})
			show.Close()
			if err != nil {
				return err
			}
			if runs, err = read(); err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), view.NewRuns(runs))
			}
			completed, working := 0, 0
			for _, run := range runs {
				if run.State == store.Completed {
					completed++
				} else if _, ok := runner.JobsOf(run); ok {
					working++
				}
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d of %s complete, %d on a cluster\n", completed, term.Plural(len(runs), "run"), working)
			return err
		},
	}
	cli.AddDB(c, &db)
	cli.AddJSON(c, &asJSON)
	return c
}
