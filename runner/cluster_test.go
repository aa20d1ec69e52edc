package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"glimpse/internal/store"
)

// jobMain is a job's process.
func jobMain(folder string) int {
	var f fault
	job, err := ReadJob(folder)
	if err := errors.Join(err, json.Unmarshal([]byte(os.Getenv(faultVariable)), &f)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if f.Kind == "mute" {
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	start, err := job.Begin(ctx, folder, os.Getenv("TMPDIR"))
	if err != nil || start == nil {
		fmt.Fprintln(os.Stderr, "begin:", err)
		return 1
	}
	defer start.End()
	engine := &fakeEngine{fault: f, attempt: start.Launch.Attempt}
	err = RunTrial(ctx, TrialConfig{Launch: start.Launch, DB: start.DB, Publish: start.Publish}, engine)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// fakeCluster makes jobs at once, by processes of the test binary.
type fakeCluster struct {
	t      *testing.T
	folder string
	fault  fault

	mu        sync.Mutex
	processes map[string]*exec.Cmd // by job
	ended     map[string]bool
	submitted []string
	silent    bool // it does not answer
	deaf      bool // it loses what is submitted
	hidden    bool // it knows no job any more
	refuses   error
}

func newFakeCluster(t *testing.T, dir string) *fakeCluster {
	c := &fakeCluster{t: t, folder: filepath.Join(dir, "jobs"), processes: map[string]*exec.Cmd{}, ended: map[string]bool{}}
	t.Cleanup(func() {
		for _, p := range c.processes {
			_ = p.Process.Kill()
		}
	})
	return c
}

func (c *fakeCluster) Name() string   { return "fake" }
func (c *fakeCluster) Folder() string { return c.folder }

func (c *fakeCluster) Submit(_ context.Context, jobs []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuses != nil {
		return c.refuses
	}
	for _, job := range jobs {
		c.submitted = append(c.submitted, job)
		if c.deaf {
			continue
		}
		if err := c.start(job); err != nil {
			return err
		}
	}
	return nil
}

// start starts a job's process.
func (c *fakeCluster) start(job string) error {
	folder := filepath.Join(c.folder, job)
	log, err := os.OpenFile(filepath.Join(folder, LogName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	fault, _ := json.Marshal(c.fault)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), runnerVariable+"=", jobVariable+"="+folder, faultVariable+"="+string(fault),
		"TMPDIR="+c.t.TempDir())
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return err
	}
	c.processes[job], c.ended[job] = cmd, false
	go func() {
		_ = cmd.Wait()
		_ = log.Close()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.processes[job] == cmd {
			c.ended[job] = true
		}
	}()
	return nil
}

func (c *fakeCluster) Look(_ context.Context, jobs []string) (map[string]Sight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent {
		return nil, fmt.Errorf("%w: connection refused", ErrSilent)
	}
	sights := map[string]Sight{}
	for _, job := range jobs {
		sights[job] = Sight{State: JobGone, Why: "NODE_FAIL"}
		if c.processes[job] != nil && !c.ended[job] && !c.hidden {
			sights[job] = Sight{State: JobRunning}
		}
	}
	return sights, nil
}

// signal sends a signal to the processes of all jobs.
func (c *fakeCluster) signal(signal os.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for job, p := range c.processes {
		if !c.ended[job] {
			_ = p.Process.Signal(signal)
		}
	}
}

// on runs the bench's study on the cluster, and gives its events.
func (b bench) on(ctx context.Context, c *fakeCluster, change func(*Config)) (Summary, []Event, error) {
	var events []Event
	summary, err := b.run(ctx, func(cfg *Config) {
		cfg.Cluster, cfg.Command, cfg.Jobs = c, nil, 100
		cfg.Progress = func(e Event) { events = append(events, e) }
		if change != nil {
			change(cfg)
		}
	})
	return summary, events, err
}

// atHome gives the outcome of the bench's study where nothing disturbs it.
func (b bench) atHome(t *testing.T) map[string]string {
	t.Helper()
	home := bench{Dir: t.TempDir(), Seeds: b.Seeds, Epochs: b.Epochs, Jobs: 2}
	if _, err := home.run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return outcome(t, home)
}

func checkOutcome(t *testing.T, got, want map[string]string) {
	t.Helper()
	for run, text := range want {
		if got[run] != text {
			t.Errorf("run %s:\n%s\nat home:\n%s", run, got[run], text)
		}
	}
}

func count(events []Event, kind string) (n int) {
	for _, e := range events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

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
		if left := numbered(filepath.Join(c.folder, run.ID)); len(left) > 0 {
			t.Errorf("the jobs %v of run %s stay", left, run.ID)
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
