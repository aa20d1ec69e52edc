package torch

import lib "github.com/sugarme/gotch/libtch"

// Parameter makes t a leaf that accumulates gradients, removes it from the scope and returns it.
// The caller must free it.
func (s *Scope) Parameter(t *Tensor) *Tensor {
	p := s.op("requires_grad", func(out *lib.Ctensor) { lib.AtgSetRequiresGrad(out, t.c, 1) }, t)
	return s.Keep(p)
}

// Detach returns t without its history.
func (s *Scope) Detach(t *Tensor) *Tensor {
	return s.op("detach", func(out *lib.Ctensor) { lib.AtgDetach(out, t.c) }, t)
}

// Backward adds the gradient of the loss, a tensor of one element, to every
// parameter that it depends on, and drops the recorded graph.
func (s *Scope) Backward(loss *Tensor) {
	if !s.ready("backward", []*Tensor{loss}) {
		return
	}
	lib.AtBackward(loss.c, 0, 0)
	s.check("backward", loss)
}

// Grad returns the gradient of a parameter, or nil if none has reached it.
func (s *Scope) Grad(p *Tensor) *Tensor {
	g := s.op("grad", func(out *lib.Ctensor) { lib.AtgGrad(out, p.c) }, p)
	if g.c == nil || !lib.AtDefined(g.c) {
		return nil
	}
	return g
}

// CopyInto overwrites the values of dst, which may be a parameter, with those of src.
func (s *Scope) CopyInto(dst, src *Tensor) {
	if !s.ready("copy", []*Tensor{dst, src}) {
		return
	}
	before := lib.AtGradSetEnabled(0)
	lib.AtCopy_(dst.c, src.c)
	lib.AtGradSetEnabled(before)
	s.check("copy", dst, src)
}
