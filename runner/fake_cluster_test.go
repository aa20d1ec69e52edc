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
	"sync"
	"syscall"
	"testing"
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
