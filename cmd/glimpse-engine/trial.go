package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/engine"
	"glimpse/internal/torch"
	"glimpse/runner"
)

// trialCommand runs one trial, from its last checkpoint to its scores. It is hidden because users
// do not need it: `run` starts it, and a cluster job may call it with a run ID.
func trialCommand() *cobra.Command {
	var (
		compute  cli.Compute
		l        runner.Launch
		db       string
		launched bool
		job      string
		scratch  string
	)
	c := &cobra.Command{
		Use:    "trial RUN",
		Hidden: true,
		Long: `Run one trial of the database, and write its events as JSON lines to standard
output. With --job, run the attempt that a cluster job's folder describes, and
write the results there, up to the last checkpoint.`,
		Example: `  glimpse trial 3f2a --db results.db
  glimpse trial 3f2a --db results.db --data /data/flickr8k --threads 8`,
		Args: func(c *cobra.Command, args []string) error {
			if job != "" {
				return cobra.NoArgs(c, args)
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			cli.SavesFirst(c.Context())
			checkpoint, release := cli.OnCheckpoint()
			defer release()
			if job != "" {
				return runJob(c, job, scratch, runner.TrialConfig{Checkpoint: checkpoint, Log: c.ErrOrStderr()})
			}
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
	c.Flags().StringVar(&l.Keep, "keep", "", "checkpoints to keep at the end: best, last, both or none (default best)")
	c.Flags().BoolVar(&launched, "launched", false, "read everything else from a JSON line on standard input, and end when that closes")
	c.Flags().StringVar(&job, "job", "", "folder of a cluster job")
	c.Flags().StringVar(&scratch, "scratch", "", "folder on a local disk for a job's database (default $TMPDIR, else /tmp)")
	if err := c.Flags().MarkHidden("launched"); err != nil {
		panic(err) // the flag is defined above
	}
	return c
}

// runTrial opens the launch's database and runs its trial.
func runTrial(c *cobra.Command, compute cli.Compute, l runner.Launch, config runner.TrialConfig) (err error) {
	if config.DB, err = cli.OpenForWriting(l.Database); err != nil {
		return err
	}
	defer config.DB.Close()
	return runOpened(c, compute, l, config)
}

// runJob runs the attempt that a job's folder describes.
func runJob(c *cobra.Command, folder, scratch string, config runner.TrialConfig) error {
	job, err := runner.ReadJob(folder)
	if err != nil {
		return err
	}
	start, err := job.Begin(c.Context(), folder, scratch)
	if err != nil || start == nil {
		return err
	}
	defer start.End()
	config.DB, config.Publish = start.DB, start.Publish
	host, _ := os.Hostname()
	fmt.Fprintf(c.ErrOrStderr(), "--- attempt %d, %s, on %s\n", start.Launch.Attempt, time.Now().Format(time.RFC3339), host)
	return runOpened(c, cli.Compute{Device: start.Launch.Device, Threads: start.Launch.Threads}, start.Launch, config)
}

// runOpened runs a trial in the open database config.DB.
func runOpened(c *cobra.Command, compute cli.Compute, l runner.Launch, config runner.TrialConfig) error {
	e, err := newEngine(compute)
	if err != nil {
		return err
	}
	torch.SetThreads(e.Threads)
	if config.MeteorData, err = cli.LoadMeteor(l.Meteor); err != nil {
		return err
	}
	l.Threads, l.Device = e.Threads, e.Device.String()
	config.Launch, config.GPU, config.Versions = l, e.Device.Name(), versions()
	config.Waiting = strings.Join(engine.Waiting(os.Environ()), " ")
	return runner.RunTrial(c.Context(), config, e)
}
