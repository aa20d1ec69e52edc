package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// What became of a run or study of another database in a merge.
const (
	MergeDamaged  = "damaged"  // its rows there are not what they were: nothing was done
	MergeAdded    = "added"    // it was not here
	MergeReplaced = "replaced" // it is completed there and was not here
	MergeSame     = "same"     // it is here with the same result
	MergeKept     = "kept"     // it is as far or further here
	MergeBusy     = "busy"     // a process here is at work on it: nothing was done
	MergeConflict = "conflict" // it is another one there: nothing was done
)

// Merged is what became of one run, or of one study, of another database.
type Merged struct {
	Run     string `json:"run,omitempty"`    // empty for a study
	Study   string `json:"study"`            // of the run, in the other database
	Outcome string `json:"outcome"`          // one of the outcomes above
	Detail  string `json:"detail,omitempty"` // why; empty where the outcome says it all
}

// MergeReport counts what became of another database. As JSON, it is a contract.
type MergeReport struct {
	Path    string         `json:"path"`
	Runs    map[string]int `json:"runs"`    // by outcome
	Studies map[string]int `json:"studies"` // likewise
	Details []Merged       `json:"details"`
}

// NewMergeReport counts what [DB.Merge] made of the database at path.
func NewMergeReport(path string, merged []Merged) MergeReport {
	r := MergeReport{Path: path, Runs: map[string]int{}, Studies: map[string]int{}, Details: append([]Merged{}, merged...)}
	for _, one := range merged {
		if one.Run != "" {
			r.Runs[one.Outcome]++
		} else {
			r.Studies[one.Outcome]++
		}
	}
	return r
}

// Conflicts are the runs and studies of which nothing was taken because they are others there.
func (r MergeReport) Conflicts() int { return r.Runs[MergeConflict] + r.Studies[MergeConflict] }

// Damaged are the runs and studies of which nothing was taken because they are damaged there.
func (r MergeReport) Damaged() int { return r.Runs[MergeDamaged] + r.Studies[MergeDamaged] }

// Merge takes over what the other database at path holds: its studies, and of
// its runs what is further there than here. It is idempotent. A run is
// one transaction, so that others may work on both databases meanwhile, and a
// merge that is cut off is completed by the next.
//
//   - A completed run takes the place of one that is not completed. One that was
//     running there is interrupted here, as of its last checkpoint.
//   - A run that is completed in both is the same if its data, its captions and its
//     protocol are; else it is left as it is here. There is one result for given settings:
//     two of them would count as two seeds, or as none.
//   - A run whose rows there are not as they were hashed is not taken. What was found
//     later about a run is, with its hash, since it can be made anew.
//   - A run that a process here is at work on is never touched. gone tells of a
//     running run that its process has certainly ended.
//   - A study that declares something else here, or is of other data, is left as it is;
//     its runs are taken all the same, but do not belong to it here. Amendments
//     of what it declares are taken.
//
// The other file is not written; of an older schema a copy is merged.
func (db *DB) Merge(ctx context.Context, path string, gone func(Run) bool) ([]Merged, error) {
	if db.writer == nil {
		return nil, fmt.Errorf("%s: %w", db.path, ErrReadOnly)
	}
	if here, err := os.Stat(db.path); err == nil {
		if there, err := os.Stat(path); err == nil && os.SameFile(here, there) {
			return nil, fmt.Errorf("%s: it cannot be merged with itself", path)
		}
	}
	other, err := OpenReadOnly(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = other.Close() }()
	var merged []Merged
	err = other.read(ctx, func(from *sql.Tx) error {
		theirs, err := queryRuns(ctx, from, "FROM runs r ORDER BY r.created_ms, r.id")
		if err != nil {
			return err
		}
		byID := make(map[string]*Run, len(theirs))
		for i := range theirs {
			byID[theirs[i].ID] = &theirs[i]
		}
		if err := addMemberships(ctx, from, byID, "", ""); err != nil {
			return err
		}
		for _, run := range theirs {
			m, err := db.mergeRun(ctx, from, run, gone)
			if err != nil {
				return fmt.Errorf("merge run %s of %s: %w", run.ID, path, err)
			}
			merged = append(merged, m)
		}
		studies, err := db.mergeStudies(ctx, from)
		merged = append(merged, studies...)
		return err
	})
	return merged, err
}

// mergeRun takes over one run.
func (db *DB) mergeRun(ctx context.Context, from *sql.Tx, theirs Run, gone func(Run) bool) (Merged, error) {
	m := Merged{Run: theirs.ID, Study: theirs.Study}
	err := db.write(ctx, func(tx *sql.Tx) error {
		found, err := queryRuns(ctx, tx, "FROM runs r WHERE r.id = ?", theirs.ID)
		if err != nil {
			return err
		}
		var ours *Run
		if len(found) > 0 {
			ours = &found[0]
			if err := addMemberships(ctx, tx, map[string]*Run{ours.ID: ours}, "", ours.ID); err != nil {
				return err
			}
		}
		m.Outcome, m.Detail = compareRuns(ours, theirs, gone)
		if ours != nil && (m.Outcome == MergeAdded || m.Outcome == MergeReplaced) {
			foreign, err := foreignData(ctx, tx, *ours, theirs)
			if err != nil {
				return err
			}
			if foreign != "" {
				m.Outcome, m.Detail = MergeConflict, foreign
			}
		}
		if m.Outcome == MergeAdded || m.Outcome == MergeReplaced {
			damage, err := theRun(theirs.ID).damage(ctx, from, theRun(theirs.ID).asEnded())
			if err != nil {
				return err
			}
			if damage != "" {
				m.Outcome, m.Detail = MergeDamaged, "it is damaged there: "+damage
			}
		}
		switch m.Outcome {
		case MergeAdded, MergeReplaced:
			return takeRun(ctx, from, tx, ours, theirs)
		case MergeSame:
			m.Detail, err = takeLater(ctx, from, tx, theirs.ID)
			return err
		}
		return nil
	})
	return m, err
}

