package captioner

import (
	"fmt"
	"math"
)

// A Shape describes one parameter before it exists: its name, which is also
// its name in a checkpoint, its sizes, and the distribution that it starts from:
// uniform in ±Bound, or standard normal where Bound is 0.
type Shape struct {
	Name  string
	Sizes []int64
	Bound float64
}

// Sizes are the dimensions of a captioner: V words, D features of a region, E
// embedding, H hidden, K attention.
type Sizes struct {
	Vocabulary, Features, Embedding, Hidden, Attention, Layers int64
}

// Parameters lists the parameters of a captioner of this arm with this cell, in
// the order and by the names of the reference implementation's state dict. Those of
// an encoder that is trained with it come from [JointParameters].
func (a Arm) Parameters(c Cell, z Sizes) []Shape {
	e, h := z.Embedding, z.Hidden
	shapes := []Shape{{"embed.weight", []int64{z.Vocabulary, e}, 0}}
	shapes = append(shapes, linear("global_", z.Features, e, true)...)
	shapes = append(shapes, linear("init", z.Features, h, true)...)
	if c.Memory {
		shapes = append(shapes, linear("init_c", z.Features, h, true)...)
	}
	for l := range z.Layers {
		in := h
		if l == 0 {
			in = 2 * e
		}
		// PyTorch draws all four from ±1/√H, and so the biases of an LSTM's forget gate too.
		bound, rows := 1/math.Sqrt(float64(h)), c.Gates*h
		shapes = append(shapes,
			Shape{fmt.Sprintf("%s.weight_ih_l%d", c.Name, l), []int64{rows, in}, bound},
			Shape{fmt.Sprintf("%s.weight_hh_l%d", c.Name, l), []int64{rows, h}, bound},
			Shape{fmt.Sprintf("%s.bias_ih_l%d", c.Name, l), []int64{rows}, bound},
			Shape{fmt.Sprintf("%s.bias_hh_l%d", c.Name, l), []int64{rows}, bound})
	}
	shapes = append(shapes, linear("out", h, z.Vocabulary, true)...)
	if a.Regions {
		shapes = append(shapes, linear("region", z.Features, h, true)...)
	}
	if a.Scores {
		shapes = append(shapes, linear("key", h, z.Attention, false)...)
		shapes = append(shapes, linear("query", h, z.Attention, false)...)
		shapes = append(shapes, linear("score", z.Attention, 1, false)...)
	}
	if a.Sentinel {
		shapes = append(shapes, linear("gate_x", 2*e, h, true)...)
		shapes = append(shapes, linear("gate_h", h, h, true)...)
		shapes = append(shapes, linear("sentinel_key", h, z.Attention, false)...)
	}
	return shapes
}

// JointParameters lists the parameters of the [Joint] encoder, whose first
// layer has so many channels: weights uniform in ±√(6/inputs), as He et al. 2015
// (arXiv 1502.01852) for ReLU, biases in ±1/√inputs.
func JointParameters(channels int) []Shape {
	n := int64(channels)
	var shapes []Shape
	in := int64(3 + 2) // colours and coordinates
	for i, out := range [4]int64{n, 2 * n, 2 * n, 2 * n} {
		inputs := float64(9 * in)
		shapes = append(shapes,
			Shape{JointName(i, "weight"), []int64{out, in, 3, 3}, math.Sqrt(6 / inputs)},
			Shape{JointName(i, "bias"), []int64{out}, 1 / math.Sqrt(inputs)})
		in = out
	}
	return shapes
}

// JointName is the name of a parameter (weight or bias) of a layer of the
// [Joint] encoder, from 0, in checkpoints.
func JointName(layer int, kind string) string {
	return fmt.Sprintf("encoder.conv%d.%s", layer+1, kind)
}

// linear are a linear layer's weight out×in and bias out, both uniform in
// ±1/√in as in PyTorch.
func linear(name string, in, out int64, bias bool) []Shape {
	bound := 1 / math.Sqrt(float64(in))
	shapes := []Shape{{name + ".weight", []int64{out, in}, bound}}
	if bias {
		shapes = append(shapes, Shape{name + ".bias", []int64{out}, bound})
	}
	return shapes
}

// Count is the number of values in the parameters.
func Count(shapes []Shape) int64 {
	var total int64
	for _, p := range shapes {
		n := int64(1)
		for _, d := range p.Sizes {
			n *= d
		}
		total += n
	}
	return total
}
