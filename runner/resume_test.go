package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
)

// reference runs a study undisturbed and returns what it comes to.
func reference(t *testing.T, b bench) map[string]string {
	t.Helper()
	b.Dir, b.Fault, b.Jobs = t.TempDir(), fault{}, 2
	summary, err := b.run(context.Background(), nil)
	if err != nil || summary.Completed != summary.Total {
		t.Fatalf("undisturbed: %+v, %v", summary, err)
	}
	return outcome(t, b)
}

// same compares a disturbed study with an undisturbed one.
func same(t *testing.T, b bench, want map[string]string) {
	t.Helper()
	got := outcome(t, b)
	for id, text := range want {
		if got[id] != text {
			t.Errorf("run %s ended with\n%swant\n%s", id, got[id], text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d runs, want %d", len(got), len(want))
	}
}

// slow makes a trial take long enough to be disturbed.
var slow = fault{Sleep: 4 * time.Millisecond}

func TestInterruptedStudyResumes(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 3, Jobs: 2, Fault: slow}
	want := reference(t, b)
	interrupted := 0
	for round := 1; ; round++ {
		if round > 100 {
			t.Fatal("no progress in 100 rounds")
		}
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		summary, err := b.run(ctx, func(cfg *Config) {
			cfg.Progress = func(e Event) {
				if e.Kind == EventStep || e.Kind == EventCaptioning {
					if seen++; seen == 2 {
						cancel()
					}
				}
			}
		})
		cancel()
		if err == nil && summary.Completed == 2 {
			break
		}
		if !errors.Is(err, ErrInterrupted) || summary.Failed > 0 || summary.Unfinished > 0 {
			t.Fatalf("round %d: %+v, %v", round, summary, err)
		}
		interrupted++
	}
	if interrupted < 2 {
		t.Errorf("only %d interruptions", interrupted)
	}
	same(t, b, want)
}

func TestCheckpointsWithinAnEpochChangeNothing(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2, Fault: fault{Kind: "often", Sleep: 4 * time.Millisecond}}
	want := reference(t, b)
	saved := 0
	if _, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Progress = func(e Event) {
			if e.Kind == EventSaved {
				saved++
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if saved < 4 {
		t.Errorf("%d checkpoints within epochs", saved)
	}
	same(t, b, want)
}

func TestDamagedCheckpointStartsOver(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 3, Jobs: 2}
	want := reference(t, b)
	for i, damage := range []func(file string) error{
		func(file string) error { return os.Truncate(file, 3) },
		os.Remove,
	} {
		b.Dir, b.Fault = t.TempDir(), fault{Kind: "kill", Epoch: 3, Step: 1}
		if _, err := b.run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(b.Dir, "runs", "*", "checkpoint-*.safetensors"))
		if len(files) < 2 {
			t.Fatalf("checkpoints: %v", files)
		}
		for _, file := range files {
			if err := damage(file); err != nil {
				t.Fatal(err)
			}
		}
		b.Fault = fault{}
		notes := 0
		summary, err := b.run(context.Background(), func(cfg *Config) {
			cfg.Progress = func(e Event) {
				if e.Kind == EventNote && strings.Contains(e.Message, "starting over") {
					notes++
				}
			}
		})
		if err != nil || summary.Completed != 2 || notes != 2 {
			t.Errorf("damage %d: %+v, %v, %d notes", i, summary, err, notes)
		}
		same(t, b, want)
	}
}

// A trial does not go on with features of other bytes than it began with. It goes on where those are, or begins anew.
func TestFeaturesOfOtherContent(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 3, Jobs: 2}
	want := reference(t, b)
	run := func(features string, completed int) {
		t.Helper()
		b.Fault.Features, b.Retry = features, true
		summary, err := b.run(context.Background(), nil)
		if err != nil || summary.Completed != completed {
			t.Fatalf("features %s: %+v, %v", features, summary, err)
		}
		for _, f := range summary.Failures {
			if features == "other" && (f.Kind != FailureData || !strings.Contains(f.Error, "features with hash first, but these have other")) {
				t.Errorf("failed as %s: %s", f.Kind, f.Error)
			}
		}
	}
	b.Fault = fault{Kind: "kill", Epoch: 3, Step: 1}
	run("first", 0)
	b.Fault = fault{}
	run("other", 0)
	run("first", 2)
	same(t, b, want)

	b.Dir, b.Fault = t.TempDir(), fault{Kind: "kill", Epoch: 3, Step: 1}
	run("first", 0)
	db, err := store.OpenReadOnly(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	freed, err := FreeCheckpoints(context.Background(), db, []string{"soft00000001", "none00000001"}, true, false)
	if err != nil || len(freed) != 2 {
		t.Fatalf("%+v, %v", freed, err)
	}
	b.Fault = fault{}
	run("other", 2)
	same(t, b, want)
	for _, run := range b.runs(t) {
		if got := run.Hashes()["features_content"]; got != "other" {
			t.Errorf("run %s records features of content %s", run.ID, got)
		}
	}
}

