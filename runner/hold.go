package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"glimpse/internal/secret"
	"glimpse/internal/store"
	"glimpse/results"
)

// takeUp claims the run, or adopts the claim of its runner, and reads the run's progress.
func takeUp(ctx context.Context, cfg TrialConfig) (*trial, error) {
	if cfg.Lease <= 0 {
		cfg.Lease = DefaultLease
	}
	if cfg.Silence <= 0 {
		cfg.Silence = DefaultSilence
	}
	if cfg.SaveEvery <= 0 {
		cfg.SaveEvery = DefaultSaveEvery
	}
	if cfg.Log == nil {
		cfg.Log = os.Stderr
	}
	if cfg.Dir == "" {
		cfg.Dir = DefaultDir(cfg.DB)
	}
	durable := context.WithoutCancel(ctx) // a stopped trial still settles its claim
	run, err := cfg.DB.Run(durable, cfg.Run)
	if err != nil {
		return nil, err
	}
	t := &trial{cfg: cfg, dir: RunDir(cfg.Dir, run.ID), events: emitter{to: cfg.Events}}
	t.touch()
	if cfg.Attempt > 0 {
		t.claim = store.Claim{Run: run.ID, Attempt: cfg.Attempt}
		err = cfg.DB.Adopt(durable, t.claim, me(cfg.Lease))
	} else {
		t.claim, err = claimAlone(ctx, cfg, run)
	}
	if err != nil {
		return nil, err
	}
	if run, err = cfg.DB.Run(durable, run.ID); err == nil {
		err = t.read(run)
	}
	if err == nil {
		created := cfg.Created
		if created.IsZero() {
			created, err = cfg.DB.Created(durable)
		}
		t.names = newNamer(created, t.claim.Attempt)
	}
	if err != nil {
		return nil, t.settle(durable, err)
	}
	return t, nil
}

// read reads settings and progress from the run's row.
func (t *trial) read(run store.Run) (err error) {
	t.run = run
	if t.settings, err = results.SaneSettings(run); err != nil {
		return err
	}
	t.settings.Encoder.Path, t.settings.Encoder.Names = t.cfg.Features, t.cfg.Names
	if len(run.Progress) == 0 {
		return nil
	}
	if err := json.Unmarshal(run.Progress, &t.progress); err != nil {
		return fmt.Errorf("run %s: cannot read its progress: %w", run.ID, err)
	}
	t.committed = t.progress
	return nil
}

// claimAlone claims a run for a trial without a runner. It waits as long as it takes to find out
// that another holder is dead.
func claimAlone(ctx context.Context, cfg TrialConfig, run store.Run) (store.Claim, error) {
	w := newWatcher(cfg.DB)
	for {
		if run.State == store.Completed {
			return store.Claim{}, fmt.Errorf("run %s is already completed", run.ID)
		}
		if jobs, held := JobsOf(run); held {
			return store.Claim{}, fmt.Errorf("run %s is a job of %s, in %s: `glimpse stop` it first: %w", run.ID, run.Owner.Host, jobs, store.ErrTaken)
		}
		free := run.State != store.Running
		if !free {
			var err error
			if free, err = w.dead(ctx, run); err != nil {
				return store.Claim{}, err
			}
		}
		if free {
			return cfg.DB.Claim(ctx, run, me(cfg.Lease))
		}
		beats := run.Beats
		if err := sleep(ctx, max(run.Owner.Lease/4, 10*time.Millisecond)); err != nil {
			return store.Claim{}, err
		}
		var err error
		if run, err = cfg.DB.Run(ctx, run.ID); err != nil {
			return store.Claim{}, err
		}
		if run.State == store.Running && run.Beats != beats {
			return store.Claim{}, fmt.Errorf("run %s is running in process %d on %s: %w", run.ID, run.Owner.PID, run.Owner.Host, store.ErrTaken)
		}
	}
}

// keepClaim sends heartbeats while the trial makes progress. The context it returns ends with the
// parent's, when the parent process dies, when the run is asked to stop, and when the claim is
// lost.
func (t *trial) keepClaim(parent context.Context) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	durable := context.WithoutCancel(parent)
	if t.cfg.Control != nil {
		// Without its parent the trial writes events to nobody, and must live
		// to save its state.
		signal.Ignore(syscall.SIGPIPE)
		go func() {
			_, _ = io.Copy(io.Discard, t.cfg.Control)
			cancel(fmt.Errorf("the runner is gone: %w", context.Canceled))
		}()
	}
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(max(t.cfg.Lease/6, time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if time.Since(*t.alive.Load()) > t.cfg.Silence {
				continue // let another process take over
			}
			stop, err := t.cfg.DB.Beat(durable, t.claim)
			switch {
			case lost(err):
				cancel(err)
				return
			case err != nil:
				t.note("cannot record a heartbeat: %v", err)
			case stop && ctx.Err() == nil:
				t.note("asked to stop (glimpse stop)")
				cancel(fmt.Errorf("asked to stop: %w", context.Canceled))
			}
		}
	}()
	return ctx, func() {
		close(done)
		<-stopped
		cancel(nil)
	}
}

