package torch

import lib "github.com/sugarme/gotch/libtch"

// Tidy runs f in its own scope and passes its result to s; everything else f makes is freed at
// once. Deep networks run block by block in it, so that only one block's activations are alive,
// and those that Backward needs, which its graph keeps.
func (s *Scope) Tidy(f func(s *Scope) *Tensor) *Tensor {
	out := &Tensor{}
	if s.err != nil {
		return out
	}
	s.fail(s.Do(func(inner *Scope) error {
		out = inner.Keep(f(inner))
		return nil
	}))
	if s.err != nil {
		out.Free()
		return &Tensor{}
	}
	s.owned = append(s.owned, out)
	return out
}

// Pad2d surrounds x B×C×H×W with zeros: left and right columns, top and bottom rows.
func (s *Scope) Pad2d(x *Tensor, left, right, top, bottom int64) *Tensor {
	return s.op("pad", func(out *lib.Ctensor) {
		lib.AtgConstantPadNd(out, x.c, []int64{left, right, top, bottom}, 4)
	}, x)
}

// ReluInPlace overwrites t with max(t, 0) and returns it. If a gradient is computed, t must be
// the result of an operation whose gradient does not need it: a convolution or a sum.
func (s *Scope) ReluInPlace(t *Tensor) *Tensor {
	return s.op("relu_", func(out *lib.Ctensor) { lib.AtgRelu_(out, t.c) }, t)
}

// Relu6InPlace overwrites t with min(max(t, 0), 6) and returns it, under the same condition.
func (s *Scope) Relu6InPlace(t *Tensor) *Tensor {
	return s.op("relu6_", func(out *lib.Ctensor) { lib.AtgRelu6_(out, t.c) }, t)
}

// AddInPlace adds b to a and returns a, under the same condition.
func (s *Scope) AddInPlace(a, b *Tensor) *Tensor {
	return s.op("add_", func(out *lib.Ctensor) { lib.AtgAdd_(out, a.c, b.c) }, a, b)
}

// ChannelsLast copies x B×C×H×W so that the channels of a pixel are adjacent in memory, which is
// fastest for convolutions on the CPU. The shape is unchanged.
func (s *Scope) ChannelsLast(x *Tensor) *Tensor {
	return s.Permute(s.Contiguous(s.Permute(x, 0, 2, 3, 1)), 0, 3, 1, 2)
}
