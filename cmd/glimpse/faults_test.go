package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"glimpse/internal/cli/clitest"
	"glimpse/internal/faults"
	"glimpse/results/view"
)

// TestFailedWrites makes the program's own writes fail while it runs a study: database,
// checkpoints, logs, report. After each, the database is sound, and the same command completes as
// if nothing had happened.
func TestFailedWrites(t *testing.T) {
	needEngine(t)
	if err := faults.Supported(); err != nil {
		t.Skip(err)
	}
	clitest.Sandbox(t, map[string]string{"tiny.yaml": goodSpec})
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	// Under this name the test binary is the program, also for its child processes.
	program := filepath.Join(here, "glimpse")
	if raw, err := os.ReadFile(os.Args[0]); err != nil || os.WriteFile(program, raw, 0o755) != nil {
		t.Fatal(err)
	}
	strike := func(t *testing.T, dir string, fault faults.Fault) faults.Result {
		t.Helper()
		result, err := faults.Run(exec.Command(program, "run", "tiny.yaml", "--threads", "1", "--db", filepath.Join(dir, "results.db"),
			"--set", "train.epochs=1", "--set", "model.hidden=16", "--set", "model.embedding=16", "--set", "encoder.image_size=32",
			"--set", "encoder.channels=4", "--set", "data.min_count=1", "--set", "decode.max_length=8"), dir, fault)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	whole := t.TempDir()
	undisturbed := strike(t, whole, faults.Fault{})
	want := hashes(t, whole)
	if undisturbed.Code != 0 || len(want) != 1 {
		t.Fatalf("undisturbed: %+v, %v", undisturbed, want)
	}
	faults.Each(t, undisturbed.Writes, 2, func(t *testing.T, fault faults.Fault) faults.Result {
		dir := t.TempDir()
		result := strike(t, dir, fault)
		if again := strike(t, dir, faults.Fault{}); again.Code != 0 {
			t.Fatalf("after %s: exit code %d", result.Struck, again.Code)
		}
		if code, stdout, stderr := call(t, "db", "check", "--db", filepath.Join(dir, "results.db")); code != 0 {
			t.Errorf("after %s: %s%s", result.Struck, stdout, stderr)
		}
		for id, pair := range hashes(t, dir) {
			if pair != want[id] {
				t.Errorf("after %s: run %s has the hashes %v, want %v", result.Struck, id, pair, want[id])
			}
		}
		return result
	})
}

// hashes returns the hashes of captions and weights of the completed runs.
func hashes(t *testing.T, dir string) map[string][2]string {
	t.Helper()
	code, stdout, stderr := call(t, "runs", "--json", "--state", "completed", "--db", filepath.Join(dir, "results.db"))
	var runs []view.Run
	if err := json.Unmarshal([]byte(stdout), &runs); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, stderr)
	}
	found := map[string][2]string{}
	for _, run := range runs {
		found[run.ID] = [2]string{run.CaptionsSHA256, run.WeightsSHA256}
	}
	return found
}
