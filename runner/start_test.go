package runner

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"glimpse/internal/store"
)

// TestBeginLosesNoProgress holds that a start which cannot read what an earlier one left does not
// start over, unless that is damaged.
func TestBeginLosesNoProgress(t *testing.T) {
	t.Parallel()
	c := newCollected(t)
	c.fault = fault{Kind: "nan", Epoch: 2, Step: 1}
	if err := c.make(t, nil); err == nil {
		t.Fatal("the loss was not noticed")
	}
	left := part{filepath.Join(c.folder(), "0"), 1, 0}
	begin := func() (*Start, error) { return c.job.Begin(t.Context(), c.folder(), t.TempDir()) }
	runs := RunDir(left.runs(), c.run.ID)
	for name, path := range map[string]string{"the database": left.database(), "its checkpoints": runs} {
		if err := os.Rename(path, path+".aside"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, path); err != nil { // which cannot be opened
			t.Fatal(err)
		}
		if start, err := begin(); start != nil || !errors.Is(err, syscall.ELOOP) {
			t.Errorf("%s cannot be opened: %+v, %v", name, start, err)
		}
		if err := errors.Join(os.Remove(path), os.Rename(path+".aside", path)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(runs, runs+".aside"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(runs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Start{Launch: c.job.Launch, part: part{t.TempDir(), 1, 9}, scratch: t.TempDir()}
	if _, err := s.goOn(t.Context(), left); err == nil || s.DB != nil {
		t.Errorf("a start that failed keeps its database: %v", err)
	}
	if files, _ := os.ReadDir(s.scratch); len(files) > 0 {
		t.Errorf("it leaves %v", files)
	}
	if err := errors.Join(os.Remove(runs), os.Rename(runs+".aside", runs)); err != nil {
		t.Fatal(err)
	}
	again, err := begin()
	if err != nil {
		t.Fatal(err)
	}
	if run, err := again.DB.Run(t.Context(), c.run.ID); err != nil || run.Epochs != 1 {
		t.Errorf("resumed with %d epochs, %v", run.Epochs, err)
	}
	again.End()
	if err := os.WriteFile(left.database(), []byte(strings.Repeat("damage", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	over, err := begin()
	if err != nil {
		t.Fatal(err)
	}
	over.End()
}

func TestNumbered(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"10", "2", "-1", "03", "x"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "7")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := numbered(dir); err != nil || len(got) != 2 || got[0] != 2 || got[1] != 10 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := numbered(filepath.Join(dir, "missing")); err != nil || len(got) > 0 {
		t.Errorf("missing: %v, %v", got, err)
	}
	if _, err := numbered(file); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a folder that cannot be read has no jobs: %v", err)
	}
	if _, err := jobAttempt(dir, store.Claim{Run: "7", Attempt: 1}); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a folder that cannot be read has no jobs: %v", err)
	}
}
