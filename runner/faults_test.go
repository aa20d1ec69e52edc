package runner

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"time"

	"glimpse/internal/faults"
	"glimpse/internal/store"
)

// TestFailedWrites lets the writes of a study's runner and trials fail, one
// after the other: database, checkpoints, logs. Whatever was completed by then
// stays so; the database is sound; and the study, run again, ends as if
// nothing had happened.
func TestFailedWrites(t *testing.T) {
	if err := faults.Supported(); err != nil {
		t.Skip(err)
	}
	// Not parallel: the tracer waits for all children of its thread, and another
	// test's could be among them.
	b := bench{Seeds: 1, Epochs: 2, Jobs: 1, Lease: time.Minute}
	want := reference(t, b)
	strike := func(t *testing.T, dir string, fault faults.Fault) faults.Result {
		t.Helper()
		b.Dir = dir
		raw, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), runnerVariable+"="+string(raw))
		result, err := faults.Run(cmd, dir, fault)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	undisturbed := strike(t, t.TempDir(), faults.Fault{})
	if undisturbed.Code != 0 || undisturbed.Writes < 100 {
		t.Fatalf("undisturbed: %+v", undisturbed)
	}
	faults.Each(t, undisturbed.Writes, 6, func(t *testing.T, fault faults.Fault) faults.Result {
		dir := t.TempDir()
		result := strike(t, dir, fault)
		b := b
		b.Dir = dir
		before := completed(t, b)
		if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != summary.Total {
			t.Fatalf("after %s: run again: %+v, %v", result.Struck, summary, err)
		}
		same(t, b, want)
		for id, attempt := range completed(t, b) {
			if was, done := before[id]; done && was != attempt {
				t.Errorf("after %s: run %s was completed and was trained again", result.Struck, id)
			}
		}
		return result
	})
}

// completed gives the attempts of the runs that are completed.
func completed(t *testing.T, b bench) map[string]int64 {
	t.Helper()
	db, err := store.OpenReadOnly(b.database())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrNotResults) && empty(b.database()) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ctx := context.Background()
	if err := db.Check(ctx); err != nil {
		t.Error(err)
	}
	if findings, err := db.Findings(ctx, nil); err != nil || len(findings.List) > 0 {
		t.Errorf("findings %+v, %v", findings, err)
	}
	runs, err := db.Runs(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	attempts := map[string]int64{}
	for _, run := range runs {
		if run.State == store.Completed {
			attempts[run.ID] = run.Attempt
		}
	}
	return attempts
}

// empty tells whether a file has nothing in it.
func empty(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() == 0
}
