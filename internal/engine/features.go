package engine

import (
	"context"
	"fmt"
	"io"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/jsonline"
)

// Features says which features an engine must compute. It is sent as one JSON line on standard
// input, which then stays open as long as the result is wanted.
type Features struct {
	Settings experiments.Settings `json:"settings"`
	Root     string               `json:"root"` // of the data set
	Device   string               `json:"device"`
	Threads  int                  `json:"threads"`
}

// Done is a JSON line with which an engine reports its progress, in images.
type Done struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// Compute starts an engine that computes the features that the settings need and the cache lacks.
// It calls progress with the number of images done.
func (p *Program) Compute(ctx context.Context, f Features, progress func(done, total int)) error {
	cmd := p.command(ctx, "features", "--launched")
	cmd.Stdout = &jsonline.Splitter[Done]{
		Each: func(d Done) { progress(d.Done, d.Total) }, Valid: func(d Done) bool { return d.Total > 0 }, Other: io.Discard,
	}
	return p.run(ctx, cmd, f)
}

// Fill is [Program.Compute] with the signature of runner.Config.Features.
func (p *Program) Fill(ctx context.Context, s experiments.Settings, d *data.Dataset, device string, threads int, progress func(done, total int)) error {
	return p.Compute(ctx, Features{s, d.Options.Root, device, threads}, progress)
}

// ReadFeatures reads a runner's request. The context it returns ends when the runner does.
func ReadFeatures(parent context.Context, stdin io.Reader) (f Features, ctx context.Context, err error) {
	control, err := jsonline.Read(stdin, &f)
	if err != nil {
		return f, nil, fmt.Errorf("read what to compute from standard input: %w", err)
	}
	ctx, cancel := context.WithCancel(parent)
	go func() {
		_, _ = io.Copy(io.Discard, control)
		cancel()
	}()
	return f, ctx, nil
}
