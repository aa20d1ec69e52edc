package torch

import lib "github.com/sugarme/gotch/libtch"

// Uniform returns a float tensor drawn from [low, high) with the generator of
// the device, which Seed sets.
func (s *Scope) Uniform(device Device, low, high float64, shape ...int64) *Tensor {
	t := s.Zeros(device, Float, shape...)
	return s.op("uniform", func(out *lib.Ctensor) { lib.AtgUniform_(out, t.c, low, high) }, t)
}

// Normal returns a float tensor drawn from a normal distribution with the
// generator of the device, which Seed sets.
func (s *Scope) Normal(device Device, mean, deviation float64, shape ...int64) *Tensor {
	t := s.Zeros(device, Float, shape...)
	return s.op("normal", func(out *lib.Ctensor) { lib.AtgNormal_(out, t.c, mean, deviation) }, t)
}
