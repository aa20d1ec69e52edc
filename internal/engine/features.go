package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"

	"glimpse/data"
	"glimpse/experiments"
)

// Features says which features an engine shall compute. It is told as one JSON line on standard input, which is then
// held open for as long as the result is wanted.
type Features struct {
	Settings experiments.Settings `json:"settings"`
	Root     string               `json:"root"` // of the data set
	Device   string               `json:"device"`
	Threads  int                  `json:"threads"`
}

// Done is a JSON line with which an engine tells how many images it has done.
type Done struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// Compute has an engine compute the features that the settings need and the cache lacks, and tells progress how many of
// the images are done.
func (p *Program) Compute(ctx context.Context, f Features, progress func(done, total int)) error {
	line, err := json.Marshal(f)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, p.Path, "features", "--launched")
	cmd.Env = p.environment()
	cmd.Stdout = &lines{each: func(line []byte) error {
		var done Done
		if err := json.Unmarshal(line, &done); err != nil {
			return fmt.Errorf("the engine %s said %q: %w", p.Path, line, err)
		}
		progress(done.Done, done.Total)
		return nil
	}}
	return p.run(ctx, cmd, line)
}

// ReadFeatures reads what a runner asks for. The context that it returns ends when the runner does.
func ReadFeatures(parent context.Context, stdin io.Reader) (f Features, ctx context.Context, err error) {
	lines := bufio.NewReader(stdin)
	line, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &f)
	}
	if err != nil {
		return f, nil, fmt.Errorf("reading what to compute from standard input: %w", err)
	}
	ctx, cancel := context.WithCancel(parent)
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		cancel()
	}()
	return f, ctx, nil
}

// Filler gives the function that fills the feature cache for runner.Config.
func (p *Program) Filler(device string, threads int) func(context.Context, experiments.Settings, *data.Dataset, func(done, total int)) error {
	return func(ctx context.Context, s experiments.Settings, d *data.Dataset, progress func(done, total int)) error {
		return p.Compute(ctx, Features{s, d.Options.Root, device, threads}, progress)
	}
}

// lines calls a function for each line that is written.
type lines struct {
	each func([]byte) error
	rest []byte
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		if err := l.each(line); err != nil {
			return 0, err
		}
		l.rest = rest
	}
}
