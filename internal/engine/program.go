// Package engine finds the program glimpse-engine, which links libtorch, and starts it. What computes is there; what
// plans, records and reports is in glimpse, which works without it.
package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"glimpse/internal/jsonline"
)

// Name is the program's file name.
const Name = "glimpse-engine"

// VersionVariable tells an engine the version of the program that started it, or had it started.
const VersionVariable = "GLIMPSE_CALLER_VERSION"

// Program is an engine that was found.
type Program struct {
	Path    string
	version string // of the program that starts it
}

// MissingError is returned where there is no engine.
type MissingError struct {
	Path  string // where it was looked for
	Named bool   // by $GLIMPSE_ENGINE
}

// Error implements error.
func (e *MissingError) Error() string {
	if e.Named {
		return fmt.Sprintf("$GLIMPSE_ENGINE names %s, which is no program: `./bootstrap build` makes bin/%s", e.Path, Name)
	}
	return fmt.Sprintf("this takes the engine, and there is no %s: `./bootstrap build` makes it beside glimpse, or let $GLIMPSE_ENGINE name one", e.Path)
}

// Find finds the engine: $GLIMPSE_ENGINE, else glimpse-engine beside the running program. version is the running
// program's, which must be the engine's too. It returns a *MissingError where there is none.
func Find(version string) (*Program, error) {
	path, named := os.LookupEnv("GLIMPSE_ENGINE")
	if named = named && path != ""; !named {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding this program, beside which the engine lies: %w", err)
		}
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		path = filepath.Join(filepath.Dir(self), Name)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (info.IsDir() || info.Mode()&0o111 == 0) {
		return nil, &MissingError{path, named}
	}
	if err != nil {
		return nil, err
	}
	return &Program{path, version}, nil
}

// FindAndAsk finds the engine and has it say what it is; see [Find] and [Program.Ask].
func FindAndAsk(ctx context.Context, version, device string) (*Program, Info, error) {
	program, err := Find(version)
	if err != nil {
		return nil, Info{}, err
	}
	info, err := program.Ask(ctx, device)
	return program, info, err
}

// Self is the running program, which is an engine.
func Self(version string) (*Program, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program, which runs the trials: %w", err)
	}
	return &Program{path, version}, nil
}

// CheckCaller returns an error where this process, an engine of this version, was started by a program of another.
func CheckCaller(version string) error {
	caller, started := os.LookupEnv(VersionVariable)
	if !started || caller == version {
		return nil
	}
	path, err := os.Executable()
	if err != nil {
		path = Name
	}
	return fmt.Errorf("glimpse is of version %s, and its engine %s of version %s: `./bootstrap build` builds both", caller, path, version)
}

// environment is that of an engine.
func (p *Program) environment() []string {
	return withWaiting(append(os.Environ(), VersionVariable+"="+p.version))
}

// Exec replaces this process by an engine with these arguments. It returns only where that fails.
func (p *Program) Exec(args []string) error {
	err := syscall.Exec(p.Path, append([]string{p.Path}, args...), p.environment())
	return fmt.Errorf("starting the engine %s: %w", p.Path, err)
}

// Trial is the command of a run's process, which reads what to run from standard input; the run is named in its
// arguments so that people find it among the processes.
func (p *Program) Trial(run string) *exec.Cmd {
	cmd := exec.Command(p.Path, "trial", run, "--launched")
	cmd.Env = p.environment()
	return cmd
}

// Info is what an engine says of itself.
type Info struct {
	Path      string `json:"-"`
	Version   string `json:"version"`
	Libtorch  string `json:"libtorch"`
	BLAS      string `json:"blas"`
	Libraries string `json:"libraries"` // the folder of libtorch
	Threads   int    `json:"threads"`   // that libtorch uses unless told otherwise
	// Device is what was asked for, such as cpu or cuda:0; GPU its name, "" for the CPU.
	Device string `json:"device"`
	GPU    string `json:"gpu"`
	// GPUs are all there are; NoGPU says why there are none.
	GPUs  []string `json:"gpus"`
	NoGPU string   `json:"no_gpu"`
}

// Ask starts an engine and has it say what it is. device is as in --device: where there is no such device, that is the
// error.
func (p *Program) Ask(ctx context.Context, device string) (info Info, err error) {
	var output bytes.Buffer
	if err := p.Run(ctx, &output, nil, "about", "--device", device); err != nil {
		return info, err
	}
	if err := json.Unmarshal(output.Bytes(), &info); err != nil {
		return info, fmt.Errorf("the engine %s does not say what it is: %w", p.Path, err)
	}
	info.Path = p.Path
	return info, nil
}

// Run runs an engine with these arguments until it ends, in a process group of its own. When ctx ends, it is told to stop.
// What it writes to standard error is passed on to remarks or, where that is nil, becomes the error.
func (p *Program) Run(ctx context.Context, stdout, remarks io.Writer, args ...string) error {
	cmd := p.command(ctx, args...)
	cmd.Stdout = stdout
	if remarks != nil {
		cmd.Stderr = remarks
	}
	return p.run(ctx, cmd, nil)
}

// command is an engine that is told to stop when ctx ends.
func (p *Program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.Path, args...)
	cmd.Env = p.environment()
	// Ctrl-C on the terminal reaches this process alone, which passes it on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	return cmd
}

// run runs a command whose standard output is set. What it is asked, unless nil, is written to standard input, which is then
// held open until the command ends, or this process does.
func (p *Program) run(ctx context.Context, cmd *exec.Cmd, asked any) error {
	var said bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stderr = &said
	}
	var input io.WriteCloser
	var err error
	if asked != nil {
		input, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		if input != nil {
			_ = jsonline.Write(input, asked) // an engine that does not read it says why
		}
		err = cmd.Wait()
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if message := strings.TrimPrefix(strings.TrimSpace(said.String()), "glimpse: "); message != "" {
		return &Failure{message, cmd.ProcessState.ExitCode()}
	}
	return fmt.Errorf("the engine %s: %w", p.Path, err)
}

// Failure is what an engine said of its failure.
type Failure struct {
	Message string
	Code    int // its exit code
}

// Error implements error.
func (f *Failure) Error() string { return f.Message }
