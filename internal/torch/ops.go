package torch

import lib "github.com/sugarme/gotch/libtch"

// Add returns a + b, broadcast.
func (s *Scope) Add(a, b *Tensor) *Tensor {
	return s.op("add", func(out *lib.Ctensor) { lib.AtgAdd(out, a.c, b.c) }, a, b)
}

// Sub returns a − b, broadcast.
func (s *Scope) Sub(a, b *Tensor) *Tensor {
	return s.op("sub", func(out *lib.Ctensor) { lib.AtgSub(out, a.c, b.c) }, a, b)
}

// Mul returns the elementwise product, broadcast.
func (s *Scope) Mul(a, b *Tensor) *Tensor {
	return s.op("mul", func(out *lib.Ctensor) { lib.AtgMul(out, a.c, b.c) }, a, b)
}

// AddScalar returns t + v.
func (s *Scope) AddScalar(t *Tensor, v float64) *Tensor {
	return s.op("add", func(out *lib.Ctensor) {
		scalar := lib.AtsFloat(v)
		defer lib.AtsFree(scalar)
		lib.AtgAddScalar(out, t.c, scalar)
	}, t)
}

// MulScalar returns v·t.
func (s *Scope) MulScalar(t *Tensor, v float64) *Tensor {
	return s.op("mul", func(out *lib.Ctensor) {
		scalar := lib.AtsFloat(v)
		defer lib.AtsFree(scalar)
		lib.AtgMulScalar(out, t.c, scalar)
	}, t)
}

// Relu returns max(t, 0).
func (s *Scope) Relu(t *Tensor) *Tensor {
	return s.op("relu", func(out *lib.Ctensor) { lib.AtgRelu(out, t.c) }, t)
}

// Relu6 returns min(max(t, 0), 6).
func (s *Scope) Relu6(t *Tensor) *Tensor {
	return s.op("relu6", func(out *lib.Ctensor) { lib.AtgRelu6(out, t.c) }, t)
}

// Tanh returns the hyperbolic tangent.
func (s *Scope) Tanh(t *Tensor) *Tensor {
	return s.op("tanh", func(out *lib.Ctensor) { lib.AtgTanh(out, t.c) }, t)
}

// Sigmoid returns 1/(1+exp(−t)).
func (s *Scope) Sigmoid(t *Tensor) *Tensor {
	return s.op("sigmoid", func(out *lib.Ctensor) { lib.AtgSigmoid(out, t.c) }, t)
}

// Log returns the natural logarithm.
func (s *Scope) Log(t *Tensor) *Tensor {
	return s.op("log", func(out *lib.Ctensor) { lib.AtgLog(out, t.c) }, t)
}

// Softmax normalises along dim.
func (s *Scope) Softmax(t *Tensor, dim int64) *Tensor {
	return s.op("softmax", func(out *lib.Ctensor) { lib.AtgSoftmax(out, t.c, dim, int32(Float)) }, t)
}

// LogSoftmax is the logarithm of Softmax, computed stably.
func (s *Scope) LogSoftmax(t *Tensor, dim int64) *Tensor {
	return s.op("log_softmax", func(out *lib.Ctensor) { lib.AtgLogSoftmax(out, t.c, dim, int32(Float)) }, t)
}

// Sum returns the sum of all elements, a tensor of no dimensions.
func (s *Scope) Sum(t *Tensor) *Tensor {
	return s.op("sum", func(out *lib.Ctensor) { lib.AtgSum(out, t.c, int32(Float)) }, t)
}

// Mean returns the mean along dim, and removes dim.
func (s *Scope) Mean(t *Tensor, dim int64) *Tensor {
	return s.op("mean", func(out *lib.Ctensor) { lib.AtgMeanDim(out, t.c, []int64{dim}, 1, 0, int32(Float)) }, t)
}

// MatMul returns the matrix product, batched and broadcast as PyTorch's matmul.
func (s *Scope) MatMul(a, b *Tensor) *Tensor {
	return s.op("matmul", func(out *lib.Ctensor) { lib.AtgMatmul(out, a.c, b.c) }, a, b)
}

