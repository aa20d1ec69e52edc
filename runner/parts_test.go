package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
)

func TestEventsWithoutNumbersCanBeWritten(t *testing.T) {
	var out bytes.Buffer
	e := emitter{to: &out}
	e.emit(Event{Kind: EventEpoch, Loss: math.NaN(), Metrics: map[string]float64{"a": math.Inf(1), "b": 1}})
	var back Event
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back.Kind != EventEpoch || len(back.Metrics) != 1 {
		t.Errorf("%s: %v", out.Bytes(), err)
	}
	(&emitter{}).emit(Event{Kind: EventStep}) // to nobody
}

func TestProgressIsNotReportedTooOften(t *testing.T) {
	var out bytes.Buffer
	e := emitter{to: &out}
	for step := range 1000 {
		e.progress(Event{Kind: EventStep, Step: step}, step == 999)
	}
	if n := strings.Count(out.String(), "\n"); n < 2 || n > 20 || !strings.Contains(out.String(), `"step":999`) {
		t.Errorf("%d events", n)
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs", "abc", LogName)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	before := "an earlier attempt\n"
	var log strings.Builder
	log.WriteString(before + "panic: it broke\n\n" + strings.Repeat("goroutine\n", 40000) + "SIGSEGV: segmentation violation\n" + strings.Repeat("frame\n", 100))
	if err := os.WriteFile(path, []byte(log.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(withLog("cause", path, int64(len(before))), "\n")
	if got[0] != "cause" || got[1] != "last lines of runs/abc/log.txt:" || got[6] != "SIGSEGV: segmentation violation" || got[7] != "frame" || len(got) != tailLines+2 {
		t.Errorf("%d lines: %q", len(got), got)
	}
	if got := withLog("cause", path, int64(log.Len())); got != "cause" {
		t.Errorf("without lines: %q", got)
	}
	for log, want := range map[string]string{
		"Error: it broke\n":        "it broke",
		"it broke":                 "it broke",
		"first\nError: it broke\n": "it broke\nlast lines of runs/abc/log.txt:\nfirst",
		"it broke\nthen\n":         "it broke\nlast lines of runs/abc/log.txt:\nit broke\nthen",
		"last \xff line\n":         "it broke\nlast lines of runs/abc/log.txt:\nlast ? line",
		"SIGUSR1: a note\n" + strings.Repeat("frame\n", tailLines): "it broke\nlast lines of runs/abc/log.txt:" + strings.Repeat("\nframe", tailLines),
	} {
		if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := withLog("it broke", path, 0); got != want {
			t.Errorf("log %q: got %q, want %q", log, got, want)
		}
	}
	if got := withLog("cause", path+"x", 0); got != "cause" {
		t.Errorf("without a log: %q", got)
	}
}

func TestPruneLeavesSuccessorsAlone(t *testing.T) {
	dir := t.TempDir()
	names := newNamer(time.UnixMilli(35), 2)
	if got := names.name(7); got != "checkpoint-z-2-7" {
		t.Fatalf("name is %s", got)
	}
	for _, name := range []string{
		"checkpoint-z-1-1.json", "checkpoint-z-1-1.safetensors", "checkpoint-z-1-2.json", "checkpoint-z-2-3.optimizer.safetensors",
		".glimpse-ABCDEFGHIJ.tmp", "checkpoint-z-3-1.json", "checkpoint-z-10-1.json", "log.txt", "checkpoint-z-mine.json", "checkpoint-y-1-1.json",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := prune(dir, names, "checkpoint-z-1-2", ""); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	want := []string{"checkpoint-y-1-1.json", "checkpoint-z-1-2.json", "checkpoint-z-10-1.json", "checkpoint-z-3-1.json", "checkpoint-z-mine.json", "log.txt"}
	if !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v", left, want)
	}
}

func TestBestCheckpointSaysWhatIsMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]*")
	for text, want := range map[string]string{
		``:                        "no checkpoint yet",
		`{"last":"checkpoint"}`:   "no checkpoint yet",
		`{`:                       "cannot read its progress",
		`{"best":"checkpoint-1"}`: "not found",
	} {
		_, err := BestCheckpoint(dir, store.Run{ID: "r", State: store.Running, Progress: json.RawMessage(text)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "r"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "r", "checkpoint-1.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := BestCheckpoint(dir, store.Run{ID: "r", Progress: json.RawMessage(`{"best":"checkpoint-1"}`)})
	if err != nil || path != filepath.Join(dir, "r", "checkpoint-1") {
		t.Errorf("%s, %v", path, err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil { // a folder that cannot be read
		t.Fatal(err)
	}
	_, err = BestCheckpoint(dir, store.Run{ID: "loop", Progress: json.RawMessage(`{"best":"checkpoint-1"}`)})
	if !errors.Is(err, syscall.ELOOP) || strings.Contains(err.Error(), "not found") {
		t.Errorf("a folder that cannot be read: %v", err)
	}
}

// TestPrunedCheckpoint holds that a checkpoint which was removed on purpose is told of as that, and no other.
func TestPrunedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	names := newNamer(time.UnixMilli(1), 3)
	other := newNamer(time.UnixMilli(2), 3) // of another database in the same folder
	run := store.Run{ID: "r", State: store.Completed, Progress: json.RawMessage(`{"best":"` + names.name(2) + `"}`)}
	if err := makeRunDir(dir, RunDir(dir, "r")); err != nil {
		t.Fatal(err)
	}
	check := func(want string) {
		t.Helper()
		_, err := BestCheckpoint(dir, run)
		if err == nil || !strings.Contains(err.Error(), want) || errors.As(err, new(*PrunedError)) == strings.Contains(want, "not found") {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	check("not found")
	if err := markPruned(RunDir(dir, "r"), other.prefix, byPrune); err != nil {
		t.Fatal(err)
	}
	check("not found")
	if err := markPruned(RunDir(dir, "r"), names.prefix, "checkpoints.keep: none"); err != nil {
		t.Fatal(err)
	}
	check("run r: its checkpoint was pruned by checkpoints.keep: none on " + time.Now().UTC().Format("2 January 2006") +
		"; train it again: `glimpse reproduce r --keep again`, then this command with --db again/results.db")
	if err := markPruned(RunDir(dir, "r"), names.prefix, byPrune); err != nil {
		t.Fatal(err)
	}
	run.State = store.Interrupted
	check("by `glimpse prune` on " + time.Now().UTC().Format("2 January 2006") + "; run its study again to train it")
	if err := os.WriteFile(markPath(RunDir(dir, "r"), names.prefix), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("not found")
	if err := os.WriteFile(filepath.Join(RunDir(dir, "r"), names.name(2)+".json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := BestCheckpoint(dir, run); err != nil {
		t.Errorf("with the checkpoint beside the mark: %v", err)
	}
}

func TestEstimate(t *testing.T) {
	trials := bench{Seeds: 2, Epochs: 10}.trials() // soft 1, none 1, soft 2, none 2
	if _, ok := Estimate(trials, nil, 1); ok {
		t.Error("an estimate from nothing")
	}
	done := store.Run{ID: trials[0].ID, State: store.Completed, Seconds: 100, Epochs: 10}
	fast := store.Run{ID: trials[1].ID, State: store.Completed, Seconds: 40, Epochs: 10}
	half := store.Run{ID: trials[2].ID, State: store.Interrupted, Seconds: 60, Epochs: 5}
	failed := store.Run{ID: trials[3].ID, State: store.Failed}
	settings := trials[0].Settings
	settings.Seed = 99
	raw, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := store.Run{ID: "another study's", State: store.Completed, Seconds: 30, Settings: raw}
	for _, c := range []struct {
		known []store.Run
		jobs  int
		want  float64 // seconds
	}{
		{[]store.Run{done}, 1, 300},            // the others as long as the one known
		{[]store.Run{done, fast}, 1, 140},      // each as long as its arm
		{[]store.Run{done, fast}, 2, 100},      // the longest decides
		{[]store.Run{done, fast, half}, 1, 90}, // half of one is done
		{[]store.Run{done, half, failed}, 1, 150},
		{[]store.Run{fast, elsewhere}, 1, 100}, // another seed of an arm is known from another study
	} {
		got, ok := Estimate(trials, c.known, c.jobs)
		if !ok || math.Abs(got.Seconds()-c.want) > 1e-6 {
			t.Errorf("%d known, %d jobs: %v, %v; want %v s", len(c.known), c.jobs, got, ok, c.want)
		}
	}
	var e estimator
	e.know(trials, nil)
	for _, trial := range trials {
		e.see(Event{Kind: EventStarted, Run: trial.ID})
		e.trials[trial.ID].started = time.Now().Add(-20 * time.Second)
		e.see(Event{Kind: EventStep, Run: trial.ID, Epoch: 2, Epochs: 10, Step: 10, Steps: 10})
	}
	if got, ok := e.remaining(4); !ok || math.Abs(got.Seconds()-80) > 1 {
		t.Errorf("a fifth was done in 20 s: %v left, want 80 s", got)
	}
}

func TestDataOptionsPreferTheSpecsRoot(t *testing.T) {
	s := experiments.Settings{Data: experiments.Data{Name: "coco", Split: "karpathy", MinCount: 5}}
	if o := DataOptions(s, "given", data.Cache{}); o.Root != "given" || o.Name != "coco" || o.MinCount != 5 || o.Tokenize == nil {
		t.Errorf("options %+v", o)
	}
	s.Data.Root = "own"
	if o := DataOptions(s, "given", data.Cache{}); o.Root != "own" {
		t.Errorf("root is %s", o.Root)
	}
}
