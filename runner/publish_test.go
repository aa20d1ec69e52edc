package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestUnpublishedKeepsCheckpoints holds that no checkpoint is removed which the published results
// name, and that the last results are published once, before any is.
func TestUnpublishedKeepsCheckpoints(t *testing.T) {
	t.Parallel()
	for _, keep := range []string{"none", "last", "best"} {
		c := newCollected(t)
		c.job.Launch.Keep = keep
		refused := errors.New("the shared folder is gone")
		var before, at []string // the checkpoints when the last results are published
		calls := 0
		list := func(dir string) []string {
			found, err := filepath.Glob(filepath.Join(dir, c.run.ID, "checkpoint-*.json"))
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		dir := ""
		fail := func(cfg *TrialConfig) {
			dir = cfg.Dir
			publish := cfg.Publish
			cfg.Publish = func(ctx context.Context, last bool) error {
				if !last {
					return publish(ctx, false)
				}
				calls++
				before = list(dir)
				return refused
			}
		}
		if err := c.make(t, fail); !errors.Is(err, refused) || calls != 1 {
			t.Errorf("keep %s: %v, %d calls", keep, err, calls)
		}
		if at = list(dir); len(at) != len(before) || len(at) == 0 {
			t.Errorf("keep %s: %v is left of %v", keep, at, before)
		}
		if err := c.make(t, nil); err != nil { // the next start has what the last one published
			t.Errorf("keep %s: started again: %v", keep, err)
		}
	}
}

// TestPublishingTakesTenMinutes holds the time for which the last results are retried.
func TestPublishingTakesTenMinutes(t *testing.T) {
	c := newCollected(t)
	start, err := c.job.Begin(t.Context(), c.folder(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := start.part.folder
	start.part.folder = filepath.Join(path, strings.Repeat("x", 300))
	db := start.DB
	defer func() { start.DB = db; start.End() }()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := start.Publish(t.Context(), true); err == nil {
			t.Error("published to nowhere")
		}
		if took := time.Since(began); took > publishing || took < publishing-atMost {
			t.Errorf("retried for %v, want %v", took, publishing)
		}
	})
}

// TestMarkedBeforeRemoved holds that a checkpoint which is removed on purpose never counts as lost,
// even if the removal fails midway.
func TestMarkedBeforeRemoved(t *testing.T) {
	t.Parallel()
	c := newCollected(t)
	c.job.Launch.Keep = "none"
	created, err := c.db.Created(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stuck := func(dir string) { // what cannot be removed like a file
		t.Helper()
		path := filepath.Join(RunDir(dir, c.run.ID), newNamer(created, 1).name(999)+".x", "y")
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	dir := ""
	if err := c.make(t, func(cfg *TrialConfig) {
		dir = cfg.Dir
		cfg.Publish = func(_ context.Context, last bool) error {
			if last {
				stuck(dir)
			}
			return nil
		}
	}); err != nil {
		t.Fatal(err)
	}
	prefix := newNamer(created, 0).prefix
	if _, err := os.Stat(markPath(RunDir(dir, c.run.ID), prefix)); err != nil {
		t.Errorf("a trial's checkpoints: %v", err)
	}
	runs := DefaultDir(c.db)
	stuck(runs)
	if err := c.db.Interrupt(t.Context(), c.claim); err != nil {
		t.Fatal(err)
	}
	if _, err := FreeCheckpoints(t.Context(), c.db, []string{c.run.ID}, true, false); err == nil {
		t.Error("a folder was removed as a checkpoint")
	}
	if _, err := os.Stat(markPath(RunDir(runs, c.run.ID), prefix)); err != nil {
		t.Errorf("`glimpse prune`: %v", err)
	}
}
