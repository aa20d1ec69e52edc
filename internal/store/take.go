package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Take copies the state of a run from the database at path, where another process works on it
// under the claim held here: [DB.ClaimAs] gave the attempt there the claim's number, or a later
// one. If the run has ended there, it ends here in the same way. If it is running there, or
// interrupted while alive reports that its attempt continues (it was put back into a queue), the
// holder here keeps it under the returned claim: attempt numbers never decrease.
//
// A completed run is taken even if the claim is no longer held, and compared with a result that
// exists here, as in [DB.Merge]. Otherwise a run whose claim was lost is not changed
// ([MergeKept]). A run on other data than a study that holds it here is a [MergeConflict]. The
// other file is not written. If it cannot be opened or read, the error is an [*OtherError]; any
// other [*FileError] is of the database here.
func (db *DB) Take(ctx context.Context, path string, claim Claim, alive bool) (m Merged, now Claim, err error) {
	now = claim
	if db.writer == nil {
		return m, now, fmt.Errorf("%s: %w", db.path, ErrReadOnly)
	}
	other, err := OpenReadOnly(path)
	if err != nil {
		return m, now, &OtherError{path, err}
	}
	defer func() { _ = other.Close() }()
	wrote := false // whether it got as far as writing here
	err = inTx(ctx, other.reader, func(from *sql.Tx) error {
		found, err := queryRuns(ctx, from, "FROM runs r WHERE r.id = ?", claim.Run)
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("run %s: %w in %s", claim.Run, ErrNotFound, path)
		}
		if err != nil {
			return err
		}
		theirs := found[0]
		later, err := runsWithLater(ctx, from)
		if err != nil {
			return err
		}
		wrote = true
		return db.write(ctx, func(tx *sql.Tx) error {
			into := newCopier(tx)
			defer into.close()
			var held Run
			judge := func(ours *Run, theirs Run) (outcome, detail string) {
				switch {
				case ours == nil:
					return MergeKept, "it is missing here"
				case ours.State == Completed && theirs.State == Completed:
					return compareResults(*ours, theirs)
				case theirs.State == Completed:
				case ours.State != Running || ours.Attempt != claim.Attempt || theirs.Attempt < claim.Attempt:
					return MergeKept, "attempt " + fmt.Sprint(claim.Attempt) + " no longer holds its claim"
				case theirs.State == Queued:
					return MergeKept, ""
				}
				held = *ours
				return MergeReplaced, ""
			}
			before, err := attemptColumns.read(ctx, tx, attemptsOf, claim.Run)
			if err != nil {
				return ofRun(claim.Run, err)
			}
			if m, err = mergeRun(ctx, from, into, theirs, later, judge); err != nil || m.Outcome != MergeReplaced {
				return err
			}
			goesOn := theirs.State == Running || theirs.State == Interrupted && alive
			if err := addAttempts(ctx, tx, claim.Run, before, !goesOn); err != nil || !goesOn {
				return err
			}
			now.Attempt = max(claim.Attempt, theirs.Attempt)
			return holdOn(ctx, tx, held, now, theirs)
		})
	})
	switch {
	case err == nil:
	case !wrote:
		err = &OtherError{path, explain(path, err)}
	case errors.As(err, new(*FileError)): // of either file: a second reading tells which
		if there := explain(path, integrity(context.WithoutCancel(ctx), other.reader, "quick_check")); there != nil {
			err = &OtherError{path, there}
		}
	}
	return m, now, err
}

// holdOn returns a run that was just copied to the holder of its claim here.
func holdOn(ctx context.Context, tx *sql.Tx, ours Run, claim Claim, theirs Run) error {
	var stop any // a request to stop belongs to an attempt
	if ours.Stopped {
		stop = claim.Attempt
	}
	owner := ours.Owner
	_, err := tx.ExecContext(ctx, `UPDATE runs SET state = 'running', failure = '', error = '', attempt = ?, finished_ms = NULL,
		owner_host = ?, owner_place = ?, owner_pid = ?, owner_start = ?, lease_ms = ?, stop_attempt = ? WHERE id = ?`,
		claim.Attempt, owner.Host, owner.Place, owner.PID, owner.Start, owner.Lease.Milliseconds(), stop, claim.Run)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE attempts SET ended_ms = NULL, outcome = '', error = '' WHERE run = ? AND attempt = ?",
			claim.Run, theirs.Attempt)
	}
	return errors.Join(err, theRun(claim.Run).unseal(ctx, tx))
}

// addAttempts adds the attempts at a run that are not recorded: the other database has only those
// made there. ended says that the run has ended: then attempts that are still open are lost.
func addAttempts(ctx context.Context, tx *sql.Tx, run string, attempts []Attempt, ended bool) error {
	return theRun(run).reseal(ctx, tx, named("attempts"), nil, func() error {
		for _, a := range attempts {
			if a.Ended.IsZero() && ended {
				a.Ended, a.Outcome = time.Now(), "lost"
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO attempts (run, attempt, host, pid, started_ms, ended_ms, outcome, error)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, attempt) DO NOTHING`,
				run, a.Number, a.Host, a.PID, a.Started.UnixMilli(), moment(a.Ended), a.Outcome, a.Error)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
