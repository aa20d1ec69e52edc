package main

import (
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/engine"
	"glimpse/internal/torch"
	"glimpse/runner"
)

// trialCommand is one trial, from its last checkpoint to its scores. It is hidden because people have no need of it: `run`
// starts it, and a job of a cluster may call it with an id.
func trialCommand() *cobra.Command {
	var (
		compute  cli.Compute
		l        runner.Launch
		db       string
		launched bool
	)
	c := &cobra.Command{
		Use:    "trial RUN",
		Hidden: true,
		Long:   "Runs one trial of the database, and writes its events as JSON lines to standard output.",
		Example: `  glimpse trial 3f2a --db results.db
  glimpse trial 3f2a --db results.db --data /data/flickr8k --threads 8`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cli.SavesFirst(c.Context())
			checkpoint, release := cli.OnCheckpoint()
			defer release()
			var control io.Reader
			if launched {
				var err error
				if l, control, err = runner.ReadLaunch(c.InOrStdin()); err != nil {
					return err
				}
				compute.Device, compute.Threads = l.Device, l.Threads
			} else {
				l.Run, l.Root, l.CommandLine = args[0], cli.DataRoot(l.Root, ""), cli.CommandLine()
				l.Database, l.NoGit = cli.DBPath(db), cli.NoGit(l.NoGit)
				var err error
				if l.Cache, err = cli.DataCache(); err != nil {
					return err
				}
			}
			return runTrial(c, compute, l, runner.TrialConfig{
				Checkpoint: checkpoint, Control: control, Events: c.OutOrStdout(), Log: c.ErrOrStderr(),
			})
		},
	}
	compute.Add(c)
	cli.AddDB(c, &db)
	cli.AddMeteor(c, &l.Meteor)
	cli.AddNoGit(c, &l.NoGit)
	cli.AddFeatures(c, &l.Features, &l.Names)
	c.Flags().StringVar(&l.Dir, "dir", "", "folder of checkpoints and logs (default runs, beside the database)")
	c.Flags().StringVar(&l.Root, "data", "", "folder of the data set (default $GLIMPSE_DATA)")
	c.Flags().StringVar(&l.Keep, "keep", "", "checkpoints that stay in the end: best, last, both or none (default best)")
	c.Flags().BoolVar(&launched, "launched", false, "take all else from a JSON line on standard input, whose end is the runner's")
	if err := c.Flags().MarkHidden("launched"); err != nil {
		panic(err) // the flag stands above
	}
	return c
}

// runTrial opens what the launch names and runs it.
func runTrial(c *cobra.Command, compute cli.Compute, l runner.Launch, config runner.TrialConfig) error {
	e, err := newEngine(compute)
	if err != nil {
		return err
	}
	torch.SetThreads(e.Threads)
	if config.DB, err = cli.OpenForWriting(l.Database); err != nil {
		return err
	}
	defer config.DB.Close()
	if config.MeteorData, err = cli.LoadMeteor(l.Meteor); err != nil {
		return err
	}
	l.Threads, l.Device = e.Threads, e.Device.String()
	config.Launch, config.GPU, config.Versions = l, e.Device.Name(), versions()
	config.Waiting = strings.Join(engine.Waiting(os.Environ()), " ")
	return runner.RunTrial(c.Context(), config, e)
}
