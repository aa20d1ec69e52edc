package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"glimpse/internal/private"
	"glimpse/internal/store"
	"glimpse/results"
)

// collector merges the results that the jobs of a run leave.
type collector struct {
	db        *store.DB
	dir, jobs string      // the folder of all runs here, and the folder of all jobs
	first     store.Claim // for which the job was submitted
	claim     store.Claim // the current one: its attempt grows if the cluster restarts the job by itself
	epochs    int         // recorded here
	seen      map[string]mark
	said      map[string]string // the last error of an unreadable result, by start
	disputed  bool              // there is a second, different result
	ended     part              // the start whose result ended the run
	brought   []string          // the files beside it when its checkpoints were copied here; nil before
}

// mark detects changes of a file.
type mark struct {
	size  int64
	time  time.Time
	alive bool // whether the job might still run
}

func newCollector(db *store.DB, dir, jobs string, claim store.Claim, epochs int) (collector, error) {
	attempt, err := jobAttempt(jobs, claim)
	first := store.Claim{Run: claim.Run, Attempt: attempt}
	return collector{db: db, dir: dir, jobs: jobs, first: first, claim: claim, epochs: epochs, seen: map[string]mark{}, said: map[string]string{}}, err
}

// jobAttempt returns the attempt for which the job behind a claim was submitted: an earlier one
// if the cluster restarted the job by itself.
func jobAttempt(jobs string, claim store.Claim) (first int64, err error) {
	attempts, err := numbered(filepath.Join(jobs, claim.Run))
	first = claim.Attempt
	for _, attempt := range attempts {
		if attempt <= claim.Attempt {
			first = attempt
		}
	}
	return first, err
}

// take merges what changed since the last call: the completed run of the lowest attempt, or else
// the state of the newest start. alive says that the job may still run. It reports a second
// result that differs.
func (c *collector) take(ctx context.Context, alive bool, report func(Event)) error {
	all, err := parts(c.jobs, c.claim.Run)
	if err != nil {
		return fmt.Errorf("read the job results of run %s: %w; its jobs go on: run again once their folder can be read", c.claim.Run, err)
	}
	for _, p := range all {
		info, err := os.Stat(p.database())
		if err != nil {
			continue // the next look finds it again, or gone
		}
		now := mark{info.Size(), info.ModTime(), alive}
		if c.seen[p.folder] == now {
			continue
		}
		merged, claim, err := c.db.Take(ctx, p.database(), c.claim, alive)
		unreadable := errors.As(err, new(*store.OtherError))
		if ctx.Err() != nil || isDisk(err) && !unreadable {
			return err // the database here failed
		}
		if unreadable { // tried again at the next look: it may become readable without a change
			if c.said[p.folder] != err.Error() {
				report(Event{Kind: EventNote, Run: c.claim.Run, Message: fmt.Sprintf("cannot read the results of attempt %d: %v", p.attempt, err)})
			}
			c.said[p.folder] = err.Error()
			continue
		}
		delete(c.said, p.folder)
		c.seen[p.folder] = now
		switch {
		case err != nil:
			report(Event{Kind: EventNote, Run: c.claim.Run, Message: fmt.Sprintf("cannot merge the results of attempt %d: %v", p.attempt, err)})
			continue
		case merged.Outcome == store.MergeConflict || merged.Outcome == store.MergeDamaged:
			c.disputed = true
			why := fmt.Sprintf("results of attempt %d in %s are not merged: %s", p.attempt, p.folder, merged.Detail)
			report(Event{Kind: EventNote, Run: c.claim.Run, Message: why})
			continue
		case merged.Outcome != store.MergeReplaced:
			continue
		}
		c.claim = claim
		if err := c.taken(ctx, p, report); err != nil {
			return err
		}
	}
	return nil
}

