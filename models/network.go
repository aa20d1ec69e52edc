package models

import (
	"fmt"

	"glimpse/experiments"
	"glimpse/internal/torch"
)

// sizes are the dimensions of a captioner. In shapes: B images, R regions of D
// features, N captions, M positions (words to predict), V words, E Embedding,
// H Hidden, K Attention.
type sizes struct {
	vocabulary, features, embedding, hidden, attention, layers int64
}

// network is the captioner of one arm: the GRU that all arms share, and the
// arm's head. See forward.go for the computation.
type network struct {
	*parameters
	device  torch.Device
	sizes   sizes
	arm     arm
	dropout float64

	embed  *torch.Tensor // V×E
	global linear        // D→E, what every word sees of the picture
	init   linear        // D→H, the first state
	gru    []gruLayer
	out    linear // H→V

	region      linear // D→H, all arms but none
	key         linear // H→K, soft and adaptive, as the next two
	query       linear // H→K
	score       linear // K→1
	gateX       linear // 2E→H, adaptive, as the next two
	gateH       linear // H→H
	sentinelKey linear // H→K
}

// gruLayer holds a layer's parameters in PyTorch's layout: gates r, z, n.
type gruLayer struct{ wIH, wHH, bIH, bHH *torch.Tensor }

// arm says what the word is predicted from; see the arms table in forward.go.
type arm struct {
	regions  bool // looks at regions at all
	scores   bool // weighs them by additive attention
	sentinel bool // has the visual sentinel
}

var arms = map[string]arm{
	"none":     {},
	"uniform":  {regions: true},
	"soft":     {regions: true, scores: true},
	"adaptive": {regions: true, scores: true, sentinel: true},
}

// networkShapes lists the parameters of a captioner, in the order and by the
// names of the reference implementation's state dict.
func networkShapes(a arm, z sizes) []shape {
	e, h := z.embedding, z.hidden
	shapes := []shape{{"embed.weight", []int64{z.vocabulary, e}, 0}}
	shapes = append(shapes, linearShapes("global_", z.features, e, true)...)
	shapes = append(shapes, linearShapes("init", z.features, h, true)...)
	for l := range z.layers {
		in := h
		if l == 0 {
			in = 2 * e
		}
		// PyTorch draws all four from ±1/√H.
		bound := linearShapes("", h, 1, false)[0].bound
		shapes = append(shapes,
			shape{fmt.Sprintf("gru.weight_ih_l%d", l), []int64{3 * h, in}, bound},
			shape{fmt.Sprintf("gru.weight_hh_l%d", l), []int64{3 * h, h}, bound},
			shape{fmt.Sprintf("gru.bias_ih_l%d", l), []int64{3 * h}, bound},
			shape{fmt.Sprintf("gru.bias_hh_l%d", l), []int64{3 * h}, bound})
	}
	shapes = append(shapes, linearShapes("out", h, z.vocabulary, true)...)
	if a.regions {
		shapes = append(shapes, linearShapes("region", z.features, h, true)...)
	}
	if a.scores {
		shapes = append(shapes, linearShapes("key", h, z.attention, false)...)
		shapes = append(shapes, linearShapes("query", h, z.attention, false)...)
		shapes = append(shapes, linearShapes("score", z.attention, 1, false)...)
	}
	if a.sentinel {
		shapes = append(shapes, linearShapes("gate_x", 2*e, h, true)...)
		shapes = append(shapes, linearShapes("gate_h", h, h, true)...)
		shapes = append(shapes, linearShapes("sentinel_key", h, z.attention, false)...)
	}
	return shapes
}

// newNetwork names the layers of a captioner in its parameters, which may hold
// others besides, such as those of an encoder that is trained with it.
func newNetwork(p *parameters, device torch.Device, a arm, z sizes, dropout float64) *network {
	n := &network{
		parameters: p, device: device, sizes: z, arm: a, dropout: dropout,
		embed:       p.byName["embed.weight"],
		global:      p.linear("global_"),
		init:        p.linear("init"),
		out:         p.linear("out"),
		region:      p.linear("region"),
		key:         p.linear("key"),
		query:       p.linear("query"),
		score:       p.linear("score"),
		gateX:       p.linear("gate_x"),
		gateH:       p.linear("gate_h"),
		sentinelKey: p.linear("sentinel_key"),
	}
	for l := range z.layers {
		named := func(kind string) *torch.Tensor { return p.byName[fmt.Sprintf("gru.%s_l%d", kind, l)] }
		n.gru = append(n.gru, gruLayer{named("weight_ih"), named("weight_hh"), named("bias_ih"), named("bias_hh")})
	}
	return n
}

// sizesOf gives the dimensions that a model's settings ask for.
func sizesOf(m experiments.Model, vocabulary, features int64) sizes {
	return sizes{
		vocabulary: vocabulary, features: features, embedding: int64(m.Embedding),
		hidden: int64(m.Hidden), attention: int64(m.AttentionSize), layers: int64(max(m.Layers, 1)),
	}
}
