package bench

import (
	"context"
	"time"

	"glimpse/experiments"
	"glimpse/internal/term"
	"glimpse/internal/torch"
)

// StepLimits is the computed cost of a training step, and how fast this machine could run it at
// best.
type StepLimits struct {
	MemoryGBs term.Number `json:"memory_gb_per_s"` // in-place sum of long vectors
	TanhGs    term.Number `json:"tanh_g_per_s"`    // 10⁹ values of tanh per second
	Arms      []ArmLimits `json:"arms"`
}

// ArmLimits are the limits of one arm. Numbers are per training step.
type ArmLimits struct {
	Arm    string            `json:"arm"`
	Model  experiments.Model `json:"model"`
	Shape  StepShape         `json:"shape"`
	GFLOP  term.Number       `json:"gflop"`   // all matrix products
	MB     term.Number       `json:"mb"`      // other memory traffic, in 10⁶ bytes
	StepMS term.Number       `json:"step_ms"` // minimum time
	Parts  []PartLimit       `json:"parts"`
}

// PartLimit is one part of a step, with its time at the speed measured for products of its size.
type PartLimit struct {
	Part    string      `json:"part"`
	Shape   string      `json:"shape,omitempty"`
	GFLOP   term.Number `json:"gflop"`
	GFLOPs  term.Number `json:"gflop_per_s"` // measured for this size
	MB      term.Number `json:"mb"`
	TanhM   term.Number `json:"tanh_m"` // 10⁶ values of tanh
	LimitMS term.Number `json:"limit_ms"`
}

// Limits lists the matrix products, memory traffic and tanh values of one training step of each
// arm. It measures the machine's speed for products of exactly these sizes, for sums of long
// vectors and for tanh, and adds up the minimum time of the step.
func Limits(ctx context.Context, o Options) (*Report[StepLimits], error) {
	return measure("limits", o, func(m *measurement) (found StepLimits, err error) {
		err = torch.Run(func(s *torch.Scope) error {
			return s.Inference(func(s *torch.Scope) (err error) {
				found, err = m.limits(ctx, s)
				return err
			})
		})
		return found, err
	})
}

func (m *measurement) limits(ctx context.Context, s *torch.Scope) (found StepLimits, err error) {
	device := m.Engine.Device
	memory, err := memorySpeed(s, device)
	if err != nil {
		return found, err
	}
	tanh, err := tanhSpeed(s, device)
	if err != nil {
		return found, err
	}
	found.MemoryGBs, found.TanhGs = term.Number(memory/1e9), term.Number(tanh/1e9)
	speeds := map[string]float64{} // FLOP/s of products, by shape
	found.Arms, err = perArm(m, func(trial experiments.Trial) (ArmLimits, error) {
		arm, err := m.shapeOf(trial)
		if err != nil {
			return arm, err
		}
		for _, part := range stepCosts(arm.Model, arm.Shape, trial.Parameters) {
			if err := ctx.Err(); err != nil {
				return arm, err
			}
			shape := part.shape()
			if part.m > 0 && speeds[shape] == 0 {
				if speeds[shape], err = productSpeed(s, device, part); err != nil {
					return arm, err
				}
			}
			arm.add(part, speeds[shape], memory, tanh)
		}
		return arm, nil
	})
	return found, err
}

// shapeOf returns the sizes of a trial's step: captions, positions and steps are means over the
// first 50 batches.
func (m *measurement) shapeOf(trial experiments.Trial) (ArmLimits, error) {
	s := trial.Settings
	d, err := m.sets.Load(s)
	if err != nil {
		return ArmLimits{}, err
	}
	features, err := s.Encoder.Features()
	if err != nil {
		return ArmLimits{}, err
	}
	shape := StepShape{Images: s.Train.BatchImages, Vocabulary: len(d.Vocabulary.Words), Regions: features.Regions, Features: features.Dim}
	const looked = 50
	for _, batch := range firstBatches(d, s, looked) {
		captions, words := contents(batch)
		shape.Captions += captions
		shape.Positions += words
		shape.Steps += batch.T - 1
	}
	shape.Captions, shape.Positions, shape.Steps = shape.Captions/looked, shape.Positions/looked, shape.Steps/looked
	return ArmLimits{Arm: trial.Arm, Model: s.Model, Shape: shape}, nil
}

