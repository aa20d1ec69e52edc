package torch

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	lib "github.com/sugarme/gotch/libtch"
)

func TestWeightedCrossEntropy(t *testing.T) {
	err := Run(func(s *Scope) error {
		Seed(3)
		target := s.FromInts(CPU, []int64{0, 52, 17, 3, 3}, 5)
		weights := s.FromFloats(CPU, []float32{0.7, -1.3, 0, 2, -0.01}, 5)
		inputs := []*Tensor{s.Normal(CPU, 0, 10, 5, 53)}
		kernel := func(in []*Tensor) []*Tensor { return []*Tensor{s.WeightedCrossEntropy(in[0], target, weights)} }
		composed := func(in []*Tensor) []*Tensor {
			each := s.op("cross_entropy", func(out *lib.Ctensor) {
				const none, noIgnore = 0, -100
				lib.AtgCrossEntropyLoss(out, in[0].c, target.c, nil, none, noIgnore, 0)
			}, in[0])
			return []*Tensor{s.Sum(s.Mul(each, weights))}
		}
		agree(t, s, inputs, kernel, composed)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Over many draws the classes come as often as softmax says, by Pearson's χ² test, and a masked class never.
func TestSample(t *testing.T) {
	const draws, masked = 60_000, 3
	logits := []float32{0.5, -1, 2, 4, 0, -3, 1.5, -0.2, 0.9, 1.1, -2, 0.3, 0.7, -0.9, 1.9, -1.4, 0.1, 2.5, -0.6}
	logits[masked] = -1e9
	classes := len(logits)
	var total, entropy float64
	for _, x := range logits {
		total += math.Exp(float64(x))
	}
	for _, x := range logits {
		if p := math.Exp(float64(x)) / total; p > 0 {
			entropy -= p * math.Log(p)
		}
	}
	random := rand.New(rand.NewPCG(17, 4))
	uniform := make([]float32, draws)
	for i := range uniform {
		uniform[i] = random.Float32()
	}
	uniform[0], uniform[1] = 0, math.Nextafter32(1, 0) // the ends
	err := Run(func(s *Scope) error {
		rows := s.FromFloats(CPU, slices.Repeat(logits, draws), draws, int64(classes))
		drawn, spread := s.Sample(rows, s.FromFloats(CPU, uniform, draws))
		words, err := s.Ints(drawn)
		if err != nil {
			return err
		}
		nats, err := s.Floats(spread)
		if err != nil {
			return err
		}
		if d := math.Abs(float64(nats[7]) - entropy); d > 1e-5 {
			t.Errorf("entropy %v, want %v", nats[7], entropy)
		}
		if words[0] != 0 || words[1] != int64(classes-1) {
			t.Errorf("the ends of the interval give %d and %d", words[0], words[1])
		}
		count := make([]float64, classes)
		for _, w := range words {
			count[w]++
		}
		if count[masked] > 0 {
			t.Errorf("the masked class came %v times", count[masked])
		}
		chi := 0.0
		for i, x := range logits {
			if i != masked {
				want := draws * math.Exp(float64(x)) / total
				chi += (count[i] - want) * (count[i] - want) / want
			}
		}
		// 17 degrees of freedom: χ² passes 40.8 once in a thousand times.
		if chi > 40.8 {
			t.Errorf("χ² is %.1f: counts %v", chi, count)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
