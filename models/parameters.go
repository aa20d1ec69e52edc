package models

import (
	"fmt"

	"glimpse/captioner"
	"glimpse/internal/torch"
)

// parameters are the tensors that training changes, in a fixed order. They
// live outside scopes until free.
type parameters struct {
	shapes  []captioner.Shape
	tensors []*torch.Tensor
	byName  map[string]*torch.Tensor
}

// newParameters draws the parameters with the CPU generator on any device, so that a seed gives
// the same initial values everywhere. Those given by name are not drawn, and do not change the
// others.
func newParameters(s *torch.Scope, device torch.Device, shapes []captioner.Shape, given map[string][]float32) (*parameters, error) {
	p := &parameters{shapes: shapes, byName: make(map[string]*torch.Tensor, len(shapes))}
	for _, sh := range shapes {
		var t *torch.Tensor
		values, isGiven := given[sh.Name]
		switch {
		case isGiven:
			t = s.FromFloats(torch.CPU, values, sh.Sizes...)
		case sh.Bound == 0:
			t = s.Normal(torch.CPU, 0, 1, sh.Sizes...)
		default:
			t = s.Uniform(torch.CPU, -sh.Bound, sh.Bound, sh.Sizes...)
		}
		t = s.Parameter(s.To(t, device))
		p.tensors = append(p.tensors, t)
		p.byName[sh.Name] = t
	}
	if err := s.Err(); err != nil {
		p.free()
		return nil, fmt.Errorf("make %d parameters: %w", len(shapes), err)
	}
	return p, nil
}

func (p *parameters) free() {
	for _, t := range p.tensors {
		t.Free()
	}
}

// linear is a fully connected layer x·wᵀ + b; b may be nil.
type linear struct{ w, b *torch.Tensor }

func (p *parameters) linear(name string) linear {
	return linear{p.byName[name+".weight"], p.byName[name+".bias"]}
}

// of applies the layer: …×in → …×out.
func (l linear) of(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.Linear(x, l.w, l.b) }

// part applies the columns [from, from+size) of the layer's weight, without its
// bias: what an input that is a concatenation contributes by one of its parts.
func (l linear) part(s *torch.Scope, x *torch.Tensor, from, size int64) *torch.Tensor {
	return s.Linear(x, s.Narrow(l.w, 1, from, size), nil)
}
