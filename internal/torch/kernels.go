package torch

// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"

	lib "github.com/sugarme/gotch/libtch"
)

// Rows says which rows of a tensor to pick: Index has the row for each row of the result. Uses,
// U×P for a tensor of U rows, has the rows of the result that each row went to, padded with the
// number of rows of the result. With it the gradient is a sum of picked rows in a fixed order;
// scattering would need a sort, or not be deterministic. Both are int64 tensors.
type Rows struct {
	Index, Uses *Tensor
}

// Pick returns the rows of t, U×X, that Index of rows names: M×X.
func (s *Scope) Pick(t *Tensor, rows Rows) *Tensor {
	if s.ready("pick", []*Tensor{t}) && Device(lib.AtDevice(t.c)) == CPU {
		return s.Select(t, 0, rows.Index) // its gradient is a fast loop there
	}
	return s.pickByUses(t, rows)
}

func (s *Scope) pickByUses(t *Tensor, rows Rows) *Tensor {
	return s.op("pick", func(out *lib.Ctensor) {
		*out = lib.Ctensor(C.gl_pick(C.gl_tensor(t.c), C.gl_tensor(rows.Index.c), C.gl_tensor(rows.Uses.c)))
	}, t, rows.Index, rows.Uses)
}

// Groups says which of M positions belong to which of B images: Order lists the positions image
// by image, Start has the B+1 bounds of each image's part. Cells, B×P, has the positions of an
// image in a row, padded with M, and Slot each position's index in Cells, flattened. All are
// int64 tensors.
type Groups struct {
	Order, Start, Cells, Slot *Tensor
}

// AdditiveAttention lets each of M positions attend to the R regions of its image and, if a
// sentinel is given, to the sentinel as one more region:
//
//	e = w·tanh(key + q),  α = softmax(e),  context = Σ α value
//
// q M×K, key B×R×K, w K, value B×R×H; sentinelKey M×K and sentinel M×H, or both nil. counts, B
// int64, tells how many of the R regions are an image's own, the first ones: the others get no
// weight. It is nil if all are. It gives the context M×H and the weights M×R, or M×(R+1) with the
// sentinel's β last; gradients flow back from both. On the CPU one kernel does it without storing
// M×R×K values.
func (s *Scope) AdditiveAttention(q, key, w, value, sentinelKey, sentinel, counts *Tensor, g Groups) (context, weights *Tensor) {
	operands := []*Tensor{q, key, w, value, g.Order, g.Start, g.Cells, g.Slot}
	if sentinel != nil {
		operands = append(operands, sentinelKey, sentinel)
	}
	if counts != nil {
		operands = append(operands, counts)
	}
	if !s.ready("additive_attention", operands) {
		return &Tensor{}, &Tensor{}
	}
	qs, ks, vs, ws := q.Shape(), key.Shape(), value.Shape(), w.Len()
	if len(qs) != 2 || len(ks) != 3 || len(vs) != 3 || qs[1] != ks[2] || ws != ks[2] || ks[0] != vs[0] || ks[1] != vs[1] ||
		ks[1] == 0 || g.Start.Len() != ks[0]+1 || g.Cells.Size(0) != ks[0] || g.Order.Len() != qs[0] || g.Slot.Len() != qs[0] ||
		counts != nil && counts.Len() != ks[0] ||
		(sentinel != nil && (fmt.Sprint(sentinelKey.Shape()) != fmt.Sprint(qs) || fmt.Sprint(sentinel.Shape()) != fmt.Sprint([]int64{qs[0], vs[2]}))) {
		s.fail(fmt.Errorf("torch: additive_attention: shapes do not match: q %v, key %v, w %v, value %v", qs, ks, w.Shape(), vs))
		return &Tensor{}, &Tensor{}
	}
	return s.attention(q, key, w, value, sentinelKey, sentinel, counts, g, Device(lib.AtDevice(q.c)) != CPU)
}

// attention is AdditiveAttention by the kernel, or by a table of the images'
// positions; see attention.hpp and attention_table.hpp.
func (s *Scope) attention(q, key, w, value, sentinelKey, sentinel, counts *Tensor, g Groups, byTable bool) (context, weights *Tensor) {
	return s.op2("additive_attention", func(out *lib.Ctensor) {
		var sk, sv, n C.gl_tensor
		if sentinel != nil {
			sk, sv = C.gl_tensor(sentinelKey.c), C.gl_tensor(sentinel.c)
		}
		if counts != nil {
			n = C.gl_tensor(counts.c)
		}
		C.gl_additive_attention((*C.gl_tensor)(unsafe.Pointer(out)), C.gl_tensor(q.c), C.gl_tensor(key.c), C.gl_tensor(w.c), C.gl_tensor(value.c),
			sk, sv, n, C.gl_tensor(g.Order.c), C.gl_tensor(g.Start.c), C.gl_tensor(g.Cells.c), C.gl_tensor(g.Slot.c), C.int(flag(byTable)))
	}, q, key, w, value, g.Order, g.Start, g.Cells, g.Slot)
}

