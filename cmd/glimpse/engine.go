package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/inspect"
	"glimpse/internal/store"
	"glimpse/internal/torch"
	"glimpse/models"
	"glimpse/runner"
)

// engine is models.Engine as runner wants it: the captioner it makes is concrete there and an interface here.
type engine struct{ models.Engine }

func (e engine) Captioner(s experiments.Settings, d *data.Dataset) (runner.Captioner, error) {
	c, err := e.Engine.Captioner(s, d)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// pictureHashes is the folder where hashes of pictures are kept, beside the features.
func (e engine) pictureHashes() string { return filepath.Join(e.CacheDir, "features") }

// opener opens runs of db again, and writes its remarks a line each. root is --data, which comes before $GLIMPSE_DATA and
// what the study says.
func (e engine) opener(db *store.DB, root string, remarks io.Writer) *inspect.Opener {
	return &inspect.Opener{
		DB: db, Engine: e.Engine, Root: dataRoot(root, ""), Pictures: e.pictureHashes(),
		Remark: func(line string) { fmt.Fprintln(remarks, line) },
	}
}

// engineFlags say what computes, and with how many threads.
type engineFlags struct {
	device  string
	threads int
}

func (f *engineFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.device, "device", "auto", "auto, cpu, cuda or cuda:N; auto is the first GPU, else the CPU")
	c.Flags().IntVar(&f.threads, "threads", 0, "threads of a trial (default: the processors, shared among the jobs)")
}

// engine makes the engine, whose operations then use threads threads.
func (f *engineFlags) engine(threads int) (engine, error) {
	if f.threads < 0 {
		return engine{}, usageError{errors.New("--threads must not be negative")}
	}
	device, err := torch.ParseDevice(f.device)
	if err != nil {
		return engine{}, usageError{err}
	}
	cache, err := cacheDir()
	if err != nil {
		return engine{}, err
	}
	if threads == 0 {
		threads = runtime.NumCPU()
	}
	return engine{models.Engine{CacheDir: cache, Device: device, Threads: threads}}, nil
}

// versions are recorded with each run.
func versions() map[string]string {
	return map[string]string{"glimpse": version(), "libtorch": torch.Version(), "blas": torch.BLAS()}
}
