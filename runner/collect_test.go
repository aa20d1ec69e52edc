package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// collected is a study at home one of whose runs a job makes, in this process.
type collected struct {
	bench
	db    *store.DB
	jobs  string
	run   store.Run
	claim store.Claim
	job   Job
	fault fault
	notes []string
}

// newCollected claims the bench's first trial for a job.
func newCollected(t *testing.T) *collected {
	t.Helper()
	c := &collected{bench: bench{Dir: t.TempDir(), Seeds: 1, Epochs: 2}}
	c.jobs = filepath.Join(c.Dir, "jobs")
	trial := c.trials()[0]
	run, err := recordOf(trial)
	if err != nil {
		t.Fatal(err)
	}
	if c.db, err = store.Open(c.database()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.db.Close() })
	rows := studyRows{Study: store.Study{Name: "bench", Spec: "study: bench"}}
	if err := c.db.SaveStudy(t.Context(), rows.Study, []store.Run{run}, rows.Declaration, nil); err != nil {
		t.Fatal(err)
	}
	if c.run, err = c.db.Run(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	c.claim, err = c.db.Claim(t.Context(), c.run, store.Owner{Host: "fake", Place: jobsPlace + c.jobs, Lease: forever})
	if err != nil {
		t.Fatal(err)
	}
	created, err := c.db.Created(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shared, err := rows.share(c.jobs)
	if err != nil {
		t.Fatal(err)
	}
	c.job = Job{Launch: Launch{Run: run.ID, Attempt: c.claim.Attempt, Created: created}, Run: run, Shared: shared, study: rows}
	if err := c.job.write(c.jobs); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *collected) folder() string { return jobFolder(c.jobs, c.claim) }

// make starts the job and makes its trial.
func (c *collected) make(t *testing.T, change func(*TrialConfig)) error {
	t.Helper()
	start, err := c.job.Begin(t.Context(), c.folder(), t.TempDir())
	if err != nil || start == nil {
		t.Fatalf("begin: %+v, %v", start, err)
	}
	defer start.End()
	cfg := TrialConfig{Launch: start.Launch, DB: start.DB, Publish: start.Publish}
	if change != nil {
		change(&cfg)
	}
	return RunTrial(t.Context(), cfg, &fakeEngine{fault: c.fault})
}

// collector makes a collector, as a new process does.
func (c *collected) collector(t *testing.T) *collector {
	t.Helper()
	made, err := newCollector(c.db, filepath.Join(c.Dir, "runs"), c.jobs, c.claim, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &made
}

// note keeps the notes among events.
func (c *collected) note(e Event) {
	if e.Kind == EventNote {
		c.notes = append(c.notes, e.Message)
	}
}

// told reports whether a note has this text.
func (c *collected) told(text string) bool {
	return slices.ContainsFunc(c.notes, func(note string) bool { return strings.Contains(note, text) })
}

// state reads the run's state at home.
func (c *collected) state(t *testing.T) string {
	t.Helper()
	run, err := c.db.Run(t.Context(), c.run.ID)
	if err != nil {
		t.Fatal(err)
	}
	return run.State
}

// TestUnreadableResultsOfAJob holds that a job's database which cannot be read is told of, once, and
// ends no study: it is read as soon as that is possible.
func TestUnreadableResultsOfAJob(t *testing.T) {
	t.Parallel()
	c := newCollected(t)
	if err := c.make(t, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.folder(), "0", jobResult)
	if err := os.Rename(path, path+".aside"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("SQLite format 3\x00"+strings.Repeat("\xff", 8192)), 0o600); err != nil {
		t.Fatal(err)
	}
	home := c.collector(t)
	for range 2 {
		if err := home.take(t.Context(), true, c.note); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.notes) != 1 || !c.told("cannot read the results of attempt 1: "+path) || c.state(t) != store.Running {
		t.Errorf("the run is %s; %q", c.state(t), c.notes)
	}
	if err := os.Rename(path+".aside", path); err != nil {
		t.Fatal(err)
	}
	if err := home.take(t.Context(), true, c.note); err != nil || c.state(t) != store.Completed {
		t.Errorf("once it can be read: the run is %s, %v", c.state(t), err)
	}
}

// TestCheckpointsAreNotOrphaned holds that the checkpoints of a completed job come home with a later
// try if the first one fails or its process is killed, and that nothing is removed before.
func TestCheckpointsAreNotOrphaned(t *testing.T) {
	t.Parallel()
	c := newCollected(t)
	if err := c.make(t, nil); err != nil {
		t.Fatal(err)
	}
	runs := filepath.Join(c.Dir, "runs")
	if err := os.WriteFile(runs, nil, 0o600); err != nil { // where no folder can be made
		t.Fatal(err)
	}
	home := c.collector(t)
	if err := home.take(t.Context(), true, c.note); err != nil || c.state(t) != store.Completed || !c.told("cannot move its checkpoints") {
		t.Fatalf("the run is %s, %v, %q", c.state(t), err, c.notes)
	}
	s := &study{cfg: Config{DB: c.db, Dir: runs, Cluster: &fakeCluster{folder: c.jobs}, Progress: c.note}, trials: map[string]experiments.Trial{}}
	forget := func() {
		t.Helper()
		f := &followed{collector: *home, gone: looks, settled: time.Now()}
		if err := s.forget(t.Context(), map[string]*followed{c.run.ID: f}, f, false); err != nil {
			t.Fatal(err)
		}
	}
	s.tried = map[string]bool{c.run.ID: true}
	if forget(); !c.told("could not be copied here and stay in " + filepath.Join(c.jobs, c.run.ID)) {
		t.Errorf("%q", c.notes)
	}
	if err := os.Remove(runs); err != nil {
		t.Fatal(err)
	}
	run, err := c.db.Run(t.Context(), c.run.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.trials[run.ID], s.known = c.trials()[0], map[string]store.Run{run.ID: run}
	if err := s.fetchLeft(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := BestCheckpoint(runs, run); err != nil {
		t.Errorf("a later process does not fetch them: %v", err)
	}
	if err := os.RemoveAll(runs); err != nil {
		t.Fatal(err)
	}
	forget()
	if _, err := BestCheckpoint(runs, run); err != nil {
		t.Errorf("a second try does not fetch them: %v", err)
	}
	if _, err := os.Stat(filepath.Join(c.jobs, run.ID)); !os.IsNotExist(err) {
		t.Errorf("the jobs stay: %v", err)
	}
}
