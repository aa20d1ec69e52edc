package models

import (
	"context"
	"fmt"
	"slices"

	"glimpse/data"
	"glimpse/internal/torch"
)

// WriteLogits reads a caption of T words on a picture, S×S×3 bytes as data.Squash gives them, and writes what the words are
// drawn from to a safetensors file of float32: pixels 3×S×S as the encoder sees them, features R×D as it gives them, words
// T+1, the ids that are read (<s> and the caption's), and logits (T+1)×V, of the words and what comes after the last. The
// checkpoint opens in other programs; these numbers tell them whether they compute the same.
func (p *Pictures) WriteLogits(ctx context.Context, path string, pixels []uint8, words []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tokens, read := []int64{data.StartID}, []float32{data.StartID}
	for _, w := range words {
		id := slices.Index(p.vocabulary, w)
		if id < 0 {
			id = data.UnknownID
		}
		tokens, read = append(tokens, int64(id)), append(read, float32(id))
	}
	tokens = append(tokens, data.EndID)
	batch := pack(data.Batch{Images: []int{0}, Tokens: tokens, C: 1, T: len(tokens)})
	side := int64(p.size)
	err := torch.Run(func(s *torch.Scope) error {
		return s.Inference(func(s *torch.Scope) error {
			x, err := p.input(s, [][]uint8{pixels})
			if err != nil {
				return err
			}
			features := p.encode(s, x)                                                    // 1×R×D
			logits, _ := p.network.logits(s, features, batch.tensors(s, p.device), false) // (T+1)×V
			var out []namedTensor
			for _, t := range []struct {
				name   string
				tensor *torch.Tensor
				shape  []int64
			}{
				{"pixels", s.View(x, 3, side, side), []int64{3, side, side}},
				{"features", features, []int64{features.Size(1), features.Size(2)}},
				{"logits", logits, []int64{logits.Size(0), logits.Size(1)}},
			} {
				values, err := s.Floats(t.tensor)
				if err != nil {
					return err
				}
				out = append(out, namedTensor{t.name, t.shape, values})
			}
			_, err = writeSafetensors(path, append(out, namedTensor{"words", []int64{int64(len(read))}, read}))
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("writing logits: %w", err)
	}
	return nil
}