// PackedGRU runs one GRU layer over N captions packed by time: of M rows, the first sizes[0] = N
// are the captions' first words, the next sizes[1] the second words of those captions that go on,
// and so on; sizes never rises. input M×3H is the input's part of the gates with its bias, in
// PyTorch's order r, z, n; start N×H; weight 3H×H and bias 3H are the state's; sizes is on the
// CPU. It returns the states M×H. It is one node of the graph: on the CPU a product and a kernel
// for each step, on CUDA cuDNN's GRU.
func (s *Scope) PackedGRU(input, start, weight, bias, sizes *Tensor) *Tensor {
	operands := []*Tensor{input, start, weight, bias, sizes}
	if !s.ready("packed_gru", operands) {
		return &Tensor{}
	}
	h := start.Size(1)
	if input.Size(1) != 3*h || weight.Size(0) != 3*h || weight.Size(1) != h || bias.Len() != 3*h || sizes.Len() == 0 {
		s.fail(fmt.Errorf("torch: packed_gru: shapes do not match: input %v, start %v, weight %v, bias %v, %d steps",
			input.Shape(), start.Shape(), weight.Shape(), bias.Shape(), sizes.Len()))
		return &Tensor{}
	}
	return s.op("packed_gru", func(out *lib.Ctensor) {
		*out = lib.Ctensor(C.gl_packed_gru(C.gl_tensor(input.c), C.gl_tensor(start.c), C.gl_tensor(weight.c),
			C.gl_tensor(bias.c), C.gl_tensor(sizes.c)))
	}, operands...)
}

// PackedLSTM runs one LSTM layer over captions packed as for [Scope.PackedGRU]. input
// M×4H is the input's part of the gates with its bias, in PyTorch's order i, f, g, o;
// start and memory, N×H each, are the first states and memory cells; weight 4H×H and bias
// 4H are the state's; sizes is on the CPU. With the gates of a step
//
//	m_t = f ⊙ m_{t−1} + i ⊙ g,  h_t = o ⊙ tanh(m_t)
//
// it returns the states h and the memory cells m, M×H each. On the CPU it is one node of the
// graph with a product and a kernel for each step, on CUDA a product and PyTorch's fused cell.
func (s *Scope) PackedLSTM(input, start, memory, weight, bias, sizes *Tensor) (states, memories *Tensor) {
	operands := []*Tensor{input, start, memory, weight, bias, sizes}
	if !s.ready("packed_lstm", operands) {
		return &Tensor{}, &Tensor{}
	}
	h := start.Size(1)
	if input.Size(1) != 4*h || fmt.Sprint(memory.Shape()) != fmt.Sprint(start.Shape()) || weight.Size(0) != 4*h || weight.Size(1) != h ||
		bias.Len() != 4*h || sizes.Len() == 0 {
		s.fail(fmt.Errorf("torch: packed_lstm: shapes do not match: input %v, start %v, memory %v, weight %v, bias %v, %d steps",
			input.Shape(), start.Shape(), memory.Shape(), weight.Shape(), bias.Shape(), sizes.Len()))
		return &Tensor{}, &Tensor{}
	}
	return s.op2("packed_lstm", func(out *lib.Ctensor) {
		C.gl_packed_lstm((*C.gl_tensor)(unsafe.Pointer(out)), C.gl_tensor(input.c), C.gl_tensor(start.c), C.gl_tensor(memory.c),
			C.gl_tensor(weight.c), C.gl_tensor(bias.c), C.gl_tensor(sizes.c))
	}, operands...)
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

// WeightedCrossEntropy returns −Σ_n weight_n·log softmax(logits_n)[target_n] of logits N×V,
// int64 targets N and weights N, which carry no gradient.
func (s *Scope) WeightedCrossEntropy(logits, targets, weights *Tensor) *Tensor {
	return s.op("weighted_cross_entropy", func(out *lib.Ctensor) {
		*out = lib.Ctensor(C.gl_weighted_cross_entropy(C.gl_tensor(logits.c), C.gl_tensor(targets.c), C.gl_tensor(weights.c)))
	}, logits, targets, weights)
}

// Sample draws a class from the softmax of each row of logits N×V: the one at which the
// cumulative probability exceeds uniform, N numbers from [0, 1) on the CPU. It returns the
// classes, int64 N, and the entropy of each row's distribution in nats, N, both on the CPU.
// Classes whose logit is 87 or more below the row's maximum, as masked ones, are never drawn.
func (s *Scope) Sample(logits, uniform *Tensor) (classes, entropy *Tensor) {
	return s.op2("sample", func(out *lib.Ctensor) {
		C.gl_sample((*C.gl_tensor)(unsafe.Pointer(out)), C.gl_tensor(logits.c), C.gl_tensor(uniform.c))
	}, logits, uniform)
}
