package models

import (
	"fmt"
	"math"

	"glimpse/internal/torch"
)

// A shape describes one parameter before it exists: its name, which is also
// its name in a checkpoint, its sizes, and the distribution that it starts from:
// uniform in ±bound, or standard normal where bound is 0.
type shape struct {
	name  string
	sizes []int64
	bound float64
}

// linearShapes are a linear layer's weight out×in and bias out, both uniform in
// ±1/√in as in PyTorch.
func linearShapes(name string, in, out int64, bias bool) []shape {
	bound := 1 / math.Sqrt(float64(in))
	shapes := []shape{{name + ".weight", []int64{out, in}, bound}}
	if bias {
		shapes = append(shapes, shape{name + ".bias", []int64{out}, bound})
	}
	return shapes
}

// count is the number of values in the parameters.
func count(shapes []shape) int64 {
	var total int64
	for _, p := range shapes {
		n := int64(1)
		for _, d := range p.sizes {
			n *= d
		}
		total += n
	}
	return total
}

// parameters are the tensors that training changes, in a fixed order. They
// live outside scopes until free.
type parameters struct {
	shapes  []shape
	tensors []*torch.Tensor
	byName  map[string]*torch.Tensor
}

// newParameters draws the parameters with the CPU generator, whatever the
// device, so that a seed gives the same start everywhere.
func newParameters(s *torch.Scope, device torch.Device, shapes []shape) (*parameters, error) {
	p := &parameters{shapes: shapes, byName: make(map[string]*torch.Tensor, len(shapes))}
	for _, sh := range shapes {
		var t *torch.Tensor
		if sh.bound == 0 {
			t = s.Normal(torch.CPU, 0, 1, sh.sizes...)
		} else {
			t = s.Uniform(torch.CPU, -sh.bound, sh.bound, sh.sizes...)
		}
		t = s.Parameter(s.To(t, device))
		p.tensors = append(p.tensors, t)
		p.byName[sh.name] = t
	}
	if err := s.Err(); err != nil {
		p.free()
		return nil, fmt.Errorf("making %d parameters: %w", len(shapes), err)
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
