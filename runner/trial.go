package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"sync/atomic"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/crash"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/metrics/meteor"
)

// TrialConfig is what [RunTrial] needs: the launch, with the resources opened for it.
type TrialConfig struct {
	Launch
	DB *store.DB // Launch.Database, open

	// GPU, Waiting and Versions are recorded, like Device, Threads and CommandLine. The caller
	// sets them.
	GPU      string
	Waiting  string            // the variables that set how idle threads wait
	Versions map[string]string // library → version, such as libtorch

	// MeteorData are METEOR's data; nil scores meteor-exact-stem instead.
	MeteorData *meteor.Data

	// Publish is called after each committed checkpoint, before obsolete ones are removed, and
	// once with last set when the trial has ended, for a completed one before checkpoints that are
	// not to be kept are removed; may be nil. It publishes the database. An error keeps these
	// checkpoints; the last one is also returned.
	Publish func(ctx context.Context, last bool) error

	// Checkpoint requests a checkpoint after the current step; may be nil.
	Checkpoint <-chan os.Signal

	Events  io.Writer // JSON lines for the parent; nil for none
	Control io.Reader // ends when the parent dies; nil if there is none
	Log     io.Writer // remarks; nil is standard error
}

// trial is a running trial.
type trial struct {
	cfg      TrialConfig
	claim    store.Claim
	run      store.Run // as earlier attempts left it
	settings experiments.Settings
	dir      string
	names    namer
	events   emitter
	alive    atomic.Pointer[time.Time] // the last progress

	environment Environment
	data        *data.Dataset
	scorer      metrics.Scorer
	rewards     data.Reward // nil before reinforcement needs it
	captioner   Captioner
	progress    progress
	committed   progress         // as in the database
	damaged     map[string]error // checkpoints that could not be loaded, by name
	published   bool             // whether the results were published for the last time, or that failed
	unpublished error            // the failure
}

// RunTrial runs one trial from its last checkpoint to its scores. It returns nil if the run is
// completed or pruned; ErrInterrupted, with the state saved, if ctx ended or the parent died;
// store.ErrFenced if another process took the run over; store.ErrMoved if the database is gone;
// and any other error if the trial failed, which is recorded with the run.
func RunTrial(ctx context.Context, cfg TrialConfig, engine Engine) error {
	t, err := takeUp(ctx, cfg)
	if err != nil {
		return err
	}
	working, release := t.keepClaim(ctx)
	err = t.survive(working, engine)
	if cause := context.Cause(working); err != nil && lost(cause) {
		err = cause
	}
	release()
	durable := context.WithoutCancel(ctx)
	err = t.settle(durable, err)
	if t.cfg.Publish != nil && !t.published && !lost(err) {
		t.unpublished = t.cfg.Publish(durable, true)
	}
	return errors.Join(err, t.unpublished)
}

// survive is work, but returns a panic as an error, so that it is recorded with the run.
func (t *trial) survive(ctx context.Context, engine Engine) (err error) {
	defer func() {
		if fault, panicked := err.(*crash.Error); panicked {
			err = fmt.Errorf("run %s: %w", t.claim.Run, fault)
		}
	}()
	defer crash.Recover(&err)
	return t.work(ctx, engine)
}

// work does all the work of a trial.
func (t *trial) work(ctx context.Context, engine Engine) error {
	defer t.close()
	if err := t.prepare(ctx, engine); err != nil {
		return err
	}
	for again := false; ; again = true {
		err := t.train(ctx)
		if err == nil {
			err = t.finish(ctx)
		}
		best := new(bestError)
		switch {
		case !errors.As(err, best):
			return err
		case again:
			return &unreadableError{err} // this process wrote it: the disk has lost it
		}
		if err := t.goBack(ctx, engine, best.err); err != nil {
			return err
		}
	}
}

// train trains the remaining epochs.
func (t *trial) train(ctx context.Context) error {
	for !t.trained() {
		if err := t.prune(ctx); err != nil {
			return err
		}
		if err := t.reinforce(); err != nil {
			return err
		}
		if err := t.trainEpoch(ctx); err != nil {
			return err
		}
		values, err := t.validate(ctx)
		if err != nil {
			return err
		}
		if err := t.endEpoch(ctx, values); err != nil {
			return err
		}
	}
	return nil
}

// trained reports whether the last epoch of the last stage is done.
func (t *trial) trained() bool {
	begun := t.settings.Train.Reinforce.Epochs == 0 || t.progress.Reinforced > 0
	return begun && t.stageDone()
}

// prepare loads the data, makes the captioner and restores it from the run's last checkpoint.
func (t *trial) prepare(ctx context.Context, engine Engine) error {
	defer t.time(&t.progress.Timings.Load)()
	if err := makeRunDir(t.cfg.Dir, t.dir); err != nil {
		return err
	}
	t.phase("data")
	content, err := t.load()
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ErrInterrupted // there is nothing to save yet
	}
	t.touch()
	t.scorer = metrics.Scorer{Meteor: t.cfg.MeteorData, Training: captionsOf(t.data, "train")}
	t.phase("model")
	if err := t.make(engine); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	if err := checkFeatures(t.run, t.captioner.Hashes()); err != nil {
		return err
	}
	if err := t.resume(ctx, engine); err != nil {
		return err
	}
	if t.progress.Last != "" { // resumed, not started over
		if err := checkFeaturesContent(t.run, t.captioner.Hashes()); err != nil {
			return err
		}
	}
	t.touch()
	t.environment = environment(ctx, &t.cfg)
	t.environment.Attempts = t.claim.Attempt
	t.environment.Rewinds = t.progress.Rewinds
	t.environment.Hashes = map[string]string{
		"data": t.data.Hash, "vocabulary": t.data.Vocabulary.Hash(),
		"captions": content.Captions, "splits": content.Splits, "pictures": content.Pictures,
	}
	maps.Copy(t.environment.Hashes, t.captioner.Hashes())
	raw, err := json.Marshal(t.environment)
	if err != nil {
		return fmt.Errorf("record the environment: %w", err)
	}
	return t.cfg.DB.Start(context.WithoutCancel(ctx), t.claim, store.Start{
		Parameters: t.captioner.Parameters(), Signature: Signature(t.settings, t.data, t.scorer.Version()), Environment: raw,
	})
}

