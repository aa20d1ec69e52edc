package bench

import (
	"context"
	"syscall"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/term"
)

// TrainOptions are the options of [Train].
type TrainOptions struct {
	Steps      int // steps to measure, at least 1
	WarmUp     int // steps before those
	Vocabulary int // pad a smaller vocabulary to this many words, with unused ones
}

// TrainSpeed is the training speed of one arm. Lists have the quartiles over steps, with the median
// in the middle.
type TrainSpeed struct {
	Arm         string            `json:"arm"`
	Model       experiments.Model `json:"model"`
	BatchImages int               `json:"batch_images"`
	Vocabulary  int               `json:"vocabulary"`
	Parameters  int64             `json:"parameters"`
	Steps       int               `json:"steps"`
	Captions    int               `json:"captions"`       // in all measured steps
	Positions   int               `json:"positions"`      // words to predict in those, </s> included
	PerSecond   term.Number       `json:"captions_per_s"` // over all measured steps
	// PerCPUSecond is captions per CPU second, summed over all processors. Other programs change it
	// less than PerSecond.
	PerCPUSecond term.Number    `json:"captions_per_cpu_s"`
	Quartiles    [3]term.Number `json:"captions_per_s_quartiles"`
	StepMS       [3]term.Number `json:"step_ms"`
	Loss         term.Number    `json:"loss"` // of the last step
}

// Train measures the first training steps of each arm: everything in a step, from batches and
// features to the optimizer.
func Train(ctx context.Context, o Options, t TrainOptions) (*Report[[]TrainSpeed], error) {
	return measure("train", o, func(m *measurement) ([]TrainSpeed, error) {
		return perArm(m, func(trial experiments.Trial) (TrainSpeed, error) { return m.train(ctx, trial, t) })
	})
}

func (m *measurement) train(ctx context.Context, trial experiments.Trial, t TrainOptions) (TrainSpeed, error) {
	s := trial.Settings
	captioner, d, err := m.captioner(ctx, s, t.Vocabulary)
	if err != nil {
		return TrainSpeed{}, err
	}
	defer captioner.Close()
	durations, loss, err := timeSteps(ctx, captioner.TrainEpoch, t.WarmUp+t.Steps)
	if err != nil {
		return TrainSpeed{}, err
	}
	row := TrainSpeed{Arm: trial.Arm, Model: s.Model, BatchImages: s.Train.BatchImages, Vocabulary: len(d.Vocabulary.Words),
		Parameters: captioner.Parameters(), Steps: t.Steps, Loss: term.Number(loss)}
	var rates, took []float64
	total, cpu := 0.0, 0.0
	for i, batch := range firstBatches(d, s, len(durations))[t.WarmUp:] {
		seconds := durations[t.WarmUp+i].wall.Seconds()
		cpu += durations[t.WarmUp+i].cpu.Seconds()
		captions, words := contents(batch)
		row.Captions += captions
		row.Positions += words
		total += seconds
		rates, took = append(rates, float64(captions)/seconds), append(took, 1000*seconds)
	}
	row.PerSecond, row.PerCPUSecond = term.Number(float64(row.Captions)/total), term.Number(float64(row.Captions)/cpu)
	row.Quartiles, row.StepMS = quartiles(rates), quartiles(took)
	return row, nil
}

// A trainer is a captioner's method that trains for one epoch.
type trainer func(ctx context.Context, progress func(step, steps int, loss float64)) (data.EpochResult, error)

// A stepTime is the wall time and the CPU time of a step, from the end of the previous one. CPU
// time is summed over all processors.
type stepTime struct{ wall, cpu time.Duration }

// timeSteps trains for n steps, over as many epochs as needed. It returns the time of each step and
// the last step's loss.
func timeSteps(ctx context.Context, train trainer, n int) (took []stepTime, last float64, err error) {
	working, stop := context.WithCancel(ctx)
	defer stop()
	for len(took) < n {
		before, cpuBefore := time.Now(), cpuTime()
		_, err := train(working, func(_, _ int, loss float64) {
			now, cpu := time.Now(), cpuTime()
			took, last = append(took, stepTime{now.Sub(before), cpu - cpuBefore}), loss
			before, cpuBefore = now, cpu
			if len(took) == n {
				stop()
			}
		})
		if err != nil && len(took) < n {
			return nil, 0, err
		}
	}
	return took, last, nil
}

// cpuTime returns the CPU time of this process, summed over all processors.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// firstBatches returns the first n batches of training.
func firstBatches(d *data.Dataset, s experiments.Settings, n int) []data.Batch {
	var batches []data.Batch
	for epoch := 0; len(batches) < n; epoch++ {
		batches = append(batches, d.Epoch("train", s.Train.BatchImages, s.Seed, epoch)...)
	}
	return batches[:n]
}

// contents counts the captions of a batch, and the words to predict in them.
func contents(b data.Batch) (captions, words int) {
	for row := 0; row < len(b.Tokens); row += b.T {
		real := 0
		for _, id := range b.Tokens[row : row+b.T] {
			if id != data.PadID {
				real++
			}
		}
		if real > 0 {
			captions++
			words += real - 1
		}
	}
	return captions, words
}
