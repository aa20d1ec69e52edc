package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/term"
	"glimpse/internal/torch"
)

// limits is what a training step costs by arithmetic, and how fast this machine could do it at best.
type limits struct {
	MemoryGBs term.Number `json:"memory_gb_per_s"` // of a sum of long vectors, in place
	TanhGs    term.Number `json:"tanh_g_per_s"`    // values of tanh, in units of 10⁹
	Arms      []armLimits `json:"arms"`
}

type armLimits struct {
	Arm    string            `json:"arm"`
	Model  experiments.Model `json:"model"`
	Shape  stepShape         `json:"shape"`
	GFLOP  term.Number       `json:"gflop"` // of all matrix products of a step
	MB     term.Number       `json:"mb"`    // that must go to or from memory besides
	StepMS term.Number       `json:"step_ms"`
	Parts  []partLimit       `json:"parts"`
}

// partLimit is one part of a step: the time that it takes at the speed that was measured for its size.
type partLimit struct {
	Part    string      `json:"part"`
	Shape   string      `json:"shape,omitempty"`
	GFLOP   term.Number `json:"gflop"`
	GFLOPs  term.Number `json:"gflop_per_s"` // measured for products of this size
	MB      term.Number `json:"mb"`
	TanhM   term.Number `json:"tanh_m"` // values of tanh, in millions
	LimitMS term.Number `json:"limit_ms"`
}

func benchLimitsCommand() *cobra.Command {
	var flags benchFlags
	c := &cobra.Command{
		Use:   "limits [SPEC]",
		Short: "What a training step costs by arithmetic, and the least time it can take here",
		Long: `Lists the matrix products, the bytes and the values of tanh of one training step of
each arm, measures how fast the machine does products of exactly these sizes, sums of
long vectors, and tanh, and adds up the least time that the step can take. Set it
beside what bench train measures.`,
		Example: `  glimpse bench limits
  glimpse bench limits experiments/flickr8k.yaml --arm adaptive --threads 1`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := flags.open(args)
			if err != nil {
				return err
			}
			defer b.close()
			found, err := b.limits(c.Context())
			if err != nil {
				return err
			}
			t := &term.Table{}
			for _, arm := range found.Arms {
				t.Add("ARM "+arm.Arm, "PRODUCT", "GFLOP", "GFLOP/S HERE", "MB", "TANH (10⁶)", "LEAST MS")
				for _, p := range arm.Parts {
					t.Add(p.Part, p.Shape, positive("%.3f", p.GFLOP), positive("%.0f", p.GFLOPs), positive("%.1f", p.MB), positive("%.2f", p.TanhM),
						fmt.Sprintf("%.2f", p.LimitMS))
				}
				t.Add("in all", "", fmt.Sprintf("%.3f", arm.GFLOP), "", fmt.Sprintf("%.1f", arm.MB), "", fmt.Sprintf("%.2f", arm.StepMS))
				t.Add("")
			}
			t.Add(fmt.Sprintf("memory %.1f GB/s, tanh %.2f·10⁹/s", found.MemoryGBs, found.TanhGs))
			return b.report(c.OutOrStdout(), flags.asJSON, "limits", found, t)
		},
	}
	flags.add(c)
	flags.addArm(c)
	return c
}

func positive(format string, v term.Number) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(format, v)
}

// limits measures the machine at the sizes of each arm's products.
func (b *benchRun) limits(ctx context.Context) (found limits, err error) {
	err = torch.Run(func(s *torch.Scope) error {
		return s.Inference(func(s *torch.Scope) error {
			memory, err := memorySpeed(s, b.engine.Device)
			if err != nil {
				return err
			}
			tanh, err := tanhSpeed(s, b.engine.Device)
			if err != nil {
				return err
			}
			found.MemoryGBs, found.TanhGs = term.Number(memory/1e9), term.Number(tanh/1e9)
			speeds := map[string]float64{}
			for _, trial := range b.trials {
				arm, err := b.shapeOf(trial)
				if err != nil {
					return err
				}
				for _, part := range stepCosts(arm.Model, arm.Shape, trial.Parameters) {
					if err := ctx.Err(); err != nil {
						return err
					}
					if part.m > 0 && speeds[part.shape()] == 0 {
						if speeds[part.shape()], err = productSpeed(s, b.engine.Device, part); err != nil {
							return err
						}
					}
					arm.add(part, speeds[part.shape()], memory, tanh)
				}
				found.Arms = append(found.Arms, arm)
			}
			return nil
		})
	})
	return found, err
}

