package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
)

// study is a running study. mu guards the fields below it.
type study struct {
	cfg    Config
	trials map[string]experiments.Trial // by id

	mu      sync.Mutex
	watch   *watcher
	active  map[string]bool      // runs that this process works on
	tried   map[string]bool      // runs that this process has finished with
	before  map[string]store.Run // when this process started
	known   map[string]store.Run // when the plan was last made
	waiting bool
	halted  bool            // a run was left because it was asked to stop
	lost    map[string]loss // of cluster jobs, by run

	children sync.Map // *child → nil: the running trials

	progress  sync.Mutex // held while Progress is called; guards the fields below
	estimator estimator
	done      int // trials that are complete
}

// Run runs all incomplete trials of a study. Cheap checks come first: the plan, the data sets,
// the features; then the trials, some at a time. A failed trial is recorded and counted, and the
// study continues; Run returns an error only if it concerns the whole study. When ctx ends,
// trials are asked to save their state, and the error is ErrInterrupted. It is also
// ErrInterrupted if a trial was stopped by a signal or by [store.DB.Stop].
//
// Several processes may run one study, or studies that share trials, with one database at the
// same time. They share the work.
func Run(ctx context.Context, cfg Config) (Summary, error) {
	start := time.Now()
	if err := cfg.complete(); err != nil {
		return Summary{}, err
	}
	s := &study{
		cfg: cfg, trials: map[string]experiments.Trial{}, watch: newWatcher(cfg.DB),
		active: map[string]bool{}, tried: map[string]bool{},
	}
	pending, err := s.plan(ctx)
	if err != nil {
		return Summary{}, err
	}
	for grown := true; grown && err == nil; {
		if err = s.prepare(ctx, pending); err == nil {
			if err = s.work(ctx); s.cfg.Detach && err == nil {
				break
			}
		}
		if grown = cfg.Next != nil && err == nil && !s.halted; grown {
			pending, grown, err = s.grow(ctx)
		}
	}
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = ErrInterrupted
	}
	summary, failed := s.summary(context.WithoutCancel(ctx))
	summary.Elapsed = time.Since(start)
	if err == nil && (summary.Interrupted > 0 || s.halted) {
		err = ErrInterrupted
	}
	return summary, s.keep(context.WithoutCancel(ctx), errors.Join(err, failed))
}

// keep saves the recorded results if the database's file is gone at the end of a study, and adds
// their path to the study's error.
func (s *study) keep(ctx context.Context, err error) error {
	moved := s.cfg.DB.InPlace()
	if moved == nil {
		return err
	}
	if err == nil || errors.Is(err, ErrInterrupted) || errors.Is(err, store.ErrMoved) {
		err = moved
	}
	path, failed := s.cfg.DB.Rescue(ctx)
	switch {
	case failed != nil:
		return errors.Join(err, failed)
	case path == s.cfg.DB.Path():
		return fmt.Errorf("%w; recorded results are in a new file of that name: run again to resume", err)
	}
	return fmt.Errorf("%w; recorded results are in %s: run again with --db %s to resume, or merge that file into the other with `glimpse db merge`", err, path, path)
}

// plan looks up which trials are known, and returns those to run.
func (s *study) plan(ctx context.Context) ([]experiments.Trial, error) {
	known, err := s.cfg.DB.Runs(ctx, "")
	if err != nil {
		return nil, err
	}
	states := statesOf(known)
	s.known = states
	if s.before == nil {
		s.before = states // at the start, even if the plan grows later
	}
	s.done = 0
	var pending []experiments.Trial
	for _, trial := range s.cfg.Trials {
		s.trials[trial.ID] = trial
		run, known := states[trial.ID]
		switch {
		case known && run.State == store.Completed:
			s.done++
		case known && (run.State == store.Failed && !s.retry(run) || s.givenUp(run)):
		default:
			pending = append(pending, trial)
		}
	}
	s.estimator.know(s.cfg.Trials, known)
	s.report(Event{Kind: EventPlanned})
	return pending, nil
}

// grow asks for the trials that follow from the results so far, and returns those to run, if
// there are new ones.
func (s *study) grow(ctx context.Context) (pending []experiments.Trial, grown bool, err error) {
	trials, err := s.cfg.Next(ctx)
	if err != nil || len(trials) <= len(s.cfg.Trials) {
		return nil, false, err
	}
	s.cfg.Trials = trials
	pending, err = s.plan(ctx)
	return pending, true, err
}

// statesOf finds runs by their ids.
func statesOf(runs []store.Run) map[string]store.Run {
	states := make(map[string]store.Run, len(runs))
	for _, run := range runs {
		states[run.ID] = run
	}
	return states
}

// retry reports whether to run a failed run again.
func (s *study) retry(run store.Run) bool {
	return s.cfg.RetryFailed || Retryable(run.Failure)
}

// givenUp reports whether the study leaves a run because it was pruned. A study without a pruning
// rule resumes it.
func (s *study) givenUp(run store.Run) bool {
	return run.State == store.Pruned && s.cfg.Study.Sweep.Prune.Active()
}

