package cli

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"glimpse/internal/crash"
)

// breaking is a program whose one verb panics, in its own goroutine or in a worker's.
func breaking() *cobra.Command {
	root := Root()
	var list []int
	root.AddCommand(
		&cobra.Command{Use: "break", Run: func(*cobra.Command, []string) { list[len(list)] = 0 }},
		&cobra.Command{Use: "work", Run: func(*cobra.Command, []string) {
			var w crash.Workers
			w.Go(func() { list[len(list)] = 0 })
			w.Wait()
		}},
	)
	return root
}

// A panic is told of with what a report needs, and has a code of its own.
func TestPanicIsReported(t *testing.T) {
	for _, verb := range []string{"break", "work"} {
		var stderr strings.Builder
		code := Run(t.Context(), breaking(), []string{verb}, strings.NewReader(""), &strings.Builder{}, &stderr)
		if code != ExitCrashed {
			t.Errorf("%s: exit code %d, want %d", verb, code, ExitCrashed)
		}
		for _, want := range []string{
			"glimpse: a fault in this program, not in its use: runtime error: index out of range [0] with length 0, in ",
			"/internal/cli.breaking.", "(crash_test.go:", "please report this with the command line and the text below\n\nglimpse ", "\ngoroutine ",
		} {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%s: stderr lacks %q:\n%s", verb, want, stderr.String())
			}
		}
	}
}

// A panic that nothing recovers from aborts: Go's own exit code for it is that of wrong usage.
func TestAbortOnCrash(t *testing.T) {
	const variable = "GLIMPSE_TEST_ABORT"
	if os.Getenv(variable) != "" {
		abortOnCrash()
		go func() { panic("nobody recovers from this") }()
		time.Sleep(time.Hour)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAbortOnCrash$")
	cmd.Env = append(os.Environ(), variable+"=1", "GOTRACEBACK=")
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("%v:\n%s", err, said)
	}
	status := exit.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.Signal() != syscall.SIGABRT || !strings.Contains(string(said), "panic: nobody recovers from this") {
		t.Errorf("%v:\n%s", err, said)
	}
}