// shapeOf takes the sizes of a trial's step from its data: the mean of an epoch's first batches.
func (b *benchRun) shapeOf(trial experiments.Trial) (armLimits, error) {
	s := trial.Settings
	d, err := b.sets.Load(s)
	if err != nil {
		return armLimits{}, err
	}
	features, err := s.Encoder.Features()
	if err != nil {
		return armLimits{}, err
	}
	shape := stepShape{Images: s.Train.BatchImages, Vocabulary: len(d.Vocabulary.Words), Regions: features.Regions(), Features: features.Dim}
	const looked = 50
	for _, batch := range batchesOf(d, s, looked) {
		captions, words := contents(batch)
		shape.Captions += captions
		shape.Positions += words
		shape.Steps += batch.T - 1
	}
	shape.Captions, shape.Positions, shape.Steps = shape.Captions/looked, shape.Positions/looked, shape.Steps/looked
	return armLimits{Arm: trial.Arm, Model: s.Model, Shape: shape}, nil
}

// add counts a part in. Speeds are in FLOP, bytes and values a second.
func (a *armLimits) add(c cost, speed, memory, tanh float64) {
	seconds := float64(c.bytes)/memory + float64(c.tanh)/tanh
	if c.m > 0 {
		seconds += c.flops() / speed
	}
	p := partLimit{Part: c.part, Shape: c.shape(), GFLOP: term.Number(c.flops() / 1e9), GFLOPs: term.Number(speed / 1e9), MB: term.Number(float64(c.bytes) / 1e6),
		TanhM: term.Number(float64(c.tanh) / 1e6), LimitMS: term.Number(1000 * seconds)}
	a.Parts = append(a.Parts, p)
	a.GFLOP, a.MB, a.StepMS = a.GFLOP+p.GFLOP, a.MB+p.MB, a.StepMS+p.LimitMS
}

// fastest gives the seconds of the fastest of several calls of f, the first of which do not count.
func fastest(s *torch.Scope, f func(s *torch.Scope) *torch.Tensor) (float64, error) {
	const atLeast, warm, long = 8, 2, 150 * time.Millisecond
	best, begun := 0.0, time.Now()
	for i := 0; i < atLeast || time.Since(begun) < long; i++ {
		start := time.Now()
		err := s.Do(func(s *torch.Scope) error {
			_, err := s.Item(s.Narrow(s.View(f(s), -1), 0, 0, 1)) // waits for a GPU
			return err
		})
		if err != nil {
			return 0, err
		}
		if took := time.Since(start).Seconds(); i == warm || i > warm && took < best {
			best = took
		}
	}
	return best, nil
}

// productSpeed is that of a part's product, in FLOP a second.
func productSpeed(s *torch.Scope, device torch.Device, c cost) (speed float64, err error) {
	err = s.Do(func(s *torch.Scope) error {
		x := s.Uniform(device, -1, 1, int64(c.batch), int64(c.m), int64(c.k))
		w := s.Uniform(device, -1, 1, int64(c.batch), int64(c.k), int64(c.n))
		multiply := s.Bmm
		if c.batch == 1 {
			x, w, multiply = s.Squeeze(x, 0), s.Permute(s.Squeeze(w, 0), 1, 0), func(x, w *torch.Tensor) *torch.Tensor { return s.Linear(x, w, nil) }
		}
		seconds, err := fastest(s, func(s *torch.Scope) *torch.Tensor { return multiply(x, w) })
		one := c
		one.products, one.calls = 1, 1
		speed = one.flops() / seconds
		return err
	})
	return speed, err
}

// memorySpeed is in bytes a second: two long vectors are read and one is written.
func memorySpeed(s *torch.Scope, device torch.Device) (speed float64, err error) {
	const values = 32 << 20 // far beyond any cache
	err = s.Do(func(s *torch.Scope) error {
		a, b := s.Zeros(device, torch.Float, values), s.Zeros(device, torch.Float, values)
		seconds, err := fastest(s, func(s *torch.Scope) *torch.Tensor { return s.AddInPlace(a, b) })
		speed = 3 * 4 * values / seconds
		return err
	})
	return speed, err
}

// tanhSpeed is in values a second, of vectors that a cache holds.
func tanhSpeed(s *torch.Scope, device torch.Device) (speed float64, err error) {
	const values = 1 << 18
	err = s.Do(func(s *torch.Scope) error {
		x := s.Uniform(device, -2, 2, values)
		seconds, err := fastest(s, func(s *torch.Scope) *torch.Tensor { return s.Tanh(x) })
		speed = values / seconds
		return err
	})
	return speed, err
}
