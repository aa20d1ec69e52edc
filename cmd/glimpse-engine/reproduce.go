package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/inspect"
	"glimpse/internal/cli"
	"glimpse/internal/engine"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/internal/torch"
	"glimpse/runner"
)

func reproduceCommand() *cobra.Command {
	var (
		flags  cli.RunFlags
		again  inspect.Again
		meteor string
		asJSON bool
	)
	c := &cobra.Command{
		Use: "reproduce RUN",
		Long: `Train a completed run again, in a separate database in the cache and with the
same number of threads. Compare captions, weights, scores and epochs. Exit code
0 means that captions and weights are the same bit for bit. Exit code 1 means
that they differ; it then prints by how much, and what differed in commit,
libraries and machine. The results database is not changed. Ctrl-C stops; run
the same command to resume.`,
		Example: `  glimpse reproduce 3f2a
  glimpse reproduce 3f2a --data /data/flickr8k --keep again`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			if err := flags.Check(); err != nil {
				return err
			}
			db, err := cli.OpenResults(flags.DB)
			if err != nil {
				return err
			}
			defer db.Close()
			run, err := db.Run(c.Context(), args[0])
			if err != nil {
				return err
			}
			r, err := reproduce(c, db, run, flags, again, meteor)
			if err != nil {
				return err
			}
			if asJSON {
				err = term.WriteJSON(c.OutOrStdout(), r)
			} else {
				err = printReproduction(c.OutOrStdout(), r)
			}
			if err == nil && !r.Equal {
				err = fmt.Errorf("run %s was not reproduced", run.ID)
			}
			return err
		},
	}
	flags.Add(c)
	c.Flags().Lookup("threads").Usage = "threads to compute with (default: the run's number)"
	c.Flags().StringVar(&again.Folder, "keep", "", "train in this folder, and keep its database and checkpoints")
	cli.AddMeteor(c, &meteor)
	cli.AddNoGit(c, &again.Runner.NoGit)
	cli.AddJSON(c, &asJSON)
	return c
}

// reproduce trains a run again, in processes of this program, and compares.
func reproduce(c *cobra.Command, db *store.DB, run store.Run, flags cli.RunFlags, again inspect.Again, meteor string) (*inspect.Reproduction, error) {
	opener, err := cli.Opener(c, db, nil, flags)
	if err != nil {
		return nil, err
	}
	again.Libtorch = torch.Version()
	if again.Cache, err = cli.CacheDir(); err != nil {
		return nil, err
	}
	if again.Meteor, meteor, err = cli.TrialMeteor(meteor); err != nil {
		return nil, err
	}
	program, err := engine.Self(cli.Version())
	if err != nil {
		return nil, err
	}
	kill, release := cli.OnSecondStop()
	defer release()
	show := cli.NewEvents(c.ErrOrStderr(), nil)
	defer show.Close()
	compute := flags.Compute
	again.Runner = runner.Config{
		Cache: opener.Cache, Features: program.Fill, Command: program.Trial,
		Device: compute.Device, Threads: compute.Threads, Meteor: meteor, CommandLine: cli.CommandLine(), NoGit: cli.NoGit(again.Runner.NoGit),
		Progress: func(e runner.Event) {
			if e.Kind == runner.EventStarted {
				cli.SavesFirst(c.Context())
			}
			show.Show(e)
		}, Kill: kill,
	}
	return opener.Reproduce(c.Context(), run, again)
}
