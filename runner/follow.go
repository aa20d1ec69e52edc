package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"glimpse/internal/store"
)

// looks is how often a cluster must not know a job before it is taken for gone: a shared folder
// shows late what was written to it.
const looks = 2

// mostLost is how often in a row attempts at a run may be lost, without a checkpoint, before it
// counts as failed.
const mostLost = 3

// linger is how long a job whose run has ended is followed for, while the cluster still knows it.
const linger = 30 * time.Second

// followed is a job that a study waits for.
type followed struct {
	collector
	name    string // of its folder, within that of all jobs
	gone    int    // looks in a row that did not find it
	made    bool   // by a process before this one
	started bool
	settled time.Time // when its run had ended; zero before
}

// follow hands the trials to the cluster and takes their results as they come, until all have
// ended. When ctx ends, the jobs go on without it.
func (s *study) follow(ctx context.Context) error {
	jobs, silent := map[string]*followed{}, false // by run
	for n := 0; ; n++ {
		elsewhere, err := s.handOn(ctx, jobs)
		if err != nil || len(jobs) == 0 && elsewhere == 0 {
			return err
		}
		if s.cfg.Detach && (n == looks || !anyMade(jobs)) { // those that were handed on before may have ended, and are handed on again
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

// anyMade reports whether a job among these was handed on before this process began.
func anyMade(jobs map[string]*followed) bool {
	for _, f := range jobs {
		if f.made {
			return true
		}
	}
	return false
}

// look asks how the jobs stand and takes what they left.
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

// forget no longer follows a job whose run has ended. It is followed a little longer than that, so
// that a second result of it is noticed, until the cluster no longer says that it knows it. Its folder
// is removed once the cluster said so, if its result is here.
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
	if err == nil && run.State == store.Completed {
		err = removeJobs(f.jobs, run.ID)
	}
	return err
}

// lookAt takes what a job left, and settles its run once it has ended.
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
	if f.made && errors.Is(err, ErrDisk) { // of before, and perhaps mended since: the job that follows will tell
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

// stoppedBefore reports whether a job was asked to stop before this process began: it goes on
// with the run.
func (s *study) stoppedBefore(f *followed) bool {
	before := s.before[f.claim.Run]
	return f.made && before.Stopped && before.Attempt <= f.claim.Attempt
}

// loss counts the attempts at a run that were lost in a row, since it had come so far: seconds of
// work that is kept.
type loss struct {
	times   int
	seconds float64
}

// lose returns up an attempt whose job is gone without a word: its process was killed, or its
// machine. The run is submitted again, a few times.
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
		event.Kind, err = EventLost, nil // somebody else was faster
	}
	s.report(event)
	return err
}
