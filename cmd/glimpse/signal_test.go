package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"glimpse/internal/cli"
	"glimpse/internal/cli/clitest"
)

// TestSignals ends verbs while they wait to open a pipe, wait for data from one, and compute.
func TestSignals(t *testing.T) {
	captions := func(text string) string {
		var entries []string
		for i := range 200 {
			entries = append(entries, fmt.Sprintf(`{"image_id": %d, "caption": %q}`, i, text))
		}
		return "[" + strings.Join(entries, ", ") + "]"
	}
	long := captions(strings.Repeat("a ", 4000)) // minutes for METEOR
	type pipe struct {
		name, text string
		closed     bool // or else more is waited for
	}
	for name, c := range map[string]struct {
		args  []string
		pipes []pipe // what is written to them, in this order, before the signal
	}{
		"plan reads":     {[]string{"plan", "study.yaml"}, []pipe{{"study.yaml", "study: a\n", false}}},
		"plan opens":     {[]string{"plan", "study.yaml"}, []pipe{{"study.yaml", "study: a\nextends: base.yaml\n", true}}},
		"run reads":      {[]string{"run", "study.yaml"}, []pipe{{"study.yaml", "study: a\n", false}}},
		"data info":      {[]string{"data", "info", "study.yaml"}, []pipe{{"study.yaml", "study: a\nextends: base.yaml\n", true}}},
		"score reads":    {[]string{"score", "--references", "study.yaml", "--candidates", "base.yaml"}, []pipe{{"study.yaml", "[", false}}},
		"score opens":    {[]string{"score", "--references", "study.yaml", "--candidates", "base.yaml"}, []pipe{{"study.yaml", long, true}}},
		"score computes": {[]string{"score", "--references", "study.yaml", "--candidates", "base.yaml"}, []pipe{{"study.yaml", long, true}, {"base.yaml", long, true}}},
		"tokenize":       {[]string{"tokenize"}, nil},
	} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(name+" "+signal.String(), func(t *testing.T) {
				clitest.Sandbox(t, nil)
				for _, name := range []string{"study.yaml", "base.yaml"} {
					if err := syscall.Mkfifo(name, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				cmd := exec.CommandContext(t.Context(), "glimpse", c.args...)
				var said bytes.Buffer
				cmd.Stderr = &said
				input, err := cmd.StdinPipe()
				if err == nil {
					err = cmd.Start()
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range c.pipes { // opening waits for the process to open it as well
					file, err := os.OpenFile(p.name, os.O_WRONLY, 0)
					if err != nil {
						t.Fatal(err)
					}
					defer file.Close()
					if _, err := file.WriteString(p.text); err != nil {
						t.Fatal(err)
					}
					if p.closed {
						file.Close()
					}
				}
				if c.pipes == nil { // more than a pipe holds: the process has read some of it
					if _, err := input.Write(make([]byte, 1<<20)); err != nil {
						t.Fatal(err)
					}
				}
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				err = cmd.Wait()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != cli.ExitInterrupted || !strings.Contains(said.String(), "interrupted") {
					t.Errorf("%v, want exit code %d:\n%s", err, cli.ExitInterrupted, said.String())
				}
			})
		}
	}
}
