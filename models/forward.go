package models

import "glimpse/internal/torch"

// The captioner. With f_i the R grid features of a picture, f̄ their mean and
// v_i = relu(W_r f_i), every arm runs the same recurrence
//
//	x_t = [E w_t ; relu(W_g f̄)],  h_0 = tanh(W_0 f̄),  h_t = GRU(x_t, h_{t−1})
//
// and predicts the next word from
//
//	none      h_t
//	uniform   mean of v_i + h_t
//	soft      c_t + h_t,  e_i = w·tanh(W_v v_i + W_q h_t), α = softmax(e), c_t = Σ α_i v_i
//	adaptive  ĉ_t + h_t,  with the sentinel s_t = σ(W_x x_t + W_s h_{t−1}) ⊙ tanh(h_t) as one more place
//
// Soft attention: Xu et al. 2015, arXiv 1502.03044; the sentinel: Lu et al.
// 2017, arXiv 1612.01887, with the state in place of an LSTM's memory cell.
//
// Where images have different numbers of regions, f̄ and the mean of v_i are those of an image's own, and attention sees
// no others.
//
// The recurrence does not read what was attended, so that in training the GRU
// runs over all steps at once, and attention over all positions at once.

// picture is what the network computes once for each image of a batch.
type picture struct {
	global *torch.Tensor // B×E
	first  *torch.Tensor // B×H, the state before the first word
	gates  *torch.Tensor // B×3H, the image's part of the first layer's gates, bias included
	values *torch.Tensor // B×R×H; for uniform their mean B×H
	keys   *torch.Tensor // B×R×K
	gate   *torch.Tensor // B×H, the image's part of the sentinel's gate, bias included
	own    *own          // which regions of values and keys are an image's own; nil where all are
}

// look computes an image's part.
func (n *network) look(s *torch.Scope, r regions, training bool) picture {
	e, own := n.sizes.Embedding, r.own(s, n.device)
	mean := own.mean(s, r.features) // B×D
	p := picture{
		own:    own,
		global: s.Relu(n.global.of(s, s.Dropout(mean, n.dropout, training))), // B×E
		first:  s.Tanh(n.init.of(s, mean)),                                   // B×H
	}
	p.gates = s.Add(s.Linear(p.global, s.Narrow(n.gru[0].wIH, 1, e, e), nil), n.gru[0].bIH) // B×3H
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
func (n *network) read(s *torch.Scope, p picture, w packed, first []*torch.Tensor, training bool) (words *torch.Tensor, states []*torch.Tensor) {
	words = s.Dropout(s.Embedding(n.embed, w.input), n.dropout, training) // M×E
	input := s.Linear(words, s.Narrow(n.gru[0].wIH, 1, 0, n.sizes.Embedding), nil)
	input = s.Add(input, s.Pick(p.gates, w.image)) // M×3H
	for l, layer := range n.gru {
		if l > 0 {
			below := s.Dropout(states[l-1], n.dropout, training)
			input = s.Linear(below, layer.wIH, layer.bIH) // M×3H
		}
		states = append(states, s.PackedGRU(input, first[l], layer.wHH, layer.bHH, w.sizes)) // M×H
	}
	return words, states
}

// A head is the last part of an arm's formulas: what the words are predicted
// from, M×H, and where the network looked, M×R or M×(R+1) with β last, nil for
// arms without weights.
type head func(n *network, s *torch.Scope, p picture, w packed, words, before, state *torch.Tensor) (seen, weights *torch.Tensor)

// heads are those of captioner.Arms, by their names.
var heads = map[string]head{"none": stateAlone, "uniform": meanOfRegions, "soft": attended, "adaptive": attended}

func (n *network) head(s *torch.Scope, p picture, w packed, words, before, state *torch.Tensor) (seen, weights *torch.Tensor) {
	return heads[n.arm.Name](n, s, p, w, words, before, state)
}

func stateAlone(_ *network, _ *torch.Scope, _ picture, _ packed, _, _, state *torch.Tensor) (seen, weights *torch.Tensor) {
	return state, nil
}

func meanOfRegions(_ *network, s *torch.Scope, p picture, w packed, _, _, state *torch.Tensor) (seen, weights *torch.Tensor) {
	return s.Add(s.Pick(p.values, w.image), state), nil
}

// attended is the head of soft and adaptive attention.
func attended(n *network, s *torch.Scope, p picture, w packed, words, before, state *torch.Tensor) (seen, weights *torch.Tensor) {
	query := n.query.of(s, state) // M×K
	var sentinel, key *torch.Tensor
	if n.arm.Sentinel {
		gate := s.Add(n.gateX.part(s, words, 0, n.sizes.Embedding), n.gateH.of(s, before)) // M×H
		gate = s.Sigmoid(s.Add(gate, s.Pick(p.gate, w.image)))                             // M×H
		sentinel = s.Mul(gate, s.Tanh(state))                                              // M×H
		key = n.sentinelKey.of(s, sentinel)                                                // M×K
	}
	context, weights := s.AdditiveAttention(query, p.keys, n.score.w, p.values, key, sentinel, p.own.attended(), w.groups) // M×H
	return s.Add(context, state), weights
}

// logits is the forward pass in training: the features of B images and the positions of
// the batch give the logits of every position, M×V, and the attention weights.
func (n *network) logits(s *torch.Scope, r regions, w packed, training bool) (logits, weights *torch.Tensor) {
	return n.predict(s, n.look(s, r, training), w, training)
}

// predict gives the logits of every position, M×V, and the attention weights
// from what was computed of the images.
func (n *network) predict(s *torch.Scope, p picture, w packed, training bool) (logits, weights *torch.Tensor) {
	start := s.Pick(p.first, w.rowImage) // N×H
	first := make([]*torch.Tensor, len(n.gru))
	for l := range first {
		first[l] = start
	}
	words, states := n.read(s, p, w, first, training)
	top := states[len(states)-1] // M×H
	var before *torch.Tensor
	if n.arm.Sentinel {
		before = s.Pick(s.Cat(0, start, top), w.previous) // M×H
	}
	seen, weights := n.head(s, p, w, words, before, top)
	return n.out.of(s, s.Dropout(seen, n.dropout, training)), weights // M×V
}
