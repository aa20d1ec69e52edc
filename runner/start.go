package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"glimpse/internal/atomicfile"
	"glimpse/internal/private"
	"glimpse/internal/store"
)

// Start is a started job: the database that its trial writes to, and how to publish it.
type Start struct {
	Launch Launch
	DB     *store.DB

	part    part
	scratch string
}

// Begin starts a job in its folder: it creates a database in the folder scratch, on a local disk,
// from the results of the newest start of the run's jobs, and claims the run there. If scratch is
// "" it uses the system's folder for temporary files. It returns nil if there is nothing left to
// do. It passes over results that are damaged or whose checkpoints are gone; any other failure to
// resume from them is an error.
func (j *Job) Begin(ctx context.Context, folder, scratch string) (_ *Start, err error) {
	before, err := parts(jobsOf(folder), j.Launch.Run)
	if err != nil {
		return nil, err
	}
	s := &Start{Launch: j.Launch}
	if s.part, err = newPart(folder, j.Launch.Attempt); err != nil {
		return nil, err
	}
	if s.scratch, err = os.MkdirTemp(scratch, "glimpse-"); err != nil {
		return nil, &atomicfile.WriteError{Path: cmp.Or(scratch, os.TempDir()), Err: err}
	}
	defer func() {
		if err != nil {
			s.End()
		}
	}()
	for _, p := range slices.Backward(before) {
		run, err := s.goOn(ctx, p)
		switch {
		case isDamaged(err):
			fmt.Fprintf(os.Stderr, "cannot resume from %s: %v\n", p.folder, err)
			continue
		case err != nil: // it may be readable later: starting over would lose its progress
			return nil, fmt.Errorf("resume from %s: %w; submit the job again once it can be read, or remove that folder to do without it", p.folder, err)
		case run.State == store.Completed:
			s.End()
			return nil, nil
		}
		return s, s.claim(ctx, run)
	}
	if s.DB, err = store.Open(filepath.Join(s.scratch, jobResult)); err != nil {
		return nil, err
	}
	if err := s.DB.SaveStudy(ctx, j.study.Study, []store.Run{j.Run}, j.study.Declaration, nil); err != nil {
		return nil, err
	}
	run, err := s.DB.Run(ctx, j.Run.ID)
	if err != nil {
		return nil, err
	}
	return s, s.claim(ctx, run)
}

// newPart creates the folder of a new start.
func newPart(folder string, attempt int64) (part, error) {
	for n := int64(0); ; n++ {
		p := part{filepath.Join(folder, strconv.FormatInt(n, 10)), attempt, n}
		err := private.NewSubfolder(p.folder)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return p, &atomicfile.WriteError{Path: p.folder, Err: err}
		}
		return p, nil
	}
}

// goOn resumes from what an earlier start left, including its checkpoints.
func (s *Start) goOn(ctx context.Context, from part) (run store.Run, err error) {
	path := filepath.Join(s.scratch, jobResult)
	if err := copyFile(from.database(), path); err != nil {
		return run, err
	}
	db, err := store.OpenExisting(path)
	if err == nil {
		run, err = db.Run(ctx, s.Launch.Run)
		if err == nil && run.State != store.Completed {
			_, err = linkCheckpoints(RunDir(from.runs(), run.ID), s.part.runs(), run)
		}
		if err == nil {
			s.DB = db
			return run, nil
		}
		err = errors.Join(err, db.Close())
	}
	return run, errors.Join(err, os.Remove(path))
}

// errProgress is the error of a run whose stored progress is damaged.
var errProgress = errors.New("cannot read its progress")

// errGone is the error of checkpoints whose folder does not exist.
var errGone = errors.New("its checkpoints are gone")

// isDamaged reports whether the results of an earlier start cannot be resumed from, now or later.
func isDamaged(err error) bool {
	return errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotResults) || errors.Is(err, store.ErrNotFound) ||
		errors.Is(err, errProgress) || errors.Is(err, errGone)
}

// claim claims the run in the start's own database.
func (s *Start) claim(ctx context.Context, seen store.Run) error {
	claim, err := s.DB.ClaimAs(ctx, seen, max(s.Launch.Attempt, seen.Attempt+1), me(DefaultLease))
	s.Launch.Attempt, s.Launch.Database, s.Launch.Dir = claim.Attempt, s.DB.Path(), s.part.runs()
	return err
}

// publishing is how long a start tries to publish its last results. between is its first delay
// between two tries; it doubles up to atMost.
const publishing, between, atMost = 10 * time.Minute, time.Second, 30 * time.Second

// Publish copies the database to the job's folder, as a whole, replacing the earlier copy; see
// TrialConfig.Publish. For the last results it retries for ten minutes, so that nothing is lost
// if the folder is full or unreachable for a while.
func (s *Start) Publish(ctx context.Context, last bool) error {
	for wait, began := between, time.Now(); ; wait = min(2*wait, atMost) {
		err := s.publish(ctx)
		if err == nil || !last || time.Since(began)+wait > publishing {
			return err
		}
		fmt.Fprintf(os.Stderr, "cannot copy the results to the shared folder; trying again: %v\n", err)
		if sleep(ctx, wait) != nil {
			return err
		}
	}
}

func (s *Start) publish(ctx context.Context) error {
	copied := filepath.Join(s.scratch, "copy.db")
	if err := errors.Join(removeIfThere(copied), s.DB.Backup(ctx, copied)); err != nil {
		return err
	}
	return atomicfile.WriteMode(s.part.database(), 0o600, func(w io.Writer) error {
		f, err := os.Open(copied)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		_, err = io.Copy(w, f)
		return err
	})
}

// End closes and removes the database.
func (s *Start) End() {
	if s.DB != nil {
		_ = s.DB.Close()
	}
	_ = os.RemoveAll(s.scratch)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// linkCheckpoints links the checkpoints that a run is resumed from, or opened with, from another
// folder into its own, and returns their names; it also links a mark that they were removed on
// purpose. Checkpoint files are never changed, so a link is as good as a copy; it copies if the
// filesystem has no links. Missing files are left for the trial to detect.
func linkCheckpoints(from, runs string, run store.Run) (linked []string, err error) {
	if len(run.Progress) == 0 {
		return nil, nil
	}
	var p progress
	if err := json.Unmarshal(run.Progress, &p); err != nil {
		return nil, fmt.Errorf("run %s: %w: %w", run.ID, errProgress, err)
	}
	to := RunDir(runs, run.ID)
	if err := makeRunDir(runs, to); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	if err != nil {
		return nil, err
	}
	names := p.checkpoints()
	for _, entry := range entries {
		stem, _, _ := strings.Cut(entry.Name(), ".")
		switch {
		case slices.Contains(names, stem):
			linked = append(linked, stem)
		case !strings.HasPrefix(stem, markPrefix):
			continue
		}
		source, target := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		if err := removeIfThere(target); err != nil { // from another start, whose results were merged before
			return linked, err
		}
		err := os.Link(source, target)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			err = copyFile(source, target)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return linked, err
		}
	}
	return linked, nil
}

// copyFile copies a file atomically, readable by the owner only.
func copyFile(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return atomicfile.WriteMode(to, 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}
