package runner

import (
	"context"
	"errors"
	"fmt"

	"glimpse/internal/store"
)

// task is a trial that this process has claimed.
type task struct {
	run   store.Run // as it was before the claim
	claim store.Claim
	made  bool // by a job that was submitted earlier
}

// next claims the next trial to run. It waits while other processes run all remaining ones, and
// returns nil when nothing is left for this worker.
func (s *study) next(ctx context.Context) (*task, error) {
	for {
		if ctx.Err() != nil {
			return nil, nil
		}
		claimed, elsewhere, err := s.claim(ctx)
		if claimed != nil || err != nil || elsewhere == 0 {
			return claimed, ignoreCanceled(ctx, err)
		}
		if err := sleep(ctx, s.cfg.Poll); err != nil {
			return nil, nil
		}
	}
}

// ignoreCanceled drops an error that is only the end of ctx.
func ignoreCanceled(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// claim claims the first trial of the plan that can be run now. It also returns how many trials
// other processes work on.
func (s *study) claim(ctx context.Context) (claimed *task, elsewhere int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	jobs := "" // the folder of jobs that hold some of them
	for _, trial := range s.cfg.Trials {
		if s.tried[trial.ID] || s.active[trial.ID] {
			continue
		}
		run, found, err := s.cfg.DB.Stand(ctx, trial.ID)
		if err != nil {
			return nil, 0, err
		}
		if !found {
			continue
		}
		if s.ended(run) {
			if err := s.settle(ctx, run); err != nil {
				return nil, 0, err
			}
			continue
		}
		made := run.State == store.Running && s.cfg.Cluster != nil && run.Owner.Place == s.owner().Place
		if run.State == store.Running && !made {
			dead, err := s.watch.dead(ctx, run)
			if err != nil {
				return nil, 0, err
			}
			if !dead {
				if folder, held := JobsOf(run); held {
					jobs = folder
				}
				elsewhere++
				continue
			}
		}
		if run.Stopped && !made && !(s.before[run.ID].Stopped && s.before[run.ID].Attempt == run.Attempt) {
			s.halted, s.tried[run.ID] = true, true // it was asked to stop after this process started
			continue
		}
		before, err := s.cfg.DB.Run(ctx, run.ID) // in full, for the worker
		if err != nil {
			return nil, 0, err
		}
		claim := store.Claim{Run: run.ID, Attempt: run.Attempt}
		if !made {
			claim, err = s.cfg.DB.Claim(ctx, run, s.owner())
		}
		if errors.Is(err, store.ErrTaken) {
			elsewhere++
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		s.active[run.ID] = true
		s.waiting = false
		return &task{before, claim, made}, 0, nil
	}
	if elsewhere > 0 && len(s.active) == 0 && !s.waiting {
		s.waiting = true
		s.report(Event{Kind: EventWaiting, Total: elsewhere, Message: s.waitsFor(jobs)})
	}
	return nil, elsewhere, nil
}

// waitsFor says what to do about jobs in a folder that a study waits for; "" without one.
func (s *study) waitsFor(jobs string) string {
	if jobs == "" {
		return ""
	}
	return fmt.Sprintf("jobs in %s hold some of them: follow these with --on slurm or, if the cluster is gone for good, "+
		"give them up with `glimpse stop %s --without-slurm`", jobs, s.cfg.Study.Name)
}

// owner returns the holder of this study's claims: this process or, on a cluster, the folder of
// its jobs.
func (s *study) owner() store.Owner {
	if s.cfg.Cluster != nil {
		return jobsOwner(s.cfg.Cluster)
	}
	return me(s.cfg.Lease)
}

// release ends this process's work on a run. A run lost to another process is then watched like
// any other.
func (s *study) release(run string, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.active, run)
	s.tried[run] = !lost
}

// ended reports whether this process has nothing left to do for a trial.
func (s *study) ended(run store.Run) bool {
	switch run.State {
	case store.Completed:
		return true
	case store.Failed:
		return run.Attempt != s.before[run.ID].Attempt || !s.retry(run)
	}
	return s.givenUp(run)
}

// settle records that a trial has ended, and reports it if that is new.
func (s *study) settle(ctx context.Context, run store.Run) error {
	s.tried[run.ID] = true
	if before := s.before[run.ID]; before.State == run.State && before.Attempt == run.Attempt {
		return nil // it had ended before this process started
	}
	run, err := s.cfg.DB.Run(ctx, run.ID) // with its scores
	if err != nil {
		return err
	}
	split, scores := run.Final()
	event := Event{Kind: EventCompleted, Run: run.ID, Attempt: run.Attempt, Phase: split, Metrics: scores}
	switch run.State {
	case store.Failed:
		event = Event{Kind: EventFailed, Run: run.ID, Attempt: run.Attempt, Message: run.Error}
	case store.Pruned:
		event = Event{Kind: EventPruned, Run: run.ID, Attempt: run.Attempt, Message: run.Error}
	}
	s.report(event)
	return nil
}
