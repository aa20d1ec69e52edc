package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"glimpse/internal/store"
)

// looks is how many times in a row a cluster must not know a job before it counts as gone, since
// files in a shared folder may appear late.
const looks = 2

// mostLost is how many attempts at a run in a row may be lost, without a checkpoint, before it
// counts as failed.
const mostLost = 3

// linger is how long a job is followed after its run has ended, while the cluster still knows it.
const linger = 30 * time.Second

// followed is a job that a study waits for.
type followed struct {
	collector
	name    string // its folder, within that of all jobs
	gone    int    // consecutive looks that did not find it
	made    bool   // submitted by an earlier process
	started bool
	settled time.Time // when its run ended; zero before
}

// follow submits the trials to the cluster and merges their results as they come, until all have
// ended. When ctx ends, the jobs continue.
func (s *study) follow(ctx context.Context) error {
	if err := s.fetchLeft(ctx); err != nil {
		return err
	}
	jobs, silent := map[string]*followed{}, false // by run
	for n := 0; ; n++ {
		elsewhere, err := s.handOn(ctx, jobs)
		if err != nil || len(jobs) == 0 && elsewhere == 0 {
			return err
		}
		if s.cfg.Detach && (n == looks || !anyMade(jobs)) { // earlier jobs may have ended, and are then submitted again
			return nil
		}
		err = s.look(ctx, jobs)
		if err != nil && !errors.Is(err, ErrSilent) {
			return err
		}
		if err != nil && !silent {
			s.report(Event{Kind: EventNote, Message: err.Error() + "; waiting until it does"})
		}
		silent = err != nil
		if s.cfg.Detach {
			continue
		}
		if err := sleep(ctx, s.cfg.Poll); err != nil {
			return err
		}
	}
}

// anyMade reports whether one of these jobs was submitted by an earlier process.
func anyMade(jobs map[string]*followed) bool {
	for _, f := range jobs {
		if f.made {
			return true
		}
	}
	return false
}

// look asks for the states of the jobs and merges their results.
func (s *study) look(ctx context.Context, jobs map[string]*followed) error {
	names := make([]string, 0, len(jobs))
	for _, f := range jobs {
		names = append(names, f.name)
	}
	sights, silence := s.cfg.Cluster.Look(ctx, names)
	if silence != nil && !errors.Is(silence, ErrSilent) {
		return silence
	}
	running, waiting := 0, map[string]bool{}
	for run, f := range jobs {
		if err := ctx.Err(); err != nil {
			return err
		}
		sight := sights[f.name]
		switch {
		case silence != nil:
		case sight.State == JobGone:
			f.gone++
		default:
			f.gone = 0
		}
		switch {
		case sight.State == JobWaiting && sight.Why != "":
			waiting[sight.Why] = true
		case sight.State == JobRunning && !f.started:
			f.started = true
			s.report(Event{Kind: EventStarted, Run: run, Attempt: f.claim.Attempt})
		}
		if sight.State == JobRunning {
			running++
		}
		if err := s.lookAt(ctx, f, sight); err != nil {
			return err
		}
		if err := s.forget(ctx, jobs, f, silence == nil && sight.State != JobGone); err != nil {
			return err
		}
	}
	if silence == nil {
		s.report(Event{Kind: EventJobs, Done: running, Total: len(names), Message: strings.Join(sortedKeys(waiting), ", ")})
	}
	return silence
}

// forget stops following a job whose run has ended. It waits until the cluster no longer knows
// the job, so that a second result is noticed; then it removes the job's folder, if the result and
// its checkpoints are here.
func (s *study) forget(ctx context.Context, jobs map[string]*followed, f *followed, known bool) error {
	if f.settled.IsZero() {
		return nil
	}
	s.mu.Lock()
	again := !s.tried[f.claim.Run]
	s.mu.Unlock()
	if !again && known && time.Since(f.settled) < linger {
		return nil
	}
	delete(jobs, f.claim.Run)
	if again || f.gone == 0 || f.disputed {
		return nil
	}
	run, _, err := s.cfg.DB.Stand(ctx, f.claim.Run)
	if err != nil || run.State != store.Completed {
		return err
	}
	if run, err = s.cfg.DB.Run(ctx, run.ID); err != nil {
		return err
	}
	if !s.fetch(ctx, &f.collector, run) {
		return nil
	}
	return removeJobs(f.jobs, run.ID)
}

// fetch copies the checkpoints of a completed run here, and reports whether they are here now; if not,
// it says where they stay.
func (s *study) fetch(ctx context.Context, c *collector, run store.Run) bool {
	err := c.bringAgain(ctx, run)
	if err != nil {
		s.report(Event{Kind: EventNote, Run: run.ID, Message: fmt.Sprintf(
			"its checkpoints could not be copied here and stay in %s: run again to try again: %v", filepath.Join(c.jobs, run.ID), err)})
	}
	return err == nil
}

