package runner

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"glimpse/internal/store"
)

func TestClusterEndsAsAtHome(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 3}
	c := newFakeCluster(t, b.Dir)
	summary, events, err := b.on(t.Context(), c, nil)
	if err != nil || summary.Completed != 4 || count(events, EventCompleted) != 4 || count(events, EventEpoch) != 12 {
		t.Fatalf("%+v, %v, %d epochs told", summary, err, count(events, EventEpoch))
	}
	checkOutcome(t, outcome(t, b), b.atHome(t))
	for _, run := range b.runs(t) {
		if _, err := BestCheckpoint(filepath.Join(b.Dir, "runs"), run); err != nil {
			t.Error(err)
		}
		if left, err := numbered(filepath.Join(c.folder, run.ID)); err != nil || len(left) > 0 {
			t.Errorf("the jobs %v of run %s stay, %v", left, run.ID, err)
		}
	}
	if _, _, err := b.on(t.Context(), c, nil); err != nil || len(c.submitted) != 4 {
		t.Errorf("run again: %v, %v", c.submitted, err)
	}
}

// TestClusterDisturbed kills and stops jobs in the midst of training.
func TestClusterDisturbed(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(c *fakeCluster){
		"killed":     func(c *fakeCluster) { c.signal(syscall.SIGKILL) },
		"told":       func(c *fakeCluster) { c.signal(syscall.SIGTERM) },
		"checkpoint": func(c *fakeCluster) { c.signal(syscall.SIGUSR1); c.signal(syscall.SIGKILL) },
		"requeued": func(c *fakeCluster) { // two processes of one job
			c.mu.Lock()
			defer c.mu.Unlock()
			for job := range c.processes {
				if err := c.start(job); err != nil {
					c.t.Error(err)
				}
			}
		},
		"forgotten": func(c *fakeCluster) { // each run is made twice, by jobs that know nothing of each other
			c.mu.Lock()
			c.hidden = true
			c.mu.Unlock()
			time.Sleep(200 * time.Millisecond)
			c.mu.Lock()
			c.hidden = false
			c.mu.Unlock()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 4}
			c := newFakeCluster(t, b.Dir)
			c.fault = fault{Sleep: 5 * time.Millisecond}
			disturbed := false
			do := func(cfg *Config) {
				cfg.Progress = func(e Event) {
					if e.Kind == EventEpoch && e.Epoch == 2 && !disturbed {
						disturbed = true
						go disturb(c)
					}
				}
			}
			summary, _, err := b.on(t.Context(), c, do)
			if name == "told" && errors.Is(err, ErrInterrupted) {
				summary, _, err = b.on(t.Context(), c, do)
			}
			if err != nil || summary.Completed != 2 || !disturbed {
				t.Fatalf("%+v, %v", summary, err)
			}
			checkOutcome(t, outcome(t, b), b.atHome(t))
		})
	}
}

// TestClusterLeft holds that Ctrl-C leaves the jobs, and that the same command, or a collection,
// takes what they left.
func TestClusterLeft(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2}
	c := newFakeCluster(t, b.Dir)
	c.fault = fault{Sleep: 5 * time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	summary, _, err := b.on(ctx, c, func(cfg *Config) {
		cfg.Progress = func(e Event) {
			if e.Kind == EventStarted {
				cancel()
			}
		}
	})
	if !errors.Is(err, ErrInterrupted) || summary.Unfinished != 2 || summary.Interrupted != 0 {
		t.Fatalf("%+v, %v", summary, err)
	}
	summary, _, err = b.on(t.Context(), c, func(cfg *Config) { cfg.Detach = true })
	if err != nil || summary.Unfinished != 2 || len(c.submitted) != 2 {
		t.Fatalf("detached: %+v, %v, submitted %v", summary, err, c.submitted)
	}
	db, err := store.OpenExisting(b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	wait(t, "the results", func() bool {
		if err := Collect(t.Context(), db, b.runs(t), func(Event) {}); err != nil {
			t.Fatal(err)
		}
		return b.runs(t)[0].State == store.Completed
	})
	summary, _, err = b.on(t.Context(), c, nil)
	if err != nil || summary.Completed != 2 || len(c.submitted) != 2 {
		t.Fatalf("%+v, %v, submitted %v", summary, err, c.submitted)
	}
	checkOutcome(t, outcome(t, b), b.atHome(t))
}

// TestStoppedJobs holds that jobs which were asked to stop end interrupted, and that the next run
// goes on with them at once.
func TestStoppedJobs(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 3}
	c := newFakeCluster(t, b.Dir)
	c.fault = fault{Sleep: 10 * time.Millisecond}
	stop := func() {
		db, err := store.OpenExisting(b.database())
		if err == nil {
			_, err = db.StopStudy(context.Background(), "bench")
			err = errors.Join(err, db.Close())
		}
		if err != nil {
			t.Error(err)
		}
		c.signal(syscall.SIGTERM)
	}
	summary, _, err := b.on(t.Context(), c, func(cfg *Config) {
		once := sync.OnceFunc(stop)
		cfg.Progress = func(e Event) {
			if e.Kind == EventEpoch {
				once()
			}
		}
	})
	if !errors.Is(err, ErrInterrupted) || summary.Interrupted != 2 || len(c.submitted) != 2 {
		t.Fatalf("%+v, %v, submitted %v", summary, err, c.submitted)
	}
	if _, _, err := b.on(t.Context(), c, func(cfg *Config) { cfg.Detach = true }); err != nil || len(c.submitted) != 4 {
		t.Fatalf("%v, submitted %v", err, c.submitted)
	}
	stop()
	if summary, _, err = b.on(t.Context(), c, nil); err != nil || summary.Completed != 2 {
		t.Fatalf("%+v, %v, submitted %v", summary, err, c.submitted)
	}
	checkOutcome(t, outcome(t, b), b.atHome(t))
	for _, run := range b.runs(t) { // what an interruption brought here is gone
		if left := b.checkpointsOf(run.ID); len(left) != 1 {
			t.Errorf("run %s leaves the checkpoints %v, want the best alone", run.ID, left)
		}
	}
}

