package bench

import (
	"context"
	"os"
	"path/filepath"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/term"
	"glimpse/runner"
)

// ReinforceOptions are the options of [Reinforce].
type ReinforceOptions struct {
	Steps      int // steps to measure, at least 1
	WarmUp     int // self-critical steps before those
	TrainSteps int // cross-entropy steps first: an untrained captioner rarely ends a caption
}

// ReinforceSpeed is the speed of self-critical training of one arm. StepMS has the quartiles of the
// steps' times in milliseconds, with the median in the middle.
type ReinforceSpeed struct {
	Arm         string            `json:"arm"`
	Model       experiments.Model `json:"model"`
	BatchImages int               `json:"batch_images"`
	Samples     int               `json:"samples"` // captions sampled per image and step
	Steps       int               `json:"steps"`
	Captions    int               `json:"captions"`          // sampled in all measured steps
	Words       term.Number       `json:"words_per_caption"` // </s> included
	PerSecond   term.Number       `json:"captions_per_s"`
	// PerCPUSecond is captions per CPU second, summed over all processors.
	PerCPUSecond term.Number    `json:"captions_per_cpu_s"`
	StepMS       [3]term.Number `json:"step_ms"`
	Reward       term.Number    `json:"reward"` // mean over the last step
}

// Reinforce measures steps of self-critical training of each arm: sampling, rewards and the
// gradient. If an arm has no train.reinforce, it returns a [NothingError].
func Reinforce(ctx context.Context, o Options, r ReinforceOptions) (*Report[[]ReinforceSpeed], error) {
	return measure("reinforce", o, func(m *measurement) ([]ReinforceSpeed, error) {
		return perArm(m, func(trial experiments.Trial) (ReinforceSpeed, error) { return m.reinforce(ctx, trial, r) })
	})
}

func (m *measurement) reinforce(ctx context.Context, trial experiments.Trial, r ReinforceOptions) (ReinforceSpeed, error) {
	s := trial.Settings
	if s.Train.Reinforce.Epochs == 0 {
		return ReinforceSpeed{}, &NothingError{"has no self-critical training; add --set train.reinforce.epochs=1"}
	}
	captioner, d, err := m.captioner(ctx, s, 0)
	if err != nil {
		return ReinforceSpeed{}, err
	}
	defer captioner.Close()
	if _, _, err := timeSteps(ctx, captioner.TrainEpoch, r.TrainSteps); err != nil {
		return ReinforceSpeed{}, err
	}
	dir, err := os.MkdirTemp("", "glimpse-bench-")
	if err != nil {
		return ReinforceSpeed{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	checkpoint := filepath.Join(dir, "trained")
	if _, err := captioner.Save(checkpoint); err != nil {
		return ReinforceSpeed{}, err
	}
	if err := captioner.Reinforce(checkpoint); err != nil {
		return ReinforceSpeed{}, err
	}
	reward, done := runner.RewardOf(d, s.Train.Reinforce.Rewards()), 0
	row := ReinforceSpeed{Arm: trial.Arm, Model: s.Model, BatchImages: s.Train.BatchImages, Samples: s.Train.Reinforce.Samples, Steps: r.Steps}
	words := 0
	counted := func(images []int, captions [][]string) []float64 {
		if done++; done > r.WarmUp {
			row.Captions += len(captions)
			for _, c := range captions {
				words += len(c)
			}
		}
		return reward(images, captions)
	}
	train := func(ctx context.Context, progress func(step, steps int, loss float64)) (data.EpochResult, error) {
		return captioner.ReinforceEpoch(ctx, counted, progress)
	}
	durations, loss, err := timeSteps(ctx, train, r.WarmUp+r.Steps)
	if err != nil {
		return ReinforceSpeed{}, err
	}
	var wall, cpu float64
	var took []float64
	for _, t := range durations[r.WarmUp:] {
		wall, cpu = wall+t.wall.Seconds(), cpu+t.cpu.Seconds()
		took = append(took, 1000*t.wall.Seconds())
	}
	made := float64(row.Captions)
	row.PerSecond, row.PerCPUSecond = term.Number(made/wall), term.Number(made/cpu)
	row.Words, row.StepMS, row.Reward = term.Number(float64(words)/made), quartiles(took), term.Number(-loss)
	return row, nil
}
