package models

import (
	"fmt"
	"slices"

	"glimpse/captioner"
	"glimpse/internal/torch"
)

// network is the captioner of one arm: the recurrence that all arms share, and the arm's head.
// See forward.go for the computation. Shapes: B images, R regions of D features, N captions, M
// positions (words to predict), V words, E embedding, H hidden, K attention.
type network struct {
	*parameters
	device  torch.Device
	sizes   captioner.Sizes
	arm     captioner.Arm
	cell    captioner.Cell
	dropout float64

	embed      *torch.Tensor // V×E
	global     linear        // D→E, what every word sees of the picture
	init       linear        // D→H, the first state
	initMemory linear        // D→H, the first memory cell, of an LSTM
	layers     []recurrentLayer
	out        linear // H→V

	region      linear // D→H, all arms but none
	key         linear // H→K, soft and adaptive, as the next two
	query       linear // H→K
	score       linear // K→1
	gateX       linear // 2E→H, adaptive, as the next two
	gateH       linear // H→H
	sentinelKey linear // H→K
}

// recurrentLayer holds a layer's parameters in PyTorch's layout, G gates below each
// other: r, z, n of a GRU, i, f, g, o of an LSTM.
type recurrentLayer struct{ wIH, wHH, bIH, bHH *torch.Tensor }

// newNetwork names the layers of a captioner in its parameters, which may hold
// others besides, such as those of an encoder that is trained with it.
func newNetwork(p *parameters, device torch.Device, a captioner.Arm, c captioner.Cell, z captioner.Sizes, dropout float64) (*network, error) {
	if heads[a.Name] == nil {
		return nil, fmt.Errorf("model.attention %s has no head: add it to heads in models/forward.go", a.Name)
	}
	n := &network{
		parameters: p, device: device, sizes: z, arm: a, cell: c, dropout: dropout,
		embed:       p.byName["embed.weight"],
		global:      p.linear("global_"),
		init:        p.linear("init"),
		initMemory:  p.linear("init_c"),
		out:         p.linear("out"),
		region:      p.linear("region"),
		key:         p.linear("key"),
		query:       p.linear("query"),
		score:       p.linear("score"),
		gateX:       p.linear("gate_x"),
		gateH:       p.linear("gate_h"),
		sentinelKey: p.linear("sentinel_key"),
	}
	for l := range z.Layers {
		named := func(kind string) *torch.Tensor { return p.byName[fmt.Sprintf("%s.%s_l%d", c.Name, kind, l)] }
		n.layers = append(n.layers, recurrentLayer{named("weight_ih"), named("weight_hh"), named("bias_ih"), named("bias_hh")})
	}
	return n, nil
}

// laidOut returns the network with weights laid out for the steps of a search: those of the
// states in columns, and all rounded as the products' operands are. A pass over whole captions
// does both itself, once. The copies belong to s.
func (n *network) laidOut(s *torch.Scope) *network {
	laid := *n
	laid.layers = slices.Clone(n.layers)
	for l := range laid.layers {
		layer := &laid.layers[l]
		layer.wHH = s.Operand(s.Permute(s.Contiguous(s.Permute(s.Detach(layer.wHH), 1, 0)), 1, 0)) // GH×H
		layer.wIH = s.Operand(s.Detach(layer.wIH))
	}
	for _, l := range []*linear{&laid.out, &laid.query, &laid.gateX, &laid.gateH, &laid.sentinelKey} {
		if l.w != nil {
			l.w = s.Operand(s.Detach(l.w))
		}
	}
	return &laid
}
