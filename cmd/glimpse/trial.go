package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/torch"
	"glimpse/runner"
)

// trialCommand is the child's half of `run`: one trial, from its last checkpoint to its scores. It is hidden because people
// have no need of it; a job of a cluster calls it with an id and no attempt.
func trialCommand() *cobra.Command {
	var (
		compute                  engineFlags
		db, dir, root, meteor    string
		command, study, prune    string
		keep                     string
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
			rule, err := parsePrune(prune)
			if err != nil {
				return usageError{err}
			}
			torch.SetThreads(engine.Threads)
			config := runner.TrialConfig{
				Study: study, Prune: rule, Keep: keep,
				Run: args[0], Attempt: attempt, DB: results, Dir: dir, Root: dataRoot(root, ""), Cache: engine.pictureHashes(),
				Threads: engine.Threads, Device: engine.Device.String(), GPU: engine.Device.Name(), Versions: versions(), CommandLine: command, Meteor: data,
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
	c.Flags().StringVar(&study, "study", "", "study whose trials it is held against")
	c.Flags().StringVar(&prune, "prune", "", "rule by which it is given up, as JSON (default none)")
	c.Flags().StringVar(&keep, "keep", "", "checkpoints that stay in the end: best, last, both or none (default best)")
	c.Flags().StringVar(&command, "command", commandLine(), "command line of the study, to be recorded")
	c.Flags().DurationVar(&lease, "lease", 0, "how long this process may be silent before its claim is taken over")
	c.Flags().DurationVar(&silence, "silence", 0, "how long it may make no progress")
	c.Flags().DurationVar(&interval, "save-every", 0, "between checkpoints within an epoch")
	return c
}

// pruneText writes a rule for the command line of a trial; parsePrune reads it.
func pruneText(rule experiments.Prune) string {
	if !rule.Active() {
		return ""
	}
	text, _ := json.Marshal(rule) // words and numbers
	return string(text)
}

func parsePrune(text string) (rule experiments.Prune, err error) {
	if text == "" {
		return rule, nil
	}
	if err := json.Unmarshal([]byte(text), &rule); err != nil {
		return rule, fmt.Errorf("--prune: %w", err)
	}
	return rule, nil
}
