package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/engine"
	"glimpse/internal/slurm"
	"glimpse/internal/store"
	"glimpse/planning"
	"glimpse/results"
	"glimpse/runner"
)

// A studyRun is a study on its way through `glimpse run`. Its methods are the steps, in their
// order; each fills in what the next ones need.
type studyRun struct {
	c       *cobra.Command
	study   *experiments.Study
	compute cli.Compute
	options runOptions

	sets  *planning.Sets
	place *slurm.Place // nil: this machine
	db    *store.DB

	found  planning.Planned
	trials []experiments.Trial // due
	spec   string              // the resolved study
	meteor string              // as a trial's --meteor

	program *engine.Program // nil if there is nothing to train here
	device  engine.Info     // of program
}

// check rejects a study whose files are missing, and a cluster that cannot be used.
func (r *studyRun) check() error {
	cache, err := cli.DataCache()
	if err != nil {
		return err
	}
	r.sets = &planning.Sets{Cache: cache, NoGit: cli.NoGit(r.options.noGit)}
	path := cli.DBPath(r.options.db)
	_, none := os.Stat(path)
	if err := r.sets.CheckFiles(r.study, errors.Is(none, fs.ErrNotExist)); err != nil {
		return err
	}
	if r.options.on != "" {
		r.place, err = openPlace(path, r.compute.Device)
	}
	return err
}

// findDue compares the study with a database, nil if there is none yet, rejects contradictions, and
// finds the trials that are due.
func (r *studyRun) findDue(ctx context.Context, db *store.DB) (err error) {
	path := cli.DBPath(r.options.db)
	if r.found, err = r.sets.Against(ctx, db, r.study); err != nil {
		return err
	}
	if err := errors.Join(r.found.CheckData(r.study.Name, path), r.found.CheckWeights(r.study)); err != nil {
		return err
	}
	remarks, err := r.found.Declare(r.study.Name, path, r.options.amend)
	for _, remark := range remarks {
		note(r.c, remark)
	}
	if err != nil {
		return cli.Usage(err)
	}
	data, meteor, err := cli.TrialMeteor(r.options.meteor)
	if err != nil {
		return err
	}
	r.meteor = meteor
	if r.trials, err = r.found.Due(ctx, db, r.study, data); err != nil {
		return err
	}
	spec, err := r.study.YAML()
	r.spec = string(spec)
	return err
}

// prepare finds what is due, and what trains it: the engine here, or the cluster.
func (r *studyRun) prepare(ctx context.Context) error {
	err := r.findDue(ctx, r.db)
	if err != nil {
		return err
	}
	left := r.found.Left(r.trials)
	switch {
	case r.place != nil:
		if err := forStudy(r.c, r.place, r.study, r.spec, left); err != nil {
			return err
		}
		r.meteor, err = absoluteMeteor(r.meteor)
	case r.study.Searches() || len(left) > 0:
		r.program, r.device, err = engine.FindAndAsk(ctx, cli.Version(), r.compute.Device)
	}
	return err
}

// train runs the trials that are due and shows their progress.
func (r *studyRun) train(ctx context.Context) (runner.Summary, error) {
	o := r.options
	jobs := planning.Jobs(o.jobs, r.study, len(r.trials), r.device.GPU != "")
	if r.program != nil && r.compute.Threads == 0 && r.device.GPU == "" {
		note(r.c, planning.ThreadsRemark(jobs, planning.Load()))
	}
	kill, release := cli.OnSecondStop()
	defer release()
	checkpoint, forget := cli.OnCheckpoint()
	defer forget()
	show := cli.NewEvents(r.c.ErrOrStderr(), r.study.Labels(r.found.Trials))
	show.Quiet = o.quiet
	saved := func() {}
	config := runner.Config{
		Study: r.study, Trials: r.trials, Spec: r.spec, DB: r.db, Root: r.study.Data.Root,
		Cache: r.sets.Cache, Features: r.program.Fill, Command: r.program.Trial,
		Device: r.compute.Device, Meteor: r.meteor, CommandLine: cli.CommandLine(), NoGit: r.sets.NoGit,
		Declaration: r.found.Standing.Now, Earlier: r.found.Standing.Earlier,
		Jobs:        jobs,
		Threads:     r.compute.Threads,
		RetryFailed: o.retry,
		Lease:       o.lease,
		Progress: func(e runner.Event) {
			if e.Kind == runner.EventStarted {
				saved = cli.SavesFirst(ctx)
			}
			show.Show(e)
		},
		Next:       r.sets.Next(r.db, r.study, r.found.Trials),
		Checkpoint: checkpoint,
		Kill:       kill,
	}
	if r.place != nil {
		onPlace(&config, r.place, o.detach)
	}
	summary, err := runner.Run(ctx, config)
	saved()
	show.Close()
	if r.place != nil && summary.Unfinished > 0 {
		note(r.c, comeBack(r.study.Name, err))
	}
	return summary, err
}

// illustrate stores pictures for the report of a complete study. If that fails, it only prints why:
// the study is complete nevertheless.
func (r *studyRun) illustrate(summary runner.Summary) {
	images := r.options.pictures
	if images == 0 || summary.Completed < summary.Total || len(r.study.Compare.Contrasts) == 0 {
		return
	}
	if summary.Skipped == summary.Total {
		if had, err := r.db.Illustration(r.c.Context(), r.study.Name); err != nil || len(had.Pictures) > 0 {
			return
		}
	}
	if err := r.runEngine(nil, "illustrate", r.study.Name, "--images", strconv.Itoa(images)); err != nil {
		note(r.c, fmt.Sprintf("the report has no pictures: %v", err))
	}
}

// ensemble makes the ensembles that the study declares, if due, of the arms whose seeds are
// complete.
func (r *studyRun) ensemble(summary runner.Summary) error {
	ctx := r.c.Context()
	if r.study.Compare.Ensemble == "" || summary.Interrupted+summary.Unfinished > 0 || ctx.Err() != nil {
		return nil
	}
	recorded, err := results.Open(ctx, r.db, r.study.Name)
	if err != nil {
		return err
	}
	due, _, err := recorded.EnsemblesDue(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	if err := r.runEngine(r.c.ErrOrStderr(), "ensemble", r.study.Name, "--record", "--meteor", r.meteor); err != nil {
		return fmt.Errorf("ensembles of the study's arms: %w; the trials are complete; run the same command to retry", err)
	}
	return nil
}

// runEngine runs a verb of the engine on the study's results and data. Its messages go to remarks or,
// if that is nil, become the error.
func (r *studyRun) runEngine(remarks io.Writer, args ...string) (err error) {
	program := r.program
	if program == nil { // there was nothing to train
		if program, err = engine.Find(cli.Version()); err != nil {
			return err
		}
	}
	args = append(args, "--db", r.db.Path(), "--data", r.study.Data.Root,
		"--device", r.compute.Device, "--threads", strconv.Itoa(r.compute.Threads))
	return program.Run(r.c.Context(), io.Discard, remarks, args...)
}
