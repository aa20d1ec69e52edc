package main

import (
	"context"
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
		db           string
		asJSON       bool
		withoutSlurm bool
	)
	c := &cobra.Command{
		Use:   "stop STUDY|RUN...",
		Short: "Stop the runners of a study, or some runs",
		Long: `Ask the runners of these studies or runs, through the database, to save and
stop. This works from any machine that shares the database.

Runners of a named study notice within a second, even while they read data or
compute features. They let each trial finish its step and save, then exit with
code 130. Other running trials notice at their next heartbeat, within a sixth of
their lease (ten seconds). They save, and their runs become interrupted. Runners
start none of these runs again.

glimpse run withdraws the request and resumes from the checkpoints. Completed
runs are not affected. Slurm jobs are cancelled; running ones save first, and so
do trials that share a job with a named one. Where Slurm is out of reach for
good, --without-slurm gives the jobs up: their runs become interrupted, and
glimpse run starts them again. A run shared by two studies stops in both.`,
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
			var cancel func(context.Context, string, []string) error
			if !withoutSlurm {
				cancel = cancelJobs
			}
			if err := runner.StopJobs(c.Context(), opened, asked, cancel); err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), view.NewRuns(asked))
			}
			if len(asked) == 0 {
				_, err := fmt.Fprintln(c.OutOrStdout(), "no unfinished runs; any runners of these studies were asked to stop")
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
			fmt.Fprintf(c.OutOrStdout(), "\n%s asked to save and stop; runners start none of these again\n",
				term.Plural(running, "running trial"))
			if silent > 0 {
				fmt.Fprintf(c.ErrOrStderr(), "note: no sign of life from %s, which may not notice: if the process has died, "+
					"`glimpse run` resumes from the last checkpoint\n", term.Plural(silent, "running trial"))
			}
			return nil
		},
	}
	cli.AddDB(c, &db)
	c.Flags().BoolVar(&withoutSlurm, "without-slurm", false, "interrupt runs of Slurm jobs without asking Slurm, which is gone")
	cli.AddJSON(c, &asJSON)
	return c
}
