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
// In a table of B rows, as wide as the image of most positions has them, Slot is
// the cell b·Longest+i of each position, the i-th of image b. All are int64 tensors.
type Groups struct {
	Order, Start, Slot *Tensor
	Longest            int64
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
	operands := []*Tensor{q, key, w, value, g.Order, g.Start, g.Slot}
	if sentinel != nil {
		operands = append(operands, sentinelKey, sentinel)
	}
	if !s.ready("additive_attention", operands) {
		return &Tensor{}, &Tensor{}
	}
	qs, ks, vs, ws := q.Shape(), key.Shape(), value.Shape(), w.Len()
	if len(qs) != 2 || len(ks) != 3 || len(vs) != 3 || qs[1] != ks[2] || ws != ks[2] || ks[0] != vs[0] || ks[1] != vs[1] ||
		ks[1] == 0 || g.Start.Len() != ks[0]+1 || g.Order.Len() != qs[0] || g.Slot.Len() != qs[0] ||
		(sentinel != nil && (fmt.Sprint(sentinelKey.Shape()) != fmt.Sprint(qs) || fmt.Sprint(sentinel.Shape()) != fmt.Sprint([]int64{qs[0], vs[2]}))) {
		s.fail(fmt.Errorf("torch: additive_attention: shapes do not fit: q %v, key %v, w %v, value %v", qs, ks, w.Shape(), vs))
		return &Tensor{}, &Tensor{}
	}
	if Device(lib.AtDevice(q.c)) != CPU {
		return s.attentionByTable(q, key, w, value, sentinelKey, sentinel, g)
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

// attentionByTable is AdditiveAttention in libtorch's own operations, for
// devices without a kernel. The positions of an image are laid out as a row of a table,
// of P = Longest cells: keys and values are then read image by image, as they
// are, and no gradient is scattered. It stores B×P×R×K values.
func (s *Scope) attentionByTable(q, key, w, value, sentinelKey, sentinel *Tensor, g Groups) (context, weights *Tensor) {
	images, regions, device := key.Size(0), key.Size(1), Device(lib.AtDevice(q.c))
	table := func(t *Tensor) *Tensor { // M×X → B×P×X, zeros in cells of no position
		empty := s.Zeros(device, Float, images*g.Longest, t.Size(1))
		return s.View(s.IndexCopy(empty, 0, g.Slot, t), images, g.Longest, -1)
	}
	list := func(t *Tensor) *Tensor { // B×P×X → M×X
		return s.Select(s.View(t, images*g.Longest, -1), 0, g.Slot)
	}
	w = s.View(w, 1, -1)                                        // 1×K
	sum := s.Add(s.Unsqueeze(key, 1), s.Unsqueeze(table(q), 2)) // B×P×R×K
	e := list(s.Squeeze(s.Linear(s.Tanh(sum), w, nil), 3))      // M×R
	if sentinel != nil {
		e = s.Cat(1, e, s.Linear(s.Tanh(s.Add(sentinelKey, q)), w, nil)) // M×(R+1)
	}
	alpha := s.Softmax(e, 1)
	context = list(s.Bmm(table(s.Narrow(alpha, 1, 0, regions)), value)) // M×H
	if sentinel != nil {
		context = s.Add(context, s.Mul(s.Narrow(alpha, 1, regions, 1), sentinel))
	}
	return context, s.Detach(alpha)
}

// PackedGRU runs one GRU layer over N captions packed by time: of M rows, the
// first sizes[0] = N are the captions' first words, the next sizes[1] the second
// words of those captions that go on, and so on; sizes never rises. input M×3H is
// the input's part of the gates with its bias, in PyTorch's order r, z, n;
// start N×H; weight 3H×H and bias 3H are the state's; sizes is on the CPU. It gives the states M×H.
// On the CPU it is one kernel, on CUDA two operations a step.
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
		return s.gruBySteps(input, start, weight, bias, sizes)
	}
	return s.op("packed_gru", func(out *lib.Ctensor) {
		*out = lib.Ctensor(C.gl_packed_gru(C.gl_tensor(input.c), C.gl_tensor(start.c), C.gl_tensor(weight.c),
			C.gl_tensor(bias.c), C.gl_tensor(sizes.c)))
	}, operands...)
}

// gruBySteps is PackedGRU in libtorch's own operations, two for each step, for
// CUDA.
func (s *Scope) gruBySteps(input, start, weight, bias, sizes *Tensor) *Tensor {
	steps, err := s.Ints(sizes)
	if err != nil {
		return &Tensor{}
	}
	h, states, at := start, []*Tensor(nil), int64(0)
	for _, n := range steps {
		h = s.Narrow(h, 0, 0, n)                                               // n×H
		h = s.gruCell(s.Narrow(input, 0, at, n), s.Linear(h, weight, bias), h) // n×H
		states = append(states, h)
		at += n
	}
	return s.Cat(0, states...)
}

// gruCell gives the states after a step, n×H, from the input's and the state's
// part of the gates, n×3H each, and the states before. It is for CUDA.
func (s *Scope) gruCell(input, part, before *Tensor) *Tensor {
	return s.op("gru_cell", func(out *lib.Ctensor) {
		*out = lib.Ctensor(C.gl_gru_cell(C.gl_tensor(input.c), C.gl_tensor(part.c), C.gl_tensor(before.c)))
	}, input, part, before)
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
