package runner

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// A Cluster runs attempts at trials on other machines, which share a folder with this one but no
// database. Its answers are no evidence of an attempt's outcome: only the database that the
// attempt leaves in its folder is ([Job]). The one thing taken from a cluster is that a job it
// knows may still run.
type Cluster interface {
	// Name returns its name, such as slurm.
	Name() string
	// Folder returns the absolute path of the folder of all jobs.
	Folder() string
	// Submit submits jobs, given by their folders within that of all jobs. After ErrSilent it is
	// unknown whether the cluster accepted them.
	Submit(ctx context.Context, jobs []string) error
	// Look returns the state of jobs, by folder. ErrSilent means that it is unknown for now; any
	// other error ends the study.
	Look(ctx context.Context, jobs []string) (map[string]Sight, error)
}

// ErrSilent is returned if a cluster does not answer. The caller waits and tries again.
var ErrSilent = errors.New("the cluster does not answer")

// Sight is the state of a job, as reported by a cluster.
type Sight struct {
	State string // JobWaiting, JobRunning or JobGone
	Why   string // the cluster's word for what the job waits for, or how it ended; "" for none
	Log   string // the file with the cluster's output about the job; "" for none
}

// The states of jobs.
const (
	JobWaiting = "waiting"
	JobRunning = "running"
	JobGone    = "gone" // unknown to the cluster, or ended
)

// jobsPlace starts the Place of the owner of a claim whose attempt runs as a job; the folder of
// all jobs follows.
const jobsPlace = "jobs "

// forever is the lease of such a claim: a job may wait for months, without heartbeats.
const forever = 100 * 365 * 24 * time.Hour

func jobsOwner(c Cluster) store.Owner {
	return store.Owner{Host: c.Name(), Place: jobsPlace + c.Folder(), Lease: forever}
}

// JobsOf returns the folder of all jobs if the current attempt at a run is a job; ok is false
// otherwise.
func JobsOf(run store.Run) (folder string, ok bool) {
	folder, ok = strings.CutPrefix(run.Owner.Place, jobsPlace)
	return folder, ok && run.State == store.Running
}

// handOn claims all trials it can and submits them as jobs; it follows trials that have jobs
// already. It returns how many trials other processes work on.
func (s *study) handOn(ctx context.Context, jobs map[string]*followed) (elsewhere int, err error) {
	var tasks []*task
	for len(jobs)+len(tasks) < s.cfg.Jobs {
		var t *task
		if t, elsewhere, err = s.claim(ctx); err != nil {
			return 0, errors.Join(err, s.giveBack(tasks))
		}
		if t == nil {
			break
		}
		tasks = append(tasks, t)
	}
	return elsewhere, s.submit(ctx, jobs, tasks)
}

// submit submits those claimed trials that have no jobs yet.
func (s *study) submit(ctx context.Context, jobs map[string]*followed, tasks []*task) error {
	var fresh []string
	shared, err := "", error(nil)
	if slices.ContainsFunc(tasks, func(t *task) bool { return !t.made }) {
		shared, err = s.shareStudy()
	}
	for _, t := range tasks {
		collector, failed := newCollector(s.cfg.DB, s.cfg.Dir, s.cfg.Cluster.Folder(), t.claim, t.run.Epochs)
		err = cmp.Or(err, failed)
		if !t.made {
			collector.first = t.claim
		}
		name := jobFolder("", collector.first)
		if err == nil && !t.made {
			err = s.writeJob(shared, *t)
			fresh = append(fresh, name)
		}
		jobs[t.claim.Run] = &followed{collector: collector, name: name, made: t.made}
	}
	if err == nil && len(fresh) > 0 {
		err = s.cfg.Cluster.Submit(ctx, fresh)
	}
	if errors.Is(err, ErrSilent) {
		err = nil // it may have accepted them: later looks will show
	}
	if err != nil {
		return errors.Join(err, s.giveBack(tasks))
	}
	return nil
}

// giveBack releases the claims of trials that got no job.
func (s *study) giveBack(tasks []*task) (err error) {
	for _, t := range tasks {
		if !t.made {
			err = errors.Join(err, s.cfg.DB.Interrupt(context.Background(), t.claim))
		}
	}
	return err
}

// shareStudy writes what all jobs of the study need, and returns its file.
func (s *study) shareStudy() (file string, err error) {
	rows := studyRows{Declaration: s.cfg.Declaration}
	if rows.Study, err = s.cfg.record(); err != nil {
		return "", err
	}
	return rows.share(s.cfg.Cluster.Folder())
}

func (s *study) writeJob(shared string, t task) error {
	run, err := recordOf(s.trials[t.claim.Run])
	if err != nil {
		return err
	}
	launch := s.launch(t)
	launch.Prune = experiments.Prune{} // its database lacks the trials to compare it with
	for _, path := range []*string{&launch.Root, &launch.Features, &launch.Names} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if launch.Created, err = s.cfg.DB.Created(context.Background()); err != nil {
		return err
	}
	j := Job{Launch: launch, Run: run, Shared: shared}
	return j.write(s.cfg.Cluster.Folder())
}

// Collect merges the results that the jobs of some runs have left so far, and reports them to
// report. It does not query the cluster or wait for it. Runs whose attempt is not a job are
// skipped.
func Collect(ctx context.Context, db *store.DB, runs []store.Run, report func(Event)) error {
	for _, run := range runs {
		folder, ok := JobsOf(run)
		if !ok {
			continue
		}
		c, err := newCollector(db, DefaultDir(db), folder, store.Claim{Run: run.ID, Attempt: run.Attempt}, run.Epochs)
		if err != nil {
			return err
		}
		if err := c.take(ctx, !run.Stopped, report); err != nil { // a run that was asked to stop is not requeued
			return err
		}
		now, err := db.Run(ctx, run.ID)
		if err != nil {
			return err
		}
		event := Event{Run: run.ID, Arm: run.Arm, Seed: run.Seed, Attempt: now.Attempt, Message: now.Error}
		switch now.State {
		case store.Running:
			continue
		case store.Interrupted:
			event.Kind = EventInterrupted
		case store.Completed:
			event.Kind = EventCompleted
			event.Phase, event.Metrics = now.Final()
		case store.Pruned:
			event.Kind = EventPruned
		default:
			event.Kind = EventFailed
		}
		c.takeLog()
		report(event)
	}
	return nil
}

// again reports whether the job asked to be submitted again.
func (c *collector) again() bool {
	_, err := os.Stat(filepath.Join(jobFolder(c.jobs, c.first), againFile))
	return err == nil
}