// prepare checks every data set that is needed, and that it is the one each trial was planned
// for. It records the study, and computes all features that are needed. So faults are found
// before anything is trained.
func (s *study) prepare(ctx context.Context, pending []experiments.Trial) error {
	sets, contents := map[experiments.Data]*data.Dataset{}, map[experiments.Data]experiments.Content{}
	for _, trial := range pending {
		key := trial.Settings.Bare().Data // the same files, whatever content is expected
		d, loaded := sets[key]
		if !loaded {
			var err error
			if d, err = data.Load(DataOptions(trial.Settings, s.cfg.Root, s.cfg.Cache)); err != nil {
				return err
			}
			if contents[key], err = ContentOf(d); err != nil {
				return err
			}
			sets[key] = d
		}
		if err := CheckSplits(trial.Settings, d); err != nil {
			return err
		}
		run := s.known[trial.ID]
		run.ID = trial.ID // also for a new one
		if err := checkData(run, trial.Settings, d, contents[key]); err != nil {
			return err
		}
	}
	if err := s.record(ctx); err != nil {
		return err
	}
	for _, trial := range experiments.DistinctFeatures(pending) {
		settings := trial.Settings
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.cfg.Features(ctx, settings, sets[settings.Bare().Data], s.cfg.Device, s.cfg.Threads*s.cfg.Jobs, func(done, total int) {
			s.report(Event{Kind: EventFeatures, Done: done, Total: total})
		})
		if err != nil {
			return fmt.Errorf("features of %s by %s: %w", settings.Data.Name, settings.Encoder.Name, err)
		}
	}
	return nil
}

// record saves the study and its runs.
func (s *study) record(ctx context.Context) error {
	study, err := s.cfg.record()
	if err != nil {
		return err
	}
	runs := make([]store.Run, len(s.cfg.Trials))
	for i, trial := range s.cfg.Trials {
		if runs[i], err = recordOf(trial); err != nil {
			return err
		}
	}
	return s.cfg.DB.SaveStudy(ctx, study, runs, s.cfg.Declaration, s.cfg.Earlier)
}

// record is the study as the store has it.
func (cfg *Config) record() (store.Study, error) {
	compare, err := json.Marshal(cfg.Study.Compare)
	if err != nil {
		return store.Study{}, fmt.Errorf("record the study: %w", err)
	}
	return store.Study{Name: cfg.Study.Name, Question: cfg.Study.Question, Spec: cfg.Spec, Compare: compare}, nil
}

// recordOf is a trial as the store has it.
func recordOf(trial experiments.Trial) (store.Run, error) {
	settings := trial.Settings
	settings.Data.Root, settings.Encoder.Path, settings.Encoder.Names = "", "", "" // paths depend on the machine
	raw, err := json.Marshal(settings)
	if err != nil {
		return store.Run{}, fmt.Errorf("record trial %s: %w", trial.ID, err)
	}
	return store.Run{ID: trial.ID, Arm: trial.Arm, Swept: trial.Swept, Seed: settings.Seed, Settings: raw}, nil
}

// work runs the queue with as many workers as there are jobs.
func (s *study) work(ctx context.Context) error {
	if s.cfg.Cluster != nil {
		return s.follow(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go s.checkpoints(ctx)
	var workers sync.WaitGroup
	for range min(s.cfg.Jobs, len(s.cfg.Trials)) {
		workers.Go(func() {
			for {
				task, err := s.next(ctx)
				if err == nil && task != nil {
					err = s.supervise(ctx, *task)
				}
				if err != nil {
					cancel(err) // the database failed: the other trials stop at a checkpoint
				}
				if err != nil || task == nil {
					return
				}
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// summary counts the trials by their state.
func (s *study) summary(ctx context.Context) (Summary, error) {
	summary := Summary{Total: len(s.cfg.Trials), Failures: []Failure{}}
	known, err := s.cfg.DB.Members(ctx, "")
	if err != nil {
		return summary, err
	}
	states := statesOf(known)
	for _, trial := range s.cfg.Trials {
		run := states[trial.ID]
		switch run.State {
		case store.Completed:
			summary.Completed++
			if s.before[trial.ID].State == store.Completed {
				summary.Skipped++
			}
		case store.Failed:
			summary.Failed++
			summary.Failures = append(summary.Failures, Failure{
				Run: trial.ID, Arm: trial.Arm, Seed: trial.Settings.Seed, Kind: run.Failure, Error: run.Error,
			})
		case store.Interrupted:
			summary.Interrupted++
		case store.Pruned:
			summary.Pruned++
		default:
			summary.Unfinished++
		}
	}
	return summary, nil
}

// report passes an event to Progress, with the name of its trial, how many are done and the time
// left.
func (s *study) report(event Event) {
	s.progress.Lock()
	defer s.progress.Unlock()
	if trial, known := s.trials[event.Run]; known {
		event.Arm, event.Seed = trial.Arm, trial.Settings.Seed
	}
	switch event.Kind {
	case EventCompleted:
		s.done++
		fallthrough
	case EventPlanned, EventFailed, EventInterrupted, EventPruned:
		event.Done, event.Total = s.done, len(s.cfg.Trials)
	}
	s.estimator.see(event)
	event.Remaining, _ = s.estimator.remaining(s.cfg.Jobs)
	if s.cfg.Progress != nil {
		s.cfg.Progress(event)
	}
}
