package models

import (
	"slices"

	"glimpse/internal/torch"
)

// The captioner. With f_i the R grid features of a picture, f̄ their mean and
// v_i = relu(W_r f_i), every arm runs the same recurrence, a GRU or an LSTM,
//
//	x_t = [E w_t ; relu(W_g f̄)],  h_0 = tanh(W_0 f̄),  h_t = GRU(x_t, h_{t−1})
//	or  m_0 = tanh(W_m f̄),  (h_t, m_t) = LSTM(x_t, h_{t−1}, m_{t−1})
//
// and predicts the next word from
//
//	none      h_t
//	uniform   mean of v_i + h_t
//	soft      c_t + h_t,  e_i = w·tanh(W_v v_i + W_q h_t), α = softmax(e), c_t = Σ α_i v_i
//	adaptive  ĉ_t + h_t,  with the sentinel s_t = σ(W_x x_t + W_s h_{t−1}) ⊙ tanh(m_t) as one more place
//
// Soft attention, and a first state and memory cell from f̄: Xu et al. 2015,
// arXiv 1502.03044. The sentinel: Lu et al. 2017, arXiv 1612.01887, equations 9 and 10
// (β by 11 and 12); a GRU has no memory cell, and its state h_t stands for m_t. Gates
// are PyTorch's, with its first weights: nothing is added to the bias of the forget gate.
//
// Where images have different numbers of regions, f̄ and the mean of v_i are those of an image's own, and attention sees
// no others.
//
// The recurrence does not read what was attended, so that in training it runs
// over all steps at once, and attention over all positions at once.

// picture is what the network computes once for each image of a batch.
type picture struct {
	global *torch.Tensor // B×E
	first  state         // B×H, before the first word
	gates  *torch.Tensor // B×GH, the image's part of the first layer's gates, bias included
	values *torch.Tensor // B×R×H; for uniform their mean B×H
	keys   *torch.Tensor // B×R×K
	gate   *torch.Tensor // B×H, the image's part of the sentinel's gate, bias included
	own    *own          // which regions of values and keys are an image's own; nil if all are
}

// state is what a layer of the recurrence hands from word to word, a row for each caption.
type state struct {
	hidden *torch.Tensor // h, rows×H
	memory *torch.Tensor // m, rows×H, of an LSTM; nil for a GRU
}

// each applies f to what a state holds.
func (st state) each(f func(t *torch.Tensor) *torch.Tensor) state {
	st.hidden = f(st.hidden)
	if st.memory != nil {
		st.memory = f(st.memory)
	}
	return st
}

// look computes an image's part.
func (n *network) look(s *torch.Scope, r regions, training bool) picture {
	e, own := n.sizes.Embedding, r.own(s, n.device)
	mean := own.mean(s, r.features) // B×D
	p := picture{
		own:    own,
		global: s.Relu(n.global.of(s, s.Dropout(mean, n.dropout, training))), // B×E
		first:  state{hidden: s.Tanh(n.init.of(s, mean))},                    // B×H
	}
	if n.cell.Memory {
		p.first.memory = s.Tanh(n.initMemory.of(s, mean)) // B×H
	}
	p.gates = s.Add(s.Linear(p.global, s.Narrow(n.layers[0].wIH, 1, e, e), nil), n.layers[0].bIH) // B×GH
	if n.arm.Regions {
		p.values = s.Relu(n.region.of(s, s.Dropout(r.features, n.dropout, training))) // B×R×H
	}
	switch {
	case n.arm.Scores:
		p.keys = n.key.of(s, p.values) // B×R×K
	case n.arm.Regions:
		p.values = own.mean(s, p.values) // B×H
	}
	if n.arm.Sentinel {
		p.gate = s.Add(n.gateX.part(s, p.global, e, e), n.gateX.b) // B×H
	}
	return p
}

// read runs the recurrence over packed words from the states first (L of N×H,
// one a layer) and gives the words' embeddings M×E and the states of each layer, M×H.
func (n *network) read(s *torch.Scope, p picture, w packed, first []state, training bool) (words *torch.Tensor, states []state) {
	words = s.Dropout(s.Embedding(n.embed, w.input), n.dropout, training) // M×E
	input := s.Linear(words, s.Narrow(n.layers[0].wIH, 1, 0, n.sizes.Embedding), nil)
	input = s.Add(input, s.Pick(p.gates, w.image)) // M×GH
	for l, layer := range n.layers {
		if l > 0 {
			below := s.Dropout(states[l-1].hidden, n.dropout, training)
			input = s.Linear(below, layer.wIH, layer.bIH) // M×GH
		}
		states = append(states, n.recur(s, layer, input, first[l], w.sizes)) // M×H
	}
	return words, states
}

