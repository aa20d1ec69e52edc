package models

import (
	"context"
	"fmt"
	"math"
	"slices"

	"glimpse/data"
	"glimpse/internal/torch"
)

// Explain reads captions word by word (teacher forcing) with the pictures that they name, and
// fills Beta, Entropy and Alpha as Caption does for its own. The captions may come from anywhere;
// words outside the vocabulary are read as <unk>. Arms without weights leave captions unchanged.
func (c *Captioner) Explain(ctx context.Context, captions []data.Caption) error {
	return torch.Run(func(s *torch.Scope) error {
		return s.Inference(func(s *torch.Scope) error {
			for part := range slices.Chunk(captions, decodeBatch) {
				if err := ctx.Err(); err != nil {
					return err
				}
				images, words := make([]int, len(part)), make([][]int64, len(part))
				for i := range part {
					images[i] = part[i].Image
					part[i].Beta, part[i].Entropy, part[i].Alpha = nil, nil, nil
					for _, w := range part[i].Words {
						words[i] = append(words[i], c.dataset.Vocabulary.ID(w))
					}
				}
				err := s.Do(func(s *torch.Scope) error {
					features, err := c.source.features(s, images, pass{})
					if err != nil {
						return err
					}
					return c.network.explain(s, features, words, part)
				})
				if err != nil {
					return fmt.Errorf("read %d captions from that of %s: %w", len(part), c.dataset.Images[images[0]].ID, err)
				}
			}
			return nil
		})
	})
}

// explain reads the words of captions, one for each of B images, and fills in where the network
// attended before each word: the weights of the regions, their entropy, and the sentinel's weight
// β. Arms without weights leave all nil.
func (n *network) explain(s *torch.Scope, r regions, words [][]int64, captions []data.Caption) error {
	if !n.arm.Scores {
		return s.Err()
	}
	p := pack(oneEach(words))
	if len(p.input) == 0 {
		return s.Err() // captions of no words
	}
	_, weights := n.logits(s, r, p.tensors(s, n.device), false)
	alpha, err := s.Floats(weights) // M×R or M×(R+1)
	if err != nil {
		return err
	}
	places, most := int(weights.Size(1)), int(r.features.Size(1))
	at := 0
	for _, size := range p.sizes {
		for i := range int(size) {
			row := alpha[at*places : (at+1)*places]
			at++
			c := &captions[p.row[i]]
			if len(c.Entropy) == len(c.Words) {
				continue // what comes before </s> explains no word
			}
			own := most
			if r.counts != nil {
				own = int(r.counts[p.row[i]])
			}
			c.Alpha = append(c.Alpha, slices.Clone(row[:own]))
			c.Entropy = append(c.Entropy, entropy(row[:own]))
			if n.arm.Sentinel {
				c.Beta = append(c.Beta, float64(row[most]))
			}
		}
	}
	return nil
}

// oneEach is a batch of images with one caption each, given by its words.
func oneEach(words [][]int64) data.Batch {
	b := data.Batch{Images: make([]int, len(words)), C: 1}
	for _, w := range words {
		b.T = max(b.T, len(w)+1)
	}
	b.Tokens = make([]int64, len(words)*b.T)
	for i, w := range words {
		b.Tokens[i*b.T] = data.StartID
		copy(b.Tokens[i*b.T+1:], w)
	}
	return b
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
