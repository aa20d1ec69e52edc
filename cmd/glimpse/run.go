package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/runner"
)

func runCommand() *cobra.Command {
	var (
		flags   cli.StudyFlags
		compute cli.Compute
		options runOptions
	)
	c := &cobra.Command{
		Use:   "run STUDY.yaml",
		Short: "Train all trials of a study that are not complete",
		Long: `Check a study and its data, compute missing features, and train each trial
that is not complete, in a process of its own. If a trial fails, the failure is
recorded and the others continue. Ctrl-C saves each trial and stops; run the
same command to resume. A second Ctrl-C stops at once; training since the last
checkpoint is then repeated. SIGUSR1 makes all running trials save a checkpoint.
glimpse stop stops them from elsewhere. Several processes may run one study on
one database: they share the trials.

What a study declares (metric, smallest effect, α, arms, contrasts, seeds,
stopping rule, settings) is frozen when its first final split is scored. After
that, a file that declares anything else is rejected, unless --amend gives a
reason. With --set the study becomes a variant with its own name,
STUDY@KEY=VALUE. A study with compare.stop adds seeds look by look until each
contrast is decided.

--on slurm trains on Slurm nodes, as cluster.yaml beside the database describes
(docs/cluster.md). Ctrl-C then leaves the jobs running; run the same command to
follow them again, glimpse collect to take their results so far, and glimpse
stop to stop them.`,
		Example: `  glimpse run experiments/demo.yaml --db demo.db --report demo-report
  glimpse run experiments/flickr8k.yaml --jobs 1 --threads 2
  glimpse run experiments/flickr8k.yaml --device cuda --data /data/flickr8k
  glimpse run experiments/flickr8k.yaml --set train.epochs=3 --db try.db
  glimpse run experiments/flickr8k.yaml --on slurm --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			study, err := flags.Load(args[0])
			if err != nil {
				return err
			}
			if err := cli.AtLeast("jobs", options.jobs, 0); err != nil {
				return err
			}
			if options.pictures < 0 || options.pictures > store.MostPictures {
				return cli.Usage(fmt.Errorf("--pictures must be 0 to %d", store.MostPictures))
			}
			if err := compute.Check(); err != nil {
				return err
			}
			if err := options.checkPlace(); err != nil {
				return err
			}
			return runStudy(c, study, compute, options)
		},
	}
	flags.Add(c)
	compute.Add(c)
	c.Flags().Lookup("threads").Usage = "threads per trial; the last digits of its results depend on them (default: the processors, shared among the jobs)"
	cli.AddDB(c, &options.db)
	addJobs(c, &options.jobs, "trials at a time")
	c.Flags().StringVar(&options.report, "report", "", "write the report to this folder afterwards")
	c.Flags().IntVar(&options.pictures, "pictures", store.MostPictures, "pictures to keep in the database for the report; 0 for none")
	c.Flags().StringVar(&options.amend, "amend", "",
		"amend the declaration after scoring, for this reason; the report shows the amendment separately, as exploratory")
	c.Flags().BoolVar(&options.retry, "retry-failed", false, "also retry trials that will probably fail again, such as a diverged loss")
	c.Flags().BoolVarP(&options.quiet, "quiet", "q", false, "print no line per epoch; on a terminal, print only bars and problems")
	c.Flags().DurationVar(&options.lease, "lease", runner.DefaultLease, "how long a trial may stay silent before another runner takes it over")
	options.addPlace(c)
	cli.AddMeteor(c, &options.meteor)
	cli.AddNoGit(c, &options.noGit)
	cli.AddJSON(c, &options.json)
	return c
}

type runOptions struct {
	db, report  string
	amend       string
	meteor      string
	jobs        int
	pictures    int
	retry, json bool
	noGit       bool
	quiet       bool
	lease       time.Duration
	placeOptions
}

// runStudy trains what is left of a study, completes its records and prints its state.
func runStudy(c *cobra.Command, study *experiments.Study, compute cli.Compute, o runOptions) (err error) {
	r := &studyRun{c: c, study: study, compute: compute, options: o}
	if err := r.check(); err != nil { // before a database is created
		return err
	}
	if o.dryRun {
		return r.preview()
	}
	if r.db, err = cli.OpenOrCreate(o.db); err != nil {
		return err
	}
	defer r.db.Close()
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	release, err := runner.HeedStop(ctx, r.db, study.Name, func() {
		note(c, "asked to stop (glimpse stop)")
		stop()
		cli.Interrupt(ctx)
	})
	if err != nil {
		return err
	}
	defer release()
	if err := r.prepare(ctx); err != nil {
		return err
	}
	summary, err := r.train(ctx)
	if summary.Total == 0 { // nothing was started
		return err
	}
	r.illustrate(summary)
	ensembled := r.ensemble(summary)
	failed := finishRun(ctx, c, r.db, study, study.Declare(r.found.Trials), summary, o)
	switch {
	case err != nil:
		return err
	case failed != nil || ensembled != nil:
		return errors.Join(failed, ensembled)
	case summary.Failed > 0:
		return someFailed(summary.Failed, summary.Mendable(), summary.Total)
	}
	return nil
}

// note prints a remark to standard error.
func note(c *cobra.Command, text string) { _ = term.Message(c.ErrOrStderr(), text) }
