package runner

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/internal/store"
)

// killed runs the study until its trials are killed in an epoch, and gives what they have recorded of how far they are.
func (b bench) killed(t *testing.T, epoch int) map[string]progress {
	t.Helper()
	b.Fault = fault{Kind: "kill", Epoch: epoch, Step: 2}
	if _, err := b.run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	all := map[string]progress{}
	for _, run := range b.runs(t) {
		var p progress
		if err := json.Unmarshal(run.Progress, &p); err != nil || p.Epoch != epoch-1 {
			t.Fatalf("run %s is after epoch %d, %v", run.ID, p.Epoch, err)
		}
		all[run.ID] = p
	}
	return all
}

// checkpointsOf gives the names of a run's checkpoints.
func (b bench) checkpointsOf(run string) map[string]bool {
	files, _ := filepath.Glob(filepath.Join(b.Dir, "runs", run, "checkpoint-*"))
	names := map[string]bool{}
	for _, file := range files {
		name, _, _ := strings.Cut(filepath.Base(file), ".")
		names[name] = true
	}
	return names
}

// again runs the study undisturbed, and gives how many epochs each trial trained and what it noted.
func (b bench) again(t *testing.T) (epochs map[string]int, notes map[string]string) {
	t.Helper()
	b.Fault = fault{}
	epochs, notes = map[string]int{}, map[string]string{}
	summary, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Progress = func(e Event) {
			switch e.Kind {
			case EventEpoch:
				epochs[e.Run]++
			case EventNote:
				notes[e.Run] += e.Message + "\n"
			}
		}
	})
	if err != nil || summary.Completed != summary.Total {
		t.Fatalf("%+v, %v", summary, err)
	}
	return epochs, notes
}

func cut(file string) error { return os.Truncate(file, 3) }

// TestDamagedCheckpointGoesBack damages the last checkpoint of killed trials, after each number of epochs: they go on from
// the one before, say so in log and record, and end as if nothing had happened.
func TestDamagedCheckpointGoesBack(t *testing.T) {
	t.Parallel()
	const total = 5
	b := bench{Seeds: 1, Epochs: total, Jobs: 2}
	want := reference(t, b)
	for epoch := 3; epoch <= total; epoch++ {
		for _, damage := range []func(string) error{cut, os.Remove} {
			b.Dir = t.TempDir()
			for run, p := range b.killed(t, epoch) {
				if names := b.checkpointsOf(run); len(names) > 3 {
					t.Errorf("run %s keeps %d checkpoints after epoch %d", run, len(names), p.Epoch)
				}
				if err := damage(filepath.Join(b.Dir, "runs", run, p.Last+".safetensors")); err != nil {
					t.Fatal(err)
				}
			}
			epochs, notes := b.again(t)
			for _, run := range b.runs(t) {
				if epochs[run.ID] != total-(epoch-2) {
					t.Errorf("run %s, damaged after epoch %d, trained %d epochs", run.ID, epoch-1, epochs[run.ID])
				}
				var e Environment
				if err := json.Unmarshal(run.Environment, &e); err != nil || len(e.Rewinds) != 1 ||
					!strings.HasPrefix(e.Rewinds[0], "attempt 2, going back from epoch ") || strings.Contains(e.Rewinds[0], b.Dir) {
					t.Errorf("run %s records %q, %v", run.ID, e.Rewinds, err)
				}
				log, err := os.ReadFile(filepath.Join(b.Dir, "runs", run.ID, LogName))
				if said := "going back from epoch "; err != nil || !strings.Contains(notes[run.ID], said) || !strings.Contains(string(log), said) {
					t.Errorf("run %s says %q; its log, %v:\n%s", run.ID, notes[run.ID], err, log)
				}
			}
			same(t, b, want)
		}
	}
}

// TestDamagedBestCheckpoint damages the best checkpoint alone, which is not noticed before the end; and the best and the last.
func TestDamagedBestCheckpoint(t *testing.T) {
	t.Parallel()
	b := bench{Seeds: 3, Epochs: 5, Jobs: 2}
	want := reference(t, b)
	for name, both := range map[string]bool{"best": false, "best and last": true} {
		b.Dir = t.TempDir()
		struck := 0
		for run, p := range b.killed(t, 5) {
			if p.Best == p.Last {
				continue
			}
			struck++
			damaged := []string{p.Best}
			if both {
				damaged = append(damaged, p.Last)
			}
			for _, checkpoint := range damaged {
				if err := cut(filepath.Join(b.Dir, "runs", run, checkpoint+".json")); err != nil {
					t.Fatal(err)
				}
			}
		}
		b.again(t)
		recorded := 0
		for _, run := range b.runs(t) {
			if strings.Contains(string(run.Environment), `"rewinds"`) {
				recorded++
			}
		}
		if recorded == 0 || recorded > struck || both && recorded < struck {
			t.Errorf("%s: %d of 6 were damaged, %d went back", name, struck, recorded)
		}
		same(t, b, want)
	}
}

// TestUnreadableCheckpoints: what is there and cannot be read may be read again, and is no reason to begin anew.
func TestUnreadableCheckpoints(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 4, Jobs: 1}
	want := reference(t, b)
	aside := map[string]string{}
	for run := range b.killed(t, 4) {
		for name := range b.checkpointsOf(run) {
			file := filepath.Join(b.Dir, "runs", run, name+".json")
			aside[file] = file + ".aside"
			if err := errors.Join(os.Rename(file, aside[file]), os.Mkdir(file, 0o700)); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.Fault = fault{}
	summary, err := b.run(context.Background(), nil)
	if !errors.Is(err, ErrDisk) || summary.Failed != 2 || summary.Failures[0].Kind != FailureDisk || !strings.Contains(err.Error(), "to start over, remove") {
		t.Fatalf("%+v, %v", summary, err)
	}
	for file, kept := range aside {
		if err := errors.Join(os.Remove(file), os.Rename(kept, file)); err != nil {
			t.Fatal(err)
		}
	}
	epochs, _ := b.again(t)
	for _, run := range b.runs(t) {
		if run.State != store.Completed || epochs[run.ID] != 1 {
			t.Errorf("run %s is %s after %d more epochs, want 1", run.ID, run.State, epochs[run.ID])
		}
	}
	same(t, b, want)
}
