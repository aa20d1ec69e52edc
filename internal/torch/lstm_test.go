package torch

import (
	"math"
	"strings"
	"testing"
)

// lstmByFormula is PackedLSTM as PyTorch documents an LSTM, step by step.
func lstmByFormula(s *Scope, input, start, memory, weight, bias *Tensor, sizes []int64) (states, memories *Tensor) {
	h, m, at := start, memory, int64(0)
	var hs, ms []*Tensor
	for _, n := range sizes {
		h, m = s.Narrow(h, 0, 0, n), s.Narrow(m, 0, 0, n)                // n×H
		a := s.Add(s.Narrow(input, 0, at, n), s.Linear(h, weight, bias)) // n×4H
		gate := func(i int64) *Tensor { return s.Narrow(a, 1, i*start.Size(1), start.Size(1)) }
		i, f, g, o := s.Sigmoid(gate(0)), s.Sigmoid(gate(1)), s.Tanh(gate(2)), s.Sigmoid(gate(3))
		m = s.Add(s.Mul(f, m), s.Mul(i, g)) // n×H
		h = s.Mul(o, s.Tanh(m))             // n×H
		hs, ms = append(hs, h), append(ms, m)
		at += n
	}
	return s.Cat(0, hs...), s.Cat(0, ms...)
}

// What is read of a layer: its states, as arms without a sentinel do, its memory cells, or both.
var lstmOutputs = map[string]func(states, memories *Tensor) []*Tensor{
	"states":   func(states, _ *Tensor) []*Tensor { return []*Tensor{states} },
	"memories": func(_, memories *Tensor) []*Tensor { return []*Tensor{memories} },
	"both":     func(states, memories *Tensor) []*Tensor { return []*Tensor{states, memories} },
}

func TestPackedLSTM(t *testing.T) {
	for read, outputs := range lstmOutputs {
		t.Run(read, func(t *testing.T) {
			err := Run(func(s *Scope) error {
				Seed(2)
				const h = 21 // meets a vector's remainder
				steps := []int64{19, 19, 7, 1}
				sizes := s.FromInts(CPU, steps, 4)
				normal := func(shape ...int64) *Tensor { return s.Normal(CPU, 0, 0.5, shape...) }
				inputs := []*Tensor{normal(46, 4*h), normal(19, h), normal(19, h), normal(4*h, h), normal(4 * h)}
				kernel := func(in []*Tensor) []*Tensor { return outputs(s.PackedLSTM(in[0], in[1], in[2], in[3], in[4], sizes)) }
				composed := func(in []*Tensor) []*Tensor {
					return outputs(lstmByFormula(s, in[0], in[1], in[2], in[3], in[4], steps))
				}
				agree(t, s, inputs, kernel, composed)
				if _, err := CUDADevices(); err == nil {
					agree(t, s, inputs, kernel, onGPU(s, kernel))
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Each element of each gradient against a central difference.
func TestPackedLSTMByDifferences(t *testing.T) {
	err := Run(func(s *Scope) error {
		Seed(6)
		const h, step, tolerance = 5, 1e-2, 1e-3
		sizes := s.FromInts(CPU, []int64{3, 2, 1}, 3)
		shapes := [][]int64{{6, 4 * h}, {3, h}, {3, h}, {4 * h, h}, {4 * h}}
		values := make([][]float32, len(shapes))
		leaves := make([]*Tensor, len(shapes))
		for i, shape := range shapes {
			leaves[i] = s.Parameter(s.Normal(CPU, 0, 1, shape...))
			defer leaves[i].Free()
			var err error
			if values[i], err = s.Floats(leaves[i]); err != nil {
				return err
			}
		}
		weights := s.Normal(CPU, 0, 1, 12, h)
		weight, err := s.Floats(weights)
		if err != nil {
			return err
		}
		run := func(s *Scope, in []*Tensor) *Tensor {
			return s.Cat(0, lstmOutputs["both"](s.PackedLSTM(in[0], in[1], in[2], in[3], in[4], sizes))...)
		}
		s.Backward(s.Sum(s.Mul(run(s, leaves), weights)))

		// loss is the same sum in float64, at the values as they stand.
		loss := func() (sum float64) {
			err := s.Do(func(s *Scope) error {
				in := make([]*Tensor, len(shapes))
				for i, shape := range shapes {
					in[i] = s.FromFloats(CPU, values[i], shape...)
				}
				out, err := s.Floats(run(s, in))
				for k, v := range out {
					sum += float64(v) * float64(weight[k])
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return sum
		}
		for i := range shapes {
			grad, err := s.Floats(s.Grad(leaves[i]))
			if err != nil {
				return err
			}
			for k, x := range values[i] {
				values[i][k] = x + step
				above := loss()
				values[i][k] = x - step
				below := loss()
				values[i][k] = x
				if want := (above - below) / (2 * step); math.Abs(float64(grad[k])-want) > tolerance {
					t.Errorf("operand %d, element %d: the gradient is %v, by differences %v", i, k, grad[k], want)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPackedLSTMRefusesShapes(t *testing.T) {
	zeros := func(s *Scope, shape ...int64) *Tensor { return s.Zeros(CPU, Float, shape...) }
	for name, c := range map[string]struct {
		call func(s *Scope) (*Tensor, *Tensor)
		want string
	}{
		"three gates": {func(s *Scope) (*Tensor, *Tensor) {
			return s.PackedLSTM(zeros(s, 2, 9), zeros(s, 2, 3), zeros(s, 2, 3), zeros(s, 9, 3), zeros(s, 9), s.FromInts(CPU, []int64{2}, 1))
		}, "shapes do not match"},
		"another memory": {func(s *Scope) (*Tensor, *Tensor) {
			return s.PackedLSTM(zeros(s, 2, 12), zeros(s, 2, 3), zeros(s, 1, 3), zeros(s, 12, 3), zeros(s, 12), s.FromInts(CPU, []int64{2}, 1))
		}, "shapes do not match"},
		"sizes": {func(s *Scope) (*Tensor, *Tensor) {
			return s.PackedLSTM(zeros(s, 2, 12), zeros(s, 2, 3), zeros(s, 2, 3), zeros(s, 12, 3), zeros(s, 12), s.FromInts(CPU, []int64{2, 1}, 2))
		}, "do not add up to the 2 rows"},
	} {
		err := Run(func(s *Scope) error {
			c.call(s)
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
