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

// DecodeOptions say how much is captioned.
type DecodeOptions struct {
	Images     int // of the test split, at least 1
	TrainSteps int // to train before, since an untrained captioner hardly ever ends a caption
}

// RunOptions say which run captions how much.
type RunOptions struct {
	Opener *inspect.Opener // of the results database that holds the run, with an engine
	Run    string          // its id or the beginning of it
	Images int             // of the test split, at least 1
}

// DecodeSpeed is how fast captions are written by beam search.
type DecodeSpeed struct {
	Arm       string      `json:"arm"`
	Model     string      `json:"model"` // what its weights come from
	Beam      int         `json:"beam"`
	MaxLength int         `json:"max_length"`
	Images    int         `json:"images"`
	Words     term.Number `json:"words_per_caption"`
	PerSecond term.Number `json:"captions_per_s"`
	// PerCPUSecond are captions over the time of all processors that writing them used.
	PerCPUSecond term.Number `json:"captions_per_cpu_s"`
	Seconds      term.Number `json:"seconds"`
}

// Decode measures the beam search of each arm, by a captioner that has been trained for some steps.
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

// DecodeRun measures the beam search of a run's best checkpoint, which has the settings of that run: the study of the
// options plays no part.
func DecodeRun(ctx context.Context, o Options, r RunOptions) (*Report[[]DecodeSpeed], error) {
	o.Study = nil
	return measure("decode", o, func(m *measurement) ([]DecodeSpeed, error) {
		run, err := r.Opener.DB.Run(ctx, r.Run)
		if err != nil {
			return nil, err
		}
		if _, err := runner.BestCheckpoint(runner.DefaultDir(r.Opener.DB), run); err != nil { // before the data set is read
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

// decode captions the first n pictures of the test split.
func decode(ctx context.Context, captioner runner.Captioner, d *data.Dataset, o experiments.Decode, n int) (DecodeSpeed, error) {
	test := d.Splits["test"]
	if len(test) == 0 {
		return DecodeSpeed{}, fmt.Errorf("data set %s, split %s: there are no images in test", d.Name, d.Split)
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
