package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"glimpse/internal/store"
)

// resume restores the captioner from the last checkpoint, if there is one.
func (t *trial) resume(ctx context.Context, engine Engine) error {
	if t.progress.Last == "" {
		return nil
	}
	err := t.restore()
	if err == nil {
		return nil
	}
	return t.goBack(ctx, engine, err)
}

// restore loads the checkpoint to resume from: the last or, once training is done, the best,
// which is needed in any case.
func (t *trial) restore() error {
	p := &t.progress
	if p.Best != "" {
		if err := t.damaged[p.Best]; err != nil {
			return err
		}
		if err := findCheckpoint(t.path(p.Best)); err != nil {
			return err
		}
	}
	if t.trained() {
		return t.loadCheckpoint(p.Best)
	}
	return t.loadCheckpoint(p.Last)
}

// loadCheckpoint loads a checkpoint, and remembers a failure.
func (t *trial) loadCheckpoint(name string) error { return t.use(name, t.captioner.Load) }

// use calls load with the path of a checkpoint, and remembers a failure.
func (t *trial) use(name string, load func(path string) error) error {
	err := load(t.path(name))
	if err != nil {
		if t.damaged == nil {
			t.damaged = map[string]error{}
		}
		t.damaged[name] = err
	}
	return err
}

// goBack takes the trial back to its newest earlier state whose checkpoint can be loaded, or to
// its start. That costs time but changes no result. cause is why the current one cannot be
// loaded. If checkpoint files exist but none can be read, the trial fails as a disk failure
// instead of starting over: the files may become readable again.
func (t *trial) goBack(ctx context.Context, engine Engine, cause error) error {
	unreadable := isUnreadable(cause)
	from := t.progress
	t.close()
	if err := t.make(engine); err != nil {
		return err
	}
	to := progress{}
	for i, earlier := range from.Earlier {
		t.progress = earlier
		err := t.restore()
		if err == nil {
			to = earlier
			to.Earlier = from.Earlier[i+1:]
			break
		}
		unreadable = unreadable || isUnreadable(err)
	}
	if to.Last == "" && unreadable {
		t.progress = from
		return fmt.Errorf("%w: fix that or, to start over, remove the run's checkpoints", &unreadableError{cause})
	}
	reason := strings.ReplaceAll(cause.Error(), t.dir+string(filepath.Separator), "") // the database may be published
	where := "starting over"
	if to.Last != "" {
		where = fmt.Sprintf("going back from epoch %d to the checkpoint of epoch %d", from.Epoch, to.Epoch)
	}
	t.note("%s: the checkpoint cannot be loaded: %s", where, reason)
	to.Serial = from.Serial
	to.Rewinds = append(from.Rewinds, fmt.Sprintf("attempt %d, %s: %s", t.claim.Attempt, where, reason))
	t.progress = to
	raw, err := json.Marshal(to)
	if err != nil {
		return fmt.Errorf("record the progress: %w", err)
	}
	t.committed = to
	return t.cfg.DB.Rewind(context.WithoutCancel(ctx), t.claim, to.Epoch, store.Checkpoint{
		Progress: raw, Seconds: to.Timings.total(), BestEpoch: to.BestEpoch,
	})
}

// unreadableError is the error of a checkpoint that exists but cannot be read.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string { return "the checkpoint cannot be read: " + e.err.Error() }

// Unwrap returns the reason.
func (e *unreadableError) Unwrap() error { return e.err }

// isUnreadable reports whether a file exists but the system cannot read it.
func isUnreadable(err error) bool {
	return errors.As(err, new(*fs.PathError)) && !errors.Is(err, fs.ErrNotExist)
}
