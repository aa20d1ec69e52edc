package models

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// Captioner is one trial's model with everything needed to train it. It must be used by one
// goroutine at a time.
type Captioner struct {
	settings  experiments.Settings
	dataset   *data.Dataset
	device    torch.Device
	source    source
	params    *parameters // of network and, where it is trained, of the encoder, which come first
	network   *network
	optimizer *optimizer
	encoder   *optimizer // of the last blocks of an encoder, which have a rate of their own; nil if they are not trained
	schedule  *schedule
	generator []byte // state of the device's generator between calls

	epoch, step int     // epochs done, and steps done of the epoch after those
	lossSum     float64 // over those steps
	captions    int     // in those steps

	sampler *rand.PCG    // draws sampled captions; nil before reinforcement
	samples data.Samples // of those steps
}

// source provides the features of images.
type source interface {
	// features of B images, by dataset index: float32 on the device.
	features(s *torch.Scope, images []int, of pass) (regions, error)
	// shapes are the parameters to train with the captioner's; nil when frozen.
	shapes() []captioner.Shape
	// initial are the values, by name, of those that are not to be drawn.
	initial() map[string][]float32
	// use hands the parameters over, once they exist.
	use(p *parameters)
	dim() int
	// hashes name what the features come from, besides pictures and parameters.
	hashes() map[string]string
	close() error
}

// pass says what features are for. The zero pass decodes, with plain views.
type pass struct {
	training bool
	epoch    int // of training, from 0: which view of each picture is seen
}

