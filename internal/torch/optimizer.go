package torch

// #include "shim.h"
import "C"

import "unsafe"

// GradNorm returns the Euclidean norm of all gradients of the parameters
// together. The sum has a fixed order, so it does not depend on the number of
// threads.
func (s *Scope) GradNorm(params []*Tensor) (float64, error) {
	if !s.ready("grad_norm", params) {
		return 0, s.err
	}
	norm := float64(C.gl_grad_norm(tensors(params), C.int(len(params))))
	s.check("grad_norm")
	return norm, s.err
}

// ZeroGrad drops the gradients of the parameters.
func (s *Scope) ZeroGrad(params []*Tensor) {
	if s.ready("zero_grad", params) {
		C.gl_zero_grad(tensors(params), C.int(len(params)))
		s.check("zero_grad")
	}
}

// AdamStep describes one step of Adam. GradScale multiplies the gradients
// before anything else (clipping); Decoupled makes the weight decay AdamW's.
type AdamStep struct {
	GradScale, LR, Beta1, Beta2, Epsilon, WeightDecay float64
	Decoupled                                         bool
	Step                                              int64 // from 1
}

// Adam updates the parameters and the first and second moments, which are
// tensors of the same shapes, by the gradients. Source: Kingma and Ba 2015,
// arXiv 1412.6980, in PyTorch's order of operations; AdamW: Loshchilov and
// Hutter 2019, arXiv 1711.05101.
func (s *Scope) Adam(params, first, second []*Tensor, a AdamStep) {
	if !s.ready("adam", params) || !s.ready("adam", first) || !s.ready("adam", second) {
		return
	}
	C.gl_adam(tensors(params), tensors(first), tensors(second), C.int(len(params)), C.double(a.GradScale),
		C.double(a.LR), C.double(a.Beta1), C.double(a.Beta2), C.double(a.Epsilon), C.double(a.WeightDecay),
		C.int(flag(a.Decoupled)), C.int64_t(a.Step))
	s.check("adam")
}

// SGD updates the parameters and their momenta, which start at zero, by the
// gradients times gradScale: u ← momentum·u + g + decay·w, w ← w − lr·u.
func (s *Scope) SGD(params, momenta []*Tensor, gradScale, lr, momentum, decay float64) {
	if !s.ready("sgd", params) || !s.ready("sgd", momenta) {
		return
	}
	C.gl_sgd(tensors(params), tensors(momenta), C.int(len(params)), C.double(gradScale), C.double(lr),
		C.double(momentum), C.double(decay))
	s.check("sgd")
}

// tensors lists the handles for the shim; C memory only, so Go may pass it.
func tensors(list []*Tensor) *C.gl_tensor {
	if len(list) == 0 {
		return nil
	}
	return (*C.gl_tensor)(unsafe.Pointer(&handles(list)[0]))
}