// add adds a part to the step. speed, memory and tanh are in FLOP, bytes and values per second.
func (a *ArmLimits) add(c cost, speed, memory, tanh float64) {
	seconds := float64(c.bytes)/memory + float64(c.tanh)/tanh
	if c.m > 0 {
		seconds += c.flops() / speed
	}
	p := PartLimit{Part: c.part, Shape: c.shape(), GFLOP: term.Number(c.flops() / 1e9), GFLOPs: term.Number(speed / 1e9), MB: term.Number(float64(c.bytes) / 1e6),
		TanhM: term.Number(float64(c.tanh) / 1e6), LimitMS: term.Number(1000 * seconds)}
	a.Parts = append(a.Parts, p)
	a.GFLOP, a.MB, a.StepMS = a.GFLOP+p.GFLOP, a.MB+p.MB, a.StepMS+p.LimitMS
}

// fastest calls f several times and returns the seconds of the fastest call after warm-up. With one
// CPU thread these are CPU seconds, which other programs do not lengthen; otherwise wall time.
func fastest(s *torch.Scope, device torch.Device, f func(s *torch.Scope) *torch.Tensor) (float64, error) {
	const atLeast, warm, long = 8, 2, 150 * time.Millisecond
	best, begun := 0.0, time.Now()
	now := func() time.Duration { return time.Since(begun) }
	if device == torch.CPU && torch.Threads() == 1 {
		now = cpuTime
	}
	for i := 0; i < atLeast || time.Since(begun) < long; i++ {
		start := now()
		err := s.Do(func(s *torch.Scope) error {
			_, err := s.Item(s.Narrow(s.View(f(s), -1), 0, 0, 1)) // waits for a GPU
			return err
		})
		if err != nil {
			return 0, err
		}
		if took := (now() - start).Seconds(); i == warm || i > warm && took < best {
			best = took
		}
	}
	return best, nil
}

// productSpeed measures the product of a part, in FLOP per second.
func productSpeed(s *torch.Scope, device torch.Device, c cost) (speed float64, err error) {
	err = s.Do(func(s *torch.Scope) error {
		x := s.Uniform(device, -1, 1, int64(c.batch), int64(c.m), int64(c.k))
		w := s.Uniform(device, -1, 1, int64(c.batch), int64(c.k), int64(c.n))
		multiply := s.Bmm
		if c.batch == 1 {
			x, w, multiply = s.Squeeze(x, 0), s.Permute(s.Squeeze(w, 0), 1, 0), func(x, w *torch.Tensor) *torch.Tensor { return s.Linear(x, w, nil) }
		}
		seconds, err := fastest(s, device, func(s *torch.Scope) *torch.Tensor { return multiply(x, w) })
		one := c
		one.products, one.calls = 1, 1
		speed = one.flops() / seconds
		return err
	})
	return speed, err
}

// memorySpeed measures memory throughput in bytes per second: two long vectors are read, one is
// written.
func memorySpeed(s *torch.Scope, device torch.Device) (speed float64, err error) {
	const values = 32 << 20 // far larger than any cache
	err = s.Do(func(s *torch.Scope) error {
		a, b := s.Zeros(device, torch.Float, values), s.Zeros(device, torch.Float, values)
		seconds, err := fastest(s, device, func(s *torch.Scope) *torch.Tensor { return s.AddInPlace(a, b) })
		speed = 3 * 4 * values / seconds
		return err
	})
	return speed, err
}

// tanhSpeed measures tanh in values per second, over a vector that fits in a cache.
func tanhSpeed(s *torch.Scope, device torch.Device) (speed float64, err error) {
	const values = 1 << 18
	err = s.Do(func(s *torch.Scope) error {
		x := s.Uniform(device, -2, 2, values)
		seconds, err := fastest(s, device, func(s *torch.Scope) *torch.Tensor { return s.Tanh(x) })
		speed = values / seconds
		return err
	})
	return speed, err
}
