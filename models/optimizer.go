package models

import (
	"fmt"
	"math"
	"slices"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// optimizer changes the parameters by their gradients: Adam, AdamW or SGD with
// momentum. All its state is in first, second (Adam) and step, so that a
// checkpoint can hold it.
type optimizer struct {
	experiments.Optimizer
	params        []*torch.Tensor
	first, second []*torch.Tensor // Adam's moments; SGD has its momenta in first
	step          int64           // steps taken
}

func newOptimizer(s *torch.Scope, o experiments.Optimizer, device torch.Device, p *parameters) (*optimizer, error) {
	opt := &optimizer{Optimizer: o, params: p.tensors}
	for _, sh := range p.shapes {
		opt.first = append(opt.first, s.Keep(s.Zeros(device, torch.Float, sh.Sizes...)))
		if o.Name != "sgd" {
			opt.second = append(opt.second, s.Keep(s.Zeros(device, torch.Float, sh.Sizes...)))
		}
	}
	if err := s.Err(); err != nil {
		opt.free()
		return nil, fmt.Errorf("making the optimizer's state: %w", err)
	}
	return opt, nil
}

func (o *optimizer) free() {
	for _, t := range append(o.first, o.second...) {
		t.Free()
	}
}

// reset forgets all steps.
func (o *optimizer) reset() error {
	o.step = 0
	return torch.Run(func(s *torch.Scope) error {
		for _, t := range slices.Concat(o.first, o.second) {
			s.CopyInto(t, s.Zeros(torch.CPU, torch.Float, t.Shape()...))
		}
		return nil
	})
}

// update takes one step at learning rate lr. Gradients whose norm over all
// parameters exceeds ClipNorm are scaled down to it, in PyTorch's way.
func (o *optimizer) update(s *torch.Scope, lr float64) error {
	scale := 1.0
	if o.ClipNorm > 0 {
		norm, err := s.GradNorm(o.params)
		if err != nil {
			return err
		}
		if math.IsNaN(norm) || math.IsInf(norm, 0) {
			return fmt.Errorf("%w: the norm of the gradient is %v", data.ErrDiverged, norm)
		}
		scale = min(1, o.ClipNorm/(norm+1e-6))
	}
	o.step++
	if o.Name == "sgd" {
		s.SGD(o.params, o.first, scale, lr, o.Momentum, o.WeightDecay)
		return s.Err()
	}
	s.Adam(o.params, o.first, o.second, torch.AdamStep{
		GradScale: scale, LR: lr, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon,
		WeightDecay: o.WeightDecay, Decoupled: o.Name == "adamw", Step: o.step,
	})
	return s.Err()
}
