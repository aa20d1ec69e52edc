package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// The outcomes of a run or study of another database in a merge.
const (
	MergeDamaged  = "damaged"  // its rows there do not match their hashes: nothing was done
	MergeAdded    = "added"    // it was missing here
	MergeReplaced = "replaced" // it is completed there, and was not completed here
	MergeSame     = "same"     // it is here with the same result
	MergeKept     = "kept"     // it is as far or further here
	MergeBusy     = "busy"     // a process is working on it here: nothing was done
	MergeConflict = "conflict" // the two differ: nothing was done
)

// Merged is the outcome of one run, or of one study, of another database.
type Merged struct {
	Run     string `json:"run,omitempty"`    // empty for a study
	Study   string `json:"study"`            // of the run, in the other database
	Outcome string `json:"outcome"`          // one of the outcomes above
	Detail  string `json:"detail,omitempty"` // why; empty if the outcome needs no explanation
}

// MergeReport counts the outcomes of a merge. Its JSON is a stable interface.
type MergeReport struct {
	Path    string         `json:"path"`
	Runs    map[string]int `json:"runs"`    // by outcome
	Studies map[string]int `json:"studies"` // by outcome
	Details []Merged       `json:"details"`
}

// NewMergeReport counts the outcomes of [DB.Merge] for the database at path.
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

// Conflicts counts the runs and studies that were not merged because the two databases differ.
func (r MergeReport) Conflicts() int { return r.Runs[MergeConflict] + r.Studies[MergeConflict] }

// Damaged counts the runs and studies that were not merged because they are damaged in the other
// database.
func (r MergeReport) Damaged() int { return r.Runs[MergeDamaged] + r.Studies[MergeDamaged] }

// Merge adds the contents of the database at path: its studies, and the runs that are further
// along there than here. It is idempotent. Each transaction takes a few runs, so that others may
// work on both databases meanwhile; the next merge completes one that was cut off.
//
//   - A completed run replaces one that is not completed. A run that is running there is stored
//     as interrupted, as of its last checkpoint.
//   - A run that is completed in both is the same if its data, captions and protocol are;
//     otherwise the one here is kept. There is one result for given settings: two would count as
//     two seeds, or as none.
//   - A run whose rows there do not match their hashes is not taken. Audits and readings are
//     taken anyway, with their hashes, since they can be computed again.
//   - A run that a process is working on here is never touched. gone reports whether the process
//     of a running run has certainly ended.
//   - The notes and tags of both are kept, each once. Records of deleted runs are taken.
//   - A study that has another declaration or other data here is left unchanged. Its runs are
//     still taken, but do not belong to it here. Amendments of its declaration are taken.
//
// The other file is not written. If its schema is older, a migrated copy is merged.
func (db *DB) Merge(ctx context.Context, path string, gone func(Run) bool) ([]Merged, error) {
	if db.writer == nil {
		return nil, fmt.Errorf("%s: %w", db.path, ErrReadOnly)
	}
	if here, err := os.Stat(db.path); err == nil {
		if there, err := os.Stat(path); err == nil && os.SameFile(here, there) {
			return nil, fmt.Errorf("%s: cannot merge a database with itself", path)
		}
	}
	other, err := OpenReadOnly(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = other.Close() }()
	var merged []Merged
	judge := func(ours *Run, theirs Run) (outcome, detail string) { return compareRuns(ours, theirs, gone) }
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
		later, err := runsWithLater(ctx, from)
		if err != nil {
			return err
		}
		for len(merged) < len(theirs) {
			var some []Merged
			err := db.write(ctx, func(tx *sql.Tx) (err error) {
				some, err = mergeRuns(ctx, from, tx, theirs[len(merged):], later, judge)
				return err
			})
			if err != nil {
				return fmt.Errorf("merge %s: %w", path, err)
			}
			merged = append(merged, some...)
		}
		studies, err := db.mergeStudies(ctx, from)
		merged = append(merged, studies...)
		return err
	})
	return merged, err
}

// mergeFor is how long one transaction of a merge may keep others from writing.
const mergeFor = 100 * time.Millisecond

