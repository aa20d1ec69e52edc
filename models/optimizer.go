package models

import (
	"fmt"
	"math"
	"slices"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// optimizer updates the parameters with their gradients: Adam, AdamW or SGD with momentum. All
// its state is in first, second (Adam) and step, so that a checkpoint can store it.
type optimizer struct {
	experiments.Optimizer
	params        []*torch.Tensor
	first, second []*torch.Tensor // Adam's moments; SGD has its momenta in first
	step          int64           // steps taken since it was made or reset
}

func newOptimizer(s *torch.Scope, o experiments.Optimizer, device torch.Device, params []*torch.Tensor) (*optimizer, error) {
	opt := &optimizer{Optimizer: o, params: params}
	for _, p := range params {
		opt.first = append(opt.first, s.Keep(s.Zeros(device, torch.Float, p.Shape()...)))
		if o.Name != "sgd" {
			opt.second = append(opt.second, s.Keep(s.Zeros(device, torch.Float, p.Shape()...)))
		}
	}
	if err := s.Err(); err != nil {
		opt.free()
		return nil, fmt.Errorf("make the optimizer's state: %w", err)
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

// clip returns the factor that scales the gradients of all parameters so that their joint norm is
// at most the given one, as in PyTorch; 0 does not clip.
func clip(s *torch.Scope, params []*torch.Tensor, most float64) (scale float64, err error) {
	if most <= 0 {
		return 1, nil
	}
	norm, err := s.GradNorm(params)
	if err != nil {
		return 0, err
	}
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return 0, fmt.Errorf("%w: the norm of the gradient is %v", data.ErrDiverged, norm)
	}
	return min(1, most/(norm+1e-6)), nil
}

// update takes one step at learning rate lr, by the gradients times scale.
func (o *optimizer) update(s *torch.Scope, scale, lr float64) error {
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
