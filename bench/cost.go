package bench

import (
	"fmt"

	"glimpse/captioner"
	"glimpse/experiments"
)

// StepShape is what the cost of a training step depends on besides the model.
type StepShape struct {
	Images     int `json:"images"`     // B
	Captions   int `json:"captions"`   // N
	Positions  int `json:"positions"`  // M, words to predict
	Steps      int `json:"steps"`      // T, of the recurrence
	Vocabulary int `json:"vocabulary"` // V
	Regions    int `json:"regions"`    // R
	Features   int `json:"features"`   // D
}

// cost is what a part of a training step must at least do: matrix products, or bytes to and from memory, or values of tanh.
type cost struct {
	part     string
	batch    int // products of m×k by k×n at a time
	m, k, n  int
	products int // of this size: one forward, one for each gradient that is needed
	calls    int // in which each is done, one after the other
	bytes    int
	tanh     int
}

func (c cost) flops() float64 {
	return 2 * float64(c.batch) * float64(c.m) * float64(c.k) * float64(c.n) * float64(c.products) * float64(c.calls)
}

// shape writes the size of one product.
func (c cost) shape() string {
	switch {
	case c.m == 0:
		return ""
	case c.batch > 1:
		return fmt.Sprintf("%d of %d×%d×%d", c.batch, c.m, c.k, c.n)
	default:
		return fmt.Sprintf("%d×%d×%d", c.m, c.k, c.n)
	}
}

// stepCosts lists the parts of a training step, by arithmetic over the formulas of the captioner (models/forward.go), with
// the image's share of a sum of products computed once an image, no work on padding, and nothing of M×R×K in memory.
// Features have no gradient; all else that meets a weight has one.
func stepCosts(m experiments.Model, s StepShape, parameters int64) []cost {
	e, h, k := m.Embedding, m.Hidden, m.AttentionSize
	product := func(part string, rows, in, out, products int) cost {
		return cost{part: part, batch: 1, m: rows, k: in, n: out, products: products, calls: 1}
	}
	looks, _ := captioner.ArmOf(m.Attention) // a study has been checked
	cell, _ := captioner.CellOf(m.CellName())
	gates := int(cell.Gates) * h
	values := s.Images * s.Regions * s.Features
	read := 10 * values // float16 in, float32 out, once through the mean
	if looks.Regions {
		read += 9 * values // dropout: in, out and its mask
	}
	costs := []cost{
		{part: "features: read, widened, averaged, dropped", bytes: read},
		product("image: global feature", s.Images, s.Features, e, 2),
		product("image: first state", s.Images, s.Features, h, 2),
		product("image: share of the gates", s.Images, e, gates, 3),
		product("words: share of the gates", s.Positions, e, gates, 3),
	}
	if cell.Memory {
		costs = append(costs, product("image: first memory cell", s.Images, s.Features, h, 2))
	}
	rows := max(s.Positions/max(s.Steps, 1), 1)
	recurrence := product("recurrence", rows, h, gates, 3)
	recurrence.calls = s.Steps
	costs = append(costs, recurrence)
	for range max(m.Layers, 1) - 1 {
		costs = append(costs, product("layer above: gates", s.Positions, h, gates, 3), recurrence)
	}
	if looks.Regions {
		costs = append(costs, product("regions: values", s.Images*s.Regions, s.Features, h, 2))
	}
	if looks.Scores {
		costs = append(costs,
			product("regions: keys", s.Images*s.Regions, h, k, 3),
			product("attention: queries", s.Positions, h, k, 3),
			cost{part: "attention: tanh, forward and again backward", tanh: 2 * s.Positions * s.Regions * k},
			cost{part: "attention: contexts", batch: s.Images, m: max(s.Positions/s.Images, 1), k: s.Regions, n: h, products: 3, calls: 1})
	}
	if looks.Sentinel {
		costs = append(costs,
			product("sentinel: image's share of the gate", s.Images, e, h, 3),
			product("sentinel: words' share of the gate", s.Positions, e, h, 3),
			product("sentinel: state's share of the gate", s.Positions, h, h, 3),
			product("sentinel: key", s.Positions, h, k, 3))
	}
	return append(costs,
		product("vocabulary", s.Positions, h, s.Vocabulary, 3),
		// Written by the product, read for the loss, read and written as its gradient.
		cost{part: "logits, loss and its gradient", bytes: 16 * s.Positions * s.Vocabulary},
		// The norm reads gradients; Adam reads four arrays of all parameters and writes three.
		cost{part: "clipping and Adam", bytes: 32 * int(parameters)})
}
