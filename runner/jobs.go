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
func jobOf(run store.Run) (jobs string, first store.Claim, ok bool) {
	if jobs, ok = JobsOf(run); !ok {
		return "", store.Claim{}, false
	}
	claim := store.Claim{Run: run.ID, Attempt: run.Attempt}
	return jobs, store.Claim{Run: run.ID, Attempt: jobAttempt(jobs, claim)}, true
}

// LogOf returns the path of a run's log: in the job's folder while the current attempt is a job,
// else in the run's own folder.
func LogOf(db *store.DB, run store.Run) string {
	if jobs, first, ok := jobOf(run); ok {
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
		if jobs, first, ok := jobOf(run); ok {
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
