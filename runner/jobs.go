package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"glimpse/internal/store"
)

// jobOf returns the folder of all jobs and the claim that a job was submitted for, if the current
// attempt at a run is a job.
func jobOf(run store.Run) (jobs string, first store.Claim, ok bool, err error) {
	if jobs, ok = JobsOf(run); !ok {
		return "", store.Claim{}, false, nil
	}
	first = store.Claim{Run: run.ID, Attempt: run.Attempt}
	first.Attempt, err = jobAttempt(jobs, first)
	return jobs, first, true, err
}

// LogOf returns the path of a run's log: in the job's folder while the current attempt is a job,
// else in the run's own folder.
func LogOf(db *store.DB, run store.Run) string {
	if jobs, first, ok, _ := jobOf(run); ok { // where the jobs cannot be listed, the log cannot be read either
		return filepath.Join(jobFolder(jobs, first), LogName)
	}
	return filepath.Join(RunDir(DefaultDir(db), run.ID), LogName)
}

// StopJobs ends the jobs of some runs. cancel cancels jobs on the cluster by their names within
// the folder of all jobs. A run whose job was still waiting becomes interrupted. Without cancel (nil),
// the cluster is out of reach: all the runs become interrupted, and what their jobs still do is lost.
func StopJobs(ctx context.Context, db *store.DB, runs []store.Run, cancel func(ctx context.Context, jobs string, names []string) error) error {
	names, of := map[string][]string{}, map[string][]store.Claim{} // by the folder of all jobs
	for _, run := range runs {
		jobs, first, ok, err := jobOf(run)
		if err != nil {
			return fmt.Errorf("runs were asked to stop, but their jobs were not: %w", err)
		}
		if ok {
			names[jobs] = append(names[jobs], jobFolder("", first))
			of[jobs] = append(of[jobs], store.Claim{Run: run.ID, Attempt: run.Attempt})
		}
	}
	for jobs, these := range names {
		if cancel != nil {
			if err := cancel(ctx, jobs, these); err != nil {
				return fmt.Errorf("runs were asked to stop, but their jobs were not: %w; "+
					"if Slurm is out of reach for good, `glimpse stop --without-slurm` gives the jobs up", err)
			}
		}
		for i, claim := range of[jobs] {
			if _, err := os.Stat(filepath.Join(jobs, these[i], LogName)); err == nil && cancel != nil {
				continue // it was started, and saves
			}
			if err := db.Interrupt(ctx, claim); err != nil && !errors.Is(err, store.ErrFenced) {
				return err
			}
		}
	}
	return nil
}
