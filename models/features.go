package models

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// featureBatch is how many pictures go through a frozen encoder at once. More cost memory and gain no speed on a processor.
const featureBatch = 8

// syncEvery is how many batches may be lost when the machine stops.
const syncEvery = 128

// openFeatures opens the cache of the features that the settings ask for, under cache/features. It needs the
// weights' hash, and therefore fetches the weights of encoder.weights: auto, but does not read them.
func openFeatures(ctx context.Context, cache string, settings experiments.Settings, d *data.Dataset) (*data.Features, weightsFile, error) {
	e := settings.Encoder
	spec, err := data.SpecOf(e.Name, e.ImageSize, "")
	if err != nil {
		return nil, weightsFile{}, err
	}
	w, err := findWeights(ctx, cache, e, settings.Seed)
	if err != nil {
		return nil, weightsFile{}, err
	}
	spec.WeightsSHA256 = w.sha256
	f, err := data.OpenFeatures(data.Cache{Dir: filepath.Join(cache, "features"), Shared: d.Options.Cache.Shared}, spec, d)
	return f, w, err
}

// fillFeatures computes the features of the data set's pictures that the cache lacks, on the device. Decoding runs
// beside the network. When ctx ends, what is done stays in the cache, and the next call goes on from there. Of
// several processes one computes and the others wait. progress is called from one goroutine with the pictures done
// and those that were lacking at the start; it may be nil.
func fillFeatures(ctx context.Context, cache string, settings experiments.Settings, d *data.Dataset, device torch.Device, progress func(done, total int)) error {
	features, w, err := openFeatures(ctx, cache, settings, d)
	if err != nil {
		return err
	}
	if release, err2 := features.Exclusive(ctx); err2 == nil {
		err = encodeMissing(ctx, features, w, d, device, progress)
		release()
	} else {
		err = err2
	}
	if err2 := features.Close(); err == nil {
		err = err2
	}
	return err
}

func encodeMissing(ctx context.Context, features *data.Features, w weightsFile, d *data.Dataset, device torch.Device, progress func(done, total int)) error {
	missing := features.Missing()
	if len(missing) == 0 {
		return nil
	}
	return torch.Run(func(s *torch.Scope) error {
		encoder, err := newFrozen(s, device, features.Spec(), w)
		if err != nil {
			return err
		}
		defer encoder.free()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		batches := decodeAhead(ctx, d, missing, encoder.spec.ImageSize, encoder.pixels)
		defer func() { // lets the decoders go before the encoder
			cancel()
			for range batches {
			}
		}()
		done, count := 0, 0
		for b := range batches {
			if b.err != nil {
				return b.err
			}
			if err := encoder.put(s, features, b); err != nil {
				return err
			}
			done += len(b.images)
			if count++; count%syncEvery == 0 || done == len(missing) {
				if err := features.Sync(); err != nil {
					return err
				}
			}
			if progress != nil {
				progress(done, len(missing))
			}
		}
		return ctx.Err()
	})
}

// pixelBatch is a batch of pictures, ready for the network.
type pixelBatch struct {
	images []int
	pixels []float32 // B×S×S×3
	err    error
}

// decodeAhead decodes the images in batches, on all cores, a few batches ahead. Their order is not that of images.
// The channel closes when all are sent, one has failed, or ctx ends.
func decodeAhead(ctx context.Context, d *data.Dataset, images []int, size int, table *pixelTable) <-chan pixelBatch {
	out := make(chan pixelBatch, 1)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (len(images)+featureBatch-1)/featureBatch) {
		workers.Go(func() {
			for {
				start := int(next.Add(featureBatch)) - featureBatch
				if start >= len(images) || ctx.Err() != nil {
					return
				}
				b := decodePictures(ctx, d, images[start:min(start+featureBatch, len(images))], size, table)
				select {
				case out <- b:
				case <-ctx.Done():
				}
				if b.err != nil {
					return
				}
			}
		})
	}
	go func() {
		workers.Wait()
		close(out)
	}()
	return out
}

func decodePictures(ctx context.Context, d *data.Dataset, images []int, size int, table *pixelTable) pixelBatch {
	each := 3 * size * size
	b := pixelBatch{images: images, pixels: make([]float32, len(images)*each)}
	for k, i := range images {
		if b.err = ctx.Err(); b.err != nil {
			return b
		}
		rgb, err := d.Pixels(i, size)
		if err != nil {
			b.err = fmt.Errorf("reading the pictures: %w", err)
			return b
		}
		table.apply(b.pixels[k*each:(k+1)*each], rgb)
	}
	return b
}

// put encodes a batch and stores its rows.
func (f *frozen) put(s *torch.Scope, features *data.Features, b pixelBatch) error {
	return s.Inference(func(s *torch.Scope) error {
		grid, err := s.Halfs(f.Forward(s, f.batch(s, b.pixels))) // B×R×D
		if err != nil {
			return fmt.Errorf("encoding pictures with %s: %w", f.spec.Encoder, err)
		}
		each := f.spec.Regions * f.spec.Dim
		for k, i := range b.images {
			if err := features.Put(i, grid[k*each:(k+1)*each]); err != nil {
				return err
			}
		}
		return nil
	})
}

// cachedSource gives a captioner the features of a frozen encoder out of the cache.
type cachedSource struct {
	cache   *data.Features
	content string // of the cache, see [data.Features.Content]
	device  torch.Device
	buffer  []uint16
}

var _ source = (*cachedSource)(nil)

// newCachedSource opens the cache that fillFeatures has filled.
func newCachedSource(ctx context.Context, cache string, settings experiments.Settings, d *data.Dataset, device torch.Device) (*cachedSource, error) {
	features, _, err := openFeatures(ctx, cache, settings, d)
	if err != nil {
		return nil, err
	}
	if n := len(features.Missing()); n > 0 {
		features.Close()
		return nil, fmt.Errorf("the feature cache lacks %d pictures: %w", n, data.ErrFeatures)
	}
	content, err := features.Content()
	if err != nil {
		features.Close()
		return nil, err
	}
	return &cachedSource{cache: features, content: content, device: device}, nil
}

func (c *cachedSource) features(s *torch.Scope, images []int, _ bool) (*torch.Tensor, error) {
	spec := c.cache.Spec()
	each := spec.Regions * spec.Dim
	c.buffer = slices.Grow(c.buffer[:0], len(images)*each)[:len(images)*each]
	for k, i := range images {
		if err := c.cache.Read(i, c.buffer[k*each:(k+1)*each]); err != nil {
			return nil, err
		}
	}
	x := s.FromHalf(c.device, c.buffer, int64(len(images)), int64(spec.Regions), int64(spec.Dim)) // B×R×D
	return s.Cast(x, torch.Float), s.Err()
}

func (c *cachedSource) shapes() []captioner.Shape { return nil }

func (c *cachedSource) use(*parameters) {}

func (c *cachedSource) dim() int { return c.cache.Spec().Dim }

func (c *cachedSource) hashes() map[string]string {
	return map[string]string{
		"encoder_weights": c.cache.Spec().WeightsSHA256, "features": c.cache.Hash(), "features_content": c.content,
	}
}

func (c *cachedSource) close() error { return c.cache.Close() }
