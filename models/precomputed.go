package models

import (
	"errors"
	"fmt"
	"slices"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// regions are the features of B images.
type regions struct {
	features *torch.Tensor // B×R×D; 0 beyond an image's own regions
	counts   []int64       // B: how many regions are an image's own, the first ones; nil if all R are
}

// own says which regions are an image's own, if not all are.
type own struct {
	counts *torch.Tensor // B
	shares *torch.Tensor // B×1×R: 1/n for each of an image's n; 0 for the others
}

// own makes these tensors; nil if all regions are.
func (r regions) own(s *torch.Scope, device torch.Device) *own {
	if r.counts == nil {
		return nil
	}
	images, most := r.features.Size(0), r.features.Size(1)
	shares := make([]float32, images*most)
	for b, n := range r.counts {
		for i := range n {
			shares[int64(b)*most+i] = 1 / float32(n)
		}
	}
	return &own{s.FromInts(device, r.counts, images), s.FromFloats(device, shares, images, 1, most)}
}

// mean returns the mean over an image's own regions: B×R×X → B×X; over all regions if o is nil.
func (o *own) mean(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	if o == nil {
		return s.Mean(x, 1)
	}
	return s.Squeeze(s.Bmm(o.shares, x), 1) // B×1×R by B×R×X
}

// attended returns the counts for attention: nil if all regions are an image's own.
func (o *own) attended() *torch.Tensor {
	if o == nil {
		return nil
	}
	return o.counts
}

// precomputedSource provides a captioner with features that another program computed.
type precomputedSource struct {
	files  *data.Precomputed
	device torch.Device
	buffer []float32
}

var _ source = (*precomputedSource)(nil)

// openPrecomputed opens and checks the features that the settings name. They must be those that
// the trial was planned for.
func openPrecomputed(s experiments.Settings, d *data.Dataset) (*data.Precomputed, error) {
	e := s.Encoder
	if e.Path == "" {
		return nil, errors.New("the path of the precomputed features is unknown: set it with --features")
	}
	files, err := data.OpenPrecomputed(d.Options.Cache, e.Path, e.Names, d)
	if err != nil {
		return nil, err
	}
	found, planned := experiments.FeatureContent(files.Content()), e.Content
	if planned != (experiments.FeatureContent{}) && found != planned {
		files.Close()
		return nil, fmt.Errorf("the features in %s are not those that the trial was planned for "+
			"(content %s, %d×%d, instead of %s, %d×%d): they %w", e.Path, found.SHA256, found.Most, found.Dim, planned.SHA256, planned.Most, planned.Dim, data.ErrPrecomputedChanged)
	}
	return files, nil
}

func newPrecomputedSource(s experiments.Settings, d *data.Dataset, device torch.Device) (*precomputedSource, error) {
	files, err := openPrecomputed(s, d)
	if err != nil {
		return nil, err
	}
	return &precomputedSource{files: files, device: device}, nil
}

func (p *precomputedSource) features(s *torch.Scope, images []int, _ pass) (regions, error) {
	counts := make([]int64, len(images))
	for k, i := range images {
		counts[k] = int64(p.files.Regions(i))
	}
	return padded(s, p.device, counts, p.dim(), &p.buffer, func(k int, row []float32) error { return p.files.Read(images[k], row) })
}

// padded puts the features of images with different numbers of regions into one tensor, padded to
// the largest. read reads those of an image. The buffer is reused.
func padded(
	s *torch.Scope, device torch.Device, counts []int64, dim int, buffer *[]float32, read func(k int, row []float32) error,
) (regions, error) {
	most := slices.Max(counts)
	each := int(most) * dim
	*buffer = slices.Grow((*buffer)[:0], len(counts)*each)[:len(counts)*each]
	for k, n := range counts {
		row := (*buffer)[k*each : (k+1)*each]
		if err := read(k, row); err != nil {
			return regions{}, err
		}
		clear(row[int(n)*dim:])
	}
	r := regions{features: s.FromFloats(device, *buffer, int64(len(counts)), most, int64(dim)), counts: counts}
	if slices.Min(counts) == most {
		r.counts = nil
	}
	return r, s.Err()
}

func (p *precomputedSource) shapes() []captioner.Shape { return nil }

func (p *precomputedSource) initial() map[string][]float32 { return nil }

func (p *precomputedSource) use(*parameters) {}

func (p *precomputedSource) dim() int { return p.files.Content().Dim }

func (p *precomputedSource) hashes() map[string]string {
	sum := p.files.Content().SHA256
	return map[string]string{"features": sum, "features_content": sum}
}

func (p *precomputedSource) close() error { return p.files.Close() }
