package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Deleted is the record of a completed run that was deleted from a study after it had been
// scored. The run may exist again: trained again, or merged.
type Deleted struct {
	Study, Run     string
	At             time.Time
	Arm            string
	Seed           int64
	Finished       time.Time // when it was scored
	CaptionsSHA256 string
}

// deletionColumns are the columns of a record of a deleted run.
var deletionColumns = columns[Deleted]{
	table: "deletions",
	names: []string{"study", "run", "deleted_ms", "arm", "seed", "finished_ms", "captions_sha256"},
	into: func(d *Deleted) []any {
		return []any{&d.Study, &d.Run, (*moment)(&d.At), &d.Arm, &d.Seed, (*moment)(&d.Finished), &d.CaptionsSHA256}
	},
	row: func(d *Deleted) string { return "deletion of run " + d.Run },
}

// Deletions returns a study's records of deleted runs, oldest first; for the empty name, those of
// all studies.
func (db *DB) Deletions(ctx context.Context, study string) ([]Deleted, error) {
	var deleted []Deleted
	err := db.read(ctx, func(tx *sql.Tx) error {
		var err error
		deleted, err = deletionColumns.read(ctx, tx, "FROM deletions WHERE ? IN ('', study) ORDER BY deleted_ms, study, run", study)
		return err
	})
	return deleted, err
}

// A Deletion lists what deleting studies and runs removes, and what it leaves.
type Deletion struct {
	Runs    []Run    // removed, as [DB.Members] gives them
	Kept    []Run    // of the studies, kept because another study holds them too
	Studies []string // removed
	// Recorded are studies that stay because runs of theirs were scored. They keep their
	// declarations and a record of the runs they lose.
	Recorded []string
}

// Deletion returns what deleting these studies and runs would do. Names and ids are given in
// full. The runs of a study are removed unless another study, not named, holds them too; a named
// run is removed from all its studies. A study is removed unless one of its runs was ever scored.
func (db *DB) Deletion(ctx context.Context, studies, runs []string) (Deletion, error) {
	var d Deletion
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		d, err = deletionOf(ctx, tx, studies, runs)
		return err
	})
	return d, err
}

// Delete deletes studies and runs in one transaction, and returns what it deleted. It returns a
// *RunningError if one of the runs is running, unless gone reports that its process has certainly
// ended. Each remaining study of a completed run keeps a record of it.
func (db *DB) Delete(ctx context.Context, studies, runs []string, gone func(Run) bool) (Deletion, error) {
	var d Deletion
	err := db.write(ctx, func(tx *sql.Tx) (err error) {
		if d, err = deletionOf(ctx, tx, studies, runs); err != nil {
			return err
		}
		if err := d.CheckIdle(gone); err != nil {
			return err
		}
		for _, study := range d.Studies {
			if _, err := tx.ExecContext(ctx, "DELETE FROM studies WHERE name = ?", study); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM stop_requests WHERE study = ?", study); err != nil {
				return err
			}
		}
		now := time.Now().UnixMilli()
		for _, run := range d.Runs {
			if err := deleteRun(ctx, tx, run, now); err != nil {
				return ofRun(run.ID, err)
			}
		}
		return nil
	})
	return d, err
}

// CheckIdle returns a *RunningError if the deletion includes a running run, unless gone reports
// that its process has certainly ended.
func (d Deletion) CheckIdle(gone func(Run) bool) error {
	for _, run := range d.Runs {
		if run.State == Running && !gone(run) {
			return &RunningError{run}
		}
	}
	return nil
}

// RunningError is returned when a running run would be deleted.
type RunningError struct{ Run Run }

// Error says which process runs it, and what to do.
func (e *RunningError) Error() string {
	return fmt.Sprintf("run %s is running (process %d on %s); nothing was deleted: stop it first with `glimpse stop %s`",
		e.Run.ID, e.Run.Owner.PID, e.Run.Owner.Host, e.Run.ID)
}

