package models

import (
	"context"
	"fmt"
	"slices"

	"glimpse/data"
	"glimpse/data/arrays"
	"glimpse/internal/torch"
)

// WriteLogits reads a caption of T words with a picture, S×S×3 bytes as from data.Squash, and
// writes inputs and outputs to a safetensors file of float32: pixels 3×S×S as the encoder sees
// them, its features R×D, words T+1, the ids that are read (<s> and the caption's), and logits
// (T+1)×V, of the words and what follows the last. Other programs that open the checkpoint can
// check with these numbers that they compute the same.
func (p *Pictures) WriteLogits(ctx context.Context, path string, pixels []uint8, words []string) error {
	return p.writeLogits(ctx, path, words, func(s *torch.Scope) (regions, []writtenTensor, error) {
		x, err := p.input(s, [][]uint8{pixels})
		if err != nil {
			return regions{}, nil, err
		}
		side := int64(p.size)
		return regions{features: p.encode(s, x)}, []writtenTensor{{"pixels", s.View(x, 3, side, side)}}, nil
	})
}

// WriteFeatureLogits is WriteLogits for given features, without pixels.
func (p *Pictures) WriteFeatureLogits(ctx context.Context, path string, given arrays.Array, words []string) error {
	return p.writeLogits(ctx, path, words, func(s *torch.Scope) (regions, []writtenTensor, error) {
		var buffer []float32
		r, err := p.given(s, []arrays.Array{given}, &buffer)
		return r, nil, err
	})
}

// writtenTensor is a tensor by the name that it has in a file.
type writtenTensor struct {
	name   string
	tensor *torch.Tensor
}

// writeLogits is WriteLogits with the features that see gives, and what else it gives to be written.
func (p *Pictures) writeLogits(ctx context.Context, path string, words []string, see func(*torch.Scope) (regions, []writtenTensor, error)) error {
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
	err := torch.Run(func(s *torch.Scope) error {
		return s.Inference(func(s *torch.Scope) error {
			seen, written, err := see(s)
			if err != nil {
				return err
			}
			logits, _ := p.network.logits(s, seen, batch.tensors(s, p.device), false) // (T+1)×V
			written = append(written, writtenTensor{"features", s.Squeeze(seen.features, 0)}, writtenTensor{"logits", logits})
			var out []namedTensor
			for _, t := range written {
				values, err := s.Floats(t.tensor)
				if err != nil {
					return err
				}
				out = append(out, namedTensor{t.name, t.tensor.Shape(), values})
			}
			_, err = writeSafetensors(path, append(out, namedTensor{"words", []int64{int64(len(read))}, read}))
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("write logits: %w", err)
	}
	return nil
}
