package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/engine"
	"glimpse/internal/slurm"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/planning"
	"glimpse/results"
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

func runStudy(c *cobra.Command, study *experiments.Study, compute cli.Compute, o runOptions) error {
	cache, err := cli.DataCache()
	if err != nil {
		return err
	}
	noGit := cli.NoGit(o.noGit)
	sets := &planning.Sets{Cache: cache, NoGit: noGit}
	_, none := os.Stat(cli.DBPath(o.db))
	if err := sets.CheckFiles(study, errors.Is(none, fs.ErrNotExist)); err != nil { // before a database is created
		return err
	}
	var place *slurm.Place
	if o.on != "" {
		if place, err = openPlace(cli.DBPath(o.db), compute.Device); err != nil {
			return err
		}
	}
	if o.dryRun {
		return previewRun(c, place, sets, study, o)
	}
	db, err := cli.OpenOrCreate(o.db)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	release, err := runner.HeedStop(ctx, db, study.Name, func() {
		fmt.Fprintln(c.ErrOrStderr(), "asked to stop (glimpse stop)")
		stop()
		cli.Interrupt(ctx)
	})
	if err != nil {
		return err
	}
	defer release()
	due, err := dueOf(ctx, c, sets, db, study, o)
	if err != nil {
		return err
	}
	found, trials, meteor := due.found, due.trials, due.meteor
	var (
		program *engine.Program
		device  engine.Info
	)
	if place != nil {
		if err := forStudy(c, place, study, due.spec, found.Left(trials)); err != nil {
			return err
		}
		if meteor, err = absoluteMeteor(meteor); err != nil {
			return err
		}
	} else if study.Searches() || len(found.Left(trials)) > 0 {
		if program, device, err = engine.FindAndAsk(ctx, cli.Version(), compute.Device); err != nil {
			return err
		}
	}
	jobs := planning.Jobs(o.jobs, study, len(trials), device.GPU != "")
	if program != nil && compute.Threads == 0 && device.GPU == "" {
		note(c, planning.ThreadsRemark(jobs, planning.Load()))
	}
	kill, release := cli.OnSecondStop()
	defer release()
	checkpoint, forget := cli.OnCheckpoint()
	defer forget()
	show := cli.NewEvents(c.ErrOrStderr(), study.Labels(found.Trials))
	show.Quiet = o.quiet
	saved := func() {}
	config := runner.Config{
		Study: study, Trials: trials, Spec: due.spec, DB: db, Root: study.Data.Root,
		Cache: cache, Features: program.Fill, Command: program.Trial,
		Device: compute.Device, Meteor: meteor, CommandLine: cli.CommandLine(), NoGit: noGit,
		Declaration: found.Standing.Now, Earlier: found.Standing.Earlier,
		Jobs:        jobs,
		Threads:     compute.Threads,
		RetryFailed: o.retry,
		Lease:       o.lease,
		Progress: func(e runner.Event) {
			if e.Kind == runner.EventStarted {
				saved = cli.SavesFirst(ctx)
			}
			show.Show(e)
		},
		Next:       sets.Next(db, study, found.Trials),
		Checkpoint: checkpoint,
		Kill:       kill,
	}
	if place != nil {
		onPlace(&config, place, o.detach)
	}
	summary, err := runner.Run(ctx, config)
	saved()
	show.Close()
	if place != nil && summary.Unfinished > 0 {
		note(c, comeBack(study.Name, err))
	}
	if summary.Total == 0 { // nothing was started
		return err
	}
	illustrateRun(c, db, program, compute, study, summary, o.pictures)
	ensembled := ensembleRun(c, db, program, compute, study, summary, meteor)
	failed := finishRun(ctx, c, db, study, study.Declare(found.Trials), summary, o)
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

// dueTrials are the trials of a study that are due, with what is needed to run them.
type dueTrials struct {
	found  planning.Planned
	trials []experiments.Trial
	spec   string // the resolved study
	meteor string // as a trial's --meteor
}

// dueOf compares a study with a database, nil if there is none yet, and rejects contradictions.
func dueOf(
	ctx context.Context, c *cobra.Command, sets *planning.Sets, db *store.DB, study *experiments.Study, o runOptions,
) (due dueTrials, err error) {
	path := cli.DBPath(o.db)
	if due.found, err = sets.Against(ctx, db, study); err != nil {
		return due, err
	}
	if err := errors.Join(due.found.CheckData(study.Name, path), due.found.CheckWeights(study)); err != nil {
		return due, err
	}
	remarks, err := due.found.Declare(study.Name, path, o.amend)
	for _, remark := range remarks {
		note(c, remark)
	}
	if err != nil {
		return due, cli.Usage(err)
	}
	data, meteor, err := cli.TrialMeteor(o.meteor)
	if err != nil {
		return due, err
	}
	due.meteor = meteor
	if due.trials, err = due.found.Due(ctx, db, study, data); err != nil {
		return due, err
	}
	spec, err := study.YAML()
	due.spec = string(spec)
	return due, err
}

// illustrateRun stores pictures for the report of a complete study. If that fails, it only prints
// why: the study is complete nevertheless.
func illustrateRun(
	c *cobra.Command, db *store.DB, program *engine.Program, compute cli.Compute, study *experiments.Study, summary runner.Summary, images int,
) {
	if images == 0 || summary.Completed < summary.Total || len(study.Compare.Contrasts) == 0 {
		return
	}
	if summary.Skipped == summary.Total {
		if had, err := db.Illustration(c.Context(), study.Name); err != nil || len(had.Pictures) > 0 {
			return
		}
	}
	var err error
	if program == nil { // there was nothing to train
		program, err = engine.Find(cli.Version())
	}
	if err == nil {
		err = program.Run(c.Context(), io.Discard, nil, "illustrate", study.Name, "--db", db.Path(), "--data", study.Data.Root,
			"--images", strconv.Itoa(images), "--device", compute.Device, "--threads", strconv.Itoa(compute.Threads))
	}
	if err != nil {
		note(c, fmt.Sprintf("the report has no pictures: %v", err))
	}
}

// ensembleRun makes the ensembles that a study declares, if due, of the arms whose seeds are
// complete.
func ensembleRun(
	c *cobra.Command, db *store.DB, program *engine.Program, compute cli.Compute, study *experiments.Study, summary runner.Summary, meteor string,
) error {
	if study.Compare.Ensemble == "" || summary.Interrupted+summary.Unfinished > 0 || c.Context().Err() != nil {
		return nil
	}
	recorded, err := results.Open(c.Context(), db, study.Name)
	if err != nil {
		return err
	}
	due, _, err := recorded.EnsemblesDue(c.Context())
	if err != nil || len(due) == 0 {
		return err
	}
	if program == nil { // there was nothing to train
		if program, err = engine.Find(cli.Version()); err != nil {
			return err
		}
	}
	err = program.Run(c.Context(), io.Discard, c.ErrOrStderr(), "ensemble", study.Name, "--record", "--db", db.Path(), "--data", study.Data.Root,
		"--meteor", meteor, "--device", compute.Device, "--threads", strconv.Itoa(compute.Threads))
	if err != nil {
		return fmt.Errorf("ensembles of the study's arms: %w; the trials are complete; run the same command to retry", err)
	}
	return nil
}
