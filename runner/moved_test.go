package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"glimpse/internal/store"
)

// TestDatabaseGone takes the database's file away under a study at work: the study
// ends with an error, and what was recorded is kept, so that the same study goes on.
func TestDatabaseGone(t *testing.T) {
	other := func(b bench) bench { // a study in a folder of its own
		return bench{Dir: filepath.Join(b.Dir, "other"), Seeds: 1, Epochs: 1, Jobs: 1}
	}
	remove := func(t *testing.T, paths ...string) {
		for _, path := range paths {
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		}
	}
	for name, c := range map[string]struct {
		gone func(t *testing.T, b bench)
		kind string // of the event after which it is gone
		want string // in the error
		kept string // where the results are
	}{
		"removed": {func(t *testing.T, b bench) { remove(t, b.database()) }, EventEpoch,
			"no file is there any more; recorded results are in a new file of that name: run again to resume", "results.db"},
		"removed with its log": {func(t *testing.T, b bench) {
			remove(t, b.database(), b.database()+"-wal", b.database()+"-shm")
		}, EventEpoch, "in a new file of that name", "results.db"},
		"removed at the very end": {func(t *testing.T, b bench) { remove(t, b.database()) }, EventCompleted, "in a new file of that name", "results.db"},
		"replaced": {func(t *testing.T, b bench) {
			if err := os.Rename(other(b).database(), b.database()); err != nil {
				t.Error(err)
			}
		}, EventEpoch, "another file has replaced it; recorded results are in ", "results-rescued-1.db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 3, Jobs: 1, Lease: 300 * time.Millisecond, Fault: fault{Sleep: 20 * time.Millisecond}}
			want := reference(t, b)
			if err := os.Mkdir(other(b).Dir, 0o777); err != nil {
				t.Fatal(err)
			}
			if _, err := other(b).run(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
			var once sync.Once
			events := 0
			_, err := b.run(context.Background(), func(cfg *Config) {
				cfg.Progress = func(e Event) {
					if e.Kind != c.kind {
						return
					}
					if events++; c.kind == EventEpoch || events == 2 {
						once.Do(func() { c.gone(t, b) })
					}
				}
			})
			if !errors.Is(err, store.ErrMoved) || errors.Is(err, ErrInterrupted) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), b.database()) {
				t.Fatalf("the study ended with: %v", err)
			}
			kept := filepath.Join(b.Dir, c.kept)
			if files, _ := filepath.Glob(filepath.Join(b.Dir, "results*")); kept == b.database() && len(files) != 1 {
				t.Errorf("there are %v", files)
			}
			if kept != b.database() {
				if runs := b.runs(t); len(runs) != 2 || runs[0].Epochs != 1 {
					t.Errorf("the file that took its place holds %+v", runs)
				}
				if err := os.Rename(kept, b.database()); err != nil {
					t.Fatal(err)
				}
			}
			runs := b.runs(t)
			if len(runs) != 2 || runs[0].Epochs < 1 || c.kind == EventCompleted && runs[1].State != store.Completed {
				t.Errorf("kept were %+v", runs)
			}
			b.Fault = fault{}
			if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != 2 {
				t.Fatalf("run again: %+v, %v", summary, err)
			}
			same(t, b, want)
		})
	}
}
