package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Take takes over how far the database at path has brought a run whose claim here was handed on to
// whoever writes there: [DB.ClaimAs] gave the attempt there the number of the claim, or a later
// one. As the run ended there, it ends here. One that is running there, or interrupted while alive
// says that its attempt goes on (since it was put back into a queue), stays claimed here by whom it
// was, under the claim that is returned: numbers of attempts never fall.
//
// A completed run is taken whether or not the claim is still held, and is held against a result
// that is here already, as in [DB.Merge]; anything else under a claim that was lost is left
// ([MergeKept]). A run of other data than those of a study that holds it here is a [MergeConflict].
// The other file is not written.
func (db *DB) Take(ctx context.Context, path string, claim Claim, alive bool) (m Merged, now Claim, err error) {
	now = claim
	if db.writer == nil {
		return m, now, fmt.Errorf("%s: %w", db.path, ErrReadOnly)
	}
	other, err := OpenReadOnly(path)
	if err != nil {
		return m, now, err
	}
	defer func() { _ = other.Close() }()
	err = other.read(ctx, func(from *sql.Tx) error {
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
		return db.write(ctx, func(tx *sql.Tx) error {
			into := newCopier(tx)
			defer into.close()
			var held Run
			judge := func(ours *Run, theirs Run) (outcome, detail string) {
				switch {
				case ours == nil:
					return MergeKept, "it is not here"
				case ours.State == Completed && theirs.State == Completed:
					return compareResults(*ours, theirs)
				case theirs.State == Completed:
				case ours.State != Running || ours.Attempt != claim.Attempt || theirs.Attempt < claim.Attempt:
					return MergeKept, "it is no longer claimed by attempt " + fmt.Sprint(claim.Attempt)
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
	return m, now, err
}

// holdOn gives a run that was just taken over back to the holder of its claim here.
func holdOn(ctx context.Context, tx *sql.Tx, ours Run, claim Claim, theirs Run) error {
	var stop any // a request to stop is the attempt's
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

// addAttempts adds those of the attempts at a run that are not recorded: another database knows
// those made there alone. With ended, the run has ended, and one that was at work beside the attempt
// that ended it has lost.
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
