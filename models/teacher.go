package models

import (
	"context"
	"fmt"

	"glimpse/data"
	"glimpse/internal/torch"
)

// NextWords returns, for each of the images in order and each of its first C captions, the most
// probable word at every position given the true words before it (teacher forcing, Williams &
// Zipser 1989), up to the first </s>. The true words are those of training: cut to MaxLength,
// unknown ones as <unk>. As in captions, <pad>, <s> and <unk> are never returned.
func (c *Captioner) NextWords(ctx context.Context, images []int) ([][][]string, error) {
	words := make([][][]string, 0, len(images))
	err := torch.Run(func(s *torch.Scope) error {
		return s.Inference(func(s *torch.Scope) error {
			for len(words) < len(images) {
				part := images[len(words):min(len(words)+decodeBatch, len(images))]
				err := ctx.Err()
				if err == nil {
					err = s.Do(func(s *torch.Scope) error {
						next, err := c.nextBatch(s, part)
						words = append(words, next...)
						return err
					})
				}
				if err != nil {
					return fmt.Errorf("next words of %d images from %s: %w", len(part), c.dataset.Images[part[0]].ID, err)
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return words, nil
}

func (c *Captioner) nextBatch(s *torch.Scope, images []int) ([][][]string, error) {
	b := c.trueWords(images)
	words := make([][][]string, len(images))
	for i, image := range images {
		words[i] = make([][]string, min(b.C, len(c.dataset.Images[image].Tokens())))
	}
	p := pack(b)
	if len(p.input) == 0 {
		return words, nil
	}
	features, err := c.source.features(s, images, pass{})
	if err != nil {
		return nil, err
	}
	logits, _ := c.network.logits(s, features, p.tensors(s, c.device), false)
	_, best := s.TopK(s.Add(logits, c.network.mask(s)), 1) // M×1
	ids, err := s.Ints(best)
	if err != nil {
		return nil, err
	}
	ended := make([]bool, len(p.row))
	at := 0
	for _, size := range p.sizes {
		for i, row := range p.row[:size] {
			id := ids[at]
			at++
			if ended[i] = ended[i] || id == data.EndID; !ended[i] {
				caption := &words[row/b.C][row%b.C]
				*caption = append(*caption, c.dataset.Vocabulary.Words[id])
			}
		}
	}
	return words, nil
}

// trueWords is a batch of the first C captions of images.
func (c *Captioner) trueWords(images []int) data.Batch {
	o := c.dataset.Options
	b := data.Batch{Images: images, C: o.CaptionsPerImage}
	encoded := make([][]int64, len(images)*b.C) // nil if an image has no more captions
	for i, image := range images {
		tokens := c.dataset.Images[image].Tokens()
		for k := range min(b.C, len(tokens)) {
			ids := c.dataset.Vocabulary.Encode(tokens[k], o.MaxLength)
			encoded[i*b.C+k] = ids
			b.T = max(b.T, len(ids))
		}
	}
	b.Tokens = make([]int64, len(encoded)*b.T) // PadID is 0
	for row, ids := range encoded {
		copy(b.Tokens[row*b.T:], ids)
	}
	return b
}