// settle records how the trial ended and releases the claim.
func (t *trial) settle(ctx context.Context, err error) error {
	switch {
	case err == nil || lost(err):
		return err
	case errors.As(err, new(prunedError)):
		return t.cfg.DB.Prune(ctx, t.claim, err.Error())
	case errors.Is(err, ErrInterrupted):
		return errors.Join(err, t.cfg.DB.Interrupt(ctx, t.claim))
	}
	if failed := t.cfg.DB.Fail(ctx, t.claim, failureOf(err), secret.Redact(err.Error())); failed != nil {
		return errors.Join(err, failed)
	}
	return err
}

// lost reports whether an error means that nothing more can be recorded: another process took the
// run over, or the database is gone.
func lost(err error) bool { return errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrMoved) }

// stop saves a trial that was asked to stop, unless its claim is lost.
func (t *trial) stop(ctx context.Context) error {
	if cause := context.Cause(ctx); lost(cause) {
		return cause
	}
	if err := t.save(ctx); err != nil {
		return err
	}
	return ErrInterrupted
}

// save writes a checkpoint within an epoch and commits it.
func (t *trial) save(ctx context.Context) error { return t.commit(ctx, nil) }

// saveAndSay is save with an event for the parent.
func (t *trial) saveAndSay(ctx context.Context) error {
	if err := t.save(ctx); err != nil {
		return err
	}
	t.events.emit(Event{Kind: EventSaved, Epoch: t.progress.Epoch + 1})
	return nil
}

// commit writes a checkpoint and then, in one transaction, makes it current and records the epoch
// that it completes, if any.
func (t *trial) commit(ctx context.Context, epoch *store.Epoch) error {
	p := &t.progress
	p.Serial++
	name := t.names.name(p.Serial)
	hash, err := t.captioner.Save(t.path(name))
	if err != nil {
		t.discard(name)
		return fmt.Errorf("save the checkpoint of epoch %d: %w", p.Epoch, err)
	}
	p.Last = name
	if epoch != nil && p.BestEpoch == epoch.Epoch {
		p.Best, p.BestSHA256 = name, hash
	}
	p.Earlier = t.committed.states()
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("record the progress: %w", err)
	}
	err = t.cfg.DB.SaveCheckpoint(context.WithoutCancel(ctx), t.claim, store.Checkpoint{
		Progress: raw, Seconds: p.Timings.total(), Epoch: epoch, BestEpoch: p.BestEpoch,
	})
	if err != nil {
		if errors.Is(err, store.ErrFenced) {
			t.discard(name)
		}
		return err
	}
	t.committed = *p
	t.touch()
	if t.cfg.Publish != nil {
		if err := t.cfg.Publish(context.WithoutCancel(ctx), false); err != nil {
			t.note("not copied to the shared folder yet: %v", err)
			return nil
		}
	}
	if err := prune(t.dir, t.names, p.checkpoints()...); err != nil {
		t.note("cannot remove old checkpoints: %v", err)
	}
	return nil
}

// discard removes the files of a checkpoint that was not committed.
func (t *trial) discard(name string) {
	files, _ := filepath.Glob(escapeGlob(t.path(name)) + ".*")
	for _, file := range files {
		_ = os.Remove(file)
	}
}

// path returns the path of one of the run's checkpoints.
func (t *trial) path(name string) string { return filepath.Join(t.dir, name) }

// touch records that the trial makes progress.
func (t *trial) touch() {
	now := time.Now()
	t.alive.Store(&now)
}

func (t *trial) phase(name string) {
	t.touch()
	t.events.emit(Event{Kind: EventPhase, Phase: name})
}

// note writes a remark to the log and sends it to the parent.
func (t *trial) note(format string, args ...any) {
	message := secret.Redact(fmt.Sprintf(format, args...))
	_, _ = fmt.Fprintln(t.cfg.Log, message)
	t.events.emit(Event{Kind: EventNote, Message: message})
}

// time starts a stopwatch. The function it returns adds the seconds to each sum.
func (t *trial) time(sums ...*float64) func() {
	start := time.Now()
	return func() {
		seconds := time.Since(start).Seconds()
		for _, sum := range sums {
			*sum += seconds
		}
	}
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
