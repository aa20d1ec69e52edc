package models

import (
	"context"
	"fmt"

	"glimpse/data"
	"glimpse/internal/torch"
)

// Read reads captions with the pictures that they name and with others, one for each caption. The
// captions may come from anywhere; words outside the vocabulary are read as <unk>.
func (c *Captioner) Read(ctx context.Context, captions []data.Caption, others []int) ([]data.Reading, error) {
	if len(others) != len(captions) {
		return nil, fmt.Errorf("read %d captions: got %d other pictures, expected one for each", len(captions), len(others))
	}
	readings := make([]data.Reading, 0, len(captions))
	err := torch.Run(func(s *torch.Scope) error {
		return s.Inference(func(s *torch.Scope) error {
			for len(readings) < len(captions) {
				if err := ctx.Err(); err != nil {
					return err
				}
				first := len(readings)
				last := min(first+decodeBatch, len(captions))
				err := s.Do(func(s *torch.Scope) error {
					part, err := c.readBatch(s, captions[first:last], others[first:last])
					readings = append(readings, part...)
					return err
				})
				if err != nil {
					return fmt.Errorf("read %d captions from that of %s: %w", last-first, c.dataset.Images[captions[first].Image].ID, err)
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return readings, nil
}

func (c *Captioner) readBatch(s *torch.Scope, captions []data.Caption, others []int) ([]data.Reading, error) {
	images, words := make([]int, len(captions)), make([][]int64, len(captions))
	for i, caption := range captions {
		images[i] = caption.Image
		for _, w := range caption.Words {
			words[i] = append(words[i], c.dataset.Vocabulary.ID(w))
		}
		words[i] = append(words[i], data.EndID)
	}
	features, err := c.source.features(s, images, pass{})
	if err != nil {
		return nil, err
	}
	otherFeatures, err := c.source.features(s, others, pass{})
	if err != nil {
		return nil, err
	}
	n := c.network
	own, other := n.look(s, features, false), n.look(s, otherFeatures, false)
	seen := []picture{own, other}
	if n.arm.Regions {
		mixed := own
		mixed.values, mixed.keys, mixed.own = other.values, other.keys, other.own
		seen = append(seen, mixed)
	}
	if n.arm.Scores {
		// Σ α_i v̄ is (1−β) v̄: what even weights of the same sum would give.
		even := own
		even.values = s.Contiguous(s.Expand(s.Unsqueeze(own.own.mean(s, own.values), 1), own.values.Shape()...)) // B×R×H
		seen = append(seen, even)
	}
	p := pack(oneEach(words))
	w := p.tensors(s, c.device)
	logp, beta := make([][][]float64, len(seen)), make([][][]float64, len(seen))
	for k, pic := range seen {
		if logp[k], beta[k], err = n.follow(s, pic, p, w); err != nil {
			return nil, err
		}
	}
	readings := make([]data.Reading, len(captions))
	for i := range readings {
		end := len(words[i]) - 1
		r := data.Reading{LogProb: logp[0][i][:end], End: logp[0][i][end], Other: logp[1][i][:end]}
		if n.arm.Regions {
			r.Regions = logp[2][i][:end]
		}
		if n.arm.Scores {
			r.Even = logp[3][i][:end]
		}
		if n.arm.Sentinel {
			r.Beta, r.BetaOther = beta[0][i][:end], beta[1][i][:end]
		}
		readings[i] = r
	}
	return readings, nil
}

// follow gives, for each caption of a batch, the log probabilities of the words
// to come, </s> the last, and, with a sentinel, its weights before them; nil without.
func (n *network) follow(s *torch.Scope, pic picture, p positions, w packed) (logp, beta [][]float64, err error) {
	logits, weights := n.predict(s, pic, w, false)
	at := make([]int64, len(p.target)) // of the words to come in M×V
	for m, word := range p.target {
		at[m] = int64(m)*n.sizes.Vocabulary + word
	}
	all := s.View(s.LogSoftmax(logits, 1), -1)
	logp, err = p.deal(s, s.Select(all, 0, s.FromInts(n.device, at, int64(len(at)))))
	if err != nil || !n.arm.Sentinel {
		return logp, nil, err
	}
	beta, err = p.deal(s, s.Contiguous(s.Narrow(weights, 1, weights.Size(1)-1, 1)))
	return logp, beta, err
}

// deal distributes M values among the N captions, word by word.
func (p *positions) deal(s *torch.Scope, values *torch.Tensor) ([][]float64, error) {
	flat, err := s.Floats(values)
	if err != nil {
		return nil, err
	}
	parts := make([][]float64, len(p.row))
	at := 0
	for _, size := range p.sizes {
		for _, row := range p.row[:size] {
			parts[row] = append(parts[row], float64(flat[at]))
			at++
		}
	}
	return parts, nil
}