func deletionOf(ctx context.Context, tx *sql.Tx, studies, runs []string) (Deletion, error) {
	var d Deletion
	all, err := memberRuns(ctx, tx, standingColumns, "")
	if err != nil {
		return d, err
	}
	known := indexed(all)
	for _, id := range runs {
		if known[id] == nil {
			return d, fmt.Errorf("run %q: %w", id, ErrNotFound)
		}
	}
	for _, run := range all {
		named := slices.Contains(runs, run.ID)
		holds := slices.ContainsFunc(run.Studies, func(s string) bool { return slices.Contains(studies, s) })
		others := slices.ContainsFunc(run.Studies, func(s string) bool { return !slices.Contains(studies, s) })
		switch {
		case named || holds && !others:
			d.Runs = append(d.Runs, run)
		case holds:
			d.Kept = append(d.Kept, run)
		}
	}
	losing := slices.Clone(studies)
	for _, run := range d.Runs {
		for _, study := range run.Studies {
			if run.State == Completed && !slices.Contains(losing, study) {
				losing = append(losing, study)
			}
		}
	}
	for _, study := range losing {
		if err := theStudy(study).exists(ctx, tx); err != nil {
			return d, err
		}
		scored, err := wasScored(ctx, tx, study)
		if err != nil {
			return d, err
		}
		if scored {
			d.Recorded = append(d.Recorded, study)
		} else {
			d.Studies = append(d.Studies, study)
		}
	}
	return d, nil
}

// wasScored reports whether a study holds a completed run, or a record of one.
func wasScored(ctx context.Context, tx *sql.Tx, study string) (scored bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM study_runs m JOIN runs r ON r.id = m.run
		WHERE m.study = ? AND r.state = 'completed')`, study).Scan(&scored)
	if err != nil || scored {
		return scored, err
	}
	absent, err := named("deletions")[0].absent(ctx, tx)
	if err != nil || absent {
		return false, err
	}
	err = tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM deletions WHERE study = ?)", study).Scan(&scored)
	return scored, err
}

// deleteRun deletes a run. If it was scored, its remaining studies keep a record.
func deleteRun(ctx context.Context, tx *sql.Tx, run Run, now int64) error {
	for _, study := range run.Studies {
		err := theStudy(study).reseal(ctx, tx, named("study_runs", "attention_maps", "deletions"), nil, func() error {
			if run.State == Completed {
				_, err := tx.ExecContext(ctx, `INSERT INTO deletions (study, run, deleted_ms, arm, seed, finished_ms, captions_sha256)
					SELECT m.study, r.id, ?, m.arm, r.seed, r.finished_ms, r.captions_sha256
					FROM study_runs m JOIN runs r ON r.id = m.run WHERE m.study = ? AND m.run = ?`, now, study, run.ID)
				if err != nil {
					return err
				}
			}
			for _, t := range named("study_runs", "attention_maps") {
				if _, err := tx.ExecContext(ctx, "DELETE FROM "+t.name+" WHERE study = ? AND run = ?", study, run.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("study %s: %w", study, err)
		}
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM runs WHERE id = ?", run.ID)
	return err
}

// takeDeletions adds the records of another database that this one lacks.
func takeDeletions(ctx context.Context, from, to *sql.Tx, study string) error {
	theirs, err := deletionColumns.read(ctx, from, "FROM deletions WHERE study = ?", study)
	if err != nil {
		return err
	}
	for _, d := range theirs {
		_, err := to.ExecContext(ctx, `INSERT INTO deletions (study, run, deleted_ms, arm, seed, finished_ms, captions_sha256)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (study, run, deleted_ms) DO NOTHING`,
			study, d.Run, d.At.UnixMilli(), d.Arm, d.Seed, moment(d.Finished), d.CaptionsSHA256)
		if err != nil {
			return err
		}
	}
	return nil
}
