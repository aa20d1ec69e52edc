package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"glimpse/internal/store"
)

// jobOf returns the folder of all jobs and the claim that a job was made for, where it makes the
// present attempt at a run.
func jobOf(run store.Run) (jobs string, first store.Claim, ok bool) {
	if jobs, ok = JobsOf(run); !ok {
		return "", store.Claim{}, false
	}
	claim := store.Claim{Run: run.ID, Attempt: run.Attempt}
	return jobs, store.Claim{Run: run.ID, Attempt: jobAttempt(jobs, claim)}, true
}

// LogOf is where the log of a run lies: with its job, as long as one makes the present attempt, else
// in the run's own folder.
func LogOf(db *store.DB, run store.Run) string {
	if jobs, first, ok := jobOf(run); ok {
		return filepath.Join(jobFolder(jobs, first), LogName)
	}
	return filepath.Join(RunDir(DefaultDir(db), run.ID), LogName)
}

// StopJobs ends the jobs that make attempts at some runs. cancel has the cluster cancel jobs by their
// names within the folder of all jobs. A run whose job was still waiting is interrupted by that.
func StopJobs(ctx context.Context, db *store.DB, runs []store.Run, cancel func(ctx context.Context, jobs string, names []string) error) error {
	names, of := map[string][]string{}, map[string][]store.Claim{} // by the folder of all jobs
	for _, run := range runs {
		if jobs, first, ok := jobOf(run); ok {
			names[jobs] = append(names[jobs], jobFolder("", first))
			of[jobs] = append(of[jobs], store.Claim{Run: run.ID, Attempt: run.Attempt})
		}
	}
	for jobs, these := range names {
		if err := cancel(ctx, jobs, these); err != nil {
			return fmt.Errorf("runs were asked to stop, but their jobs were not: %w", err)
		}
		for i, claim := range of[jobs] {
			if _, err := os.Stat(filepath.Join(jobs, these[i], LogName)); err == nil {
				continue // it was begun
			}
			if err := db.Interrupt(ctx, claim); err != nil && !errors.Is(err, store.ErrFenced) {
				return err
			}
		}
	}
	return nil
}