// recur runs one layer, input M×GH, from the states N×H and gives those of all words, M×H.
func (n *network) recur(s *torch.Scope, layer recurrentLayer, input *torch.Tensor, first state, sizes *torch.Tensor) state {
	if n.cell.Memory {
		hidden, memory := s.PackedLSTM(input, first.hidden, first.memory, layer.wHH, layer.bHH, sizes)
		return state{hidden, memory}
	}
	return state{hidden: s.PackedGRU(input, first.hidden, layer.wHH, layer.bHH, sizes)}
}

// A head is the last part of an arm's formulas: what the words are predicted from, M×H, and where
// the network looked, M×R or M×(R+1) with β last; nil for arms without weights. It is given the
// embeddings M×E of the words that were read, and the states M×H of the top layer before and
// after.
type head func(n *network, s *torch.Scope, p picture, w packed, words, before *torch.Tensor, after state) (seen, weights *torch.Tensor)

// heads are those of captioner.Arms, by their names.
var heads = map[string]head{"none": stateAlone, "uniform": meanOfRegions, "soft": attended, "adaptive": attended}

func (n *network) head(s *torch.Scope, p picture, w packed, words, before *torch.Tensor, after state) (seen, weights *torch.Tensor) {
	return heads[n.arm.Name](n, s, p, w, words, before, after)
}

func stateAlone(_ *network, _ *torch.Scope, _ picture, _ packed, _, _ *torch.Tensor, after state) (seen, weights *torch.Tensor) {
	return after.hidden, nil
}

func meanOfRegions(_ *network, s *torch.Scope, p picture, w packed, _, _ *torch.Tensor, after state) (seen, weights *torch.Tensor) {
	return s.Add(s.Pick(p.values, w.image), after.hidden), nil
}

// attended is the head of soft and adaptive attention.
func attended(n *network, s *torch.Scope, p picture, w packed, words, before *torch.Tensor, after state) (seen, weights *torch.Tensor) {
	query := n.query.of(s, after.hidden) // M×K
	var sentinel, key *torch.Tensor
	if n.arm.Sentinel {
		memory := after.hidden
		if n.cell.Memory {
			memory = after.memory
		}
		gate := s.Add(n.gateX.part(s, words, 0, n.sizes.Embedding), n.gateH.of(s, before)) // M×H
		gate = s.Sigmoid(s.Add(gate, s.Pick(p.gate, w.image)))                             // M×H
		sentinel = s.Mul(gate, s.Tanh(memory))                                             // M×H
		key = n.sentinelKey.of(s, sentinel)                                                // M×K
	}
	context, weights := s.AdditiveAttention(query, p.keys, n.score.w, p.values, key, sentinel, p.own.attended(), w.groups) // M×H
	return s.Add(context, after.hidden), weights
}

// logits is the forward pass in training: the features of B images and the positions of
// the batch give the logits of every position, M×V, and the attention weights.
func (n *network) logits(s *torch.Scope, r regions, w packed, training bool) (logits, weights *torch.Tensor) {
	return n.predict(s, n.look(s, r, training), w, training)
}

// predict returns the logits of every position, M×V, and the attention weights from what was
// computed of the images.
func (n *network) predict(s *torch.Scope, p picture, w packed, training bool) (logits, weights *torch.Tensor) {
	start := p.first.each(func(t *torch.Tensor) *torch.Tensor { return s.Pick(t, w.rowImage) }) // N×H
	words, states := n.read(s, p, w, slices.Repeat([]state{start}, len(n.layers)), training)
	top := states[len(states)-1] // M×H
	var before *torch.Tensor
	if n.arm.Sentinel {
		before = s.Pick(s.Cat(0, start.hidden, top.hidden), w.previous) // M×H
	}
	seen, weights := n.head(s, p, w, words, before, top)
	return n.out.of(s, s.Dropout(seen, n.dropout, training)), weights // M×V
}
