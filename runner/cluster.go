package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// A Cluster makes attempts at trials on other machines, which share a folder with this one and no
// database. Neither what it says nor its silence is evidence of what became of an attempt: that is
// the database which the attempt leaves in its folder ([Job]). All that is believed of a cluster is
// that a job which it knows may go on.
type Cluster interface {
	// Name is what people call it, such as slurm.
	Name() string
	// Folder is that of all jobs, an absolute path.
	Folder() string
	// Submit hands jobs on, whose folders it is given, within that of all jobs. An error that is
	// ErrSilent leaves open whether it was heard.
	Submit(ctx context.Context, jobs []string) error
	// Look tells how jobs stand, by folder. ErrSilent says that nothing is known for now; any other
	// error is that of the study.
	Look(ctx context.Context, jobs []string) (map[string]Sight, error)
}

// ErrSilent is that a cluster does not answer: whoever asked waits, and asks again.
var ErrSilent = errors.New("the cluster does not answer")

// Sight is how a cluster says that a job stands.
type Sight struct {
	State string // JobWaiting, JobRunning or JobGone
	Why   string // a word of the cluster's: what it waits for, or how it ended; "" for none
	Log   string // the file that the cluster writes what it says of the job to; "" for none
}

// How jobs stand.
const (
	JobWaiting = "waiting"
	JobRunning = "running"
	JobGone    = "gone" // not known, or ended
)

// jobsPlace begins the Place of the owner of a claim whose attempt is made by a job; the folder of
// all jobs follows.
const jobsPlace = "jobs "

// forever is the lease of such a claim: a cluster may let a job wait for months, and gives no sign
// of life.
const forever = 100 * 365 * 24 * time.Hour

func jobsOwner(c Cluster) store.Owner {
	return store.Owner{Host: c.Name(), Place: jobsPlace + c.Folder(), Lease: forever}
}

// JobsOf returns the folder of all jobs, where the present attempt at a run is made by one of
// them.
func JobsOf(run store.Run) (folder string, ok bool) {
	folder, ok = strings.CutPrefix(run.Owner.Place, jobsPlace)
	return folder, ok && run.State == store.Running
}

// handOn claims what can be claimed and makes jobs of it; trials whose jobs are there already are
// followed. It returns how many trials other processes work on.
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

// submit hands claimed trials on, those that were not before.
func (s *study) submit(ctx context.Context, jobs map[string]*followed, tasks []*task) error {
	var fresh []string
	shared, err := "", error(nil)
	if slices.ContainsFunc(tasks, func(t *task) bool { return !t.made }) {
		shared, err = s.shareStudy()
	}
	for _, t := range tasks {
		attempt := t.claim.Attempt
		if t.made {
			attempt = jobAttempt(s.cfg.Cluster.Folder(), t.claim)
		}
		name := filepath.Join(t.claim.Run, fmt.Sprint(attempt))
		if err == nil && !t.made {
			err = s.writeJob(shared, *t)
			fresh = append(fresh, name)
		}
		collector := newCollector(s.cfg.DB, s.cfg.Dir, s.cfg.Cluster.Folder(), t.claim, t.run.Epochs)
		jobs[t.claim.Run] = &followed{collector: collector, name: name, made: t.made}
	}
	if err == nil && len(fresh) > 0 {
		err = s.cfg.Cluster.Submit(ctx, fresh)
	}
	if errors.Is(err, ErrSilent) {
		err = nil // it may have heard: that will show
	}
	if err != nil {
		return errors.Join(err, s.giveBack(tasks))
	}
	return nil
}

// giveBack returns up claims of trials that no job was made of.
func (s *study) giveBack(tasks []*task) (err error) {
	for _, t := range tasks {
		if !t.made {
			err = errors.Join(err, s.cfg.DB.Interrupt(context.Background(), t.claim))
		}
	}
	return err
}

// shareStudy writes what all jobs of the study need, and gives its file.
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
	launch.Prune = experiments.Prune{} // it would be held against trials that its database does not have
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

// Collect takes over what the jobs of some runs have left so far, without asking any cluster or
// waiting for one, and tells report of it. Runs whose attempt no job makes are left out.
func Collect(ctx context.Context, db *store.DB, runs []store.Run, report func(Event)) error {
	for _, run := range runs {
		folder, ok := JobsOf(run)
		if !ok {
			continue
		}
		c := newCollector(db, DefaultDir(db), folder, store.Claim{Run: run.ID, Attempt: run.Attempt}, run.Epochs)
		if err := c.take(ctx, !run.Stopped, report); err != nil { // once it is asked to stop, nobody puts it back into a queue
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

// again reports whether the job asked to be made once more.
func (c *collector) again() bool {
	_, err := os.Stat(filepath.Join(jobFolder(c.jobs, c.first), againFile))
	return err == nil
}
