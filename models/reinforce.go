package models

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// Self-critical training: Rennie et al. 2017, arXiv 1612.00563. Captions w are sampled from the
// captioner p, each of N = B·K in a step is rewarded by r(w), and the gradient of
//
//	L = −1/N Σ_n (r(w_n) − b_n) Σ_t log p(w_nt | w_n1 … w_n,t−1)
//
// over the words up to and with </s> estimates that of −E r(w) without bias, since the baseline
// b_n does not depend on w_n: it is the mean reward of the image's K − 1 other samples (Luo 2020,
// arXiv 2003.09971), or the reward of its greedy caption (Rennie et al.).
//
// There is no dropout, neither for sampling nor for the gradient: both are then the function that
// decodes, and the estimate remains unbiased. Masked words have probability 0 in both.

// samplerStream separates the sampler's random numbers from others of the same seed.
const samplerStream = 0x73616d706c657273

// Reinforce switches from cross entropy to self-critical training, between two epochs, from the
// weights that Save wrote to path and with fresh moments of the optimizer. Epochs are counted
// onwards.
func (c *Captioner) Reinforce(path string) error {
	done := c.epoch
	if err := c.Load(path); err != nil {
		return err
	}
	c.epoch = done
	c.sampler, c.samples = rand.NewPCG(uint64(c.settings.Seed), samplerStream), data.Samples{}
	for _, o := range c.optimizers() {
		if err := o.reset(); err != nil {
			return err
		}
	}
	return nil
}

// ReinforceEpoch is [Captioner.TrainEpoch] for self-critical training, after Reinforce or after
// loading a later checkpoint. The loss is the mean negative reward.
func (c *Captioner) ReinforceEpoch(ctx context.Context, reward data.Reward, progress func(step, steps int, loss float64)) (data.EpochResult, error) {
	if c.sampler == nil {
		return data.EpochResult{}, errors.New("reinforcement has not started: call Reinforce first")
	}
	r := c.settings.Train.Reinforce
	stage := &schedule{Schedule: experiments.Schedule{Name: r.Schedule}, peak: r.LR, epochs: r.Epochs, epochLong: c.schedule.epochLong}
	at := func(int) rates { return c.ratesOf(stage, int(c.optimizer.step)) } // reset when this stage began
	result, err := c.epochOf(ctx, progress, at, func(s *torch.Scope, b data.Batch, r rates) (float64, int, error) {
		return c.reinforceStep(s, captioned(b), r, reward)
	})
	if err == nil {
		samples := c.samples
		result.Samples, c.samples = &samples, data.Samples{}
	}
	return result, err
}

// captioned returns the images of a batch that have reference captions.
func captioned(b data.Batch) []int {
	var images []int
	for i, image := range b.Images {
		if b.T > 0 && b.Tokens[i*b.C*b.T] != data.PadID {
			images = append(images, image)
		}
	}
	return images
}

