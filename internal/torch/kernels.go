package torch

// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"

	lib "github.com/sugarme/gotch/libtch"
)

// Groups tells which of M positions belong to which of B images: Order lists
// the positions image by image, Start has the B+1 bounds of each image's part.
// Both are int64 tensors; Image, its inverse, gives the image of each position.
type Groups struct {
	Order, Start, Image *Tensor
}

// AdditiveAttention lets each of M positions look at the R regions of its
// image, and, when a sentinel is given, at the sentinel as one place more:
//
//	e = w·tanh(key + q),  α = softmax(e),  context = Σ α value
//
// q M×K, key B×R×K, w K, value B×R×H; sentinelKey M×K and sentinel M×H, or both
// nil. It gives the context M×H and the weights M×R, or M×(R+1) with the
// sentinel's β last; the weights carry no gradient. On the CPU one kernel does it
// without storing M×R×K values; elsewhere it is composed of operations.
func (s *Scope) AdditiveAttention(q, key, w, value, sentinelKey, sentinel *Tensor, g Groups) (context, weights *Tensor) {
	operands := []*Tensor{q, key, w, value, g.Order, g.Start, g.Image}
	if sentinel != nil {
		operands = append(operands, sentinelKey, sentinel)
	}
	if !s.ready("additive_attention", operands) {
		return &Tensor{}, &Tensor{}
	}
	qs, ks, vs, ws := q.Shape(), key.Shape(), value.Shape(), w.Len()
	if len(qs) != 2 || len(ks) != 3 || len(vs) != 3 || qs[1] != ks[2] || ws != ks[2] || ks[0] != vs[0] || ks[1] != vs[1] ||
		ks[1] == 0 || g.Start.Len() != ks[0]+1 || g.Order.Len() != qs[0] || g.Image.Len() != qs[0] ||
		(sentinel != nil && (fmt.Sprint(sentinelKey.Shape()) != fmt.Sprint(qs) || fmt.Sprint(sentinel.Shape()) != fmt.Sprint([]int64{qs[0], vs[2]}))) {
		s.fail(fmt.Errorf("torch: additive_attention: shapes do not fit: q %v, key %v, w %v, value %v", qs, ks, w.Shape(), vs))
		return &Tensor{}, &Tensor{}
	}
	if Device(lib.AtDevice(q.c)) != CPU {
		return s.composedAttention(q, key, w, value, sentinelKey, sentinel, g)
	}
	return s.op2("additive_attention", func(out *lib.Ctensor) {
		var sk, sv C.gl_tensor
		if sentinel != nil {
			sk, sv = C.gl_tensor(sentinelKey.c), C.gl_tensor(sentinel.c)
		}
		C.gl_additive_attention((*C.gl_tensor)(unsafe.Pointer(out)), C.gl_tensor(q.c), C.gl_tensor(key.c), C.gl_tensor(w.c), C.gl_tensor(value.c),
			sk, sv, C.gl_tensor(g.Order.c), C.gl_tensor(g.Start.c))
	}, operands...)
}

// composedAttention is AdditiveAttention in libtorch's own operations, for
// devices without a kernel. It stores M×R×K values.
func (s *Scope) composedAttention(q, key, w, value, sentinelKey, sentinel *Tensor, g Groups) (context, weights *Tensor) {
	w = s.View(w, 1, -1)                                       // 1×K
	k := s.Select(key, 0, g.Image)                             // M×R×K
	e := s.Linear(s.Tanh(s.Add(k, s.Unsqueeze(q, 1))), w, nil) // M×R×1
	e = s.Squeeze(e, 2)                                        // M×R
	v := s.Select(value, 0, g.Image)                           // M×R×H
	if sentinel != nil {
		e = s.Cat(1, e, s.Linear(s.Tanh(s.Add(sentinelKey, q)), w, nil)) // M×(R+1)
		v = s.Cat(1, v, s.Unsqueeze(sentinel, 1))                        // M×(R+1)×H
	}
	alpha := s.Softmax(e, 1)
	return s.Squeeze(s.Bmm(s.Unsqueeze(alpha, 1), v), 1), s.Detach(alpha) // M×H
}

