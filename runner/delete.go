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

// Deletion is what deleting studies and runs takes with it, and what it leaves. As JSON, it is a
// contract.
type Deletion struct {
	Runs     []GoneRun `json:"runs"`     // that go
	Kept     []GoneRun `json:"kept"`     // runs of the studies that stay, since a study that is not named holds them
	Studies  []string  `json:"studies"`  // that go
	Recorded []string  `json:"recorded"` // studies that keep their declaration and a record of scored runs that they lose
	Bytes    int64     `json:"bytes"`    // of checkpoints that go
	Backup   string    `json:"backup"`   // a copy of the database as it was before; "" if nothing was deleted
}

// A GoneRun is a run of a [Deletion]. As JSON, it is a contract.
type GoneRun struct {
	Run     string   `json:"run"`
	Studies []string `json:"studies"`
	Arm     string   `json:"arm"`
	Seed    int64    `json:"seed"`
	State   string   `json:"state"`
}

// PlanDeletion tells what [Delete] would do, and refuses what it would refuse.
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

// Delete deletes studies and runs, by their whole names and ids ([store.DB.Delete]), and the
// checkpoints and logs of those runs. The database as it was before is copied to a file beside it
// first; checkpoints are not.
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

// deletionOf removes what belongs to runs beside the database, with dry it only counts.
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

// removeRunDir removes the folder of a run, and its log, unless there is something else in it:
// another database that lies beside this one may share the run.
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
