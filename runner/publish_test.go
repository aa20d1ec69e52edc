package runner

import (
	"context"
	"errors"
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
