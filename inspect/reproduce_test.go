package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/runner"
)

// TestReproduceTellsOfAnotherLibtorch holds that it is said before anything is trained, and only where it is so; and that
// nothing but a completed run is trained again.
func TestReproduceTellsOfAnotherLibtorch(t *testing.T) {
	d, err := data.Load(runner.DataOptions(fewScenes, "", data.Cache{}))
	check(t, err)
	db := begun(t, "study: made-up\nquestion: Is it said?\ndata: {name: shapes}\nencoder: {name: cnn}\n", fewScenes, map[string]string{"aaaa": runner.Signature(fewScenes, d, metrics.Version)})
	var said []string
	o := Opener{DB: db, Cache: data.Cache{Dir: t.TempDir()}, Remark: func(line string) { said = append(said, line) }}
	again := Again{Folder: t.TempDir(), Libtorch: "2.15.0"}
	_, err = o.Reproduce(t.Context(), runOf(t, db, "aaaa"), again)
	if err == nil || !strings.Contains(err.Error(), "run aaaa is running: only completed runs") {
		t.Fatal(err)
	}

	run := runOf(t, db, "aaaa")
	claim := store.Claim{Run: run.ID, Attempt: run.Attempt}
	environment, err := json.Marshal(runner.Environment{Threads: 3, Device: "cpu", Versions: map[string]string{"libtorch": "2.1.2"}})
	check(t, err)
	check(t, db.Start(t.Context(), claim, store.Start{Parameters: 1, Signature: run.Signature, Environment: environment}))
	check(t, db.SaveCaptions(t.Context(), claim, "test", nil))
	check(t, db.Complete(t.Context(), claim, store.Result{BestEpoch: 1, Environment: environment}))
	for libtorch, want := range map[string]string{
		"2.15.0": "run aaaa was trained with libtorch 2.1.2, but this engine has 2.15.0: results will differ in the last digits; build that one with `GLIMPSE_LIBTORCH=2.1.2 ./bootstrap build`",
		"2.1.2":  "",
	} {
		said, again.Libtorch = nil, libtorch
		if _, err := o.Reproduce(t.Context(), runOf(t, db, "aaaa"), again); err == nil || !strings.Contains(err.Error(), "lacks Features") {
			t.Errorf("with nothing to train by: %v", err)
		}
		if got := strings.Join(said, "\n"); got != want {
			t.Errorf("libtorch %s: %q is said, want %q", libtorch, got, want)
		}
	}

	// Features are computed anew too, on the device and with the threads that the run had.
	again.Runner = runner.Config{
		Device: "auto", Command: func(string) *exec.Cmd { return exec.Command("false") },
		Features: func(_ context.Context, _ experiments.Settings, _ *data.Dataset, device string, threads int, _ func(int, int)) error {
			return fmt.Errorf("features on %s with %d threads", device, threads)
		},
	}
	if _, err := o.Reproduce(t.Context(), runOf(t, db, "aaaa"), again); err == nil || !strings.Contains(err.Error(), "features on cpu with 3 threads") {
		t.Error(err)
	}
}
