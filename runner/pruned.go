package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"glimpse/internal/atomicfile"
	"glimpse/internal/private"
	"glimpse/internal/store"
)

// PrunedError is returned for a run whose best checkpoint was removed on purpose.
type PrunedError struct {
	Run, State string
	By         string // what removed it, such as "glimpse prune"
	At         time.Time
}

// Error says what removed the checkpoint, and how to get one again.
func (e *PrunedError) Error() string {
	again := "run its study again to train it"
	if e.State == store.Completed {
		again = fmt.Sprintf("train it again: `glimpse reproduce %s --keep again`, then this command with --db again/results.db", e.Run)
	}
	return fmt.Sprintf("run %s: its checkpoint was pruned by %s on %s; %s", e.Run, e.By, e.At.Format("2 January 2006"), again)
}

// byPrune is the command that removes checkpoints on request; a study removes them when its runs
// are completed.
const byPrune = "`glimpse prune`"

// pruneMark is a file in a run's folder that records what removed the checkpoints of one
// database. The database does not record it: it may be read-only then, and it may be copied
// without checkpoints.
type pruneMark struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// markPrefix starts the names of such files.
const markPrefix = "pruned-"

// markPath returns the path of the mark for checkpoints with this prefix.
func markPath(dir, prefix string) string {
	return filepath.Join(dir, markPrefix+strings.Trim(strings.TrimPrefix(prefix, "checkpoint"), "-"))
}

func markPruned(dir, prefix, by string) error {
	return atomicfile.WriteMode(markPath(dir, prefix), private.Mode(dir), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(pruneMark{by, time.Now().UTC().Truncate(time.Second)})
	})
}

// whyPruned returns the mark of a missing checkpoint; nil if there is no readable one.
func whyPruned(dir, checkpoint string) *pruneMark {
	prefix := checkpoint
	for range 2 { // attempt and serial, see namer
		prefix = prefix[:max(0, strings.LastIndexByte(prefix, '-'))]
	}
	text, err := os.ReadFile(markPath(dir, prefix))
	m := new(pruneMark)
	if err != nil || json.Unmarshal(text, m) != nil || m.By == "" {
		return nil
	}
	return m
}

// Freed is the result of removing the checkpoints of a run. Its JSON is a stable interface.
type Freed struct {
	Run   string `json:"run"`
	State string `json:"state"`
	Bytes int64  `json:"bytes"`
}

// FreeCheckpoints removes the checkpoints of the completed runs among ids and, with unfinished,
// of the idle ones; in a dry run it only counts them. Its result leaves out runs without
// checkpoints.
func FreeCheckpoints(ctx context.Context, db *store.DB, ids []string, unfinished, dry bool) ([]Freed, error) {
	created, err := db.Created(ctx)
	if err != nil {
		return nil, err
	}
	all := []Freed{}
	for _, id := range ids {
		run, known, err := db.Stand(ctx, id)
		if err == nil && !known {
			_, err = db.Run(ctx, id) // for its error
		}
		if err != nil {
			return nil, err
		}
		if run.State == store.Running || run.State != store.Completed && !unfinished {
			continue
		}
		bytes, err := removeCheckpoints(DefaultDir(db), id, created, true)
		if bytes > 0 && err == nil && !dry {
			err = markAndRemove(DefaultDir(db), id, created)
		}
		if err != nil {
			return nil, fmt.Errorf("checkpoints of run %s: %w", id, err)
		}
		if bytes > 0 {
			all = append(all, Freed{Run: id, State: run.State, Bytes: bytes})
		}
	}
	return all, nil
}

// markAndRemove marks the checkpoints of a run as pruned and removes them. It marks them first, so
// that none counts as lost if this process ends between the two; on a full disk, once there is
// room.
func markAndRemove(dir, run string, created time.Time) error {
	mark := func() error { return markPruned(RunDir(dir, run), newNamer(created, 0).prefix, byPrune) }
	full := mark()
	_, err := removeCheckpoints(dir, run, created, false)
	if full != nil {
		if failed := mark(); failed != nil {
			err = errors.Join(err, fmt.Errorf("they were removed, but that could not be recorded: %w", failed))
		}
	}
	return err
}

// removeCheckpoints removes all checkpoints of a run that belong to a database, and returns their
// size in bytes; in a dry run it only counts. dir is the folder of all runs. The run must be
// idle.
func removeCheckpoints(dir, run string, created time.Time, dry bool) (int64, error) {
	names := newNamer(created, math.MaxInt64)
	entries, err := os.ReadDir(RunDir(dir, run))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	freed, err := atomicfile.Sweep(RunDir(dir, run), dry)
	for _, entry := range entries {
		stem, _, _ := strings.Cut(entry.Name(), ".")
		info, gone := entry.Info()
		if !names.owns(stem) || gone != nil {
			continue
		}
		if !dry {
			if failed := os.Remove(filepath.Join(RunDir(dir, run), entry.Name())); failed != nil {
				err = errors.Join(err, failed)
				continue
			}
		}
		freed += info.Size()
	}
	return freed, err
}