// make creates a fresh captioner.
func (t *trial) make(engine Engine) (err error) {
	if t.captioner, err = engine.Captioner(t.settings, t.data); err != nil {
		t.captioner = nil
		return fmt.Errorf("make the captioner: %w", err)
	}
	return nil
}

func (t *trial) close() {
	if t.captioner == nil {
		return
	}
	if err := t.captioner.Close(); err != nil {
		t.note("cannot close the captioner: %v", err)
	}
	t.captioner = nil
}

// trainEpoch trains the next epoch, with checkpoints now and then.
func (t *trial) trainEpoch(ctx context.Context) error {
	if t.progress.Trained != nil {
		return nil // it was stopped during validation
	}
	t.phase(t.stage())
	for {
		result, err := t.trainSlice(ctx)
		switch {
		case err == nil:
			t.progress.Trained = &trainedEpoch{Loss: result.Loss, LR: result.LR, Captions: result.Captions, Samples: result.Samples}
			return nil
		case ctx.Err() != nil && errors.Is(err, context.Canceled):
			return t.stop(ctx)
		case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled): // of the slice
			if err := t.saveAndSay(ctx); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// trainSlice trains until the epoch ends, the next checkpoint is due or requested, ctx ends or
// the loss is not finite.
func (t *trial) trainSlice(ctx context.Context) (data.EpochResult, error) {
	defer t.time(&t.progress.Timings.Train, &t.progress.Current.Train)()
	epoch, epochs, stage := t.progress.Epoch+1, t.epochs(), t.stage()
	slice, cancel := context.WithTimeout(ctx, t.cfg.SaveEvery)
	defer cancel()
	go func() {
		select {
		case <-t.cfg.Checkpoint:
			cancel()
		case <-slice.Done():
		}
	}()
	var diverged error
	train := t.captioner.TrainEpoch
	if stage == StageReinforce {
		train = func(ctx context.Context, progress func(step, steps int, loss float64)) (data.EpochResult, error) {
			return t.captioner.ReinforceEpoch(ctx, t.reward, progress)
		}
	}
	result, err := train(slice, func(step, steps int, loss float64) {
		t.touch()
		if diverged == nil && !isFinite(loss) {
			diverged = &lossError{run: t.claim.Run, epoch: epoch, step: step, loss: loss}
			cancel()
		}
		t.events.progress(Event{Kind: EventStep, Stage: stage, Epoch: epoch, Epochs: epochs, Step: step, Steps: steps, Loss: loss}, step == steps)
	})
	if diverged != nil {
		return result, diverged
	}
	if err == nil && !isFinite(result.Loss) {
		return result, &lossError{run: t.claim.Run, epoch: epoch, loss: result.Loss}
	}
	if err != nil {
		err = fmt.Errorf("run %s: training: %w", t.claim.Run, err)
	}
	return result, err
}

// validate captions the validation split and scores it. It returns no values if the study always
// keeps the last epoch.
func (t *trial) validate(ctx context.Context) (map[string]float64, error) {
	if t.settings.Train.Select.Metric == selectLast {
		return nil, nil
	}
	defer t.time(&t.progress.Timings.Validate, &t.progress.Current.Validate)()
	t.phase("validate")
	captions, err := t.caption(ctx, "val", t.settings.Decode.OfWidth(t.settings.Train.Select.Beam), false)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil, t.stop(ctx)
	}
	if err != nil {
		return nil, err
	}
	result, err := t.score(captions)
	return result.Metrics, err
}

// endEpoch decides whether the trained and validated epoch is the best so far, and commits it
// together with the checkpoint.
func (t *trial) endEpoch(ctx context.Context, values map[string]float64) error {
	p := &t.progress
	value, err := t.selectValue(values)
	if err != nil {
		return err
	}
	if values != nil {
		t.captioner.ValidationDone(value)
	}
	epoch := store.Epoch{
		Epoch: p.Epoch + 1, Loss: p.Trained.Loss, LR: p.Trained.LR, Val: values, Sampled: sampledValues(p.Trained.Samples),
		Seconds: p.Current.Train + p.Current.Validate,
	}
	if p.Current.Train > 0 {
		epoch.CaptionsPerSecond = float64(p.Trained.Captions) / p.Current.Train
	}
	p.Epoch, p.Trained, p.Current = epoch.Epoch, nil, stopwatch{}
	p.Stale++
	if values == nil || p.BestEpoch == 0 || p.BestValue == nil && isFinite(value) || p.BestValue != nil && value > *p.BestValue {
		p.BestEpoch, p.BestValue, p.Stale = p.Epoch, nil, 0
		if values != nil && isFinite(value) {
			p.BestValue = &value
		}
	}
	if err := t.commit(ctx, &epoch); err != nil {
		return err
	}
	t.events.emit(Event{Kind: EventEpoch, Stage: t.stage(), Epoch: epoch.Epoch, Epochs: t.epochs(), Loss: epoch.Loss, Metrics: values, Sampled: epoch.Sampled})
	if epoch.Sampled == nil {
		return nil
	}
	return t.tellCollapse(ctx)
}
