package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"glimpse/internal/store"
)

// Deletion lists what deleting studies and runs removes, and what it leaves. Its JSON is a stable
// interface.
type Deletion struct {
	Runs     []GoneRun `json:"runs"`     // removed
	Kept     []GoneRun `json:"kept"`     // runs of the studies, kept because another study holds them too
	Studies  []string  `json:"studies"`  // removed
	Recorded []string  `json:"recorded"` // studies that keep their declaration and a record of the scored runs they lose
	Bytes    int64     `json:"bytes"`    // of the removed checkpoints
	Backup   string    `json:"backup"`   // a copy of the database from before; "" if nothing was deleted
}

// A GoneRun is a run of a [Deletion]. Its JSON is a stable interface.
type GoneRun struct {
	Run     string   `json:"run"`
	Studies []string `json:"studies"`
	Arm     string   `json:"arm"`
	Seed    int64    `json:"seed"`
	State   string   `json:"state"`
}

// PlanDeletion returns what [Delete] would do, or its error.
func PlanDeletion(ctx context.Context, db *store.DB, studies, runs []string) (Deletion, error) {
	planned, err := db.Deletion(ctx, studies, runs)
	if err == nil {
		err = planned.CheckIdle(Gone)
	}
	if err == nil && len(planned.Runs)+len(planned.Studies) == 0 {
		err = errors.New("nothing to delete: the runs also belong to other studies, and scored studies keep their record")
	}
	if err != nil {
		return Deletion{}, err
	}
	return deletionOf(ctx, db, planned, true)
}

// Delete deletes studies and runs, given by their full names and ids ([store.DB.Delete]), and the
// checkpoints and logs of those runs. It first backs up the database to a file beside it, but not
// the checkpoints.
func Delete(ctx context.Context, db *store.DB, studies, runs []string) (Deletion, error) {
	stem, now := strings.TrimSuffix(db.Path(), filepath.Ext(db.Path())), time.Now().UTC()
	backup := fmt.Sprintf("%s-before-delete-%s.db", stem, now.Format("20060102T150405.000Z"))
	if err := db.Backup(ctx, backup); err != nil {
		return Deletion{}, fmt.Errorf("nothing was deleted, because the backup failed: %w", err)
	}
	done, err := db.Delete(ctx, studies, runs, Gone)
	if err != nil {
		return Deletion{}, errors.Join(err, os.Remove(backup))
	}
	d, err := deletionOf(ctx, db, done, false)
	d.Backup = backup
	return d, err
}

// deletionOf removes the files of runs beside the database. In a dry run it only counts them.
func deletionOf(ctx context.Context, db *store.DB, of store.Deletion, dry bool) (Deletion, error) {
	d := Deletion{Runs: goneRuns(of.Runs), Kept: goneRuns(of.Kept),
		Studies: append([]string{}, of.Studies...), Recorded: append([]string{}, of.Recorded...)}
	created, err := db.Created(ctx)
	if err != nil {
		return d, err
	}
	for _, run := range of.Runs {
		bytes, failed := removeCheckpoints(DefaultDir(db), run.ID, created, dry)
		d.Bytes += bytes
		if failed == nil && !dry {
			failed = removeRunDir(DefaultDir(db), run.ID, created)
		}
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("run %s was deleted, but its folder was not removed completely: %w", run.ID, failed))
		}
	}
	return d, err
}

func goneRuns(runs []store.Run) []GoneRun {
	gone := make([]GoneRun, len(runs))
	for i, r := range runs {
		gone[i] = GoneRun{Run: r.ID, Studies: append([]string{}, r.Studies...), Arm: r.Arm, Seed: r.Seed, State: r.State}
	}
	return gone
}

// removeRunDir removes the folder of a run, with its log, unless it contains other files: another
// database in the same folder may share the run.
func removeRunDir(dir, run string, created time.Time) error {
	folder := RunDir(dir, run)
	if err := os.Remove(markPath(folder, newNamer(created, 0).prefix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || len(entries) > 1 || len(entries) == 1 && entries[0].Name() != LogName {
		return err
	}
	for _, entry := range entries {
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	return os.Remove(folder)
}
