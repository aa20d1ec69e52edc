package models

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// Engine makes captioners and computes their features, on one device.
type Engine struct {
	CacheDir string // the user's cache, for weights and features
	// SharedDir is a read-only shared cache; "" for none.
	SharedDir string
	// Remark is called before Pictures downloads the encoder's weights; may be nil. Methods with a
	// data set call that of its cache.
	Remark  func(string)
	Device  torch.Device // for training and decoding
	Threads int          // threads of an operation on the CPU; 0 leaves libtorch's choice
}

// Features adds to the cache the missing features of the pictures of d that are in a split, and
// of other views of those for training. A jointly trained encoder needs none; precomputed
// features are checked.
func (e Engine) Features(ctx context.Context, s experiments.Settings, d *data.Dataset, progress func(done, total int)) error {
	switch s.Encoder.Name {
	case captioner.Joint:
		return nil
	case captioner.Precomputed:
		files, err := openPrecomputed(s, d)
		if err != nil {
			return err
		}
		return files.Close()
	}
	e.prepare()
	threads := e.threads()
	if e.Device != torch.CPU { // they decode pictures, of which a GPU cannot have enough
		threads = runtime.GOMAXPROCS(0)
	}
	return fillFeatures(ctx, e.CacheDir, s, d, e.Device, threads, progress)
}

// threads returns the number of threads to use.
func (e Engine) threads() int {
	if e.Threads > 0 {
		return e.Threads
	}
	return runtime.GOMAXPROCS(0)
}

// VerifiedFeatures is [Engine.Features], but first verifies everything in the cache.
func (e Engine) VerifiedFeatures(ctx context.Context, s experiments.Settings, d *data.Dataset, progress func(done, total int)) error {
	if (captioner.Encoder{Name: s.Encoder.Name}).Frozen() {
		caches, _, err := openFeatures(ctx, e.CacheDir, s, d, augmentOf(s).views...)
		for _, features := range caches {
			if err == nil {
				_, err = features.Verify()
			}
		}
		if err := errors.Join(err, closeFeatures(caches)); err != nil {
			return err
		}
	}
	return e.Features(ctx, s, d, progress)
}

// Captioner returns a fresh captioner, drawn from the settings' seed. The features of a frozen
// encoder must be in the cache.
func (e Engine) Captioner(s experiments.Settings, d *data.Dataset) (*Captioner, error) {
	e.prepare()
	src, err := e.source(s, d)
	if err != nil {
		return nil, err
	}
	return newCaptioner(s, d, e.Device, src)
}

func (e Engine) source(s experiments.Settings, d *data.Dataset) (source, error) {
	switch s.Encoder.Name {
	case captioner.Joint:
		return newCNNSource(d, e.Device, s)
	case captioner.Precomputed:
		return newPrecomputedSource(s, d, e.Device)
	}
	if s.Encoder.Train.Blocks > 0 {
		return newLastSource(context.Background(), e.CacheDir, s, d, e.Device)
	}
	return newCachedSource(context.Background(), e.CacheDir, s, d, e.Device)
}

// ExportFeatures writes a frozen encoder's features of whole pictures, which must be in the
// cache, to a safetensors file that a study can use as encoder.path.
func (e Engine) ExportFeatures(ctx context.Context, s experiments.Settings, d *data.Dataset, path string) error {
	if !(captioner.Encoder{Name: s.Encoder.Name}).Frozen() {
		return fmt.Errorf("encoder.name %s has no features in the cache to export", s.Encoder.Name)
	}
	if n := s.Encoder.Train.Blocks; n > 0 {
		return fmt.Errorf("encoder.train.blocks is %d: the cache has only the input of these blocks, not features;  "+
			"set it to 0 to export those of the encoder", n)
	}
	plain, _, err := openFeatures(ctx, e.CacheDir, s, d, data.View{})
	if err != nil {
		return err
	}
	return errors.Join(plain[0].Export(path, d), closeFeatures(plain))
}

// prepare applies the process-wide settings.
func (e Engine) prepare() {
	if e.Threads > 0 {
		torch.SetThreads(e.Threads)
	}
	torch.SetDeterministic(e.Device != torch.CPU)
	torch.SetFullPrecision()
}
