package models

import (
	"context"
	"fmt"
	"slices"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/data/arrays"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// Pictures captions any pictures with the weights of a checkpoint: it runs the encoder on the
// pictures, or takes their features. It must be used by one goroutine at a time.
type Pictures struct {
	device     torch.Device
	threads    int // that encode at a time
	grid       captioner.Grid
	size       int         // S
	table      *pixelTable // how pixels are normalised
	params     *parameters // of the network and, when it was trained jointly, of the encoder
	network    *network
	encoder    Encoder     // nil if features are given
	frozen     *frozen     // the encoder, where it is frozen
	last       *lastBlocks // of it that were trained with the captioner; nil if none were
	dim        int         // D
	vocabulary []string
}

// Pictures returns the captioner of the settings with the weights of a checkpoint (a path as
// passed to Captioner.Save) and a vocabulary, by id. The weights of a frozen encoder are found,
// or downloaded, as for training.
func (e Engine) Pictures(ctx context.Context, s experiments.Settings, checkpoint string, vocabulary []string) (*Pictures, error) {
	weights, err := checkpointWeights(checkpoint)
	if err != nil {
		return nil, err
	}
	return e.pictures(ctx, s, checkpoint, weights, vocabulary)
}

// pictures makes the captioner of the settings with these weights, which were read from a file; its errors name that.
func (e Engine) pictures(
	ctx context.Context, s experiments.Settings, file string, weights []namedTensor, vocabulary []string,
) (*Pictures, error) {
	e.prepare()
	a, err := captioner.ArmOf(s.Model.Attention)
	if err != nil {
		return nil, err
	}
	cell, err := captioner.CellOf(s.Model.CellName())
	if err != nil {
		return nil, err
	}
	known, err := captioner.EncoderOf(s.Encoder.Name)
	if err != nil {
		return nil, err
	}
	p := &Pictures{device: e.Device, threads: e.threads(), size: s.Encoder.ImageSize, vocabulary: vocabulary, grid: known.Grid(s.Encoder.ImageSize)}
	var shapes []captioner.Shape
	switch s.Encoder.Name {
	case captioner.Joint:
		c, err := newCNN(s.Encoder, e.Device)
		if err != nil {
			return nil, err
		}
		p.encoder, p.table, shapes = c, tableOf(known.Normalisation), c.shapes()
	case captioner.Precomputed:
		p.dim = s.Encoder.Content.Dim
	default:
		if err := p.freeze(ctx, data.Cache{Dir: e.CacheDir, Shared: e.SharedDir, Remark: e.Remark}, s); err != nil {
			return nil, err
		}
		if p.last = p.frozen.last; p.last != nil {
			shapes = slices.Clip(p.last.shapes)
		}
	}
	switch {
	case p.last != nil:
		p.dim = p.last.out.Dim
	case p.encoder != nil:
		p.dim = p.encoder.Dim()
	}
	z := s.Model.Sizes(len(vocabulary), p.dim)
	shapes = append(shapes, a.Parameters(cell, z)...)
	if err := checkShapes(file, byName(weights), shapes, ""); err != nil { // before memory is allocated for them
		p.Close()
		return nil, err
	}
	err = torch.Run(func(s *torch.Scope) (err error) {
		p.params, err = newParameters(s, e.Device, shapes, nil)
		return err
	})
	if err == nil {
		err = restore(file, weights, shapes, tensorGroup{"", p.params.tensors})
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	if c, joint := p.encoder.(*cnn); joint {
		c.use(p.params)
	}
	if p.last != nil {
		p.last.use(p.params)
	}
	if p.network, err = newNetwork(p.params, e.Device, a, cell, z, 0); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// freeze builds the frozen encoder of the settings.
func (p *Pictures) freeze(ctx context.Context, cache data.Cache, settings experiments.Settings) error {
	e := settings.Encoder
	spec, err := data.SpecOf(e.Name, e.ImageSize, e.Train.Blocks, "")
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

// Dim returns D, the numbers per region.
func (p *Pictures) Dim() int { return p.dim }

// Size returns S, the side of the square that the encoder sees; 0 if there is no encoder, and
// features are given.
func (p *Pictures) Size() int { return p.size }

// Grid returns the grid of the regions in a caption's Alpha.
func (p *Pictures) Grid() captioner.Grid { return p.grid }

// Looks reports whether captions come with Alpha.
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

// Caption captions pictures, each S×S×3 bytes of RGB row by row as from data.Squash, by beam
// search. A caption's Image is its index in pixels; Beta, Entropy and Alpha are filled if the
// model has them.
func (p *Pictures) Caption(ctx context.Context, pixels [][]uint8, o experiments.Decode) ([]data.Caption, error) {
	features := func(s *torch.Scope, begin, end int) (regions, error) {
		x, err := p.features(s, pixels[begin:end])
		return regions{features: x}, err
	}
	if p.frozen != nil {
		rows, err := p.rows(ctx, pixels)
		if err != nil {
			return nil, fmt.Errorf("caption %d pictures: %w", len(pixels), err)
		}
		each := p.frozen.Regions() * p.frozen.Dim()
		features = func(s *torch.Scope, begin, end int) (regions, error) {
			x := s.FromHalf(p.device, rows[begin*each:end*each], int64(end-begin), int64(p.frozen.Regions()), int64(p.frozen.Dim()))
			return regions{features: p.behind(s, s.Cast(x, torch.Float))}, s.Err()
		}
	}
	return p.caption(ctx, len(pixels), features, o)
}

// CaptionFeatures is Caption for pictures whose features, R×D each, another program computed.
func (p *Pictures) CaptionFeatures(ctx context.Context, given []arrays.Array, o experiments.Decode) ([]data.Caption, error) {
	var buffer []float32
	return p.caption(ctx, len(given), func(s *torch.Scope, begin, end int) (regions, error) {
		return p.given(s, given[begin:end], &buffer)
	}, o)
}

// given are the features of pictures.
func (p *Pictures) given(s *torch.Scope, given []arrays.Array, buffer *[]float32) (regions, error) {
	counts := make([]int64, len(given))
	for k, a := range given {
		if counts[k] = int64(a.Rows); a.Dim != p.dim || a.Rows < 1 {
			return regions{}, fmt.Errorf("picture %d has %d regions of %d numbers, expected at least one of %d", k, a.Rows, a.Dim, p.dim)
		}
	}
	return padded(s, p.device, counts, p.dim, buffer, func(k int, row []float32) error {
		copy(row, given[k].Values)
		return nil
	})
}

// caption captions n pictures, whose features are given from begin to end.
func (p *Pictures) caption(
	ctx context.Context, n int, features func(s *torch.Scope, begin, end int) (regions, error), o experiments.Decode,
) ([]data.Caption, error) {
	captions := make([]data.Caption, 0, n)
	err := torch.Run(func(s *torch.Scope) error {
		return s.Inference(func(s *torch.Scope) error {
			for begin := 0; begin < n; begin = len(captions) {
				end := min(begin+mostBatch, n)
				err := s.Do(func(s *torch.Scope) error {
					x, err := features(s, begin, end)
					if err != nil {
						return err
					}
					made, err := p.network.caption(ctx, s, x, p.vocabulary, o, true)
					for i := range made {
						made[i].Image = begin + i
					}
					captions = append(captions, made...)
					return err
				})
				if err != nil {
					return fmt.Errorf("caption %d pictures: %w", end-begin, err)
				}
			}
			return nil
		})
	})
	return captions, err
}

// rows returns the features of pictures by a frozen encoder, R×D float16 each, computed on all
// threads. They equal those in the cache for the same pixels.
func (p *Pictures) rows(ctx context.Context, pixels [][]uint8) ([]uint16, error) {
	threads := p.threads
	if p.device != torch.CPU {
		threads = 1 // a GPU holds one batch at a time
	}
	each := p.frozen.Regions() * p.frozen.Dim()
	all := make([]uint16, len(pixels)*each)
	err := inBatches(ctx, len(pixels), threads, func(_ context.Context, s *torch.Scope, begin, end int) error {
		normalised, err := p.normalised(pixels[begin:end])
		if err != nil {
			return err
		}
		rows, err := p.frozen.rows(s, normalised)
		copy(all[begin*each:], rows)
		return err
	})
	return all, err
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
	normalised, err := p.normalised(pixels)
	if err != nil {
		return nil, err
	}
	side := int64(p.size)
	return s.Permute(s.FromFloats(p.device, normalised, int64(len(pixels)), side, side, 3), 0, 3, 1, 2), nil
}

// normalised are the pixels of pictures, S×S×3 each.
func (p *Pictures) normalised(pixels [][]uint8) ([]float32, error) {
	each := 3 * p.size * p.size
	normalised := make([]float32, len(pixels)*each)
	for i, rgb := range pixels {
		if len(rgb) != each {
			return nil, fmt.Errorf("picture %d has %d bytes, expected %d×%d×3", i, len(rgb), p.size, p.size)
		}
		p.table.apply(normalised[i*each:(i+1)*each], rgb)
	}
	return normalised, nil
}

// encode returns features B×R×D. A frozen encoder's are rounded to float16, as in the cache used
// for training.
func (p *Pictures) encode(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	features := p.encoder.Forward(s, x)
	if p.frozen != nil {
		features = p.behind(s, s.Cast(s.Cast(features, torch.Half), torch.Float))
	}
	return features
}

// behind returns the features for a frozen encoder's output: the output itself, unless its last
// blocks were trained.
func (p *Pictures) behind(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	if p.last == nil {
		return x
	}
	return p.last.of(s, x, false)
}