// Bmm returns the batched product: B×N×M, B×M×P → B×N×P.
func (s *Scope) Bmm(a, b *Tensor) *Tensor {
	return s.op("bmm", func(out *lib.Ctensor) { lib.AtgBmm(out, a.c, b.c) }, a, b)
}

// View reshapes, without a copy if possible; one size may be −1.
func (s *Scope) View(t *Tensor, shape ...int64) *Tensor {
	dims := append(shape[:len(shape):len(shape)], 0)
	return s.op("reshape", func(out *lib.Ctensor) { lib.AtgReshape(out, t.c, dims, len(shape)) }, t)
}

// Permute reorders the dimensions, without a copy.
func (s *Scope) Permute(t *Tensor, dims ...int64) *Tensor {
	return s.op("permute", func(out *lib.Ctensor) { lib.AtgPermute(out, t.c, dims, len(dims)) }, t)
}

// Contiguous returns t in row-major order, and copies it if necessary.
func (s *Scope) Contiguous(t *Tensor) *Tensor {
	return s.op("contiguous", func(out *lib.Ctensor) { lib.AtgContiguous(out, t.c) }, t)
}

// Expand repeats dimensions of size 1 without a copy.
func (s *Scope) Expand(t *Tensor, shape ...int64) *Tensor {
	return s.op("expand", func(out *lib.Ctensor) { lib.AtgExpand(out, t.c, shape, len(shape), 0) }, t)
}

// Unsqueeze inserts a dimension of size 1.
func (s *Scope) Unsqueeze(t *Tensor, dim int64) *Tensor {
	return s.op("unsqueeze", func(out *lib.Ctensor) { lib.AtgUnsqueeze(out, t.c, dim) }, t)
}

// Squeeze removes dimension dim, which must be of size 1.
func (s *Scope) Squeeze(t *Tensor, dim int64) *Tensor {
	return s.op("squeeze", func(out *lib.Ctensor) { lib.AtgSqueezeDim(out, t.c, dim) }, t)
}

// Narrow takes length elements of dim from start, without a copy.
func (s *Scope) Narrow(t *Tensor, dim, start, length int64) *Tensor {
	return s.op("narrow", func(out *lib.Ctensor) { lib.AtgNarrow(out, t.c, dim, start, length) }, t)
}

// Cat joins tensors along dim.
func (s *Scope) Cat(dim int64, tensors ...*Tensor) *Tensor {
	return s.op("cat", func(out *lib.Ctensor) { lib.AtgCat(out, handles(tensors), len(tensors), dim) }, tensors...)
}

// Repeat repeats each slice of dim n times in a row (repeat_interleave).
func (s *Scope) Repeat(t *Tensor, n, dim int64) *Tensor {
	return s.op("repeat_interleave", func(out *lib.Ctensor) {
		lib.AtgRepeatInterleaveSelfInt(out, t.c, n, dim, 0, 0, 1)
	}, t)
}

// Select picks slices of dim by an int64 index of one dimension.
func (s *Scope) Select(t *Tensor, dim int64, index *Tensor) *Tensor {
	return s.op("index_select", func(out *lib.Ctensor) { lib.AtgIndexSelect(out, t.c, dim, index.c) }, t, index)
}

// TopK returns the k largest values along the last dimension, in descending
// order, and their int64 indices.
func (s *Scope) TopK(t *Tensor, k int64) (values, indices *Tensor) {
	return s.op2("topk", func(out *lib.Ctensor) { lib.AtgTopk(out, t.c, k, -1, 1, 1) }, t)
}

func handles(tensors []*Tensor) []lib.Ctensor {
	c := make([]lib.Ctensor, len(tensors), len(tensors)+1)
	for i, t := range tensors {
		c[i] = t.c
	}
	return c[:max(len(c), 1)] // gotch takes &c[0]
}
