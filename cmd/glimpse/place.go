package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/doctor"
	"glimpse/internal/engine"
	"glimpse/internal/slurm"
	"glimpse/runner"
)

// placeOptions are the flags for running trials elsewhere.
type placeOptions struct {
	on             string
	detach, dryRun bool
}

// addPlace adds the flags to a verb.
func (o *placeOptions) addPlace(c *cobra.Command) {
	c.Flags().StringVar(&o.on, "on", "",
		"slurm: train on Slurm nodes, as described in cluster.yaml beside the database, or $GLIMPSE_CLUSTER")
	c.Flags().BoolVar(&o.detach, "detach", false, "with --on: exit once the trials are submitted")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "with --on: print scripts and commands without submitting them")
	cli.CompleteFlag(c, "on", func(string) []string { return []string{onSlurm} })
}

const onSlurm = "slurm"

// checkPlace rejects flags that do not fit together.
func (o *placeOptions) checkPlace() error {
	switch {
	case o.on != "":
		return checkOn(o.on)
	case o.detach || o.dryRun:
		return cli.Usage(errors.New("--detach and --dry-run need --on slurm"))
	}
	return nil
}

// checkOn rejects an unknown value of --on.
func checkOn(on string) error {
	if on != onSlurm {
		if experiments.Nearest(on, []string{onSlurm}) != "" {
			return cli.Usage(fmt.Errorf("--on %s: did you mean %s?", on, onSlurm))
		}
		return cli.Usage(fmt.Errorf("--on %s: trials run on %s, or on this machine without --on; for other schedulers see docs/cluster.md",
			on, onSlurm))
	}
	return nil
}

// openPlace prepares to submit jobs to Slurm, with the settings of the cluster.yaml for a database.
func openPlace(database, device string) (*slurm.Place, error) {
	path := slurm.Find(database)
	settings, err := slurm.Load(path)
	if err != nil {
		return nil, cli.Usage(err)
	}
	place, err := slurm.New(settings, database)
	if err != nil {
		return nil, cli.Usage(fmt.Errorf("%s: %w", path, err))
	}
	program, err := engine.Find(cli.Version())
	if err != nil {
		return nil, err
	}
	if place.Engine, err = filepath.Abs(program.Path); err != nil {
		return nil, err
	}
	cache, err := cli.CacheDir()
	if err != nil {
		return nil, err
	}
	place.Environment = []string{engine.VersionVariable + "=" + cli.Version(), "GLIMPSE_CACHE=" + cache}
	place.Device = device
	return place, nil
}

// forStudy prepares a place for trials of a study.
func forStudy(c *cobra.Command, place *slurm.Place, study *experiments.Study, spec string, trials []experiments.Trial) (err error) {
	if study.Data.Root != "" {
		if place.DataRoot, err = filepath.Abs(study.Data.Root); err != nil {
			return err
		}
	}
	place.Study, place.Spec = study.Name, spec
	for _, trial := range experiments.DistinctFeatures(trials) {
		if err := place.Fill(context.Background(), trial.Settings, nil, "", 0, nil); err != nil {
			return err
		}
	}
	if study.Sweep.Prune.Active() {
		fmt.Fprintln(c.ErrOrStderr(), "note: sweep.prune has no effect on cluster jobs: trials run to their end")
	}
	return nil
}

// preview prints the scripts and commands that would submit the study's trials. Nothing is
// recorded.
func (r *studyRun) preview() error {
	db, err := openForPlan(r.options.db)
	if err != nil {
		return err
	}
	if db != nil {
		defer db.Close()
	}
	if err := r.findDue(r.c.Context(), db); err != nil {
		return err
	}
	left := r.found.Left(r.trials)
	if err := forStudy(r.c, r.place, r.study, r.spec, left); err != nil {
		return err
	}
	w := r.c.OutOrStdout()
	if len(left) == 0 {
		_, err := fmt.Fprintf(w, "all trials are complete (%d): nothing would be submitted\n", len(r.trials))
		return err
	}
	return r.place.Preview(w, len(left))
}

// tryPlace tests the place for a database with a job.
func tryPlace(ctx context.Context, on, database string) ([]doctor.Finding, error) {
	if err := checkOn(on); err != nil {
		return nil, err
	}
	place, err := openPlace(database, "auto")
	if err != nil {
		return nil, err
	}
	place.Study = "doctor"
	checks, err := place.Try(ctx)
	if err != nil {
		return nil, err
	}
	var findings []doctor.Finding
	for _, check := range checks {
		f := doctor.Finding{Name: "slurm: " + check.Name, State: doctor.OK, Detail: check.Detail, Fix: check.Fix}
		if check.Fix != "" {
			f.State = doctor.Missing
		}
		findings = append(findings, f)
	}
	return findings, nil
}

// onPlace configures a runner to run a study's trials on Slurm instead of on this machine.
func onPlace(config *runner.Config, place *slurm.Place, detach bool) {
	config.Cluster, config.Detach, config.Features = place, detach, place.Fill
	config.Jobs, config.Poll = place.Trials(), place.Poll()
	if config.Threads == 0 {
		config.Threads = place.Threads()
	}
}

// absoluteMeteor returns the absolute path of METEOR's data.
func absoluteMeteor(path string) (string, error) {
	if path == "" || path == cli.NoMeteor {
		return path, nil
	}
	return filepath.Abs(path)
}

// comeBack returns a message on how to continue with a study whose trials are on Slurm.
func comeBack(study string, err error) string {
	text := "Slurm still has unfinished trials"
	if errors.Is(err, runner.ErrInterrupted) {
		text = "the jobs keep running"
	}
	study = cli.Quote(study)
	return fmt.Sprintf("%s: run the same command to follow them, `glimpse collect %s` to take their results so far, `glimpse stop %s` to stop them",
		text, study, study)
}

// cancelJobs has Slurm cancel jobs. names are relative to the folder of all jobs.
func cancelJobs(ctx context.Context, jobs string, names []string) error {
	return slurm.At(jobs).Cancel(ctx, names)
}

// printLog prints the end of a run's log.
func printLog(c *cobra.Command, path string) error {
	text, err := runner.LogTail(path)
	if err != nil {
		return fmt.Errorf("no log of this run here, or its job has not started: %w", err)
	}
	fmt.Fprintln(c.ErrOrStderr(), path)
	_, err = fmt.Fprintln(c.OutOrStdout(), strings.TrimRight(text, "\n"))
	return err
}
