package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/inspect"
	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/torch"
	"glimpse/models"
	"glimpse/runner"
)

// modelEngine adapts models.Engine to the interfaces of runner and inspect, which take captioners
// as interfaces.
type modelEngine struct{ models.Engine }

var (
	_ runner.Engine  = modelEngine{}
	_ inspect.Engine = modelEngine{}
)

// newEngine makes the engine that the flags request. Its threads default to the number of
// processors.
func newEngine(f cli.Compute) (modelEngine, error) {
	if err := f.Check(); err != nil {
		return modelEngine{}, err
	}
	device, err := torch.ParseDevice(f.Device)
	if err != nil {
		return modelEngine{}, cli.Usage(err)
	}
	cache, err := cli.CacheDir()
	if err != nil {
		return modelEngine{}, err
	}
	shared, err := cli.SharedCacheDir()
	if err != nil {
		return modelEngine{}, err
	}
	threads := f.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return modelEngine{models.Engine{CacheDir: cache, SharedDir: shared, Remark: cli.Remark, Device: device, Threads: threads}}, nil
}

// Captioner implements runner.Engine.
func (e modelEngine) Captioner(s experiments.Settings, d *data.Dataset) (runner.Captioner, error) {
	return e.Open(s, d)
}

// Open implements inspect.Engine.
func (e modelEngine) Open(s experiments.Settings, d *data.Dataset) (inspect.Captioner, error) {
	c, err := e.Engine.Captioner(s, d)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Ensemble implements inspect.Engine.
func (e modelEngine) Ensemble(ctx context.Context, captioners []inspect.Captioner, images []int, o experiments.Decode) ([]data.Caption, error) {
	members := make([]*models.Captioner, len(captioners))
	for i, c := range captioners {
		member, ok := c.(*models.Captioner)
		if !ok {
			return nil, fmt.Errorf("ensemble: member %d is a %T", i, c)
		}
		members[i] = member
	}
	return models.Ensemble(ctx, members, images, o)
}

// Vocabulary implements inspect.Engine.
func (e modelEngine) Vocabulary(checkpoint string) ([]string, error) {
	return models.CheckpointVocabulary(checkpoint)
}

// Pictures implements inspect.Engine.
func (e modelEngine) Pictures(ctx context.Context, s experiments.Settings, checkpoint string, vocabulary []string) (inspect.PictureCaptioner, error) {
	p, err := e.Engine.Pictures(ctx, s, checkpoint, vocabulary)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Pack implements inspect.Engine.
func (e modelEngine) Pack(path, checkpoint, description string, half bool) error {
	return models.Pack(path, checkpoint, description, half)
}

// PackedDescription implements inspect.Engine.
func (e modelEngine) PackedDescription(path string) (string, error) {
	return models.PackedDescription(path)
}

// PackedPictures implements inspect.Engine.
func (e modelEngine) PackedPictures(ctx context.Context, s experiments.Settings, path string, vocabulary []string) (inspect.PictureCaptioner, error) {
	p, err := e.Engine.PackedPictures(ctx, s, path, vocabulary)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// openRuns opens the results database with openDB and returns an opener of its runs. The caller
// closes the database.
func openRuns(c *cobra.Command, f cli.RunFlags, openDB func(flag string) (*store.DB, error)) (*inspect.Opener, error) {
	e, err := newEngine(f.Compute)
	if err != nil {
		return nil, err
	}
	db, err := openDB(f.DB)
	if err != nil {
		return nil, err
	}
	opener, err := cli.Opener(c, db, e, f)
	if err != nil {
		db.Close()
		return nil, err
	}
	return opener, nil
}

// audit implements the verb audit where it needs the run's checkpoint.
func audit(c *cobra.Command, o *cli.Audit, run string) error {
	e, err := newEngine(o.Compute)
	if err != nil {
		return err
	}
	return o.Write(c, e, run)
}

// versions returns the versions that are recorded with each run.
func versions() map[string]string {
	return map[string]string{"glimpse": cli.Version(), "libtorch": torch.Version(), "blas": torch.BLAS()}
}