// PackedGRU runs one GRU layer over N captions packed by time: of M rows, the
// first sizes[0] = N are the captions' first words, the next sizes[1] the second
// words of those captions that go on, and so on; sizes never rises. input M×3H is
// the input's part of the gates with its bias, in PyTorch's order r, z, n;
// start N×H; weight 3H×H and bias 3H are the state's; sizes is on the CPU. It gives the states M×H.
// On the CPU the steps are fused; elsewhere they are composed of operations.
func (s *Scope) PackedGRU(input, start, weight, bias, sizes *Tensor) *Tensor {
	operands := []*Tensor{input, start, weight, bias, sizes}
	if !s.ready("packed_gru", operands) {
		return &Tensor{}
	}
	h := start.Size(1)
	if input.Size(1) != 3*h || weight.Size(0) != 3*h || weight.Size(1) != h || bias.Len() != 3*h || sizes.Len() == 0 {
		s.fail(fmt.Errorf("torch: packed_gru: shapes do not fit: input %v, start %v, weight %v, bias %v, %d steps",
			input.Shape(), start.Shape(), weight.Shape(), bias.Shape(), sizes.Len()))
		return &Tensor{}
	}
	if Device(lib.AtDevice(input.c)) != CPU {
		return s.composedGRU(input, start, weight, bias, sizes)
	}
	return s.op("packed_gru", func(out *lib.Ctensor) {
		*out = lib.Ctensor(C.gl_packed_gru(C.gl_tensor(input.c), C.gl_tensor(start.c), C.gl_tensor(weight.c),
			C.gl_tensor(bias.c), C.gl_tensor(sizes.c)))
	}, operands...)
}

// composedGRU is PackedGRU in libtorch's own operations, for devices without
// a kernel.
func (s *Scope) composedGRU(input, start, weight, bias, sizes *Tensor) *Tensor {
	steps, err := s.Ints(sizes)
	if err != nil {
		return &Tensor{}
	}
	h, states, at := start, []*Tensor(nil), int64(0)
	size := start.Size(1)
	for _, n := range steps {
		h = s.Narrow(h, 0, 0, n)          // n×H
		part := s.Linear(h, weight, bias) // n×3H
		x := s.Narrow(input, 0, at, n)    // n×3H
		gate := func(t *Tensor, i int64) *Tensor { return s.Narrow(t, 1, i*size, size) }
		r := s.Sigmoid(s.Add(gate(x, 0), gate(part, 0)))
		z := s.Sigmoid(s.Add(gate(x, 1), gate(part, 1)))
		fresh := s.Tanh(s.Add(gate(x, 2), s.Mul(r, gate(part, 2))))
		h = s.Add(fresh, s.Mul(z, s.Sub(h, fresh))) // n×H
		states = append(states, h)
		at += n
	}
	return s.Cat(0, states...)
}

// CrossEntropy returns the mean over N of the cross entropy between logits N×V
// and int64 targets N, with label smoothing as in PyTorch: a share smoothing
// of each target's mass is spread evenly over all V classes.
func (s *Scope) CrossEntropy(logits, targets *Tensor, smoothing float64) *Tensor {
	return s.op("cross_entropy", func(out *lib.Ctensor) {
		if Device(lib.AtDevice(logits.c)) == CPU {
			*out = lib.Ctensor(C.gl_cross_entropy(C.gl_tensor(logits.c), C.gl_tensor(targets.c), C.double(smoothing)))
			return
		}
		const mean, noIgnore = 1, -100
		lib.AtgCrossEntropyLoss(out, logits.c, targets.c, nil, mean, noIgnore, smoothing)
	}, logits, targets)
}
