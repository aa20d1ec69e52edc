package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/runner"
)

func dbMergeCommand() *cobra.Command {
	var (
		db     string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "merge OTHER.db...",
		Short: "Add the results of other databases",
		Long: `Add the contents of other databases to this one (--db): studies, and runs with
epochs, captions, scores, audits and readings. A completed run replaces an
unfinished one. Notes and tags of both stay, and records of deleted runs come
along. Merging again changes nothing, and the other files are only read.
Databases may be in use meanwhile: a run that a process is working on here is
left alone, and one that is running there counts as interrupted.

Runs and studies whose rows do not match their hashes are not merged (exit code
1). So the sound runs of a damaged database can be saved into a new one.

A run completed in both, with the same captions, is the same run. If captions or
protocol differ, the run here is kept and the other is reported (exit code 1):
one ID stands for one result, and a mean must not count a seed twice. Such runs
were trained on another kind of machine, or with another number of threads.
--json lists them; glimpse show RUN --db OTHER.db shows what was trained where.

Checkpoints are in runs/ beside each database and are not merged. An interrupted
run starts over unless its folder is copied to runs/ here.`,
		Example: `  glimpse db merge other-machine.db
  glimpse db merge node1.db node2.db --db all.db --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			results, err := cli.OpenOrCreate(db)
			if err != nil {
				return err
			}
			defer results.Close()
			out := []store.MergeReport{}
			conflicts, damaged := 0, 0
			for _, other := range args {
				merged, err := results.Merge(c.Context(), other, runner.Gone)
				if err != nil {
					return err
				}
				m := store.NewMergeReport(other, merged)
				out, conflicts, damaged = append(out, m), conflicts+m.Conflicts(), damaged+m.Damaged()
				if !asJSON {
					printMerge(c.OutOrStdout(), m)
				}
			}
			if asJSON {
				if err := term.WriteJSON(c.OutOrStdout(), out); err != nil {
					return err
				}
			}
			if damaged > 0 {
				return fmt.Errorf("%s: not merged; everything else was: run `glimpse db check` on the other database",
					term.PluralOf(damaged, "damaged run or study", "damaged runs and studies"))
			}
			if conflicts > 0 {
				return fmt.Errorf("%s: left unchanged in %s; everything else was merged", term.Plural(conflicts, "conflict"), results.Path())
			}
			return nil
		},
	}
	cli.AddDB(c, &db)
	cli.AddJSON(c, &asJSON)
	return c
}

// printMerge prints the counts, and details of runs and studies.
func printMerge(w io.Writer, m store.MergeReport) {
	fmt.Fprintf(w, "%s  runs: %d added, %d replaced, %d the same, %d kept, %d in progress here, %d in conflict\n", term.Line(m.Path),
		m.Runs[store.MergeAdded], m.Runs[store.MergeReplaced], m.Runs[store.MergeSame], m.Runs[store.MergeKept],
		m.Runs[store.MergeBusy], m.Runs[store.MergeConflict])
	if n := m.Runs[store.MergeDamaged]; n > 0 {
		fmt.Fprintf(w, "  %s not merged: damaged there\n", term.Plural(n, "run"))
	}
	for _, one := range m.Details {
		switch {
		case one.Detail == "":
		case one.Run == "":
			fmt.Fprintf(w, "  study %s: %s\n", term.Line(one.Study), term.Line(one.Detail))
		default:
			fmt.Fprintf(w, "  run %s: %s\n", term.Line(one.Run), term.Line(one.Detail))
		}
	}
}
