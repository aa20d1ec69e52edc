// Package engine finds the program glimpse-engine, which links libtorch, and starts it. The
// engine computes; glimpse plans, records and reports, and works without it.
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

// VersionVariable is the environment variable with the version of the program that started the
// engine, directly or not.
const VersionVariable = "GLIMPSE_CALLER_VERSION"

// Program is an engine that was found.
type Program struct {
	Path    string
	version string // of the program that starts it
}

// MissingError is returned if there is no engine.
type MissingError struct {
	Path  string // where it should be
	Named bool   // by $GLIMPSE_ENGINE
}

// Error implements error.
func (e *MissingError) Error() string {
	if e.Named {
		return fmt.Sprintf("$GLIMPSE_ENGINE is set to %s, which is not a program: build bin/%s with `./bootstrap build`, or unset it", e.Path, Name)
	}
	return fmt.Sprintf("this command needs the engine, but there is no %s: build it with `./bootstrap build`, or set $GLIMPSE_ENGINE to its path", e.Path)
}

// Find finds the engine: $GLIMPSE_ENGINE, else glimpse-engine beside the running program. version
// is the running program's; the engine must have the same. It returns a *MissingError if there is
// no engine.
func Find(version string) (*Program, error) {
	path, named := os.LookupEnv("GLIMPSE_ENGINE")
	if named = named && path != ""; !named {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program, to find the engine beside it: %w", err)
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

// FindAndAsk finds the engine and asks what it is; see [Find] and [Program.Ask].
func FindAndAsk(ctx context.Context, version, device string) (*Program, Info, error) {
	program, err := Find(version)
	if err != nil {
		return nil, Info{}, err
	}
	info, err := program.Ask(ctx, device)
	return program, info, err
}

// Self returns the running program, which must be an engine.
func Self(version string) (*Program, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program, to run trials with it: %w", err)
	}
	return &Program{path, version}, nil
}

// CheckCaller returns an error if this process, an engine of the given version, was started by a
// program of another version.
func CheckCaller(version string) error {
	caller, started := os.LookupEnv(VersionVariable)
	if !started || caller == version {
		return nil
	}
	path, err := os.Executable()
	if err != nil {
		path = Name
	}
	return fmt.Errorf("glimpse has version %s, but its engine %s has version %s: build both with `./bootstrap build`", caller, path, version)
}

// environment returns the environment of an engine.
func (p *Program) environment() []string {
	return withWaiting(append(os.Environ(), VersionVariable+"="+p.version))
}

// Exec replaces this process with an engine with these arguments. It returns only if that fails.
func (p *Program) Exec(args []string) error {
	err := syscall.Exec(p.Path, append([]string{p.Path}, args...), p.environment())
	return fmt.Errorf("start the engine %s: %w", p.Path, err)
}

// Trial returns the command of a run's process. It reads what to run from standard input; the
// run's id is only an argument so that people recognize the process.
func (p *Program) Trial(run string) *exec.Cmd {
	cmd := exec.Command(p.Path, "trial", run, "--launched")
	cmd.Env = p.environment()
	return cmd
}

// Info is what an engine reports about itself.
type Info struct {
	Path      string `json:"-"`
	Version   string `json:"version"`
	Libtorch  string `json:"libtorch"`
	BLAS      string `json:"blas"`
	Libraries string `json:"libraries"` // the folder of libtorch
	Threads   int    `json:"threads"`   // libtorch's default
	// Device is the requested device, such as cpu or cuda:0; GPU is its name; "" for the CPU.
	Device string `json:"device"`
	GPU    string `json:"gpu"`
	// GPUs are the names of all GPUs; NoGPU says why there are none.
	GPUs  []string `json:"gpus"`
	NoGPU string   `json:"no_gpu"`
}

// Ask starts an engine and asks what it is. device is a value of --device; it is an error if
// there is no such device.
func (p *Program) Ask(ctx context.Context, device string) (info Info, err error) {
	var output bytes.Buffer
	if err := p.Run(ctx, &output, nil, "about", "--device", device); err != nil {
		return info, err
	}
	if err := json.Unmarshal(output.Bytes(), &info); err != nil {
		return info, fmt.Errorf("the engine %s did not describe itself; rebuild it with `./bootstrap build`: %w", p.Path, err)
	}
	info.Path = p.Path
	return info, nil
}

// Run runs an engine with these arguments, in a process group of its own, until it ends. When ctx
// ends, the engine is asked to stop. Its standard error goes to remarks or, if that is nil,
// becomes the error.
func (p *Program) Run(ctx context.Context, stdout, remarks io.Writer, args ...string) error {
	cmd := p.command(ctx, args...)
	cmd.Stdout = stdout
	if remarks != nil {
		cmd.Stderr = remarks
	}
	return p.run(ctx, cmd, nil)
}

// command returns the command of an engine that is asked to stop when ctx ends.
func (p *Program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.Path, args...)
	cmd.Env = p.environment()
	// Ctrl-C on the terminal reaches only this process, which passes it on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	return cmd
}

// run runs a command whose standard output is set. It writes asked, unless nil, to the command's
// standard input, and keeps that open until the command or this process ends.
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
			_ = jsonline.Write(input, asked) // an engine that does not read it reports why
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

// Failure is the error that an engine reported.
type Failure struct {
	Message string
	Code    int // its exit code
}

// Error implements error.
func (f *Failure) Error() string { return f.Message }
