package main

import (
	"fmt"
	"os"
	"path/filepath"

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
		compute cli.Compute
		o       reproduceOptions
	)
	c := &cobra.Command{
		Use: "reproduce RUN",
		Long: `Trains the settings of a completed run again, in a database of its own in the
cache and with as many threads as the run had, and compares captions, weights,
scores and epochs. Exit code 0 says that captions and weights are the same bit
for bit; 1 that they are not, and then it lists how far they are apart and what
differed in commit, libraries and machine. Nothing is written to the results
database. Ctrl-C stops it, the same command goes on.`,
		Example: `  glimpse reproduce 3f2a
  glimpse reproduce 3f2a --data /data/flickr8k --keep again`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			if err := compute.Check(); err != nil {
				return err
			}
			db, err := cli.OpenResults(o.db)
			if err != nil {
				return err
			}
			defer db.Close()
			run, err := db.Run(c.Context(), args[0])
			if err != nil {
				return err
			}
			r, err := reproduce(c, db, run, compute, o)
			if err != nil {
				return err
			}
			if o.json {
				err = term.WriteJSON(c.OutOrStdout(), r)
			} else {
				err = printReproduction(c.OutOrStdout(), r)
			}
			if err == nil && !r.Equal {
				err = fmt.Errorf("run %s came out differently", run.ID)
			}
			return err
		},
	}
	compute.Add(c)
	cli.AddDB(c, &o.db)
	c.Flags().StringVar(&o.root, "data", "", "folder of the data set (default $GLIMPSE_DATA, else the study's data.root)")
	c.Flags().StringVar(&o.keep, "keep", "", "train in this folder, and keep database and checkpoints there")
	cli.AddMeteor(c, &o.meteor)
	cli.AddJSON(c, &o.json)
	return c
}

type reproduceOptions struct {
	db, root, keep, meteor string
	json                   bool
}

// reproduce trains a run again in the folder that --keep names, else in one of the cache that goes afterwards.
func reproduce(c *cobra.Command, db *store.DB, run store.Run, compute cli.Compute, o reproduceOptions) (*inspect.Reproduction, error) {
	opener, err := cli.Opener(c, db, nil, o.root)
	if err != nil {
		return nil, err
	}
	again := inspect.Again{Folder: o.keep, Libtorch: torch.Version()}
	if again.Folder == "" {
		cache, err := cli.CacheDir()
		if err != nil {
			return nil, err
		}
		// Named by what is to come out, so that the same command goes on where it was interrupted.
		again.Folder = filepath.Join(cache, "reproduce", run.ID+"-"+run.CaptionsSHA256[:min(8, len(run.CaptionsSHA256))])
	}
	var meteor string
	if again.Meteor, meteor, err = cli.TrialMeteor(o.meteor); err != nil {
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
	again.Runner = runner.Config{
		Cache: opener.Pictures, Features: program.Filler(compute.Device, compute.Threads), Command: program.Trial,
		Device: compute.Device, Threads: compute.Threads, Meteor: meteor, CommandLine: cli.CommandLine(),
		Progress: show.Show, Kill: kill,
	}
	r, err := opener.Reproduce(c.Context(), run, again)
	if err == nil && o.keep == "" {
		err = os.RemoveAll(again.Folder)
	}
	return r, err
}