// compareRuns decides what becomes of a run.
func compareRuns(ours *Run, theirs Run, gone func(Run) bool) (outcome, detail string) {
	switch {
	case ours == nil:
		outcome = MergeAdded
	case ours.State == Completed && theirs.State == Completed:
		switch other := otherData(*ours, theirs); {
		case other != "":
			return MergeConflict, "it is completed in both, on other data: " + other
		case ours.CaptionsSHA256 != theirs.CaptionsSHA256:
			return MergeConflict, fmt.Sprintf("it is completed in both with different captions: sha256 %.12s here, %.12s there", ours.CaptionsSHA256, theirs.CaptionsSHA256)
		case ours.Signature != theirs.Signature:
			return MergeConflict, fmt.Sprintf("it is completed in both under different protocols: %s here, %s there", ours.Signature, theirs.Signature)
		}
		return MergeSame, ""
	case theirs.State == Completed:
		if ours.State == Running && !gone(*ours) {
			return MergeBusy, fmt.Sprintf("process %d on %s is at work on it: stop it, or merge again when it has ended", ours.Owner.PID, ours.Owner.Host)
		}
		outcome = MergeReplaced
	case ours.State == Queued && ours.Attempt == 0 && theirs.Attempt > 0:
		outcome = MergeAdded // here it was planned, and no more
	default:
		return MergeKept, ""
	}
	if theirs.State == Running {
		detail = "it is running there: taken as interrupted, as of its last checkpoint; merge again when it has ended"
	}
	return outcome, detail
}

// takeRun puts a run with all that belongs to it in the place of ours, if any.
func takeRun(ctx context.Context, from, to *sql.Tx, ours *Run, theirs Run) error {
	if err := copyRows(ctx, from, to, tables[1], "id = ?", theirs.ID); err != nil {
		return err
	}
	for _, t := range partsOfRun() {
		if _, err := to.ExecContext(ctx, "DELETE FROM "+t.name+" WHERE run = ?", theirs.ID); err != nil {
			return err
		}
		if err := copyRows(ctx, from, to, t, "run = ?", theirs.ID); err != nil {
			return err
		}
	}
	attempt := theirs.Attempt
	if ours != nil {
		attempt = max(attempt, ours.Attempt) // it only grows: an old holder of ours stays fenced
	}
	err := theRun(theirs.ID).reseal(ctx, to, named("runs"), nil, func() error {
		_, err := to.ExecContext(ctx, "UPDATE runs SET attempt = ? WHERE id = ?", attempt, theirs.ID)
		return err
	})
	if err != nil {
		return err
	}
	if theirs.State != Running {
		return freezeHolders(ctx, to, theirs.ID)
	}
	now := time.Now().UnixMilli()
	if _, err := to.ExecContext(ctx, "UPDATE runs SET state = 'interrupted', finished_ms = ? WHERE id = ?", now, theirs.ID); err != nil {
		return err
	}
	if err := endAttempt(ctx, to, Claim{theirs.ID, theirs.Attempt}, "lost", "", now); err != nil {
		return err
	}
	return theRun(theirs.ID).seal(ctx, to)
}

// takeLater copies what is found out about a completed run later where there is
// none of it here, and tells of it.
func takeLater(ctx context.Context, from, to *sql.Tx, run string) (detail string, err error) {
	var taken []string
	for _, t := range foundLater() {
		query := "SELECT COUNT(*) FROM " + t.name + " WHERE run = ?"
		var here, there int
		err := errors.Join(to.QueryRowContext(ctx, query, run).Scan(&here), from.QueryRowContext(ctx, query, run).Scan(&there))
		if err == nil && here == 0 && there > 0 {
			taken = append(taken, t.name)
			err = copyRows(ctx, from, to, t, "run = ?", run)
			if err == nil {
				err = copyRows(ctx, from, to, named("run_hashes")[0], "run = ? AND part = ?", run, t.name)
			}
		}
		if err != nil {
			return "", err
		}
	}
	if len(taken) > 0 {
		detail = "its " + strings.Join(taken, " and ") + " were added"
	}
	return detail, nil
}

// copyRows copies rows of a table as they are, over those of the same key.
func copyRows(ctx context.Context, from, to *sql.Tx, t table, where string, args ...any) error {
	if there, err := t.has(ctx, from); err != nil || !there {
		return err // an older schema
	}
	columns, err := t.columns(ctx, from)
	if err != nil {
		return err
	}
	insert, err := t.insert(ctx, to, columns, true)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	return t.each(ctx, from, where, args, func(_ []string, values []any) error {
		_, err := insert.ExecContext(ctx, values...)
		return err
	})
}