// TestSilentCluster holds that a cluster's silence is waited for, and costs nothing.
func TestSilentCluster(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2}
	c := newFakeCluster(t, b.Dir)
	c.silent = true
	summary, events, err := b.on(t.Context(), c, nil)
	if err != nil || summary.Completed != 2 || len(c.submitted) != 2 || count(events, EventNote) != 1 {
		t.Fatalf("%+v, %v, submitted %v, %+v", summary, err, c.submitted, events)
	}
}

// TestLostJobs holds that jobs which leave nothing are submitted a few times, and then count as
// failed.
func TestLostJobs(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2}
	c := newFakeCluster(t, b.Dir)
	c.deaf = true
	summary, _, err := b.on(t.Context(), c, nil)
	if err != nil || summary.Failed != 2 || len(c.submitted) != 2*mostLost || summary.Mendable() != 2 ||
		!strings.Contains(summary.Failures[0].Error, "NODE_FAIL") {
		t.Fatalf("%+v, %v, submitted %v", summary, err, c.submitted)
	}
	c.deaf = false
	if summary, _, err = b.on(t.Context(), c, nil); err != nil || summary.Completed != 2 {
		t.Fatalf("%+v, %v", summary, err)
	}
}

// TestClusterOutOfReach holds that a run here says which jobs it waits for, and that these can be given up without the
// cluster.
func TestClusterOutOfReach(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1}
	c := newFakeCluster(t, b.Dir)
	c.deaf = true
	if summary, _, err := b.on(t.Context(), c, func(cfg *Config) { cfg.Detach = true }); err != nil || summary.Unfinished != 2 {
		t.Fatalf("%+v, %v", summary, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said := ""
	_, err := b.run(ctx, func(cfg *Config) {
		cfg.Progress = func(e Event) {
			if e.Kind == EventWaiting {
				said = e.Message
				cancel()
			}
		}
	})
	if !errors.Is(err, ErrInterrupted) || !strings.Contains(said, c.Folder()) || !strings.Contains(said, "glimpse stop bench --without-slurm") {
		t.Fatalf("it says %q, %v", said, err)
	}
	db, err := store.OpenExisting(b.database())
	if err != nil {
		t.Fatal(err)
	}
	err = StopJobs(t.Context(), db, b.runs(t), nil)
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	for _, run := range b.runs(t) {
		if run.State != store.Interrupted {
			t.Errorf("run %s is %s", run.ID, run.State)
		}
	}
	if summary, err := b.run(t.Context(), nil); err != nil || summary.Completed != 2 {
		t.Fatalf("%+v, %v", summary, err)
	}
	checkOutcome(t, outcome(t, b), b.atHome(t))
}

// TestRefusedJobs holds that what a cluster refuses ends the study, and that nothing stays claimed.
func TestRefusedJobs(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1}
	c := newFakeCluster(t, b.Dir)
	c.refuses = errors.New("no such partition")
	if _, _, err := b.on(t.Context(), c, nil); !errors.Is(err, c.refuses) {
		t.Fatal(err)
	}
	for _, run := range b.runs(t) {
		if run.State != store.Interrupted {
			t.Errorf("run %s is %s", run.ID, run.State)
		}
	}
}

// TestDisksOfBefore holds that the disk that fails a job ends the study, and that, once it is mended,
// the same command goes on with all jobs that it failed, at once.
func TestDisksOfBefore(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 2, Epochs: 2}
	c := newFakeCluster(t, b.Dir)
	c.fault = fault{Kind: "disk", Epoch: 1}
	if summary, _, err := b.on(t.Context(), c, nil); !errors.Is(err, ErrDisk) || summary.Failed == 0 {
		t.Fatalf("%+v, %v", summary, err)
	}
	wait(t, "the jobs", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		ended := 0
		for _, one := range c.ended {
			if one {
				ended++
			}
		}
		return ended == len(c.submitted)
	})
	c.fault = fault{}
	if summary, _, err := b.on(t.Context(), c, nil); err != nil || summary.Completed != 4 {
		t.Fatalf("mended: %+v, %v", summary, err)
	}
	checkOutcome(t, outcome(t, b), b.atHome(t))
}

// TestFailedJob holds that a failure comes with the last lines of the job's log.
func TestFailedJob(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2}
	c := newFakeCluster(t, b.Dir)
	c.fault = fault{Seed: 1, Kind: "nan", Epoch: 2, Step: 1}
	summary, _, err := b.on(t.Context(), c, nil)
	if err != nil || summary.Failed != 2 || summary.Failures[0].Kind != FailureLoss {
		t.Fatalf("%+v, %v", summary, err)
	}
}
