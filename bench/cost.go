package bench

import (
	"fmt"

	"glimpse/captioner"
	"glimpse/experiments"
)

// StepShape holds the sizes, besides the model's, that determine the cost of a training step.
type StepShape struct {
	Images     int `json:"images"`     // B
	Captions   int `json:"captions"`   // N
	Positions  int `json:"positions"`  // M: words to predict
	Steps      int `json:"steps"`      // T: steps of the recurrence
	Vocabulary int `json:"vocabulary"` // V: words
	Regions    int `json:"regions"`    // R: regions of an image
	Features   int `json:"features"`   // D: features of a region
}

// cost is the least work that a part of a training step requires: matrix products, memory traffic,
// or evaluations of tanh.
type cost struct {
	part     string
	batch    int // number of m×k by k×n products in one call
	m, k, n  int
	products int // products of this size: one forward, and one for each gradient needed
	calls    int // consecutive calls that each product is split into
	bytes    int // read from or written to memory
	tanh     int // values
}

// flops is the number of floating-point operations: 2mkn for a product of m×k by k×n.
func (c cost) flops() float64 {
	return 2 * float64(c.batch) * float64(c.m) * float64(c.k) * float64(c.n) * float64(c.products) * float64(c.calls)
}

// shape formats the size of one product; "" if there is none.
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

// stepCosts lists the parts of a training step, derived from the formulas of the captioner
// (models/forward.go). It assumes that terms that depend only on the image are computed once per
// image, that padding costs nothing, and that no M×R×K values are kept in memory. Features get no
// gradient; every other input of a weight does.
func stepCosts(m experiments.Model, s StepShape, parameters int64) []cost {
	e, h, k := m.Embedding, m.Hidden, m.AttentionSize
	product := func(part string, rows, in, out, products int) cost {
		return cost{part: part, batch: 1, m: rows, k: in, n: out, products: products, calls: 1}
	}
	looks, _ := captioner.ArmOf(m.Attention) // the study was checked
	cell, _ := captioner.CellOf(m.CellName())
	gates := int(cell.Gates) * h
	values := s.Images * s.Regions * s.Features
	read := 10 * values // 2 bytes read, 4 written, 4 read for the mean
	if looks.Regions {
		read += 9 * values // dropout: 4 bytes read, 4 written, 1 of mask
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
		// Written by the product, read by the loss, read and written by its gradient.
		cost{part: "logits, loss and its gradient", bytes: 16 * s.Positions * s.Vocabulary},
		// The norm reads the gradients; Adam reads four arrays of all parameters and writes three.
		cost{part: "clipping and Adam", bytes: 32 * int(parameters)})
}
