package models

import (
	"context"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// lastBlocks are those of an encoder that are trained with the captioner, and what follows them.
// Their weights are parameters; batch norms stay what they are in inference: with the running mean
// μ and variance σ² of the published weights, and their γ and β, a layer is
//
//	y = W ∗ x · γ/√(σ²+ε) + β − μγ/√(σ²+ε)
//
// of which W alone is trained.
type lastBlocks struct {
	body    body
	side    int64 // of the grid that the first of them is given
	in, out captioner.Features
	shapes  []captioner.Shape
	convs   map[string]*conv     // by the name of the weight
	initial map[string][]float32 // weights to start from, likewise
	tensors []*torch.Tensor      // what is not trained
}

// newLastBlocks are those that the spec leaves out, before their layers are built.
func newLastBlocks(e captioner.Encoder, spec data.FeatureSpec) (l *lastBlocks, err error) {
	l = &lastBlocks{
		in:    captioner.Features{Regions: spec.Regions, Dim: spec.Dim},
		convs: map[string]*conv{}, initial: map[string][]float32{},
	}
	if l.out, err = e.Features(spec.ImageSize, 0); err != nil {
		return nil, err
	}
	if l.shapes, err = e.TrainedParameters(spec.Cut); err != nil {
		return nil, err
	}
	for _, sh := range l.shapes {
		l.convs[sh.Name] = nil
	}
	for l.side*l.side < int64(spec.Regions) {
		l.side++
	}
	return l, nil
}

// trains reports whether a layer is one of the blocks'. None is of a nil receiver.
func (l *lastBlocks) trains(layer string) bool {
	if l == nil {
		return false
	}
	_, trained := l.convs[captioner.TrainedName(layer)]
	return trained
}

// conv makes a layer whose weight is handed over later (use).
func (l *lastBlocks) conv(b *builder, name string, of layer, weight []float32, factors []float64, bias []float32) *conv {
	c := &conv{
		layer:  of,
		b:      b.scope.Keep(b.scope.FromFloats(b.device, bias, of.out)),
		factor: b.scope.Keep(b.scope.FromDoubles(b.device, factors, of.out, 1, 1, 1)),
	}
	l.tensors = append(l.tensors, c.b, c.factor)
	l.convs[captioner.TrainedName(name)], l.initial[captioner.TrainedName(name)] = c, weight
	return c
}

// use takes the weights out of the parameters.
func (l *lastBlocks) use(p *parameters) {
	for name, c := range l.convs {
		c.w = p.byName[name]
	}
	l.initial = nil
}

// of returns the features B×R×D of what the blocks are given, B×R'×D'. Without training the
// result is the same, bit for bit, whatever pictures come with one, as the features of a frozen
// encoder are; with it, all pictures and threads are used at once.
func (l *lastBlocks) of(s *torch.Scope, x *torch.Tensor, training bool) *torch.Tensor {
	grid := s.Permute(s.View(x, -1, l.side, l.side, int64(l.in.Dim)), 0, 3, 1, 2) // B×D'×G'×G'
	if training {
		return l.body.regions(s, grid)
	}
	return l.body.inParts(s, grid)
}

func (l *lastBlocks) free() {
	for _, t := range l.tensors {
		t.Free()
	}
	l.tensors = nil
}

// lastSource gives a captioner the features of an encoder whose last blocks are trained with it:
// what they are given comes out of the cache.
type lastSource struct {
	*cachedSource
	last *lastBlocks
}

var _ source = (*lastSource)(nil)

// newLastSource opens the cache that fillFeatures has filled, and makes the last blocks.
func newLastSource(
	ctx context.Context, cache string, settings experiments.Settings, d *data.Dataset, device torch.Device,
) (*lastSource, error) {
	cached, err := newCachedSource(ctx, cache, settings, d, device)
	if err != nil {
		return nil, err
	}
	source := &lastSource{cachedSource: cached}
	err = torch.Run(func(s *torch.Scope) error {
		f, err := newFrozen(s, device, cached.spec(), cached.weights)
		if err == nil {
			f.freeBelow()
			source.last = f.last
		}
		return err
	})
	if err != nil {
		cached.close()
		return nil, err
	}
	return source, nil
}

func (l *lastSource) features(s *torch.Scope, images []int, of pass) (regions, error) {
	given, err := l.cachedSource.features(s, images, of)
	if err != nil {
		return regions{}, err
	}
	return regions{features: l.last.of(s, given.features, of.training)}, s.Err()
}

func (l *lastSource) shapes() []captioner.Shape { return l.last.shapes }

func (l *lastSource) initial() map[string][]float32 { return l.last.initial }

func (l *lastSource) use(p *parameters) { l.last.use(p) }

func (l *lastSource) dim() int { return l.last.out.Dim }

func (l *lastSource) close() error {
	l.last.free()
	return l.cachedSource.close()
}