// taken reports new epochs and, once the run has ended, copies its checkpoints here.
func (c *collector) taken(ctx context.Context, p part, report func(Event)) error {
	run, err := c.db.Run(ctx, c.claim.Run)
	if err != nil {
		return err
	}
	if run.Epochs > c.epochs {
		recorded, err := c.db.Epochs(ctx, run.ID)
		if err != nil {
			return err
		}
		settings, err := results.Settings(run)
		if err != nil {
			return err
		}
		for _, e := range recorded {
			if e.Epoch > c.epochs {
				report(Event{
					Kind: EventEpoch, Run: run.ID, Arm: run.Arm, Seed: run.Seed,
					Epoch: e.Epoch, Epochs: settings.Train.Epochs, Loss: e.Loss, Metrics: e.Val,
				})
			}
		}
		c.epochs = run.Epochs
	}
	if run.State == store.Running {
		return nil
	}
	c.ended = p
	if err := c.bring(ctx, p, run); err != nil { // forget tries again
		report(Event{Kind: EventNote, Run: run.ID, Message: fmt.Sprintf("cannot move its checkpoints from %s: %v", p.runs(), err)})
	}
	return nil
}

// bring copies the checkpoints of an ended run here, replacing earlier copies. For a completed run
// it is an error if the start has no best checkpoint, unless that was pruned.
func (c *collector) bring(ctx context.Context, p part, run store.Run) error {
	files := p.files(run.ID)
	if run.State == store.Completed {
		if err := bestIsAt(p.runs(), run); err != nil {
			return err
		}
	}
	linked, err := linkCheckpoints(RunDir(p.runs(), run.ID), c.dir, run)
	if err != nil || len(run.Progress) == 0 {
		return err
	}
	created, err := c.db.Created(ctx)
	if err != nil {
		return err
	}
	if err := prune(RunDir(c.dir, run.ID), newNamer(created, run.Attempt), linked...); err != nil {
		return err
	}
	c.brought = files
	return nil
}

// bringAgain makes sure that the checkpoints of a completed run whose jobs have ended are here, as
// the jobs left them: an earlier try may have failed, or have come before the job removed those
// that are not to be kept.
func (c *collector) bringAgain(ctx context.Context, run store.Run) error {
	if len(c.brought) > 0 && slices.Equal(c.brought, c.ended.files(run.ID)) {
		return nil
	}
	all, err := parts(c.jobs, run.ID)
	if err != nil {
		return err
	}
	slices.Reverse(all) // the last one has what it resumed from, too
	if i := slices.Index(all, c.ended); i > 0 {
		all = append([]part{c.ended}, slices.Delete(all, i, i+1)...)
	}
	for _, p := range all {
		failed := c.bring(ctx, p, run)
		if failed == nil {
			return nil
		}
		err = errors.Join(err, failed)
	}
	return cmp.Or(err, bestIsAt(c.dir, run))
}

// bestIsAt returns an error unless the best checkpoint of a run is in a folder of runs, or was
// pruned there.
func bestIsAt(dir string, run store.Run) error {
	_, err := BestCheckpoint(dir, run)
	if errors.As(err, new(*PrunedError)) {
		return nil
	}
	return err
}

// takeLog appends the output of the job's processes to the log of the run, and returns that part
// of it.
func (c *collector) takeLog() said {
	to := said{path: filepath.Join(RunDir(c.dir, c.claim.Run), LogName)}
	from, err := os.Open(filepath.Join(jobFolder(c.jobs, c.first), LogName))
	if err != nil {
		return to // no output
	}
	defer func() { _ = from.Close() }()
	if makeRunDir(c.dir, RunDir(c.dir, c.claim.Run)) != nil {
		return to
	}
	log, err := private.OpenFile(to.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
	if err != nil {
		return to
	}
	defer func() { _ = log.Close() }()
	if info, err := log.Stat(); err == nil {
		to.offset = info.Size()
	}
	_, _ = io.Copy(log, from) // a log is not a result, so errors are ignored
	return to
}

// removeJobs removes the folder of a run's jobs.
func removeJobs(jobs, run string) error {
	err := os.RemoveAll(filepath.Join(jobs, run))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
