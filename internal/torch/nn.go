package torch

// #include "shim.h"
import "C"

import (
	lib "github.com/sugarme/gotch/libtch"
)

// Linear returns x·wᵀ + b: x …×I, w O×I, b O or nil → …×O. On the CPU the
// products, those of the gradients too, are oneDNN's where it pays.
func (s *Scope) Linear(x, w, b *Tensor) *Tensor {
	operands, bias := []*Tensor{x, w}, C.gl_tensor(nil)
	if b != nil {
		operands = append(operands, b)
	}
	return s.op("linear", func(out *lib.Ctensor) {
		if b != nil {
			bias = C.gl_tensor(b.c)
		}
		*out = lib.Ctensor(C.gl_linear(C.gl_tensor(x.c), C.gl_tensor(w.c), bias))
	}, operands...)
}

// Bfloat16 runs f with the operands of matrix products rounded to bfloat16 in linear layers and,
// on the CPU, in recurrences. The operands of the products in their gradients are rounded too,
// whenever Backward runs. Sums, results and everything else stay float32 (mixed precision:
// Micikevicius et al. 2018, arXiv 1710.03740; bfloat16: Kalamkar et al. 2019, arXiv 1905.12322).
func (s *Scope) Bfloat16(f func(s *Scope) error) error {
	before := C.gl_set_bfloat16(1)
	defer C.gl_set_bfloat16(before)
	return s.Do(f)
}

// Operand returns a matrix rounded like the operands of products: to bfloat16 within
// [Scope.Bfloat16], else unchanged. Use it to round the weights of many products once.
func (s *Scope) Operand(t *Tensor) *Tensor {
	return s.op("operand", func(out *lib.Ctensor) { *out = lib.Ctensor(C.gl_operand(C.gl_tensor(t.c))) }, t)
}

// Embedding looks up rows of w (V×E) by int64 ids of any shape → …×E. The
// gradient reaches every row, padding included, as in PyTorch's default.
func (s *Scope) Embedding(w, ids *Tensor) *Tensor {
	return s.op("embedding", func(out *lib.Ctensor) { lib.AtgEmbedding(out, w.c, ids.c, -1, 0, 0) }, w, ids)
}

// Dropout zeroes elements with probability p and scales the rest by 1/(1−p)
// while training; otherwise it returns t.
func (s *Scope) Dropout(t *Tensor, p float64, training bool) *Tensor {
	if !training || p == 0 {
		return t
	}
	return s.op("dropout", func(out *lib.Ctensor) { lib.AtgDropout(out, t.c, p, 1) }, t)
}

// Conv describes a two-dimensional convolution, or the window of a pooling.
// Each pair is height, width; a zero Stride, Dilation or Groups means 1.
type Conv struct {
	Stride, Padding, Dilation [2]int64
	Groups                    int64
}

// Conv2d convolves x B×C×H×W with w O×(C/groups)×h×w and adds b (O, or nil).
func (s *Scope) Conv2d(x, w, b *Tensor, c Conv) *Tensor {
	if c.Groups == 0 {
		c.Groups = 1
	}
	operands, bias := []*Tensor{x, w}, lib.Ctensor(nil)
	if b != nil {
		operands, bias = append(operands, b), b.c
	}
	return s.op("conv2d", func(out *lib.Ctensor) {
		lib.AtgConv2d(out, x.c, w.c, bias, ones(c.Stride), 2, c.Padding[:], 2, ones(c.Dilation), 2, c.Groups)
	}, operands...)
}

// MaxPool2d takes the maximum over windows of size×size.
func (s *Scope) MaxPool2d(x *Tensor, size int64, c Conv) *Tensor {
	return s.op("max_pool2d", func(out *lib.Ctensor) {
		lib.AtgMaxPool2d(out, x.c, []int64{size, size}, 2, ones(c.Stride), 2, c.Padding[:], 2, ones(c.Dilation), 2, 0)
	}, x)
}

// AvgPool2d takes the mean over windows of size×size, padding counted as zeros.
func (s *Scope) AvgPool2d(x *Tensor, size int64, c Conv) *Tensor {
	return s.op("avg_pool2d", func(out *lib.Ctensor) {
		lib.AtgAvgPool2d(out, x.c, []int64{size, size}, 2, ones(c.Stride), 2, c.Padding[:], 2, 0, 1, 0, 1)
	}, x)
}

func ones(pair [2]int64) []int64 {
	return []int64{max(pair[0], 1), max(pair[1], 1)}
}

func flag(b bool) int32 {
	if b {
		return 1
	}
	return 0
}
