package torch

import (
	"math"
	"testing"
)

// inBfloat16 are the values of t rounded to bfloat16, ties to even, as float32.
func inBfloat16(t *testing.T, s *Scope, x *Tensor) *Tensor {
	t.Helper()
	values, err := s.Floats(x)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		bits := math.Float32bits(v)
		values[i] = math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff)
	}
	return s.FromFloats(CPU, values, x.Shape()...)
}

// bfloat16 has outputs computed in that precision.
func bfloat16(t *testing.T, s *Scope, f func(in []*Tensor) []*Tensor) func(in []*Tensor) []*Tensor {
	return func(in []*Tensor) (out []*Tensor) {
		err := s.Bfloat16(func(*Scope) error { out = f(in); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// A product in bfloat16 is that of rounded operands in float32, forward and backward, of every
// layout; one outside of it is not rounded.
func TestLinearInBfloat16(t *testing.T) {
	for _, c := range []struct{ m, i, o int64 }{{1, 1, 1}, {3, 5, 2}, {1, 33, 65}, {70, 300, 129}} {
		err := Run(func(s *Scope) error {
			Seed(5)
			x, w, b := s.Normal(CPU, 0, 1, c.m, c.i), s.Normal(CPU, 0, 1, c.o, 2*c.i), s.Normal(CPU, 0, 1, c.o)
			c := inBfloat16(t, s, s.Normal(CPU, 0, 1, c.m, c.o)) // the gradient of the result, kept as it is by rounding
			run := func(in bool, x, w *Tensor) []*Tensor {
				px, pw, pb := s.Parameter(s.MulScalar(x, 1)), s.Parameter(s.MulScalar(w, 1)), s.Parameter(s.MulScalar(b, 1))
				defer px.Free()
				defer pw.Free()
				defer pb.Free()
				f := func(s2 *Scope) error {
					part := s.Narrow(pw, 1, 1, x.Size(1)) // a part of a wider matrix
					y := s.Linear(px, part, pb)
					s.Backward(s.Sum(s.Mul(y, c)))
					x = y
					return nil
				}
				if !in {
					f(s)
				} else if err := s.Bfloat16(f); err != nil {
					t.Fatal(err)
				}
				return []*Tensor{x, s.MulScalar(s.Grad(px), 1), s.MulScalar(s.Grad(pw), 1), s.MulScalar(s.Grad(pb), 1)}
			}
			got, want := run(true, x, w), run(false, inBfloat16(t, s, x), inBfloat16(t, s, w))
			for k, what := range []string{"result", "gradient of x", "gradient of w", "gradient of b"} {
				near(t, s, what, got[k], want[k], 5e-5)
			}
			if x.Len() > 1 {
				full := run(false, x, w)
				a, _ := s.Floats(got[0])
				b, _ := s.Floats(full[0])
				for k := range a {
					if a[k] != b[k] {
						return s.Err()
					}
				}
				t.Error("nothing was rounded")
			}
			return s.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The recurrences round what their composition of linear layers rounds. One float32 that differs in
// its last bit can round to the next bfloat16, hence the tolerance, of some 2⁻⁸ of the values.
func TestRecurrencesInBfloat16(t *testing.T) {
	err := Run(func(s *Scope) error {
		Seed(2)
		const h = 21
		steps := []int64{19, 19, 7, 1}
		sizes := s.FromInts(CPU, steps, 4)
		normal := func(shape ...int64) *Tensor { return s.Normal(CPU, 0, 0.5, shape...) }
		lstm := []*Tensor{normal(46, 4*h), normal(19, h), normal(19, h), normal(4*h, h), normal(4 * h)}
		kernel := func(in []*Tensor) []*Tensor {
			states, memories := s.PackedLSTM(in[0], in[1], in[2], in[3], in[4], sizes)
			return []*Tensor{states, memories}
		}
		composed := func(in []*Tensor) []*Tensor {
			states, memories := lstmByFormula(s, in[0], in[1], in[2], in[3], in[4], steps)
			return []*Tensor{states, memories}
		}
		agreeWithin(t, s, 2e-3, 5e-2, lstm, bfloat16(t, s, kernel), bfloat16(t, s, composed))
		gru := []*Tensor{normal(46, 3*h), normal(19, h), normal(3*h, h), normal(3 * h)}
		kernel = func(in []*Tensor) []*Tensor { return []*Tensor{s.PackedGRU(in[0], in[1], in[2], in[3], sizes)} }
		composed = func(in []*Tensor) []*Tensor { return []*Tensor{gruByFormula(s, in[0], in[1], in[2], in[3], steps)} }
		agreeWithin(t, s, 2e-3, 5e-2, gru, bfloat16(t, s, kernel), bfloat16(t, s, composed))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A weight that was rounded before gives the same products, bit for bit; outside of Bfloat16 it stays as it is.
func TestOperand(t *testing.T) {
	err := Run(func(s *Scope) error {
		Seed(3)
		x, w := s.Normal(CPU, 0, 1, 7, 40), s.Normal(CPU, 0, 1, 30, 40)
		near(t, s, "operand in float32", s.Operand(w), w, 0)
		return s.Bfloat16(func(s *Scope) error {
			near(t, s, "product", s.Linear(x, s.Operand(w), nil), s.Linear(x, w, nil), 0)
			near(t, s, "operand", s.MulScalar(s.Operand(w), 1), inBfloat16(t, s, w), 0)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
