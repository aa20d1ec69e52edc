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

// A Cluster makes attempts at trials on other machines, which share a folder with this one and no database. Neither
// what it says nor its silence is evidence of what became of an attempt: that is the database which the attempt leaves in its folder
// ([Job]). All that is believed of a cluster is that a job which it knows may go on.
type Cluster interface {
	// Name is what people call it, such as slurm.
	Name() string
	// Folder is that of all jobs, an absolute path.
	Folder() string
	// Submit hands jobs on, whose folders it is given, within that of all jobs. An error that is ErrSilent leaves open whether it was heard.
	Submit(ctx context.Context, jobs []string) error
	// Look tells how jobs stand, by folder. ErrSilent says that nothing is known for now; any other error is that of the study.
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

// jobsPlace begins the Place of the owner of a claim whose attempt is made by a job; the folder of all jobs follows.
const jobsPlace = "jobs "

// forever is the lease of such a claim: a cluster may let a job wait for months, and gives no sign of life.
const forever = 100 * 365 * 24 * time.Hour

func jobsOwner(c Cluster) store.Owner {
	return store.Owner{Host: c.Name(), Place: jobsPlace + c.Folder(), Lease: forever}
}

// JobsOf gives the folder of all jobs, where the present attempt at a run is made by one of them.
func JobsOf(run store.Run) (folder string, ok bool) {
	folder, ok = strings.CutPrefix(run.Owner.Place, jobsPlace)
	return folder, ok && run.State == store.Running
}

// looks is how often a cluster must not know a job before it is taken for gone: a shared folder shows late what was written to it.
const looks = 2

// mostLost is how often in a row attempts at a run may be lost, without a checkpoint, before it counts as failed.
const mostLost = 3

// followed is a job that a study waits for.
type followed struct {
	collector
	name    string // of its folder, within that of all jobs
	gone    int    // looks in a row that did not find it
	made    bool   // by a process before this one
	started bool
	settled int // looks since its run has ended, with that which found it; 0 before
}

// follow hands the trials to the cluster and takes their results as they come, until all have ended. When ctx ends, the jobs
// go on without it.
func (s *study) follow(ctx context.Context) error {
	jobs, silent := map[string]*followed{}, false // by run
	for n := 0; ; n++ {
		elsewhere, err := s.handOn(ctx, jobs)
		if err != nil || len(jobs) == 0 && elsewhere == 0 {
			return err
		}
		if s.cfg.Detach && (n == looks || !anyMade(jobs)) { // those that were handed on before may have ended, and are handed on again
			return nil
		}
		err = s.look(ctx, jobs)
		if err != nil && !errors.Is(err, ErrSilent) {
			return err
		}
		if err != nil && !silent {
			s.report(Event{Kind: EventNote, Message: err.Error() + "; waiting until it does"})
		}
		silent = err != nil
		if s.cfg.Detach {
			continue
		}
		if err := sleep(ctx, s.cfg.Poll); err != nil {
			return err
		}
	}
}

// anyMade tells whether a job among these was handed on before this process began.
func anyMade(jobs map[string]*followed) bool {
	for _, f := range jobs {
		if f.made {
			return true
		}
	}
	return false
}

// handOn claims what can be claimed and makes jobs of it; trials whose jobs are there already are followed. It returns how
// many trials other processes work on.
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
			attempt = JobAttempt(s.cfg.Cluster.Folder(), t.claim)
		}
		name := filepath.Join(t.claim.Run, fmt.Sprint(attempt))
		if err == nil && !t.made {
			err = s.writeJob(shared, *t)
			fresh = append(fresh, name)
		}
		jobs[t.claim.Run] = &followed{collector: newCollector(s.cfg.DB, s.cfg.Dir, s.cfg.Cluster.Folder(), t.claim, t.run.Epochs), name: name, made: t.made}
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

// giveBack gives up claims of trials that no job was made of.
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
	if launch.Root != "" {
		if launch.Root, err = filepath.Abs(launch.Root); err != nil {
			return err
		}
	}
	if launch.Created, err = s.cfg.DB.Created(context.Background()); err != nil {
		return err
	}
	j := Job{Launch: launch, Run: run, Shared: shared}
	return j.write(s.cfg.Cluster.Folder())
}

// look asks how the jobs stand and takes what they left.
func (s *study) look(ctx context.Context, jobs map[string]*followed) error {
	names := make([]string, 0, len(jobs))
	for _, f := range jobs {
		names = append(names, f.name)
	}
	sights, silence := s.cfg.Cluster.Look(ctx, names)
	if silence != nil && !errors.Is(silence, ErrSilent) {
		return silence
	}
	running, waiting := 0, map[string]bool{}
	for run, f := range jobs {
		if err := ctx.Err(); err != nil {
			return err
		}
		sight := sights[f.name]
		switch {
		case silence != nil:
		case sight.State == JobGone:
			f.gone++
		default:
			f.gone = 0
		}
		switch {
		case sight.State == JobWaiting && sight.Why != "":
			waiting[sight.Why] = true
		case sight.State == JobRunning && !f.started:
			f.started = true
			s.report(Event{Kind: EventStarted, Run: run, Attempt: f.claim.Attempt})
		}
		if sight.State == JobRunning {
			running++
		}
		if err := s.lookAt(ctx, f, sight); err != nil {
			return err
		}
		if err := s.forget(ctx, jobs, f); err != nil {
			return err
		}
	}
	if silence == nil {
		s.report(Event{Kind: EventJobs, Done: running, Total: len(names), Message: strings.Join(sortedKeys(waiting), ", ")})
	}
	return silence
}

