package runner

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"glimpse/internal/store"
)

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
		done := make(chan struct{})
		var killer sync.WaitGroup
		if round < patience {
			killer.Go(func() {
				for {
					select {
					case <-done:
						return
					case <-time.After(time.Duration(20+random.IntN(120)) * time.Millisecond):
					}
					for _, run := range b.running() {
						if random.IntN(2) == 0 && syscall.Kill(run.Owner.PID, syscall.SIGKILL) == nil {
							kills++
						}
					}
				}
			})
		}
		summary, err := b.run(context.Background(), nil)
		close(done)
		killer.Wait()
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
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 5, Jobs: 2, Fault: fault{Sleep: 30 * time.Millisecond}}
	want := reference(t, b)
	cmd := b.start(t)
	wait(t, "trials to train", func() bool {
		running := b.running()
		return len(running) == 2 && running[0].Epochs > 0 && running[1].Epochs > 0
	})
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

// suspend stops the processes of runs at a moment when none of them holds the
// database's write lock, which nobody else could take until they wake.
func suspend(t *testing.T, b bench, runs []store.Run) {
	t.Helper()
	db, err := sql.Open("sqlite3", b.database()+"?_busy_timeout=200&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	wait(t, "a moment to suspend the trials in", func() bool {
		for _, run := range runs {
			_ = syscall.Kill(run.Owner.PID, syscall.SIGSTOP)
		}
		time.Sleep(50 * time.Millisecond) // a thread inside the kernel may still take a lock before it stops
		if tx, err := db.Begin(); err == nil {
			return tx.Rollback() == nil
		}
		for _, run := range runs {
			_ = syscall.Kill(run.Owner.PID, syscall.SIGCONT)
		}
		return false
	})
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
	suspend(t, b, asleep)
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

// TestSuspendedRunner suspends a runner and its trials for longer than a trial
// may be silent, as Ctrl-Z does. The runner wakes first, and must not take its
// own absence for theirs.
func TestSuspendedRunner(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2, Jobs: 2, Silence: 4 * time.Second, Fault: fault{Sleep: 20 * time.Millisecond}}
	want := reference(t, b)
	cmd := b.start(t)
	wait(t, "trials to start", func() bool { return len(b.running()) == 2 })
	asleep := b.running()
	suspend(t, b, asleep)
	_ = cmd.Process.Signal(syscall.SIGSTOP)
	time.Sleep(b.Silence + time.Second)
	_ = cmd.Process.Signal(syscall.SIGCONT)
	time.Sleep(500 * time.Millisecond)
	for _, run := range asleep {
		_ = syscall.Kill(run.Owner.PID, syscall.SIGCONT)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	for _, run := range b.runs(t) {
		if run.State != store.Completed || run.Attempt != 1 {
			t.Errorf("run %s is %s after %d attempts: %s", run.ID, run.State, run.Attempt, run.Error)
		}
	}
	same(t, b, want)
}
