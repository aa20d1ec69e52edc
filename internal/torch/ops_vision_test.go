package torch

import (
	"errors"
	"slices"
	"testing"
)

func TestTidy(t *testing.T) {
	err := Run(func(s *Scope) error {
		x := s.FromFloats(CPU, []float32{-1, 7, 3}, 3)
		var inside *Tensor
		y := s.Tidy(func(s *Scope) *Tensor {
			inside = s.Relu6(x)
			return s.Add(inside, inside)
		})
		if inside.Shape() != nil {
			t.Error("a tensor within is still there")
		}
		if got, err := s.Floats(y); err != nil || !slices.Equal(got, []float32{0, 12, 6}) {
			t.Errorf("got %v, %v", got, err)
		}
		if s.Tidy(func(*Scope) *Tensor { return x }) != x {
			t.Error("a tensor from outside is not handed through")
		}
		z := s.Tidy(func(s *Scope) *Tensor { return s.MatMul(x, s.Zeros(CPU, Float, 5)) })
		if z.Shape() != nil || s.Err() == nil {
			t.Errorf("a failure within is lost: %v, %v", z.Shape(), s.Err())
		}
		if s.Tidy(func(*Scope) *Tensor { return x }).Shape() != nil {
			t.Error("a failed scope goes on")
		}
		return errors.New("ended by itself")
	})
	if err == nil || err.Error() != "ended by itself" {
		t.Error(err)
	}
}

func TestVisionOps(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(s *Scope, x *Tensor) *Tensor
		want []float32
	}{
		{"pad", func(s *Scope, x *Tensor) *Tensor { return s.Pad2d(x, 1, 0, 0, 1) },
			[]float32{0, -2, 1, 0, 4, 9, 0, 0, 0}},
		{"relu", func(s *Scope, x *Tensor) *Tensor { s.ReluInPlace(x); return x }, []float32{0, 1, 4, 9}},
		{"relu6", func(s *Scope, x *Tensor) *Tensor { s.Relu6InPlace(x); return x }, []float32{0, 1, 4, 6}},
		{"add", func(s *Scope, x *Tensor) *Tensor { s.AddInPlace(x, x); return x }, []float32{-4, 2, 8, 18}},
		{"channels last", func(s *Scope, x *Tensor) *Tensor { return s.ChannelsLast(s.Cat(1, x, s.Relu(x))) },
			[]float32{-2, 1, 4, 9, 0, 1, 4, 9}},
	} {
		err := Run(func(s *Scope) error {
			got, err := s.Floats(c.f(s, s.FromFloats(CPU, []float32{-2, 1, 4, 9}, 1, 1, 2, 2)))
			if err == nil && !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