// forget no longer follows a job whose run has ended. It is followed a little longer than that, so that a second result of it is
// noticed, and until the cluster does not know it any more: then its folder is removed, if its result is here.
func (s *study) forget(ctx context.Context, jobs map[string]*followed, f *followed) error {
	if f.settled == 0 {
		return nil
	}
	s.mu.Lock()
	again := !s.tried[f.claim.Run]
	s.mu.Unlock()
	if f.settled++; !again && f.gone < looks && f.settled < 2*looks {
		return nil
	}
	delete(jobs, f.claim.Run)
	if again || f.gone < looks || f.disputed {
		return nil
	}
	run, _, err := s.cfg.DB.Stand(ctx, f.claim.Run)
	if err == nil && run.State == store.Completed {
		err = removeJobs(f.jobs, run.ID)
	}
	return err
}

// lookAt takes what a job left, and settles its run once it has ended.
func (s *study) lookAt(ctx context.Context, f *followed, sight Sight) error {
	gone := f.gone >= looks
	if err := f.take(ctx, !gone, s.report); err != nil || f.settled > 0 {
		return err
	}
	run, err := s.cfg.DB.Run(ctx, f.claim.Run)
	if err != nil {
		return err
	}
	switch {
	case run.State == store.Running && run.Attempt != f.claim.Attempt: // another process submitted it again
		f.settled = 1
		s.release(run.ID, true)
		return nil
	case run.State == store.Running && !gone:
		return nil
	}
	f.settled = 1
	if run.State == store.Running {
		return s.lose(ctx, f, run, sight)
	}
	said := f.takeLog()
	event, err := s.conclude(context.WithoutCancel(ctx), false, task{run: run, claim: f.claim}, said, "", "", "")
	again := event.Kind == EventInterrupted && (f.again() && !run.Stopped || s.stoppedBefore(f))
	if again {
		event.Message = "it is submitted again"
	}
	s.release(run.ID, again || errors.Is(err, store.ErrFenced))
	event.Run, event.Attempt = run.ID, f.claim.Attempt
	if errors.Is(err, store.ErrFenced) {
		event.Kind, err = EventLost, nil
	}
	s.report(event)
	return err
}

// stoppedBefore tells whether a job was asked to stop before this process began: it goes on with the run.
func (s *study) stoppedBefore(f *followed) bool {
	before := s.before[f.claim.Run]
	return f.made && before.Stopped && before.Attempt <= f.claim.Attempt
}

// loss counts the attempts at a run that were lost in a row, since it had come so far: seconds of work that is kept.
type loss struct {
	times   int
	seconds float64
}

// lose gives up an attempt whose job is gone without a word: its process was killed, or its machine. The run is submitted again,
// a few times.
func (s *study) lose(ctx context.Context, f *followed, run store.Run, sight Sight) error {
	durable := context.WithoutCancel(ctx)
	said := f.takeLog()
	l := s.lost[run.ID]
	if run.Seconds > l.seconds {
		l = loss{seconds: run.Seconds}
	}
	l.times++
	if s.lost == nil {
		s.lost = map[string]loss{}
	}
	s.lost[run.ID] = l
	why := "its job is gone"
	if sight.Why != "" {
		why += " (" + sight.Why + ")"
	}
	event := Event{Kind: EventInterrupted, Run: run.ID, Attempt: f.claim.Attempt, Message: why}
	var err error
	stopped := run.Stopped && !s.stoppedBefore(f)
	switch again := l.times < mostLost; {
	case stopped:
		event.Message = "asked to stop"
		err = s.cfg.DB.Interrupt(durable, f.claim)
		s.release(run.ID, false)
	case again:
		event.Message += "; it is submitted again"
		err = s.cfg.DB.Interrupt(durable, f.claim)
		s.release(run.ID, true)
	default:
		cause := fmt.Sprintf("run %s: %s, %d times in a row without a checkpoint", run.ID, why, l.times)
		if lines, _ := tail(sight.Log, 0); lines != "" {
			cause += "\nlast lines of the job:\n" + lines
		}
		event.Kind, event.Message = EventFailed, withLog(cause, said.path, said.offset)
		err = s.cfg.DB.Fail(durable, f.claim, FailureCrash, event.Message)
		s.release(run.ID, false)
	}
	if errors.Is(err, store.ErrFenced) {
		event.Kind, err = EventLost, nil // somebody else was faster
	}
	s.report(event)
	return err
}

// Collect takes over what the jobs of some runs have left so far, without asking any cluster or waiting for one, and tells report of
// it. Runs whose attempt no job makes are left out.
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

// again tells whether the job asked to be made once more.
func (c *collector) again() bool {
	_, err := os.Stat(filepath.Join(JobFolder(c.jobs, c.first), againFile))
	return err == nil
}
