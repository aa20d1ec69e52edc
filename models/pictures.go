package models

import (
	"context"
	"fmt"
	"slices"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// Pictures captions pictures that need not belong to a data set, with the weights of a checkpoint: its encoder runs
// on the pictures themselves. It is used by one goroutine at a time.
type Pictures struct {
	device     torch.Device
	grid       captioner.Grid
	size       int         // S
	table      *pixelTable // how pixels are normalised
	params     *parameters // of the network and, when it was trained jointly, of the encoder
	network    *network
	encoder    Encoder
	frozen     *frozen // the encoder, where it is frozen
	vocabulary []string
}

// Pictures makes the captioner of the settings with the weights of a checkpoint (its path as Captioner.Save took it),
// which speaks the words of the vocabulary, by id. The weights of a frozen encoder are found, or fetched, as for
// training.
func (e Engine) Pictures(ctx context.Context, s experiments.Settings, checkpoint string, vocabulary []string) (*Pictures, error) {
	e.prepare()
	a, err := captioner.ArmOf(s.Model.Attention)
	if err != nil {
		return nil, err
	}
	state, err := readState(checkpoint)
	if err != nil {
		return nil, err
	}
	weights, err := readSafetensors(checkpoint+".safetensors", state.WeightsSHA256)
	if err != nil {
		return nil, err
	}
	known, err := captioner.EncoderOf(s.Encoder.Name)
	if err != nil {
		return nil, err
	}
	p := &Pictures{device: e.Device, size: s.Encoder.ImageSize, vocabulary: vocabulary, grid: known.Grid(s.Encoder.ImageSize)}
	var shapes []captioner.Shape
	if s.Encoder.Name == captioner.Joint {
		c, err := newCNN(s.Encoder, e.Device)
		if err != nil {
			return nil, err
		}
		p.encoder, p.table, shapes = c, tableOf(known.Normalisation), c.shapes()
	} else if err := p.freeze(ctx, e.CacheDir, s); err != nil {
		return nil, err
	}
	z := s.Model.Sizes(len(vocabulary), p.encoder.Dim())
	shapes = append(shapes, a.Parameters(z)...)
	if err := checkShapes(checkpoint, byName(weights), shapes, ""); err != nil { // before memory is set aside for them
		p.Close()
		return nil, err
	}
	err = torch.Run(func(s *torch.Scope) (err error) {
		p.params, err = newParameters(s, e.Device, shapes)
		return err
	})
	if err == nil {
		err = restore(checkpoint, weights, shapes, tensorGroup{"", p.params.tensors})
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	if c, joint := p.encoder.(*cnn); joint {
		c.use(p.params)
	}
	if p.network, err = newNetwork(p.params, e.Device, a, z, 0); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// freeze builds the frozen encoder of the settings.
func (p *Pictures) freeze(ctx context.Context, cache string, settings experiments.Settings) error {
	e := settings.Encoder
	spec, err := data.SpecOf(e.Name, e.ImageSize, "")
	if err != nil {
		return err
	}
	w, err := findWeights(ctx, cache, e, settings.Seed)
	if err != nil {
		return err
	}
	return torch.Run(func(s *torch.Scope) (err error) {
		if p.frozen, err = newFrozen(s, p.device, spec, w); err == nil {
			p.encoder, p.table = p.frozen, p.frozen.pixels
		}
		return err
	})
}

// Size is S, the side of the square that the encoder sees.
func (p *Pictures) Size() int { return p.size }

// Grid says where the regions are that a caption's Alpha weighs.
func (p *Pictures) Grid() captioner.Grid { return p.grid }

// Looks says whether captions come with Alpha.
func (p *Pictures) Looks() bool { return p.network.arm.Scores }

// Close frees the model.
func (p *Pictures) Close() {
	if p.params != nil {
		p.params.free()
	}
	if p.frozen != nil {
		p.frozen.free()
	}
}

// Caption captions pictures, each S×S×3 bytes of RGB row by row as data.Squash gives them, by beam search. A caption's
// Image is its place in pixels; Beta, Entropy and Alpha are filled where the model has them.
func (p *Pictures) Caption(ctx context.Context, pixels [][]uint8, o experiments.Decode) ([]data.Caption, error) {
	captions := make([]data.Caption, 0, len(pixels))
	err := torch.Run(func(s *torch.Scope) error {
		return s.Inference(func(s *torch.Scope) error {
			for part := range slices.Chunk(pixels, featureBatch) {
				err := s.Do(func(s *torch.Scope) error {
					features, err := p.features(s, part)
					if err != nil {
						return err
					}
					made, err := p.network.caption(ctx, s, features, p.vocabulary, o, true)
					for i := range made {
						made[i].Image = len(captions) + i
					}
					captions = append(captions, made...)
					return err
				})
				if err != nil {
					return fmt.Errorf("captioning %d pictures: %w", len(part), err)
				}
			}
			return nil
		})
	})
	return captions, err
}

// features are those of B pictures, B×R×D.
func (p *Pictures) features(s *torch.Scope, pixels [][]uint8) (*torch.Tensor, error) {
	x, err := p.input(s, pixels)
	if err != nil {
		return nil, err
	}
	features := p.encode(s, x)
	return features, s.Err()
}

// input is what the encoder sees of B pictures, B×3×S×S.
func (p *Pictures) input(s *torch.Scope, pixels [][]uint8) (*torch.Tensor, error) {
	side := int64(p.size)
	each := 3 * p.size * p.size
	normalised := make([]float32, len(pixels)*each)
	for i, rgb := range pixels {
		if len(rgb) != each {
			return nil, fmt.Errorf("picture %d has %d bytes, want %d×%d×3", i, len(rgb), side, side)
		}
		p.table.apply(normalised[i*each:(i+1)*each], rgb)
	}
	return s.Permute(s.FromFloats(p.device, normalised, int64(len(pixels)), side, side, 3), 0, 3, 1, 2), nil
}

// encode gives features B×R×D. A frozen encoder's are rounded to float16, as in the cache that the captioner was
// trained from.
func (p *Pictures) encode(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	features := p.encoder.Forward(s, x)
	if p.frozen != nil {
		features = s.Cast(s.Cast(features, torch.Half), torch.Float)
	}
	return features
}
