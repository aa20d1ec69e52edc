package runner

import (
	"context"

	"glimpse/data"
	"glimpse/experiments"
)

// Engine makes captioners.
type Engine interface {
	// Captioner returns a fresh captioner, initialised from s.Seed.
	Captioner(s experiments.Settings, d *data.Dataset) (Captioner, error)
}

// Captioner is one trial's model with everything needed to train it.
type Captioner interface {
	// Parameters returns the number of trained parameters.
	Parameters() int64
	// Hashes name what the captioner was made from besides settings and data, such as the weights
	// of a frozen encoder; nil if there is nothing.
	Hashes() map[string]string
	// TrainEpoch trains the next epoch, or the rest of the one in which it was stopped. When ctx
	// ends it finishes the step and returns an error; the next call, even after Save and Load in
	// another process, continues with the next step. The loss is in nats per token.
	TrainEpoch(ctx context.Context, progress func(step, steps int, loss float64)) (data.EpochResult, error)
	// Reinforce switches to self-critical training between two epochs, from the weights that Save
	// wrote to path and with a fresh optimizer. Epochs are counted onwards.
	Reinforce(path string) error
	// ReinforceEpoch is TrainEpoch for self-critical training, after Reinforce was called, in
	// this process or before the loaded checkpoint. The loss is the negative reward.
	ReinforceEpoch(ctx context.Context, reward data.Reward, progress func(step, steps int, loss float64)) (data.EpochResult, error)
	// ValidationDone passes the epoch's value of the select metric to the schedule.
	ValidationDone(value float64)
	// Caption captions images (indices of the data set), in their order. With explain it fills
	// Beta, Entropy and Alpha if the model has them.
	Caption(ctx context.Context, images []int, o experiments.Decode, explain bool) ([]data.Caption, error)
	// Save writes a checkpoint atomically to files whose names start with path and a dot, and
	// returns the hash of the weights.
	Save(path string) (sha256 string, err error)
	// Load restores everything that Save saved.
	Load(path string) error
	// Close frees the model.
	Close() error
}