// reinforceStep takes one step on images. It returns the negative mean reward before it and the
// number of samples.
func (c *Captioner) reinforceStep(s *torch.Scope, images []int, at rates, reward data.Reward) (loss float64, captions int, err error) {
	if len(images) == 0 {
		return 0, 0, errors.New("none of the batch's images has a caption")
	}
	features, err := c.trainingFeatures(s, images, at)
	if err != nil {
		return 0, 0, err
	}
	r := c.settings.Train.Reinforce
	look := c.network.look(s, features, false)
	var drawn, greedy [][]int64
	var entropy float64
	err = s.Inference(func(s *torch.Scope) (err error) {
		o := experiments.Decode{MaxLength: c.settings.Decode.MaxLength, Beam: 1}
		if drawn, entropy, err = c.network.sample(s, look, o, r.Samples, c.sampler); err != nil || r.Baseline != "greedy" {
			return err
		}
		beams, err := searchOn(context.Background(), s, []*network{c.network}, []picture{look}, o)
		for _, b := range beams {
			greedy = append(greedy, b.words)
		}
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	each := make([]int, 0, len(drawn)+len(greedy)) // the image of each caption
	for _, image := range images {
		each = append(each, slices.Repeat([]int{image}, r.Samples)...)
	}
	if greedy != nil {
		each = append(each, images...)
	}
	rewards := reward(each, c.wordsOf(slices.Concat(drawn, greedy)))
	sampled, references := rewards[:len(drawn)], rewards[len(drawn):]
	if _, err := c.descend(s, c.network.policyLoss(s, look, drawn, advantages(sampled, references, r.Samples)), at); err != nil {
		return 0, 0, err
	}
	c.samples.Add(drawn, r.Samples, sampled, entropy)
	return -mean(sampled), len(drawn), nil
}

// sample draws so many captions of each of B images, in their order, up to o.MaxLength words with
// </s>; entropy is the sum over the words of that of the distribution that each was drawn from, in
// nats.
func (n *network) sample(s *torch.Scope, p picture, o experiments.Decode, each int, source *rand.PCG) (captions [][]int64, entropy float64, err error) {
	b := newSearch(s, []*network{n}, []picture{p}, o)
	random := rand.New(source)
	b.choose = func(s *torch.Scope, logp *torch.Tensor) error {
		uniform := make([]float32, logp.Size(0))
		for i := range uniform {
			uniform[i] = random.Float32()
		}
		drawn, spread := s.Sample(logp, s.FromFloats(torch.CPU, uniform, int64(len(uniform))))
		words, err := s.Ints(drawn)
		if err != nil {
			return err
		}
		nats, err := s.Floats(spread)
		if err != nil {
			return err
		}
		for _, list := range b.beams {
			for j := range list {
				if beam := &list[j]; !beam.done && len(beam.words) < o.MaxLength {
					beam.words = append(beam.words, words[beam.row])
					beam.done = words[beam.row] == data.EndID
					entropy += float64(nats[beam.row])
				}
			}
		}
		return nil
	}
	lists, err := b.run(context.Background(), s, make([]beam, each))
	if err != nil {
		return nil, 0, err
	}
	for _, list := range lists {
		for _, beam := range list {
			captions = append(captions, beam.words)
		}
	}
	return captions, entropy, nil
}

// policyLoss returns L for sampled captions, equally many per image of B images, and their
// advantages r(w) − b.
func (n *network) policyLoss(s *torch.Scope, look picture, captions [][]int64, advantages []float64) *torch.Tensor {
	p := pack(batchOf(int(look.first.hidden.Size(0)), captions))
	words := p.tensors(s, n.device)
	logits, _ := n.predict(s, look, words, false) // M×V
	weights := p.weights(advantages)
	return s.WeightedCrossEntropy(s.Add(logits, n.mask(s)), words.target, s.FromFloats(n.device, weights, int64(len(weights))))
}

// wordsOf returns captions as words, including </s>.
func (c *Captioner) wordsOf(captions [][]int64) [][]string {
	words := make([][]string, len(captions))
	for i, ids := range captions {
		words[i] = make([]string, len(ids))
		for t, id := range ids {
			words[i][t] = c.dataset.Vocabulary.Words[id]
		}
	}
	return words
}

// advantages are the rewards of samples, each of an image after the other, less their baselines:
// greedy holds the rewards of the images' greedy captions, and is empty if the baseline is the
// mean of an image's other samples.
func advantages(rewards, greedy []float64, each int) []float64 {
	out := make([]float64, len(rewards))
	for i, r := range rewards {
		image := i / each
		if len(greedy) > 0 {
			out[i] = r - greedy[image]
			continue
		}
		own := rewards[image*each : (image+1)*each]
		others := (mean(own)*float64(each) - r) / float64(each-1)
		out[i] = r - others
	}
	return out
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// batchOf returns a batch of B images with equally many captions each, given without <s>.
func batchOf(images int, captions [][]int64) data.Batch {
	b := data.Batch{Images: make([]int, images), C: len(captions) / images}
	for _, words := range captions {
		b.T = max(b.T, len(words)+1)
	}
	b.Tokens = make([]int64, len(captions)*b.T) // PadID is 0
	for row, words := range captions {
		b.Tokens[row*b.T] = data.StartID
		copy(b.Tokens[row*b.T+1:], words)
	}
	return b
}

// weights returns, for each position, the value of its caption divided by the number of captions.
func (p *positions) weights(captions []float64) []float32 {
	out := make([]float32, 0, len(p.input))
	for _, size := range p.sizes {
		for _, row := range p.row[:size] {
			out = append(out, float32(captions[row]/float64(len(captions))))
		}
	}
	return out
}
