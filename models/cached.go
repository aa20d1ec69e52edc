package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// cachedSource provides a captioner with the features of a frozen encoder from the cache.
type cachedSource struct {
	caches  []*data.Features // of each view
	augment augment
	weights weightsFile
	content string // of the caches, see [data.Features.Content]
	device  torch.Device
	buffer  []uint16
}

var _ source = (*cachedSource)(nil)

// newCachedSource opens the cache that fillFeatures has filled.
func newCachedSource(ctx context.Context, cache string, settings experiments.Settings, d *data.Dataset, device torch.Device) (*cachedSource, error) {
	c := &cachedSource{augment: augmentOf(settings), device: device}
	var err error
	if c.caches, c.weights, err = openFeatures(ctx, cache, settings, d, c.augment.views...); err != nil {
		return nil, err
	}
	contents := make([]string, len(c.caches))
	for k, features := range c.caches {
		if contents[k], err = wholeContent(features); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	if c.content = contents[0]; len(contents) > 1 {
		sum := sha256.New()
		for _, content := range contents {
			sum.Write([]byte(content))
		}
		c.content = hex.EncodeToString(sum.Sum(nil))
	}
	return c, nil
}

// wholeContent returns the content of a cache, or an error if it lacks pictures.
func wholeContent(features *data.Features) (string, error) {
	if n := len(features.Missing()); n > 0 {
		return "", fmt.Errorf("the feature cache lacks %d pictures (view %s): %w", n, features.Spec().View, data.ErrFeatures)
	}
	return features.Content()
}

func (c *cachedSource) features(s *torch.Scope, images []int, of pass) (regions, error) {
	spec := c.spec()
	each := spec.Regions * spec.Dim
	c.buffer = slices.Grow(c.buffer[:0], len(images)*each)[:len(images)*each]
	for k, i := range images {
		if err := c.caches[c.augment.index(of, i)].Read(i, c.buffer[k*each:(k+1)*each]); err != nil {
			return regions{}, err
		}
	}
	x := s.FromHalf(c.device, c.buffer, int64(len(images)), int64(spec.Regions), int64(spec.Dim)) // B×R×D
	return regions{features: s.Cast(x, torch.Float)}, s.Err()
}

// spec returns the spec of the plain view; others have the same regions and dimensions.
func (c *cachedSource) spec() data.FeatureSpec { return c.caches[0].Spec() }

func (c *cachedSource) shapes() []captioner.Shape { return nil }

func (c *cachedSource) initial() map[string][]float32 { return nil }

func (c *cachedSource) use(*parameters) {}

func (c *cachedSource) dim() int { return c.spec().Dim }

func (c *cachedSource) hashes() map[string]string {
	hashes := map[string]string{"encoder_weights": c.spec().WeightsSHA256, "features_content": c.content}
	for _, cache := range c.caches {
		hashes[cache.Spec().View.HashName()] = cache.Hash()
	}
	return hashes
}

func (c *cachedSource) close() error {
	return closeFeatures(c.caches)
}
