package models

import (
	"math"

	"glimpse/data"
	"glimpse/internal/torch"
)

// explain reads finished captions, one for each of B images, features B×R×D,
// and fills in where the network looked before each word: the entropy of the
// attention over the regions in nats, and the sentinel's weight β. Arms without
// weights leave both nil.
func (n *network) explain(s *torch.Scope, features *torch.Tensor, beams []beam, captions []data.Caption) error {
	if !n.arm.scores {
		return s.Err()
	}
	b := data.Batch{Images: make([]int, len(beams)), C: 1}
	for _, beam := range beams {
		b.T = max(b.T, len(beam.words)+1)
	}
	b.Tokens = make([]int64, len(beams)*b.T)
	for i, beam := range beams {
		b.Tokens[i*b.T] = data.StartID
		copy(b.Tokens[i*b.T+1:], beam.words)
	}
	p := pack(b)
	_, weights := n.logits(s, features, p.tensors(s, n.device), false)
	alpha, err := s.Floats(weights) // M×R or M×(R+1)
	if err != nil {
		return err
	}
	places, regions := int(weights.Size(1)), int(features.Size(1))
	at := 0
	for _, size := range p.sizes {
		for i := range int(size) {
			row := alpha[at*places : (at+1)*places]
			at++
			c := &captions[p.row[i]]
			if len(c.Entropy) == len(c.Words) {
				continue // what comes before </s> explains no word
			}
			c.Entropy = append(c.Entropy, entropy(row[:regions]))
			if n.arm.sentinel {
				c.Beta = append(c.Beta, float64(row[regions]))
			}
		}
	}
	return nil
}

// entropy is that of the weights made to sum to 1, in nats.
func entropy(weights []float32) float64 {
	sum, h := 0.0, 0.0
	for _, w := range weights {
		sum += float64(w)
	}
	for _, w := range weights {
		if p := float64(w) / sum; p > 0 {
			h -= p * math.Log(p)
		}
	}
	return h
}
