package main

import (
	"time"

	"github.com/spf13/cobra"

	"glimpse/internal/torch"
	"glimpse/runner"
)

// trialCommand is the child's half of `run`: one trial, from its last checkpoint to its scores. It is hidden because people
// have no need of it; a job of a cluster calls it with an id and no attempt.
func trialCommand() *cobra.Command {
	var (
		compute                  engineFlags
		db, dir, root, meteor    string
		command                  string
		attempt                  int64
		lease, silence, interval time.Duration
	)
	c := &cobra.Command{
		Use:    "trial RUN",
		Short:  "Run one trial that a study recorded",
		Long:   "Runs one trial of the database, and writes its events as JSON lines to standard output.",
		Hidden: true,
		Example: `  glimpse trial 3f2a --db results.db
  glimpse trial 3f2a --db results.db --data /data/flickr8k --threads 8`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			checkpoint, release := onCheckpointSignal()
			defer release()
			engine, err := compute.engine(compute.threads)
			if err != nil {
				return err
			}
			results, err := openForWriting(db)
			if err != nil {
				return err
			}
			defer results.Close()
			if dir == "" {
				dir = runner.DefaultDir(results)
			}
			data, err := loadMeteor(meteor)
			if err != nil {
				return err
			}
			torch.SetThreads(engine.Threads)
			config := runner.TrialConfig{
				Run: args[0], Attempt: attempt, DB: results, Dir: dir, Root: dataRoot(root, ""),
				Threads: engine.Threads, Device: engine.Device.String(), Versions: versions(), CommandLine: command, Meteor: data,
				Checkpoint: checkpoint, Events: c.OutOrStdout(), Log: c.ErrOrStderr(),
				Lease: lease, Silence: silence, SaveEvery: interval,
			}
			if attempt != 0 { // standard input is the parent's: its end is the parent's
				config.Control = c.InOrStdin()
			}
			return runner.RunTrial(c.Context(), config, engine)
		},
	}
	compute.add(c)
	addDBFlag(c, &db)
	c.Flags().StringVar(&dir, "dir", "", "folder of checkpoints and logs (default runs, beside the database)")
	c.Flags().StringVar(&root, "data", "", "folder of the data set (default $GLIMPSE_DATA)")
	addMeteorFlag(c, &meteor)
	c.Flags().Int64Var(&attempt, "attempt", 0, "claim taken by the runner; 0 takes one")
	c.Flags().StringVar(&command, "command", commandLine(), "command line of the study, to be recorded")
	c.Flags().DurationVar(&lease, "lease", 0, "how long this process may be silent before its claim is taken over")
	c.Flags().DurationVar(&silence, "silence", 0, "how long it may make no progress")
	c.Flags().DurationVar(&interval, "save-every", 0, "between checkpoints within an epoch")
	return c
}