// TestTrialsToldToStop: a trial that somebody sends SIGTERM is interrupted, be it
// ready to save its state or not, and the rest of the study goes on.
func TestTrialsToldToStop(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 2, Jobs: 2}
	want := reference(t, b)
	for _, kind := range []string{"quit", "term"} {
		b.Dir, b.Fault = t.TempDir(), fault{Kind: kind, Seed: 1, Epoch: 2, Step: 3}
		summary, err := b.run(context.Background(), nil)
		if !errors.Is(err, ErrInterrupted) || summary.Interrupted != 2 || summary.Completed != 2 {
			t.Errorf("%s: %+v, %v", kind, summary, err)
		}
		b.Fault = fault{}
		if _, err := b.run(context.Background(), nil); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		same(t, b, want)
	}
}

// TestResumedTrialKeepsItsThreads: floating-point sums depend on the number of
// threads, so that a resumed trial must not get another one unasked.
func TestResumedTrialKeepsItsThreads(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2, Jobs: 2, Fault: slow}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := b.run(ctx, func(cfg *Config) {
		cfg.Threads = 7
		cfg.Progress = func(e Event) {
			if e.Kind == EventEpoch {
				cancel()
			}
		}
	})
	if !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	resumed := 0
	for _, run := range b.runs(t) {
		if run.Progress != nil && run.State == store.Interrupted {
			resumed++
		}
	}
	if _, err := b.run(context.Background(), nil); err != nil || resumed == 0 {
		t.Fatalf("%d trials to resume, %v", resumed, err)
	}
	for _, run := range b.runs(t) {
		if run.Attempt > 1 && run.Epochs > 0 && strings.Contains(string(run.Environment), `"threads":7`) {
			resumed--
		}
	}
	if resumed > 0 {
		t.Errorf("%d trials were resumed with other threads", resumed)
	}
}

// TestFeaturesTakeAllThreadsOfTheStudy: trials wait for them, and their bytes do not
// depend on threads.
func TestFeaturesTakeAllThreadsOfTheStudy(t *testing.T) {
	for _, c := range []struct{ jobs, threads, want int }{{2, 3, 6}, {2, 0, 0}} {
		stop, got := errors.New("stop"), -1
		_, err := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1, Jobs: c.jobs}.run(context.Background(), func(cfg *Config) {
			cfg.Threads = c.threads
			cfg.Features = func(_ context.Context, _ experiments.Settings, _ *data.Dataset, _ string, threads int, _ func(done, total int)) error {
				got = threads
				return stop
			}
		})
		if got != c.want || !errors.Is(err, stop) {
			t.Errorf("%d trials at a time with %d threads: features with %d, %v", c.jobs, c.threads, got, err)
		}
	}
}

// TestDatabasesShareAFolder: two databases with the same trials lie side by side,
// and so do their checkpoints.
func TestDatabasesShareAFolder(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2, Jobs: 2}
	best := map[string]bool{}
	for range 2 {
		if _, err := b.run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		for _, run := range b.runs(t) {
			path, err := BestCheckpoint(filepath.Join(b.Dir, "runs"), run)
			if err != nil {
				t.Fatal(err)
			}
			best[path] = true
		}
		if err := os.Rename(b.database(), b.database()+".old"); err != nil {
			t.Fatal(err)
		}
	}
	for path := range best {
		if err := findCheckpoint(path); err != nil {
			t.Errorf("removed on behalf of the other database: %v", err)
		}
	}
	if len(best) != 4 {
		t.Errorf("%d checkpoints, want 4", len(best))
	}
}

func TestSecondSignalKills(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1, Jobs: 2, Fault: fault{Kind: "hang", Epoch: 1, Step: 2}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	kill := make(chan struct{})
	start := time.Now()
	summary, err := b.run(ctx, func(cfg *Config) {
		cfg.Kill = kill
		started := 0
		cfg.Progress = func(e Event) {
			if e.Kind == EventStep {
				if started++; started == 2 {
					cancel()
					time.AfterFunc(100*time.Millisecond, func() { close(kill) })
				}
			}
		}
	})
	if !errors.Is(err, ErrInterrupted) || summary.Interrupted != 2 || time.Since(start) > DefaultGrace {
		t.Errorf("summary %+v, %v after %v", summary, err, time.Since(start))
	}
}

// TestTrialByHand runs a trial without a runner, as a cluster's job would.
func TestTrialByHand(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2, Fault: fault{Kind: "nan", Epoch: 2, Step: 1}}
	want := reference(t, b)
	if _, err := b.run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, prefix := range []string{"soft", "none"} {
		if err := RunTrial(context.Background(), TrialConfig{Launch: Launch{Run: prefix}, DB: db}, &fakeEngine{}); err != nil {
			t.Error(err)
		}
	}
	same(t, b, want)
	if err := RunTrial(context.Background(), TrialConfig{Launch: Launch{Run: "soft"}, DB: db}, &fakeEngine{}); err == nil {
		t.Error("a completed trial was run again")
	}
	if err := RunTrial(context.Background(), TrialConfig{Launch: Launch{Run: "x"}, DB: db}, &fakeEngine{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown run: %v", err)
	}
}
