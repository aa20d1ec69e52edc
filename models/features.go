package models

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// syncEvery is how many pictures' features may be lost when the machine stops.
const syncEvery = 1024

// openFeatures opens the caches of the settings' features for these views, in order, under
// cache/features and in the shared cache of the data set's options. It needs the weights' hash,
// so it downloads the weights for encoder.weights: auto, but does not read them. After an error
// none is open.
func openFeatures(
	ctx context.Context, cache string, settings experiments.Settings, d *data.Dataset, views ...data.View,
) ([]*data.Features, weightsFile, error) {
	e := settings.Encoder
	spec, err := data.SpecOf(e.Name, e.ImageSize, e.Train.Blocks, "")
	if err != nil {
		return nil, weightsFile{}, err
	}
	features := d.Options.Cache
	features.Dir = filepath.Join(cache, "features")
	forWeights := data.Cache{Dir: cache, Remark: features.Remark}
	if features.Shared != "" {
		forWeights.Shared = filepath.Dir(features.Shared)
	}
	w, err := findWeights(ctx, forWeights, e, settings.Seed)
	if err != nil {
		return nil, weightsFile{}, err
	}
	spec.WeightsSHA256 = w.sha256
	var caches []*data.Features
	for _, view := range views {
		f, err := data.OpenFeatures(features, spec.WithView(view), d)
		if err != nil {
			return nil, weightsFile{}, errors.Join(err, closeFeatures(caches))
		}
		caches = append(caches, f)
	}
	return caches, w, nil
}

func closeFeatures(caches []*data.Features) error {
	var faults []error
	for _, features := range caches {
		faults = append(faults, features.Close())
	}
	return errors.Join(faults...)
}

// fillFeatures computes the missing features of the data set's pictures, one view after the
// other, on the device. On the CPU, each of the threads decodes and encodes batches of pictures;
// with a GPU, pictures are decoded in parallel to the network. When ctx ends, finished features
// stay in the cache, and the next call continues. Of several processes one computes and the
// others wait. progress is called by one goroutine at a time with the pictures done and the
// number missing at the start, counted per view; it may be nil.
func fillFeatures(
	ctx context.Context, cache string, settings experiments.Settings, d *data.Dataset, device torch.Device, threads int, progress func(done, total int),
) (err error) {
	caches, w, err := openFeatures(ctx, cache, settings, d, augmentOf(settings).views...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeFeatures(caches)) }()
	lacking := make([]int, len(caches)) // pictures of each view
	later := 0                          // of views to come
	for k, features := range caches {
		lacking[k] = len(features.Missing())
		later += lacking[k]
	}
	before := 0 // pictures of views that are done
	for k, features := range caches {
		later -= lacking[k]
		release, err := features.Exclusive(ctx)
		if err != nil {
			return err
		}
		missing := features.Missing() // another process may have computed some
		err = encodeMissing(ctx, features, missing, w, d, device, threads, func(done, total int) {
			if progress != nil {
				progress(before+done, before+total+later)
			}
		})
		release()
		if err != nil {
			return err
		}
		before += len(missing)
	}
	return nil
}

func encodeMissing(
	ctx context.Context, features *data.Features, missing []int, w weightsFile, d *data.Dataset, device torch.Device, threads int, progress func(done, total int),
) error {
	if len(missing) == 0 {
		return nil
	}
	return torch.Run(func(s *torch.Scope) error {
		encoder, err := newFrozen(s, device, features.Spec(), w)
		if err != nil {
			return err
		}
		defer encoder.free()
		fill := filling{features: features, encoder: encoder, total: len(missing), progress: progress}
		return inBatches(ctx, len(missing), threads, func(ctx context.Context, s *torch.Scope, begin, end int) error {
			images := missing[begin:end]
			pixels, err := decodePictures(ctx, d, images, encoder.spec, encoder.pixels)
			if err != nil {
				return err
			}
			return fill.put(s, images, pixels)
		})
	})
}

// inBatches calls do for batches of 0 … n-1, [begin, end), of at most mostBatch, from so many threads of the operating
// system, each with a scope for each of its batches. do's context and the whole end with the first error or with ctx.
func inBatches(ctx context.Context, n, threads int, do func(ctx context.Context, s *torch.Scope, begin, end int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	size := batchSize(n, threads)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(threads, (n+size-1)/size) {
		all.Go(func() {
			err := torch.Run(func(s *torch.Scope) error {
				for ctx.Err() == nil {
					begin := int(next.Add(int64(size))) - size
					if begin >= n {
						return nil
					}
					err := s.Do(func(s *torch.Scope) error { return do(ctx, s, begin, min(begin+size, n)) })
					if err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// inFlight is how many pictures are in frozen encoders at a time, unless there are more than half as many threads. Eight in
// EfficientNet-Lite2 take 120 MB.
const inFlight = 32

// batchSize is how many of n pictures go through a frozen encoder at once on each of so many threads. More than mostBatch cost
// memory and gain no speed on a processor; fewer share the work evenly.
func batchSize(n, threads int) int {
	return max(leastBatch, min(mostBatch, inFlight/threads, (n+threads-1)/threads))
}

// decodePictures returns S×S×3 normalised numbers of each image, of the view that a spec is of.
func decodePictures(ctx context.Context, d *data.Dataset, images []int, spec data.FeatureSpec, table *pixelTable) ([]float32, error) {
	each := 3 * spec.ImageSize * spec.ImageSize
	pixels := make([]float32, len(images)*each)
	for k, i := range images {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rgb, err := d.ViewPixels(i, spec.ImageSize, spec.View)
		if err != nil {
			return nil, fmt.Errorf("read the pictures: %w", err)
		}
		table.apply(pixels[k*each:(k+1)*each], rgb)
	}
	return pixels, nil
}

// filling is a cache that is being filled by several goroutines.
type filling struct {
	features *data.Features
	encoder  *frozen
	total    int
	progress func(done, total int)

	gpu          sync.Mutex // held by whoever encodes on it, so that it holds one batch at a time
	mu           sync.Mutex
	done, synced int // pictures
}

// put encodes a batch and stores its rows.
func (f *filling) put(s *torch.Scope, images []int, pixels []float32) error {
	if f.encoder.device != torch.CPU {
		f.gpu.Lock()
		defer f.gpu.Unlock()
	}
	grid, err := f.encoder.rows(s, pixels)
	if err != nil {
		return err
	}
	each := f.encoder.Regions() * f.encoder.Dim()
	for k, i := range images {
		if err := f.features.Put(i, grid[k*each:(k+1)*each]); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done += len(images); f.done-f.synced >= syncEvery || f.done == f.total {
		if err := f.features.Sync(); err != nil {
			return err
		}
		f.synced = f.done
	}
	if f.progress != nil {
		f.progress(f.done, f.total)
	}
	return nil
}
