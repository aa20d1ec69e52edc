package torch

import (
	"strings"
	"testing"

	lib "github.com/sugarme/gotch/libtch"
)

func TestAdditiveAttention(t *testing.T) {
	for _, c := range []struct {
		name     string
		k, h, r  int64
		sentinel bool
		counts   []int64 // regions of each of the three images
	}{
		{"soft", 20, 36, 9, false, nil},
		{"adaptive", 20, 36, 9, true, nil},
		{"one region", 16, 16, 1, true, nil},
		{"full vectors", 32, 64, 49, true, nil},
		{"soft, own regions", 20, 36, 9, false, []int64{3, 9, 7}},
		{"adaptive, own regions", 20, 36, 9, true, []int64{1, 2, 9}},
		{"adaptive, all regions", 20, 36, 9, true, []int64{9, 9, 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Run(func(s *Scope) error {
				Seed(1)
				const m, b = 7, 3
				// image 1 has no position; the order within an image is free
				g := Groups{ // image 0 has positions 0, 2 and 5, image 2 the others
					Order: s.FromInts(CPU, []int64{5, 0, 2, 1, 3, 4, 6}, m),
					Start: s.FromInts(CPU, []int64{0, 3, 3, 7}, b+1),
					Cells: s.FromInts(CPU, []int64{5, 0, 2, m, m, m, m, m, 1, 3, 4, 6}, b, 4),
					Slot:  s.FromInts(CPU, []int64{1, 8, 2, 9, 10, 0, 11}, m),
				}
				normal := func(shape ...int64) *Tensor { return s.Normal(CPU, 0, 1, shape...) }
				inputs := []*Tensor{normal(m, c.k), normal(b, c.r, c.k), normal(1, c.k), normal(b, c.r, c.h)}
				if c.sentinel {
					inputs = append(inputs, normal(m, c.k), normal(m, c.h))
				} else {
					inputs = append(inputs, nil, nil)
				}
				var counts *Tensor
				if c.counts != nil {
					counts = s.FromInts(CPU, c.counts, b)
				}
				run := func(f func(q, key, w, value, sk, sv, counts *Tensor, g Groups) (*Tensor, *Tensor), g Groups, counts *Tensor) func(in []*Tensor) []*Tensor {
					return func(in []*Tensor) []*Tensor {
						var sk, sv *Tensor
						if c.sentinel {
							sk, sv = in[4], in[5]
						}
						context, weights := f(in[0], in[1], in[2], in[3], sk, sv, counts, g)
						places := c.r
						if c.sentinel {
							places++
						}
						if got := weights.Size(1); got != places {
							t.Errorf("%d weights a position, want %d", got, places)
						}
						return []*Tensor{context, weights}
					}
				}
				if !c.sentinel {
					inputs = inputs[:4]
				}
				byTable := func(q, key, w, value, sk, sv, counts *Tensor, g Groups) (*Tensor, *Tensor) {
					return s.attention(q, key, w, value, sk, sv, counts, g, true)
				}
				kernel := run(s.AdditiveAttention, g, counts)
				agree(t, s, inputs, kernel, run(byTable, g, counts))
				own := c.counts
				if own == nil {
					own = []int64{c.r, c.r, c.r}
				}
				agree(t, s, inputs, kernel, func(in []*Tensor) []*Tensor { return attentionByFormula(s, in, own) })
				if _, err := CUDADevices(); err == nil {
					there := Groups{Order: s.To(g.Order, 0), Start: s.To(g.Start, 0), Cells: s.To(g.Cells, 0), Slot: s.To(g.Slot, 0)}
					if counts != nil {
						counts = s.To(counts, 0)
					}
					agree(t, s, inputs, kernel, onGPU(s, run(s.AdditiveAttention, there, counts)))
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// attentionByFormula is the context and the weights of AdditiveAttention of the test's positions, image by image over its own
// regions alone: in has q, key, w, value and, with a sentinel, its key and value.
func attentionByFormula(s *Scope, in []*Tensor, counts []int64) []*Tensor {
	var contexts, weights []*Tensor
	most := in[1].Size(1)
	column := s.View(in[2], -1, 1) // K×1
	for _, image := range []struct {
		b, own    int64
		positions []int64
	}{{0, counts[0], []int64{0, 2, 5}}, {2, counts[2], []int64{1, 3, 4, 6}}} {
		index := s.FromInts(CPU, image.positions, int64(len(image.positions)))
		regions := func(t *Tensor) *Tensor { return s.Narrow(s.Narrow(t, 0, image.b, 1), 1, 0, image.own) } // 1×r×…
		q := s.Select(in[0], 0, index)                                                                      // P×K
		e := s.Squeeze(s.MatMul(s.Tanh(s.Add(s.Unsqueeze(q, 1), regions(in[1]))), column), 2)               // P×r
		if len(in) > 4 {
			e = s.Cat(1, e, s.MatMul(s.Tanh(s.Add(s.Select(in[4], 0, index), q)), column)) // P×(r+1)
		}
		alpha := s.Softmax(e, 1)
		context := s.MatMul(s.Narrow(alpha, 1, 0, image.own), s.Squeeze(regions(in[3]), 0)) // P×H
		if len(in) > 4 {
			context = s.Add(context, s.Mul(s.Narrow(alpha, 1, image.own, 1), s.Select(in[5], 0, index)))
		}
		contexts = append(contexts, context)
		n := int64(len(image.positions))
		places := []*Tensor{s.Narrow(alpha, 1, 0, image.own), s.FromFloats(CPU, make([]float32, n*(most-image.own)), n, most-image.own)}
		if len(in) > 4 {
			places = append(places, s.Narrow(alpha, 1, image.own, 1))
		}
		weights = append(weights, s.Cat(1, places...)) // P×R or P×(R+1)
	}
	order := s.FromInts(CPU, []int64{0, 3, 1, 4, 5, 2, 6}, 7)
	return []*Tensor{s.Select(s.Cat(0, contexts...), 0, order), s.Select(s.Cat(0, weights...), 0, order)} // M×H, M×R or M×(R+1)
}

// TestAttentionBeyondOwnRegions holds that what lies beyond an image's own regions gets no weight, whatever it is, and that
// counts that cannot be are refused.
func TestAttentionBeyondOwnRegions(t *testing.T) {
	err := Run(func(s *Scope) error {
		Seed(3)
		g := Groups{
			Order: s.FromInts(CPU, []int64{0, 1}, 2), Start: s.FromInts(CPU, []int64{0, 1, 2}, 3),
			Cells: s.FromInts(CPU, []int64{0, 1}, 2, 1), Slot: s.FromInts(CPU, []int64{0, 1}, 2),
		}
		const k, h, r = 8, 8, 5
		q, key, w, value := s.Normal(CPU, 0, 1, 2, k), s.Normal(CPU, 0, 1, 2, r, k), s.Normal(CPU, 0, 1, 1, k), s.Normal(CPU, 0, 1, 2, r, h)
		for _, byTable := range []bool{false, true} {
			_, weights := s.attention(q, key, w, value, nil, nil, s.FromInts(CPU, []int64{2, 5}, 2), g, byTable)
			alpha, err := s.Floats(weights)
			if err != nil {
				return err
			}
			for i, a := range alpha {
				if own := i >= r || i < 2; own != (a > 0) {
					t.Errorf("by table %v: the weights are %v", byTable, alpha)
					break
				}
			}
		}
		for _, counts := range [][]int64{{0, 5}, {2, 6}} {
			err := s.Do(func(s *Scope) error {
				s.AdditiveAttention(q, key, w, value, nil, nil, s.FromInts(CPU, counts, 2), g)
				return s.Err()
			})
			if err == nil {
				t.Errorf("regions %v of %d are taken", counts, r)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Rows picked any number of times, and zeros.
func TestPick(t *testing.T) {
	err := Run(func(s *Scope) error {
		Seed(7)
		index, uses := s.FromInts(CPU, []int64{2, 0, 2, 0, 2}, 5), s.FromInts(CPU, []int64{1, 3, 5, 5, 5, 5, 0, 2, 4}, 3, 3)
		picked := func(in []*Tensor) []*Tensor { return []*Tensor{s.pickByUses(in[0], Rows{index, uses})} }
		selected := func(in []*Tensor) []*Tensor { return []*Tensor{s.Select(in[0], 0, index)} }
		agree(t, s, []*Tensor{s.Normal(CPU, 0, 1, 3, 4)}, picked, selected)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// onGPU runs f on a GPU, from and to the CPU, in full precision as glimpse does.
func onGPU(s *Scope, f func(in []*Tensor) []*Tensor) func(in []*Tensor) []*Tensor {
	SetFullPrecision()
	return func(in []*Tensor) []*Tensor {
		moved := make([]*Tensor, len(in))
		for i, t := range in {
			moved[i] = s.To(t, 0)
		}
		out := f(moved)
		for i, t := range out {
			out[i] = s.To(t, CPU)
		}
		return out
	}
}

// gruByFormula is PackedGRU as PyTorch documents a GRU, step by step.
func gruByFormula(s *Scope, input, start, weight, bias *Tensor, sizes []int64) *Tensor {
	h, states, at := start, []*Tensor(nil), int64(0)
	for _, n := range sizes {
		h = s.Narrow(h, 0, 0, n)          // n×H
		part := s.Linear(h, weight, bias) // n×3H
		x := s.Narrow(input, 0, at, n)    // n×3H
		gate := func(t *Tensor, i int64) *Tensor { return s.Narrow(t, 1, i*start.Size(1), start.Size(1)) }
		r := s.Sigmoid(s.Add(gate(x, 0), gate(part, 0)))
		z := s.Sigmoid(s.Add(gate(x, 1), gate(part, 1)))
		fresh := s.Tanh(s.Add(gate(x, 2), s.Mul(r, gate(part, 2))))
		h = s.Add(fresh, s.Mul(z, s.Sub(h, fresh))) // n×H
		states = append(states, h)
		at += n
	}
	return s.Cat(0, states...)
}

func TestPackedGRU(t *testing.T) {
	err := Run(func(s *Scope) error {
		Seed(2)
		const h = 21
		sizes := s.FromInts(CPU, []int64{19, 19, 7, 1}, 4)
		normal := func(shape ...int64) *Tensor { return s.Normal(CPU, 0, 0.5, shape...) }
		inputs := []*Tensor{normal(46, 3*h), normal(19, h), normal(3*h, h), normal(3 * h)}
		kernel := func(in []*Tensor) []*Tensor { return []*Tensor{s.PackedGRU(in[0], in[1], in[2], in[3], sizes)} }
		composed := func(in []*Tensor) []*Tensor {
			return []*Tensor{gruByFormula(s, in[0], in[1], in[2], in[3], []int64{19, 19, 7, 1})}
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
}

// Sizes on both sides of where oneDNN takes over, and a weight that is a part of
// a wider one, as the words' share of the gates.
func TestLinear(t *testing.T) {
	for _, c := range []struct{ m, in, out int64 }{{3, 5, 7}, {70, 40, 90}, {1, 300, 400}, {500, 64, 3}} {
		for _, biased := range []bool{false, true} {
			err := Run(func(s *Scope) error {
				Seed(5)
				inputs := []*Tensor{s.Normal(CPU, 0, 1, 2, c.m, c.in), s.Normal(CPU, 0, 0.3, c.out, c.in+4), s.Normal(CPU, 0, 1, c.out)}
				if !biased {
					inputs = inputs[:2]
				}
				kernel := func(in []*Tensor) []*Tensor {
					w, b := s.Narrow(in[1], 1, 3, c.in), (*Tensor)(nil)
					if biased {
						b = in[2]
					}
					return []*Tensor{s.Linear(in[0], w, b)}
				}
				composed := func(in []*Tensor) []*Tensor {
					y := s.MatMul(in[0], s.Permute(s.Narrow(in[1], 1, 3, c.in), 1, 0))
					if biased {
						y = s.Add(y, in[2])
					}
					return []*Tensor{y}
				}
				agree(t, s, inputs, kernel, composed)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestLinearRefusesShapes(t *testing.T) {
	err := Run(func(s *Scope) error {
		s.Linear(s.Zeros(CPU, Float, 80, 60), s.Zeros(CPU, Float, 90, 61), nil)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "shapes do not fit") {
		t.Fatalf("got %v", err)
	}
}

func TestCrossEntropy(t *testing.T) {
	for _, smoothing := range []float64{0, 0.1} {
		err := Run(func(s *Scope) error {
			Seed(3)
			target := s.FromInts(CPU, []int64{0, 52, 17, 3, 3}, 5)
			inputs := []*Tensor{s.Normal(CPU, 0, 30, 5, 53)} // wide: the maximum must be taken out
			kernel := func(in []*Tensor) []*Tensor { return []*Tensor{s.CrossEntropy(in[0], target, smoothing)} }
			composed := func(in []*Tensor) []*Tensor {
				return []*Tensor{s.op("cross_entropy", func(out *lib.Ctensor) {
					lib.AtgCrossEntropyLoss(out, in[0].c, target.c, nil, 1, -100, smoothing)
				}, in[0])}
			}
			agree(t, s, inputs, kernel, composed)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A kernel's result must not depend on the number of threads.
func TestKernelsAreDeterministic(t *testing.T) {
	before := Threads()
	defer SetThreads(before)
	results := map[int][]float32{}
	for _, threads := range []int{1, 2} {
		SetThreads(threads)
		err := Run(func(s *Scope) error {
			Seed(4)
			const m, b, r, k, h = 64, 4, 9, 32, 48
			order := make([]int64, m)
			for i := range order {
				order[i] = int64(i)
			}
			positions := s.FromInts(CPU, order, m)
			g := Groups{Order: positions, Start: s.FromInts(CPU, []int64{0, 16, 32, 48, 64}, b+1), Cells: s.View(positions, b, -1), Slot: positions}
			w := s.Parameter(s.Normal(CPU, 0, 1, 1, k))
			defer w.Free()
			context, _ := s.AdditiveAttention(s.Normal(CPU, 0, 1, m, k), s.Normal(CPU, 0, 1, b, r, k), w, s.Normal(CPU, 0, 1, b, r, h), nil, nil, nil, g)
			s.Backward(s.Sum(context))
			values, err := s.Floats(s.Grad(w))
			results[threads] = values
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range results[1] {
		if results[1][i] != results[2][i] {
			t.Fatalf("gradient %d is %v with one thread, %v with two", i, results[1][i], results[2][i])
		}
	}
}