// fetchLeft copies the checkpoints of completed runs that an earlier process left with their jobs:
// it could not copy them, or it ended before.
func (s *study) fetchLeft(ctx context.Context) error {
	left, err := os.ReadDir(s.cfg.Cluster.Folder())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the jobs: %w", err)
	}
	for _, entry := range left {
		run, known := s.known[entry.Name()]
		if _, ours := s.trials[entry.Name()]; !ours || !known || run.State != store.Completed || bestIsAt(s.cfg.Dir, run) == nil {
			continue
		}
		s.fetch(ctx, &collector{db: s.cfg.DB, dir: s.cfg.Dir, jobs: s.cfg.Cluster.Folder()}, run)
	}
	return nil
}

// lookAt merges the results of a job, and settles its run once it has ended.
func (s *study) lookAt(ctx context.Context, f *followed, sight Sight) error {
	gone := f.gone >= looks
	if err := f.take(ctx, !gone, s.report); err != nil || !f.settled.IsZero() {
		return err
	}
	run, err := s.cfg.DB.Run(ctx, f.claim.Run)
	if err != nil {
		return err
	}
	switch {
	case run.State == store.Running && run.Attempt != f.claim.Attempt: // another process submitted it again
		f.settled = time.Now()
		s.release(run.ID, true)
		return nil
	case run.State == store.Running && !gone:
		return nil
	}
	f.settled = time.Now()
	if run.State == store.Running {
		return s.lose(ctx, f, run, sight)
	}
	said := f.takeLog()
	event, err := s.conclude(context.WithoutCancel(ctx), false, task{run: run, claim: f.claim}, said, "", "", "")
	again := event.Kind == EventInterrupted && (f.again() && !run.Stopped || s.stoppedBefore(f))
	if again {
		event.Message = "submitting it again"
	}
	if f.made && errors.Is(err, ErrDisk) { // from before, and perhaps fixed since: the next job will show
		again, err = true, nil
	}
	s.release(run.ID, again || errors.Is(err, store.ErrFenced))
	event.Run, event.Attempt = run.ID, f.claim.Attempt
	if errors.Is(err, store.ErrFenced) {
		event.Kind, err = EventLost, nil
	}
	s.report(event)
	return err
}

// stoppedBefore reports whether a job was asked to stop before this process started, which
// resumes the run.
func (s *study) stoppedBefore(f *followed) bool {
	before := s.before[f.claim.Run]
	return f.made && before.Stopped && before.Attempt <= f.claim.Attempt
}

// loss counts the attempts at a run lost in a row without progress; progress is measured in
// seconds of kept work.
type loss struct {
	times   int
	seconds float64
}

// lose ends an attempt whose job vanished without a result: its process or machine was killed. It
// submits the run again, a few times.
func (s *study) lose(ctx context.Context, f *followed, run store.Run, sight Sight) error {
	durable := context.WithoutCancel(ctx)
	said := f.takeLog()
	l := s.lost[run.ID]
	if run.Seconds > l.seconds {
		l = loss{seconds: run.Seconds}
	}
	l.times++
	if s.lost == nil {
		s.lost = map[string]loss{}
	}
	s.lost[run.ID] = l
	why := "its job is gone"
	if sight.Why != "" {
		why += " (" + sight.Why + ")"
	}
	event := Event{Kind: EventInterrupted, Run: run.ID, Attempt: f.claim.Attempt, Message: why}
	var err error
	stopped := run.Stopped && !s.stoppedBefore(f)
	switch again := l.times < mostLost; {
	case stopped:
		event.Message = "asked to stop"
		err = s.cfg.DB.Interrupt(durable, f.claim)
		s.release(run.ID, false)
	case again:
		event.Message += "; submitting it again"
		err = s.cfg.DB.Interrupt(durable, f.claim)
		s.release(run.ID, true)
	default:
		cause := fmt.Sprintf("run %s: %s, %d times in a row without a checkpoint", run.ID, why, l.times)
		if lines, _ := tail(sight.Log, 0); lines != "" {
			cause += "\nlast lines of the job:\n" + lines
		}
		event.Kind, event.Message = EventFailed, withLog(cause, said.path, said.offset)
		err = s.cfg.DB.Fail(durable, f.claim, FailureCrash, event.Message)
		s.release(run.ID, false)
	}
	if errors.Is(err, store.ErrFenced) {
		event.Kind, err = EventLost, nil // another process was faster
	}
	s.report(event)
	return err
}
