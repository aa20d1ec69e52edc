package models

import (
	"math/rand/v2"
	"slices"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// BenchmarkStep takes steps of both stages at the size of a study of Flickr8k, on captions of
// about eleven words: what is computed from features on. Run it with one thread: OMP_NUM_THREADS=1
// go test ./models -run - -bench Step.
func BenchmarkStep(b *testing.B) {
	const images, each, words = 16, 5, 11
	sizes := captioner.Sizes{Vocabulary: 2543, Features: 1280, Embedding: 256, Hidden: 512, Attention: 256, Layers: 1}
	arm, err := captioner.ArmOf("adaptive")
	if err != nil {
		b.Fatal(err)
	}
	err = torch.Run(func(s *torch.Scope) error {
		p, err := newParameters(s, torch.CPU, arm.Parameters(captioner.Cells[0], sizes), nil)
		if err != nil {
			return err
		}
		defer p.free()
		n, err := newNetwork(p, torch.CPU, arm, captioner.Cells[0], sizes, 0.3)
		if err != nil {
			return err
		}
		bias := make([]float32, sizes.Vocabulary)
		bias[data.EndID] = 5.4 // as likely as one word in eleven
		s.CopyInto(n.out.b, s.FromFloats(torch.CPU, bias, sizes.Vocabulary))
		opt, err := newOptimizer(s, experiments.Optimizer{Name: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, ClipNorm: 5}, torch.CPU, p.tensors)
		if err != nil {
			return err
		}
		defer opt.free()
		features := s.Normal(torch.CPU, 0, 1, images, 49, sizes.Features)
		caption := slices.Repeat([]int64{4}, words)
		caption[words-1] = data.EndID
		reference := pack(batchOf(images, slices.Repeat([][]int64{caption}, images*each)))
		source := rand.NewPCG(1, samplerStream)
		sample := func(s *torch.Scope, look picture) (drawn [][]int64, err error) {
			err = s.Inference(func(s *torch.Scope) error {
				drawn, _, err = n.sample(s, look, experiments.Decode{MaxLength: 24}, each, source)
				return err
			})
			return drawn, err
		}
		descend := func(s *torch.Scope, loss *torch.Tensor) error {
			s.ZeroGrad(p.tensors)
			s.Backward(loss)
			scale, err := clip(s, p.tensors, opt.ClipNorm)
			if err != nil {
				return err
			}
			return opt.update(s, scale, 0)
		}
		for _, part := range []struct {
			name string
			step func(s *torch.Scope) error
		}{
			{"cross-entropy", func(s *torch.Scope) error {
				w := reference.tensors(s, torch.CPU)
				logits, _ := n.logits(s, regions{features: features}, w, true)
				return descend(s, s.CrossEntropy(logits, w.target, 0.1))
			}},
			{"reinforce", func(s *torch.Scope) error {
				look := n.look(s, regions{features: features}, false)
				drawn, err := sample(s, look)
				if err != nil {
					return err
				}
				return descend(s, n.policyLoss(s, look, drawn, make([]float64, len(drawn))))
			}},
			{"sample", func(s *torch.Scope) error {
				_, err := sample(s, n.look(s, regions{features: features}, false))
				return err
			}},
		} {
			b.Run(part.name, func(b *testing.B) {
				if err := torch.Run(func(s *torch.Scope) (err error) { // a benchmark has a thread of its own
					for b.Loop() && err == nil {
						err = s.Do(part.step)
					}
					return err
				}); err != nil {
					b.Fatal(err)
				}
			})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