// newCaptioner returns a captioner whose parameters and dropout are drawn from the settings'
// seed.
func newCaptioner(settings experiments.Settings, d *data.Dataset, device torch.Device, src source) (*Captioner, error) {
	a, err := captioner.ArmOf(settings.Model.Attention)
	if err != nil {
		return nil, err
	}
	cell, err := captioner.CellOf(settings.Model.CellName())
	if err != nil {
		return nil, err
	}
	c := &Captioner{settings: settings, dataset: d, device: device, source: src}
	z := settings.Model.Sizes(len(d.Vocabulary.Words), src.dim())
	err = torch.Run(func(s *torch.Scope) (err error) {
		torch.Seed(settings.Seed)
		own := slices.Clip(src.shapes())
		if c.params, err = newParameters(s, device, append(own, a.Parameters(cell, z)...), src.initial()); err != nil {
			return err
		}
		params := c.params.tensors
		if settings.Encoder.Train.Blocks > 0 {
			if c.encoder, err = newOptimizer(s, settings.Train.Optimizer, device, params[:len(own)]); err != nil {
				return err
			}
			params = params[len(own):]
		}
		if c.optimizer, err = newOptimizer(s, settings.Train.Optimizer, device, params); err != nil {
			return err
		}
		c.generator, err = s.GeneratorState(device)
		return err
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	src.use(c.params)
	if c.network, err = newNetwork(c.params, device, a, cell, z, settings.Model.Dropout); err != nil {
		c.Close()
		return nil, err
	}
	t := settings.Train
	perEpoch := (len(d.Splits["train"]) + t.BatchImages - 1) / t.BatchImages
	c.schedule = &schedule{Schedule: t.Schedule, peak: t.Optimizer.LR, epochs: t.Epochs, epochLong: perEpoch}
	return c, nil
}

// Parameters returns the number of trained parameters.
func (c *Captioner) Parameters() int64 { return captioner.Count(c.params.shapes) }

// Hashes returns the hashes of what the captioner was made from besides settings and data: the
// weights of a frozen encoder and its features.
func (c *Captioner) Hashes() map[string]string { return c.source.hashes() }

// ValidationDone passes the epoch's value of the select metric to the schedule.
func (c *Captioner) ValidationDone(value float64) { c.schedule.observe(value) }

// Close frees the model and closes its features.
func (c *Captioner) Close() error {
	if c.params != nil {
		c.params.free()
	}
	for _, o := range c.optimizers() {
		o.free()
	}
	return c.source.close()
}

// optimizers are those of the parameters, in their order.
func (c *Captioner) optimizers() []*optimizer {
	return slices.DeleteFunc([]*optimizer{c.encoder, c.optimizer}, func(o *optimizer) bool { return o == nil })
}

// rates are the learning rates of a step of cross entropy.
func (c *Captioner) rates(step int) rates {
	return c.ratesOf(c.schedule, step)
}

// ratesOf are the learning rates of a step that a schedule gives.
func (c *Captioner) ratesOf(of *schedule, step int) rates {
	return rates{of.rate(step), c.encoderRate(of.factor(step))}
}

// encoderRate returns the learning rate of the encoder's last blocks in the current epoch, at
// this share of its peak.
func (c *Captioner) encoderRate(share float64) float64 {
	t := c.settings.Encoder.Train
	if c.encoder == nil || c.epoch+1 < t.FromEpoch {
		return 0
	}
	return share * t.LR
}

// trainingFeatures are the features of a step's images. A gradient reaches the encoder's last blocks where they have
// a learning rate.
func (c *Captioner) trainingFeatures(s *torch.Scope, images []int, r rates) (regions, error) {
	features, err := c.source.features(s, images, pass{true, c.epoch})
	if err == nil && c.encoder != nil && r.encoder == 0 {
		features.features = s.Detach(features.features)
	}
	return features, err
}

// TrainEpoch trains the next epoch, or the rest of the one in which it was stopped. When ctx ends
// it finishes the step and returns an error; a later call continues with the next step. If the
// loss is not finite it returns data.ErrDiverged with epoch and step, and leaves the parameters
// as they were before that step.
func (c *Captioner) TrainEpoch(ctx context.Context, progress func(step, steps int, loss float64)) (data.EpochResult, error) {
	return c.epochOf(ctx, progress, c.rates, c.trainStep)
}

// epochOf runs the steps of an epoch. at returns the learning rates of a step, counted over all
// epochs; step returns the loss before it and the number of its captions.
func (c *Captioner) epochOf(ctx context.Context, progress func(step, steps int, loss float64), at func(step int) rates,
	step func(s *torch.Scope, b data.Batch, r rates) (loss float64, captions int, err error)) (data.EpochResult, error) {
	train := c.settings.Train
	batches := c.dataset.Epoch("train", train.BatchImages, c.settings.Seed, c.epoch)
	if len(batches) == 0 {
		return data.EpochResult{}, fmt.Errorf("data set %s has no training images", c.dataset.Name)
	}
	var last rates
	err := torch.Run(func(s *torch.Scope) (err error) {
		if err := s.SetGeneratorState(c.device, c.generator); err != nil {
			return err
		}
		do := s.Do
		if train.Bfloat16() {
			do = s.Bfloat16
		}
		for c.step < len(batches) && err == nil {
			if err = ctx.Err(); err != nil {
				break
			}
			last = at(c.epoch*len(batches) + c.step)
			err = do(func(s *torch.Scope) error {
				loss, captions, err := step(s, batches[c.step], last)
				if err != nil {
					return fmt.Errorf("epoch %d, step %d of %d: %w", c.epoch+1, c.step+1, len(batches), err)
				}
				c.step++
				c.lossSum += loss
				c.captions += captions
				progress(c.step, len(batches), loss)
				return nil
			})
		}
		state, stateErr := s.GeneratorState(c.device)
		if stateErr != nil {
			return stateErr
		}
		c.generator = state
		return err
	})
	if err != nil {
		return data.EpochResult{}, err
	}
	result := data.EpochResult{Loss: c.lossSum / float64(len(batches)), LR: last.captioner, Captions: c.captions}
	c.epoch, c.step, c.lossSum, c.captions = c.epoch+1, 0, 0, 0
	return result, nil
}

// trainStep takes one step. It returns the loss before it, in nats per token and with the penalty
// of train.attention_penalty, and the number of captions.
func (c *Captioner) trainStep(s *torch.Scope, b data.Batch, r rates) (loss float64, captions int, err error) {
	p := pack(b)
	if len(p.input) == 0 {
		return 0, 0, fmt.Errorf("none of the batch's %d images has a caption", len(b.Images))
	}
	features, err := c.trainingFeatures(s, b.Images, r)
	if err != nil {
		return 0, 0, err
	}
	if rate := c.settings.Train.WordDropout; rate > 0 {
		p.dropWords(rate, c.settings.Seed, c.epoch, c.step)
	}
	words := p.tensors(s, c.device)
	logits, weights := c.network.logits(s, features, words, true)
	objective := s.CrossEntropy(logits, words.target, c.settings.Train.LabelSmoothing)
	if lambda := c.settings.Train.AttentionPenalty; lambda > 0 {
		objective = s.Add(objective, s.MulScalar(c.network.attentionPenalty(s, weights, features, p), lambda))
	}
	loss, err = c.descend(s, objective, r)
	return loss, len(p.row), err
}

// descend updates the parameters with the gradient of a loss, and returns the loss.
func (c *Captioner) descend(s *torch.Scope, loss *torch.Tensor, r rates) (float64, error) {
	s.ZeroGrad(c.params.tensors)
	s.Backward(loss)
	value, err := s.Item(loss)
	switch {
	case err != nil:
		return 0, err
	case math.IsNaN(value) || math.IsInf(value, 0):
		err = fmt.Errorf("%w: the loss is %v", data.ErrDiverged, value)
	default:
		err = c.update(s, r)
	}
	if errors.Is(err, data.ErrDiverged) {
		key := "train.optimizer.lr"
		if c.sampler != nil {
			key = "train.reinforce.lr"
		}
		if r.encoder > 0 {
			key += " or encoder.train.lr"
		}
		err = fmt.Errorf("%w: try a smaller %s", err, key)
	}
	return value, err
}

// update updates the parameters with their gradients, clipped together.
func (c *Captioner) update(s *torch.Scope, r rates) error {
	scale, err := clip(s, c.params.tensors, c.settings.Train.Optimizer.ClipNorm)
	if err != nil {
		return err
	}
	if r.encoder > 0 {
		if err := c.encoder.update(s, scale, r.encoder); err != nil {
			return err
		}
	}
	return c.optimizer.update(s, scale, r.captioner)
}

// decodeBatch is how many images are captioned at once.
const decodeBatch = 50

// Caption captions images by beam search, in their order. With explain it fills Beta, Entropy and
// Alpha if the model has them.
func (c *Captioner) Caption(ctx context.Context, images []int, o experiments.Decode, explain bool) ([]data.Caption, error) {
	return captionInBatches(c.dataset, images, func(s *torch.Scope, part []int) ([]data.Caption, error) {
		features, err := c.source.features(s, part, pass{})
		if err != nil {
			return nil, err
		}
		return c.network.caption(ctx, s, features, c.dataset.Vocabulary.Words, o, explain)
	})
}

// Ensemble captions images, in their order, by a beam search with several captioners: the
// probability of a word is the mean of theirs. They must have the same vocabulary; their arms,
// sizes and encoders may differ.
func Ensemble(ctx context.Context, captioners []*Captioner, images []int, o experiments.Decode) ([]data.Caption, error) {
	if len(captioners) == 0 {
		return nil, errors.New("an ensemble needs at least one captioner")
	}
	first := captioners[0].dataset
	networks := make([]*network, len(captioners))
	for i, c := range captioners {
		if c.dataset.Vocabulary.Hash() != first.Vocabulary.Hash() {
			return nil, errors.New("the captioners of an ensemble must have the same vocabulary")
		}
		networks[i] = c.network
	}
	return captionInBatches(first, images, func(s *torch.Scope, part []int) (_ []data.Caption, err error) {
		features := make([]regions, len(captioners))
		for i, c := range captioners {
			if features[i], err = c.source.features(s, part, pass{}); err != nil {
				return nil, err
			}
		}
		beams, err := search(ctx, s, networks, features, o)
		return inWords(beams, first.Vocabulary.Words), err
	})
}

// captionInBatches captions images of a data set, some at once.
func captionInBatches(d *data.Dataset, images []int, caption func(s *torch.Scope, part []int) ([]data.Caption, error)) ([]data.Caption, error) {
	captions := make([]data.Caption, 0, len(images))
	err := torch.Run(func(s *torch.Scope) error {
		return s.Inference(func(s *torch.Scope) error {
			for part := range slices.Chunk(images, decodeBatch) {
				err := s.Do(func(s *torch.Scope) error {
					made, err := caption(s, part)
					captions = append(captions, made...)
					return err
				})
				if err != nil {
					return fmt.Errorf("caption %d images from %s: %w", len(part), d.Images[part[0]].ID, err)
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	for i := range captions {
		captions[i].Image = images[i]
	}
	return captions, nil
}
