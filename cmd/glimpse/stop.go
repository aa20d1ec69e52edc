package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
	"glimpse/results/view"
	"glimpse/runner"
)

func stopCommand() *cobra.Command {
	var (
		db     string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "stop STUDY|RUN...",
		Short: "Ask the runners of a study, or of some runs, to stop",
		Long: `Asks, through the database, whoever works on these runs to stop. Runners of a
study that is named learn of it within a second, also while they read data or
compute features: they have each trial finish its step and save, and end with exit
code 130. Elsewhere, a trial at work learns of it at its next heartbeat, within a
sixth of its lease (ten seconds), saves, and leaves its run interrupted; runners at
work begin none of these runs again. ` + "`glimpse run`" + ` goes on from the checkpoints,
and takes the request back. It works from any machine that shares the database.
Completed runs stay as they are. Slurm's jobs are cancelled; those at work save
first, and so do trials that share a job with one that is named. A run that two studies share stops in both.`,
		Example: `  glimpse stop flickr8k-attention
  glimpse stop 3f2a 81c0
  glimpse stop experiments/demo.yaml --db demo.db`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.StudyNames),
		RunE: func(c *cobra.Command, args []string) error {
			opened, err := cli.OpenForWriting(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			asked, err := cli.Stop(c.Context(), opened, args)
			if err != nil {
				return err
			}
			if err := runner.StopJobs(c.Context(), opened, asked, cancelJobs); err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), view.NewRuns(asked))
			}
			if len(asked) == 0 {
				_, err := fmt.Fprintln(c.OutOrStdout(), "no unfinished run is recorded; runners of these studies, if there are any, were asked to stop")
				return err
			}
			t, running, silent, now := &term.Table{}, 0, 0, time.Now()
			t.Add("RUN", "STUDY", "ARM", "SEED", "STATE", "PROCESS")
			for _, r := range asked {
				process := ""
				if r.State == store.Running {
					if results.SilentSince(r, now).IsZero() {
						running++
					} else {
						silent++
					}
					process = fmt.Sprintf("%d on %s", r.Owner.PID, r.Owner.Host)
					if _, job := runner.JobsOf(r); job {
						process = "a job of " + r.Owner.Host
					}
				}
				t.Add(r.ID, r.Study, r.Arm, fmt.Sprint(r.Seed), results.StateText(r, now), process)
			}
			if err := t.Print(c.OutOrStdout()); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "\n%s asked to save and stop; runners at work begin none of these again\n",
				term.Plural(running, "running trial"))
			if silent > 0 {
				fmt.Fprintf(c.ErrOrStderr(), "note: %s gave no sign of life for long, and may not hear this: if its process has died, "+
					"`glimpse run` takes over from its last checkpoint\n", term.Plural(silent, "running trial"))
			}
			return nil
		},
	}
	cli.AddDB(c, &db)
	cli.AddJSON(c, &asJSON)
	return c
}
