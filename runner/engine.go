package runner

import (
	"context"

	"glimpse/data"
	"glimpse/experiments"
)

// Engine makes captioners.
type Engine interface {
	// Captioner makes a fresh captioner, initialised from s.Seed.
	Captioner(s experiments.Settings, d *data.Dataset) (Captioner, error)
}

// Captioner is one trial's model with everything that training it needs.
type Captioner interface {
	// Parameters is the number of trained parameters.
	Parameters() int64
	// Hashes name what the captioner was made from besides settings and data, such as the weights
	// of a frozen encoder; nil if there is nothing.
	Hashes() map[string]string
	// TrainEpoch trains the next epoch, or the rest of the one that it was stopped in.
	// When ctx ends it finishes the step and returns an error; a call after that,
	// also after Save and Load in another process, goes on with the
	// next step. The loss is in nats a token.
	TrainEpoch(ctx context.Context, progress func(step, steps int, loss float64)) (data.EpochResult, error)
	// Reinforce goes over to self-critical training, between two epochs, from the weights that Save wrote to path and with a
	// fresh optimizer. Epochs are counted on.
	Reinforce(path string) error
	// ReinforceEpoch is TrainEpoch of self-critical training, once Reinforce has begun it, in this process or before a
	// checkpoint that was loaded. The loss is the negative reward.
	ReinforceEpoch(ctx context.Context, reward data.Reward, progress func(step, steps int, loss float64)) (data.EpochResult, error)
	// ValidationDone tells the schedule the epoch's value of the select metric.
	ValidationDone(value float64)
	// Caption captions images (indices of the dataset), in their order. With
	// explain it fills Beta, Entropy and Alpha where the model has them.
	Caption(ctx context.Context, images []int, o experiments.Decode, explain bool) ([]data.Caption, error)
	// Save writes a checkpoint to files whose names begin with path and a dot,
	// atomically, and returns the hash of the weights.
	Save(path string) (sha256 string, err error)
	// Load restores all that Save saved.
	Load(path string) error
	// Close frees the model.
	Close() error
}
