package torch

import (
	"math"
	"testing"
)

// near fails unless two tensors agree within tolerance.
func near(t *testing.T, s *Scope, what string, got, want *Tensor, tolerance float64) {
	t.Helper()
	a, err := s.Floats(got)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	b, err := s.Floats(want)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if len(a) != len(b) {
		t.Fatalf("%s: %d values, want %d", what, len(a), len(b))
	}
	for i := range a {
		if d := math.Abs(float64(a[i]) - float64(b[i])); !(d <= tolerance) {
			t.Fatalf("%s: value %d is %v, want %v", what, i, a[i], b[i])
		}
	}
}

// gradients runs f on fresh copies of the inputs as parameters, sums its outputs
// weighted by fixed noise, and returns outputs and gradients.
func gradients(t *testing.T, s *Scope, inputs []*Tensor, f func(in []*Tensor) []*Tensor) (outputs, grads []*Tensor) {
	t.Helper()
	var leaves []*Tensor
	for _, in := range inputs {
		p := s.Parameter(s.MulScalar(in, 1))
		t.Cleanup(p.Free)
		leaves = append(leaves, p)
	}
	outputs = f(leaves)
	Seed(99)
	loss := s.Zeros(CPU, Float)
	for _, out := range outputs {
		loss = s.Add(loss, s.Sum(s.Mul(out, s.Normal(CPU, 0, 1, out.Shape()...))))
	}
	s.Backward(loss)
	for _, p := range leaves {
		grads = append(grads, s.Grad(p))
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return outputs, grads
}

// agree compares a kernel with its composition, outputs and gradients.
func agree(t *testing.T, s *Scope, inputs []*Tensor, kernel, composed func(in []*Tensor) []*Tensor) {
	t.Helper()
	agreeWithin(t, s, 2e-5, 2e-4, inputs, kernel, composed)
}

// agreeWithin is agree with other tolerances.
func agreeWithin(t *testing.T, s *Scope, output, gradient float64, inputs []*Tensor, kernel, composed func(in []*Tensor) []*Tensor) {
	t.Helper()
	out, grads := gradients(t, s, inputs, kernel)
	wantOut, wantGrads := gradients(t, s, inputs, composed)
	for i := range out {
		near(t, s, "output", out[i], wantOut[i], output)
	}
	for i := range grads {
		near(t, s, "gradient", grads[i], wantGrads[i], gradient)
	}
}
