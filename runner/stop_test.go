package runner

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
)

// stop asks runs to stop, as `glimpse stop` does from another process.
func (b bench) stop(t *testing.T, ids ...string) {
	t.Helper()
	db, err := store.Open(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Stop(context.Background(), ids); err != nil {
		t.Fatal(err)
	}
}

// TestStoppedStudy: what is at work saves and stops, what is queued is not begun,
// and the next run of the study takes all of it up.
func TestStoppedStudy(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 3, Jobs: 1, Lease: 300 * time.Millisecond, Fault: fault{Sleep: 20 * time.Millisecond}}
	want := reference(t, b)
	started := 0
	summary, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Progress = func(e Event) {
			switch e.Kind {
			case EventStarted:
				started++
			case EventEpoch:
				var ids []string
				for _, trial := range b.trials() {
					ids = append(ids, trial.ID)
				}
				b.stop(t, ids...)
			}
		}
	})
	if !errors.Is(err, ErrInterrupted) || started != 1 || summary.Interrupted != 1 || summary.Unfinished != 3 {
		t.Errorf("%d trials were started; %+v, %v", started, summary, err)
	}
	b.Fault = fault{}
	if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != 4 {
		t.Fatalf("run again: %+v, %v", summary, err)
	}
	for i, run := range b.runs(t) {
		if attempts := map[bool]int64{true: 2, false: 1}[i == 0]; run.Attempt != attempts || run.Stopped {
			t.Errorf("run %s has had %d attempts, want %d; stopped: %v", run.ID, run.Attempt, attempts, run.Stopped)
		}
	}
	same(t, b, want)
}

// TestStoppedRun: of two runners neither goes on with a run that was stopped while
// they worked, and both do the rest.
func TestStoppedRun(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 3, Jobs: 1, Lease: 300 * time.Millisecond, Fault: fault{Sleep: 20 * time.Millisecond}}
	want := reference(t, b)
	other := b.start(t)
	wait(t, "the other runner's trial", func() bool { return len(b.running()) == 1 })
	stopped := b.running()[0].ID
	summary, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Progress = func(e Event) {
			if e.Kind == EventStarted && e.Run != stopped {
				b.stop(t, stopped)
			}
			if e.Kind == EventStarted && e.Run == stopped {
				t.Error("the stopped run was taken up")
			}
		}
	})
	if !errors.Is(err, ErrInterrupted) || summary.Completed != 3 || summary.Interrupted != 1 {
		t.Errorf("%+v, %v", summary, err)
	}
	if err := other.Wait(); err == nil {
		t.Error("the other runner knows nothing of the request")
	}
	if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != 4 {
		t.Fatalf("run again: %+v, %v", summary, err)
	}
	same(t, b, want)
}

// TestCheckpointOnRequest: a request reaches all trials, also one that cannot hear
// it yet; a trial heeds the signal from anybody; and nothing changes by it.
func TestCheckpointOnRequest(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 3, Jobs: 2, Fault: slow}
	want := reference(t, b)
	requests := make(chan os.Signal, 1)
	saved, events := map[string]int{}, 0
	summary, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Checkpoint = requests
		cfg.Progress = func(e Event) {
			switch e.Kind {
			case EventStarted:
				select {
				case requests <- syscall.SIGUSR1:
				default:
				}
			case EventSaved:
				saved[e.Run]++
			case EventStep, EventCaptioning:
				if events++; events%3 == 0 {
					for _, run := range b.running() {
						_ = syscall.Kill(run.Owner.PID, syscall.SIGUSR1)
					}
				}
			}
		}
	})
	if err != nil || summary.Completed != 2 || len(saved) != 2 {
		t.Errorf("%+v, %v; saved: %v", summary, err, saved)
	}
	same(t, b, want)
}

// TestStopBeforeTrials: a runner that computes features heeds a request of now, and none of before.
func TestStopBeforeTrials(t *testing.T) {
	usual := heedEvery
	heedEvery = 10 * time.Millisecond
	t.Cleanup(func() { heedEvery = usual })
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1, Jobs: 1}
	db, err := store.Open(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ask := func() {
		t.Helper()
		if _, err := db.StopStudy(context.Background(), "bench"); err != nil {
			t.Error(err)
		}
	}
	if _, err := db.BeginRunner(context.Background(), "bench"); err != nil {
		t.Fatal(err)
	}
	ask() // of a runner of before
	ctx, cancel := context.WithCancel(context.Background())
	release, err := HeedStop(ctx, db, "bench", cancel)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	computing := false
	summary, err := b.run(ctx, func(cfg *Config) {
		cfg.Features = func(ctx context.Context, _ experiments.Settings, _ *data.Dataset, _ string, _ int, _ func(done, total int)) error {
			computing = true
			ask()
			<-ctx.Done()
			return ctx.Err()
		}
	})
	if !computing || !errors.Is(err, ErrInterrupted) || summary.Unfinished != 2 {
		t.Errorf("features were computed: %v; %+v, %v", computing, summary, err)
	}
}

// stopper is an engine that tells its trial to stop while it makes a captioner.
type stopper struct {
	fakeEngine
	stop func()
}

func (e *stopper) Captioner(s experiments.Settings, d *data.Dataset) (Captioner, error) {
	e.stop()
	return e.fakeEngine.Captioner(s, d)
}

// TestStopWhileLoading: a trial that is told to stop before it trains leaves its run interrupted, and with nothing begun.
func TestStopWhileLoading(t *testing.T) {
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2, Jobs: 1}
	// The runner's own trials end at once.
	if _, err := b.run(context.Background(), func(cfg *Config) { cfg.Command = func(string) *exec.Cmd { return exec.Command("false") } }); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	config := TrialConfig{Launch: Launch{Run: "soft00000001", Dir: filepath.Join(b.Dir, "runs")}, DB: db, Log: &strings.Builder{}}
	if err := RunTrial(ctx, config, &stopper{stop: cancel}); !errors.Is(err, ErrInterrupted) {
		t.Errorf("the trial ends with %v", err)
	}
	run, err := db.Run(context.Background(), "soft00000001")
	if err != nil || run.State != store.Interrupted || run.Epochs != 0 || len(run.Progress) != 0 {
		t.Errorf("run is %s (%s) after %d epochs, progress %s, %v", run.State, run.Error, run.Epochs, run.Progress, err)
	}
}
