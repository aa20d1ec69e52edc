package bench

import (
	"context"
	"fmt"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/inspect"
	"glimpse/internal/term"
	"glimpse/runner"
)

// DecodeOptions are the options of [Decode].
type DecodeOptions struct {
	Images     int // images of the test split to caption, at least 1
	TrainSteps int // training steps first: an untrained captioner rarely ends a caption
}

// RunOptions are the options of [DecodeRun].
type RunOptions struct {
	Opener *inspect.Opener // for the results database of the run, with an engine
	Run    string          // run ID or the start of one
	Images int             // images of the test split to caption, at least 1
}

// DecodeSpeed is the speed of beam search.
type DecodeSpeed struct {
	Arm       string      `json:"arm"`
	Model     string      `json:"model"` // origin of the weights: training steps or a run
	Beam      int         `json:"beam"`
	MaxLength int         `json:"max_length"`
	Images    int         `json:"images"`
	Words     term.Number `json:"words_per_caption"`
	PerSecond term.Number `json:"captions_per_s"`
	// PerCPUSecond is captions per CPU second, summed over all processors.
	PerCPUSecond term.Number `json:"captions_per_cpu_s"`
	Seconds      term.Number `json:"seconds"`
}

// Decode measures the beam search of each arm, with a captioner trained for a few steps.
func Decode(ctx context.Context, o Options, d DecodeOptions) (*Report[[]DecodeSpeed], error) {
	return measure("decode", o, func(m *measurement) ([]DecodeSpeed, error) {
		return perArm(m, func(trial experiments.Trial) (DecodeSpeed, error) {
			captioner, set, err := m.captioner(ctx, trial.Settings, 0)
			if err != nil {
				return DecodeSpeed{}, err
			}
			defer captioner.Close()
			if _, _, err := timeSteps(ctx, captioner.TrainEpoch, d.TrainSteps); err != nil {
				return DecodeSpeed{}, err
			}
			row, err := decode(ctx, captioner, set, trial.Settings.Decode, d.Images)
			row.Arm, row.Model = trial.Arm, "trained for "+term.Plural(d.TrainSteps, "step")
			return row, err
		})
	})
}

// DecodeRun measures the beam search of a run's best checkpoint, with the run's settings. It
// ignores o.Study.
func DecodeRun(ctx context.Context, o Options, r RunOptions) (*Report[[]DecodeSpeed], error) {
	o.Study = nil
	return measure("decode", o, func(m *measurement) ([]DecodeSpeed, error) {
		run, err := r.Opener.DB.Run(ctx, r.Run)
		if err != nil {
			return nil, err
		}
		if _, err := runner.BestCheckpoint(runner.DefaultDir(r.Opener.DB), run); err != nil { // fails before the data set is read
			return nil, err
		}
		opened, err := r.Opener.Open(ctx, run)
		if err != nil {
			return nil, err
		}
		captioner, err := opened.Captioner()
		if err != nil {
			return nil, err
		}
		defer captioner.Close()
		m.study, m.data = run.Study, opened.Data.Name
		row, err := decode(ctx, captioner, opened.Data, opened.Settings.Decode, r.Images)
		row.Arm, row.Model = run.Arm, "run "+run.ID
		return []DecodeSpeed{row}, err
	})
}

// decode captions the first n images of the test split.
func decode(ctx context.Context, captioner runner.Captioner, d *data.Dataset, o experiments.Decode, n int) (DecodeSpeed, error) {
	test := d.Splits["test"]
	if len(test) == 0 {
		return DecodeSpeed{}, fmt.Errorf("data set %s, split %s: the test split has no images", d.Name, d.Split)
	}
	begun, before := time.Now(), cpuTime()
	captions, err := captioner.Caption(ctx, test[:min(n, len(test))], o, false)
	if err != nil {
		return DecodeSpeed{}, err
	}
	seconds, cpu, words := time.Since(begun).Seconds(), cpuTime()-before, 0
	for _, c := range captions {
		words += len(c.Words)
	}
	made := float64(len(captions))
	return DecodeSpeed{Beam: o.Beam, MaxLength: o.MaxLength, Images: len(captions), Words: term.Number(float64(words) / made),
		PerSecond: term.Number(made / seconds), PerCPUSecond: term.Number(made / cpu.Seconds()), Seconds: term.Number(seconds)}, nil
}
