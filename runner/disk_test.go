package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"glimpse/data"
	"glimpse/internal/atomicfile"
	"glimpse/internal/faults"
	"glimpse/internal/store"
)

// TestFailureOf holds that whatever cannot be written is the disk's, and that what cannot be read is not.
func TestFailureOf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, noLog := openLog(file, 1)
	_, noPicture := os.Open(filepath.Join(file, "picture.jpg"))
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"no folder":          {makeRunDir(file, filepath.Join(file, "run")), FailureDisk},
		"no log":             {noLog, FailureDisk},
		"a checkpoint":       {&atomicfile.WriteError{Path: "checkpoint", Err: syscall.ESTALE}, FailureDisk},
		"the database":       {&store.FileError{}, FailureDisk},
		"a broken device":    {&os.PathError{Op: "read", Path: "picture.jpg", Err: syscall.EIO}, FailureDisk},
		"a picture":          {noPicture, FailureError},
		"a stale picture":    {&os.PathError{Op: "read", Path: "picture.jpg", Err: syscall.ESTALE}, FailureError},
		"an error of a loss": {&lossError{}, FailureLoss},
		"no features":        {fmt.Errorf("image 3: %w", data.ErrFeatures), FailureCache},
		"other features":     {&FeaturesError{}, FailureData},
	} {
		if got := failureOf(c.err); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestRunsCannotBeWritten lets all writes below runs/ fail from some moment on, in the ways in which filesystems fail. Whatever
// the way, the study ends with the trial that it struck; the database, which lies elsewhere, says so; and the same command goes on.
func TestRunsCannotBeWritten(t *testing.T) {
	if err := faults.Supported(); err != nil {
		t.Skip(err)
	}
	// Not parallel, as TestFailedWrites.
	b := bench{Seeds: 1, Epochs: 2, Jobs: 1, Lease: time.Minute}
	want := reference(t, b)
	strike := func(dir string, fault faults.Fault) (bench, faults.Result) {
		b := b
		b.Dir = dir
		raw, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), runnerVariable+"="+string(raw))
		runs := filepath.Join(dir, "runs")
		if err := os.Mkdir(runs, 0o700); err != nil {
			t.Fatal(err)
		}
		result, err := faults.Run(cmd, runs, fault)
		if err != nil {
			t.Fatal(err)
		}
		return b, result
	}
	_, undisturbed := strike(t.TempDir(), faults.Fault{})
	for i, errno := range []syscall.Errno{syscall.EROFS, syscall.ESTALE, syscall.EPERM, syscall.EACCES, syscall.EDQUOT} {
		b, result := strike(t.TempDir(), faults.Fault{At: 1 + i*undisturbed.Writes/12, Error: errno, Lasting: true})
		runs := b.runs(t)
		if result.Code != 1 || runs[0].State != store.Failed || runs[0].Failure != FailureDisk || runs[1].State != store.Queued {
			t.Errorf("%v from %s on: exit code %d; run %s by %q: %s; the next is %s",
				errno, result.Struck, result.Code, runs[0].State, runs[0].Failure, runs[0].Error, runs[1].State)
		}
		if !strings.Contains(runs[0].Error, errno.Error()) {
			t.Errorf("%v is not among the reasons: %s", errno, runs[0].Error)
		}
		if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != 2 {
			t.Errorf("after %v: %+v, %v", errno, summary, err)
		}
		same(t, b, want)
	}
}

// TestRunsAreTaken removes runs/ under a runner, or puts a file into its place.
func TestRunsAreTaken(t *testing.T) {
	t.Parallel()
	b := bench{Seeds: 2, Epochs: 3, Jobs: 1, Fault: fault{Sleep: 10 * time.Millisecond}}
	want := reference(t, b)
	for name, take := range map[string]func(dir string) error{
		"removed": os.RemoveAll,
		"renamed": func(dir string) error { return os.Rename(dir, dir+".old") },
		"a file": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".old"), os.WriteFile(dir, nil, 0o600))
		},
	} {
		b.Dir = t.TempDir()
		runs := filepath.Join(b.Dir, "runs")
		summary, err := b.run(context.Background(), func(cfg *Config) {
			cfg.Progress = func(e Event) {
				if e.Kind == EventEpoch && e.Epoch == 1 {
					if err := take(runs); err != nil {
						t.Error(err)
					}
				}
			}
		})
		if !errors.Is(err, ErrDisk) || summary.Failed != 1 || summary.Unfinished != 3 || summary.Mendable() != 1 {
			t.Errorf("%s: %+v, %v", name, summary, err)
		}
		if name == "a file" {
			_ = os.Remove(runs)
		}
		if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != 4 {
			t.Errorf("%s, then run again: %+v, %v", name, summary, err)
		}
		same(t, b, want)
	}
}
