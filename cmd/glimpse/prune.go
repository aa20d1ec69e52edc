package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/runner"
)

func pruneCommand() *cobra.Command {
	var (
		db                      string
		unfinished, dry, asJSON bool
	)
	c := &cobra.Command{
		Use:   "prune STUDY|RUN...",
		Short: "Remove checkpoints of completed runs",
		Long: `Remove the checkpoints of completed runs from the folder runs/ beside the
database. Results, captions and logs stay; commands that need the weights
(caption, swap, audit of training images) no longer work on these runs.
--unfinished also removes those of interrupted, failed and pruned runs, which
then start over when run again. Running runs are left alone. The study's key
checkpoints.keep sets which checkpoints are kept in the first place.`,
		Example: `  glimpse prune flickr8k-pilot --dry-run
  glimpse prune 3f2a 81c0
  glimpse prune demo --unfinished --db demo.db`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.StudyNames),
		RunE: func(c *cobra.Command, args []string) error {
			results, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer results.Close()
			ids, err := cli.RunsOf(c.Context(), results, args)
			if err != nil {
				return err
			}
			removed, err := runner.FreeCheckpoints(c.Context(), results, ids, unfinished, dry)
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), removed)
			}
			t, total := &term.Table{}, int64(0)
			t.Add("RUN", "STATE", "SIZE")
			for _, r := range removed {
				t.Add(r.Run, r.State, term.Bytes(r.Bytes))
				total += r.Bytes
			}
			if len(removed) > 0 {
				if err := t.Print(c.OutOrStdout()); err != nil {
					return err
				}
			}
			what := "removed"
			if dry {
				what = "would be removed"
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "checkpoints of %s, %s, %s\n", term.Plural(len(removed), "run"), term.Bytes(total), what)
			return err
		},
	}
	cli.AddDB(c, &db)
	c.Flags().BoolVar(&unfinished, "unfinished", false, "also remove those of unfinished runs, which then start over")
	c.Flags().BoolVar(&dry, "dry-run", false, "only list what would be removed")
	cli.AddJSON(c, &asJSON)
	return c
}
