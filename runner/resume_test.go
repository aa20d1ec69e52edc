package runner

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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

// TestKilledTrials kills trials with -9 at random moments; running the study
// again until it is complete ends as if nothing had happened.
func TestKilledTrials(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 3, Jobs: 2, Fault: fault{Kind: "often", Sleep: 3 * time.Millisecond}}
	want := reference(t, b)
	random := rand.New(rand.NewPCG(1, 2))
	kills, patience := 0, 40
	for round := 0; ; round++ {
		if round > 200 {
			t.Fatal("no progress in 200 rounds")
		}
		var pids [2]atomic.Int64
		done := make(chan struct{})
		if round < patience {
			go func() {
				for i := 0; ; i++ {
					select {
					case <-done:
						return
					case <-time.After(time.Duration(20+random.IntN(120)) * time.Millisecond):
					}
					for _, run := range b.running() {
						if random.IntN(2) == 0 && syscall.Kill(run.Owner.PID, syscall.SIGKILL) == nil {
							pids[0].Add(1)
						}
					}
				}
			}()
		}
		summary, err := b.run(context.Background(), nil)
		close(done)
		kills += int(pids[0].Load())
		if err != nil {
			t.Fatal(err)
		}
		if summary.Completed == 4 {
			break
		}
	}
	t.Logf("%d kills", kills)
	if kills < 5 {
		t.Errorf("only %d kills", kills)
	}
	same(t, b, want)
}

// running returns the runs that a trial process works on.
func (b bench) running() []store.Run {
	db, err := store.OpenReadOnly(b.database())
	if err != nil {
		return nil
	}
	defer func() { _ = db.Close() }()
	runs, _ := db.Runs(context.Background(), "bench")
	var running []store.Run
	for _, run := range runs {
		if run.State == store.Running && run.Beats > 0 && run.Owner.PID != os.Getpid() {
			running = append(running, run)
		}
	}
	return running
}

// TestKilledRunner kills the runner alone: its trials notice, save, and stop.
func TestKilledRunner(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 3, Jobs: 2, Fault: fault{Sleep: 30 * time.Millisecond}}
	want := reference(t, b)
	cmd := b.start(t)
	wait(t, "trials to start", func() bool { return len(b.running()) == 2 })
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	wait(t, "trials to stop", func() bool {
		for _, run := range b.runs(t) {
			if run.State != store.Interrupted || run.Progress == nil {
				return false
			}
		}
		return true
	})
	if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != 2 {
		t.Fatalf("summary %+v, %v", summary, err)
	}
	same(t, b, want)
}

// TestKilledTogether kills runner and trials at once, as a machine that
// loses its power does: the runs still say running, and are taken over at once.
func TestKilledTogether(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2, Jobs: 2, Fault: fault{Kind: "often", Sleep: 20 * time.Millisecond}, Lease: time.Hour}
	want := reference(t, b)
	cmd := b.start(t)
	wait(t, "trials to start", func() bool { return len(b.running()) == 2 })
	for _, run := range b.running() {
		_ = syscall.Kill(run.Owner.PID, syscall.SIGSTOP) // lest they record the end of the runner
	}
	_ = cmd.Process.Kill()
	for _, run := range b.running() {
		_ = syscall.Kill(run.Owner.PID, syscall.SIGKILL)
	}
	_ = cmd.Wait()
	for _, run := range b.runs(t) {
		if run.State != store.Running {
			t.Fatalf("run is %s, the test wants it running", run.State)
		}
	}
	if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != 2 {
		t.Fatalf("summary %+v, %v", summary, err)
	}
	same(t, b, want)
}

func TestTwoRunnersShareTheWork(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 4, Epochs: 2, Jobs: 1, Fault: fault{Sleep: 5 * time.Millisecond}}
	want := reference(t, b)
	first, second := b.start(t), b.start(t)
	for _, cmd := range []interface{ Wait() error }{first, second} {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	for _, run := range b.runs(t) {
		if run.State != store.Completed || run.Attempt != 1 {
			t.Errorf("run %s is %s after %d attempts", run.ID, run.State, run.Attempt)
		}
	}
	same(t, b, want)
}

// TestSuspendedTrialIsFenced suspends a trial until another runner has taken its
// run over, and wakes it when that one is done: nothing of its may count.
func TestSuspendedTrialIsFenced(t *testing.T) {
	t.Parallel()
	b := bench{
		Dir: t.TempDir(), Seeds: 1, Epochs: 2, Jobs: 2, Lease: 600 * time.Millisecond,
		Fault: fault{Kind: "often", Sleep: 20 * time.Millisecond},
	}
	want := reference(t, b)
	cmd := b.start(t)
	wait(t, "trials to start", func() bool { return len(b.running()) == 2 })
	asleep := b.running()
	for _, run := range asleep {
		_ = syscall.Kill(run.Owner.PID, syscall.SIGSTOP)
	}
	if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != 2 {
		t.Fatalf("summary %+v, %v", summary, err)
	}
	same(t, b, want)
	for _, run := range asleep {
		_ = syscall.Kill(run.Owner.PID, syscall.SIGCONT)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the first runner, which was overtaken: %v", err)
	}
	same(t, b, want)
	for _, run := range b.runs(t) {
		if run.Attempt != 2 {
			t.Errorf("%d attempts, want 2", run.Attempt)
		}
		path, err := BestCheckpoint(filepath.Join(b.Dir, "runs"), run)
		if err != nil {
			t.Error(err)
		}
		if err := (&fakeCaptioner{}).Load(path); err != nil {
			t.Errorf("best checkpoint: %v", err)
		}
		log, err := os.ReadFile(filepath.Join(b.Dir, "runs", run.ID, LogName))
		if err != nil || !strings.Contains(string(log), "no longer held") {
			t.Errorf("the overtaken trial says nothing of it: %v\n%s", err, log)
		}
	}
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
	if !errors.Is(err, ErrInterrupted) || summary.Interrupted != 2 || time.Since(start) > 20*time.Second {
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
		if err := RunTrial(context.Background(), TrialConfig{Run: prefix, DB: db}, &fakeEngine{}); err != nil {
			t.Error(err)
		}
	}
	same(t, b, want)
	if err := RunTrial(context.Background(), TrialConfig{Run: "soft", DB: db}, &fakeEngine{}); err == nil {
		t.Error("a completed trial was run again")
	}
	if err := RunTrial(context.Background(), TrialConfig{Run: "x", DB: db}, &fakeEngine{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown run: %v", err)
	}
}