// mergeRuns merges the first of the runs: at least one, then as many as it can within mergeFor.
func mergeRuns(
	ctx context.Context, from, to *sql.Tx, theirs []Run, later map[string]map[string]bool, judge judge,
) (merged []Merged, err error) {
	began, into := time.Now(), newCopier(to)
	defer into.close()
	for _, run := range theirs {
		if len(merged) > 0 && time.Since(began) > mergeFor {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m, err := mergeRun(context.WithoutCancel(ctx), from, into, run, later, judge)
		if err != nil {
			return nil, ofRun(run.ID, err)
		}
		merged = append(merged, m)
	}
	return merged, nil
}

// runsWithLater returns, by table, the runs with rows in the tables of foundLater: usually few.
func runsWithLater(ctx context.Context, from *sql.Tx) (map[string]map[string]bool, error) {
	later := map[string]map[string]bool{}
	for _, t := range foundLater() {
		runs, err := names(ctx, from, "SELECT DISTINCT run FROM "+t.name)
		if err != nil {
			return nil, err
		}
		later[t.name] = map[string]bool{}
		for _, run := range runs {
			later[t.name][run] = true
		}
	}
	return later, nil
}

// judge decides the outcome of a run; ours is nil if it is missing here.
type judge func(ours *Run, theirs Run) (outcome, detail string)

// mergeRun merges one run as judge decides.
func mergeRun(
	ctx context.Context, from *sql.Tx, to *copier, theirs Run, later map[string]map[string]bool, judge judge,
) (Merged, error) {
	m := Merged{Run: theirs.ID, Study: theirs.Study}
	found, err := queryRuns(ctx, to.tx, "FROM runs r WHERE r.id = ?", theirs.ID)
	if err != nil {
		return m, err
	}
	var ours *Run
	if len(found) > 0 {
		ours = &found[0]
		if err := addMemberships(ctx, to.tx, map[string]*Run{ours.ID: ours}, "", ours.ID); err != nil {
			return m, err
		}
	}
	m.Outcome, m.Detail = judge(ours, theirs)
	if ours != nil && (m.Outcome == MergeAdded || m.Outcome == MergeReplaced) {
		foreign, err := foreignData(ctx, to.tx, *ours, theirs)
		if err != nil {
			return m, err
		}
		if foreign != "" {
			m.Outcome, m.Detail = MergeConflict, foreign
		}
	}
	rows := heldRows{}
	if m.Outcome == MergeAdded || m.Outcome == MergeReplaced {
		run := theRun(theirs.ID)
		stored, err := run.stored(ctx, from)
		if err != nil {
			return m, err
		}
		damage, err := run.damageOf(ctx, from, run.asEnded(), stored, rows.hold)
		if err != nil {
			return m, err
		}
		if damage != "" {
			m.Outcome, m.Detail = MergeDamaged, "it is damaged there: "+damage
		}
		for _, t := range foundLater() {
			if !later[t.name][theirs.ID] {
				rows[t.name] = &heldTable{} // there are none
			}
		}
	}
	switch m.Outcome {
	case MergeAdded, MergeReplaced:
		err = takeRun(ctx, from, to, ours, theirs, rows)
	case MergeSame:
		m.Detail, err = takeLater(ctx, from, to, theirs.ID)
	case MergeConflict, MergeDamaged:
		return m, nil
	default:
		if ours == nil {
			return m, nil
		}
	}
	if err == nil {
		err = mergeNotes(ctx, from, to.tx, theRun(theirs.ID))
	}
	return m, err
}

// compareRuns decides the outcome of a run.
func compareRuns(ours *Run, theirs Run, gone func(Run) bool) (outcome, detail string) {
	switch {
	case ours == nil:
		outcome = MergeAdded
	case ours.State == Completed && theirs.State == Completed:
		return compareResults(*ours, theirs)
	case theirs.State == Completed:
		if ours.State == Running && !gone(*ours) {
			return MergeBusy, fmt.Sprintf("process %d on %s is working on it: stop it, or merge again when it has ended", ours.Owner.PID, ours.Owner.Host)
		}
		outcome = MergeReplaced
	case ours.State == Queued && ours.Attempt == 0 && theirs.Attempt > 0:
		outcome = MergeAdded // it was only planned here
	default:
		return MergeKept, ""
	}
	if theirs.State == Running {
		detail = "it is running there; stored as interrupted at its last checkpoint: merge again when it has ended"
	}
	return outcome, detail
}

// compareResults compares the results of a run that is completed in both.
func compareResults(ours, theirs Run) (outcome, detail string) {
	switch other := otherData(ours, theirs); {
	case other != "":
		return MergeConflict, "it is completed in both, on different data: " + other
	case ours.CaptionsSHA256 != theirs.CaptionsSHA256:
		return MergeConflict, fmt.Sprintf("it is completed in both with different captions: sha256 %.12s here, %.12s there", ours.CaptionsSHA256, theirs.CaptionsSHA256)
	case ours.Signature != theirs.Signature:
		return MergeConflict, fmt.Sprintf("it is completed in both under different protocols: %s here, %s there", ours.Signature, theirs.Signature)
	}
	return MergeSame, ""
}

// takeRun replaces our run, if any, by theirs with all its rows. rows are those already read: of
// each table all or none.
func takeRun(ctx context.Context, from *sql.Tx, into *copier, ours *Run, theirs Run, rows heldRows) error {
	to := into.tx
	for _, t := range append([]table{tables[1]}, partsOfRun()...) {
		where := t.key[0] + " = ?"
		if t.name == theRun("").hashes() { // notes of both stay
			where += " AND part <> '" + theRun("").notes().name + "'"
		}
		if ours != nil && t.name != "runs" {
			if _, err := to.ExecContext(ctx, "DELETE FROM "+t.name+" WHERE "+where, theirs.ID); err != nil {
				return err
			}
		}
		held := rows[t.name]
		if held == nil {
			if err := into.copy(ctx, from, t, where, theirs.ID); err != nil {
				return err
			}
			continue
		}
		for row := range slices.Chunk(held.values, max(1, len(held.columns))) {
			if err := into.put(ctx, t, held.columns, row); err != nil {
				return err
			}
		}
	}
	if ours != nil && ours.Attempt > theirs.Attempt { // it only grows: an old holder of ours stays fenced
		err := theRun(theirs.ID).reseal(ctx, to, named("runs"), nil, func() error {
			_, err := to.ExecContext(ctx, "UPDATE runs SET attempt = ? WHERE id = ?", ours.Attempt, theirs.ID)
			return err
		})
		if err != nil {
			return err
		}
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

// takeLater copies the audit and readings of a completed run if there are none here, and returns
// what it copied.
func takeLater(ctx context.Context, from *sql.Tx, into *copier, run string) (detail string, err error) {
	var taken []string
	for _, t := range foundLater() {
		query := "SELECT COUNT(*) FROM " + t.name + " WHERE run = ?"
		var here, there int
		err := errors.Join(into.tx.QueryRowContext(ctx, query, run).Scan(&here), from.QueryRowContext(ctx, query, run).Scan(&there))
		if err == nil && here == 0 && there > 0 {
			taken = append(taken, t.name)
			err = into.copy(ctx, from, t, "run = ?", run)
			if err == nil {
				err = into.copy(ctx, from, named("run_hashes")[0], "run = ? AND part = ?", run, t.name)
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
