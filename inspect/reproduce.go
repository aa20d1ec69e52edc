package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/private"
	"glimpse/internal/store"
	"glimpse/metrics/meteor"
	"glimpse/planning"
	"glimpse/results"
	"glimpse/runner"
)

// Again says how a run is trained again.
type Again struct {
	// Folder takes database and checkpoints. The same folder goes on where it was
	// interrupted. With "" it is one of Cache, which goes in the end.
	Folder string
	Cache  string // the user's cache
	// Runner has what trains: Features, Command, Device, Threads, Meteor, Cache,
	// Progress, Kill. With no Threads it takes as many as the run had, and with the Device
	// auto a run of the CPU stays there.
	Runner runner.Config
	Meteor *meteor.Data // METEOR's data, nil for none
	// Libtorch is the version that the engine has: bits agree with the run's own alone.
	Libtorch string
}

// Reproduce trains the settings of a completed run again in a database of its own, and
// compares what came out. It writes nothing to the run's database.
func (o *Opener) Reproduce(ctx context.Context, run store.Run, again Again) (*Reproduction, error) {
	if again.Folder != "" {
		return o.reproduce(ctx, run, again)
	}
	// Named by what is to come out, so that the same command goes on where it was interrupted.
	again.Folder = filepath.Join(again.Cache, "reproduce", run.ID+"-"+run.CaptionsSHA256[:min(8, len(run.CaptionsSHA256))])
	r, err := o.reproduce(ctx, run, again)
	if err == nil {
		err = os.RemoveAll(again.Folder)
	}
	return r, err
}

func (o *Opener) reproduce(ctx context.Context, run store.Run, again Again) (*Reproduction, error) {
	if run.State != store.Completed {
		return nil, fmt.Errorf("run %s is %s: only completed runs can be reproduced", run.ID, run.State)
	}
	study, err := o.studyOf(ctx, run)
	if err != nil {
		return nil, err
	}
	trial := experiments.Trial{ID: run.ID, Arm: run.Arm, Swept: run.Swept, Parameters: run.Parameters}
	if trial.Settings, err = results.SaneSettings(run); err != nil {
		return nil, err
	}
	split := trial.Settings.Decode.FinalSplit()
	first, err := outcomeOf(ctx, o.DB, run.ID, split)
	if err != nil {
		return nil, err
	}
	if o.Root != "" {
		study.Data.Root = o.Root
	}
	trial.Settings.Data.Root = study.Data.Root
	if trial.Settings.Encoder.Path, trial.Settings.Encoder.Names, err = o.featureFiles(ctx, run, trial.Settings); err != nil {
		return nil, err
	}
	d, err := data.Load(runner.DataOptions(trial.Settings, study.Data.Root, o.Cache))
	if err != nil {
		return nil, err
	}
	if err := runner.CheckData(run, d); err != nil { // before hours of training
		return nil, err
	}
	if err := private.Folder(again.Folder); err != nil {
		return nil, fmt.Errorf("folder to train in: %w", err)
	}
	scratch, err := store.Open(filepath.Join(again.Folder, "results.db"))
	if err != nil {
		return nil, err
	}
	defer scratch.Close()
	var environment runner.Environment
	if err := json.Unmarshal(run.Environment, &environment); err != nil {
		return nil, fmt.Errorf("run %s: cannot read its environment: %w", run.ID, err)
	}
	if was := environment.Versions["libtorch"]; was != again.Libtorch {
		o.remark("run %s was trained with libtorch %s, but this engine has %s: results will differ in the last digits; build that one with `GLIMPSE_LIBTORCH=%s ./bootstrap build`",
			run.ID, was, again.Libtorch, was)
	}
	if err := again.train(ctx, scratch, study, trial, environment); err != nil {
		return nil, err
	}
	second, err := outcomeOf(ctx, scratch, run.ID, split)
	if err != nil {
		return nil, err
	}
	return compareOutcomes(first, second), nil
}

// train runs the trial, which has to come to its end.
func (a Again) train(ctx context.Context, db *store.DB, study *experiments.Study, trial experiments.Trial, environment runner.Environment) error {
	cfg := a.Runner
	kept := *study // with the checkpoint, which the study may not keep
	kept.Checkpoints.Keep = "best"
	cfg.Study, cfg.Trials, cfg.DB, cfg.Root, cfg.RetryFailed = &kept, []experiments.Trial{trial}, db, study.Data.Root, true
	if cfg.Threads == 0 {
		cfg.Threads = environment.Threads
	}
	if environment.Device == "cpu" && cfg.Device == "auto" {
		cfg.Device = "cpu"
	}
	known, err := db.Runs(ctx, "")
	if err != nil {
		return err
	}
	if err := planning.CheckMetrics(known, study, cfg.Trials, a.Meteor); err != nil {
		return err
	}
	summary, err := runner.Run(ctx, cfg)
	if err == nil && summary.Failed > 0 {
		err = errors.New(summary.Failures[0].Error)
	}
	return err
}

// studyOf reads the study of a run from the results database.
func (o *Opener) studyOf(ctx context.Context, run store.Run) (*experiments.Study, error) {
	if run.Study == "" { // no study asks for it any more
		return &experiments.Study{Name: "reproduce"}, nil
	}
	recorded, err := o.DB.Study(ctx, run.Study)
	if err != nil {
		return nil, err
	}
	study, err := experiments.Parse(run.Study+".yaml", []byte(recorded.Spec))
	if err != nil {
		return nil, fmt.Errorf("the recorded study of run %s: %w", run.ID, err)
	}
	return study, nil
}

// outcome is what training a run left.
type outcome struct {
	run      store.Run
	epochs   []store.Epoch
	captions []store.Caption
}

func outcomeOf(ctx context.Context, db *store.DB, id, split string) (o outcome, err error) {
	if o.run, err = db.Run(ctx, id); err != nil {
		return o, err
	}
	if o.epochs, err = db.Epochs(ctx, id); err != nil {
		return o, err
	}
	o.captions, err = db.Captions(ctx, id, split)
	return o, err
}
