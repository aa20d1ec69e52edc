package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Claim claims a run for owner if the run has not changed since it was read: same state, attempt
// and count of beats, and no new request to stop. Claiming a running run takes it over from its
// holder; the caller must have judged that the holder is dead. Claim returns ErrTaken if the run
// has changed or is completed.
func (db *DB) Claim(ctx context.Context, seen Run, owner Owner) (Claim, error) {
	return db.ClaimAs(ctx, seen, seen.Attempt+1, owner)
}

// ClaimAs is [DB.Claim] with a given attempt number, which must be greater than all earlier ones.
// It mirrors a claim on the same run in another database ([DB.Take]).
func (db *DB) ClaimAs(ctx context.Context, seen Run, attempt int64, owner Owner) (Claim, error) {
	if attempt <= seen.Attempt {
		return Claim{}, fmt.Errorf("run %s: attempt %d after attempt %d: %w", seen.ID, attempt, seen.Attempt, ErrTaken)
	}
	state := seen.State
	if state == Pruned {
		state = Interrupted
	}
	claim := Claim{Run: seen.ID, Attempt: attempt}
	err := db.write(ctx, func(tx *sql.Tx) error {
		now := time.Now().UnixMilli()
		changed, err := update(ctx, tx, `UPDATE runs SET state = 'running', failure = '', error = '', attempt = ?,
			owner_host = ?, owner_place = ?, owner_pid = ?, owner_start = ?, lease_ms = ?,
			started_ms = COALESCE(started_ms, ?), heard_ms = ?, finished_ms = NULL
			WHERE id = ? AND state = ? AND attempt = ? AND beats = ? AND state <> 'completed'
			AND CASE WHEN stop_attempt = attempt THEN 1 ELSE 0 END = ?`,
			claim.Attempt, owner.Host, owner.Place, owner.PID, owner.Start, owner.Lease.Milliseconds(),
			now, now, seen.ID, state, seen.Attempt, seen.Beats, seen.Stopped)
		if err != nil {
			return err
		}
		if !changed {
			return fmt.Errorf("run %s: %w", seen.ID, ErrTaken)
		}
		if err := theRun(seen.ID).unseal(ctx, tx); err != nil {
			return err
		}
		if err := endAttempt(ctx, tx, Claim{seen.ID, seen.Attempt}, "lost", "", now); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO attempts (run, attempt, host, pid, started_ms) VALUES (?, ?, ?, ?, ?)",
			claim.Run, claim.Attempt, owner.Host, owner.PID, now)
		return err
	})
	return claim, err
}

// Adopt passes a claim to another process: the trial that a runner started under it. The attempt
// number stays the same, and the count of beats continues.
func (db *DB) Adopt(ctx context.Context, claim Claim, owner Owner) error {
	return db.fenced(ctx, claim, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runs SET owner_host = ?, owner_place = ?, owner_pid = ?, owner_start = ?,
			lease_ms = ?, beats = beats + 1, heard_ms = ? WHERE id = ?`,
			owner.Host, owner.Place, owner.PID, owner.Start, owner.Lease.Milliseconds(), time.Now().UnixMilli(), claim.Run)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE attempts SET host = ?, pid = ? WHERE run = ? AND attempt = ?",
			owner.Host, owner.PID, claim.Run, claim.Attempt)
		return err
	})
}

// Beat records that the holder of a claim is alive, and returns whether it was asked to stop. It
// is the one write that does not wait for the disk: a heartbeat is worthless after a power
// failure, and the lock must be held briefly.
func (db *DB) Beat(ctx context.Context, claim Claim) (stop bool, err error) {
	err = db.unsynced(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `UPDATE runs SET beats = beats + 1, heard_ms = ?
			WHERE id = ? AND attempt = ? AND state = 'running'
			RETURNING CASE WHEN stop_attempt = attempt THEN 1 ELSE 0 END`,
			time.Now().UnixMilli(), claim.Run, claim.Attempt).Scan(&stop)
		if errors.Is(err, sql.ErrNoRows) {
			err = fmt.Errorf("run %s, attempt %d: %w", claim.Run, claim.Attempt, ErrFenced)
		}
		return err
	})
	return stop, err
}

// Stop asks the current attempts at these runs to end. A holder learns of it at its next beat,
// and active runners start none of these runs again. The request is for the current attempt only:
// it lapses when the run is claimed again. Stop returns the runs that were not completed, as they
// were when asked.
func (db *DB) Stop(ctx context.Context, ids []string) (asked []Run, err error) {
	err = db.write(ctx, func(tx *sql.Tx) error {
		asked, err = stopRuns(ctx, tx, ids)
		return err
	})
	return asked, err
}

func stopRuns(ctx context.Context, tx *sql.Tx, ids []string) ([]Run, error) {
	var asked []Run
	for _, id := range ids {
		runs, err := queryRuns(ctx, tx, "FROM runs r WHERE r.id = ? AND r.state <> 'completed'", id)
		if err != nil {
			return nil, err
		}
		if len(runs) == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE runs SET stop_attempt = attempt WHERE id = ?", id); err != nil {
			return nil, err
		}
		if err := addMemberships(ctx, tx, map[string]*Run{id: &runs[0]}, "", id); err != nil {
			return nil, err
		}
		asked = append(asked, runs[0])
	}
	return asked, nil
}

// StopStudy is Stop for all runs of a study. It also asks the study's runners to end, including
// those that have not reached its runs yet. It returns ErrNotFound for a study that is not
// recorded and never had a runner ([DB.BeginRunner]).
func (db *DB) StopStudy(ctx context.Context, study string) (asked []Run, err error) {
	err = db.write(ctx, func(tx *sql.Tx) error {
		changed, err := update(ctx, tx, `INSERT INTO stop_requests (study, requests)
			SELECT name, 1 FROM studies WHERE name = ?1 UNION SELECT study, 1 FROM stop_requests WHERE study = ?1
			ON CONFLICT (study) DO UPDATE SET requests = requests + 1`, study)
		if err != nil {
			return err
		}
		if !changed {
			return fmt.Errorf("study %q: %w", study, ErrNotFound)
		}
		runs, err := queryRuns(ctx, tx, "FROM runs r JOIN study_runs s ON s.run = r.id WHERE s.study = ? ORDER BY s.position", study)
		if err != nil {
			return err
		}
		var ids []string
		for _, run := range runs {
			ids = append(ids, run.ID)
		}
		asked, err = stopRuns(ctx, tx, ids)
		return err
	})
	return asked, err
}

// BeginRunner registers a study for StopStudy before it is recorded. It returns how often its
// runners have been asked to stop so far.
func (db *DB) BeginRunner(ctx context.Context, study string) (requests int64, err error) {
	err = db.write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO stop_requests (study, requests) VALUES (?, 0)
			ON CONFLICT (study) DO UPDATE SET requests = requests RETURNING requests`, study).Scan(&requests)
	})
	return requests, err
}

// StopRequests returns how often the runners of a study have been asked to stop. It returns
// ErrNotFound for a study that never had a runner and was never asked to stop.
func (db *DB) StopRequests(ctx context.Context, study string) (requests int64, err error) {
	err = db.read(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT requests FROM stop_requests WHERE study = ?", study).Scan(&requests)
		if errors.Is(err, sql.ErrNoRows) {
			err = fmt.Errorf("study %q: %w", study, ErrNotFound)
		}
		return err
	})
	return requests, err
}

// Fail ends an attempt as failed. failure is a word for the kind of failure; cause says what
// happened and where. It may be called twice under one claim: by the trial itself, and then by
// the runner, which has the trial's log.
func (db *DB) Fail(ctx context.Context, claim Claim, failure, cause string) error {
	return db.end(ctx, claim, Failed, Failed, failure, cause)
}

// Interrupt ends an attempt that is to be resumed.
func (db *DB) Interrupt(ctx context.Context, claim Claim) error {
	return db.end(ctx, claim, Interrupted, Interrupted, "", "")
}

// Prune ends an attempt that a search pruned; cause says by what rule.
func (db *DB) Prune(ctx context.Context, claim Claim, cause string) error {
	return db.end(ctx, claim, Interrupted, Pruned, Pruned, cause)
}

func (db *DB) end(ctx context.Context, claim Claim, state, outcome, failure, cause string) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		now := time.Now().UnixMilli()
		changed, err := update(ctx, tx, `UPDATE runs SET state = ?, failure = ?, error = ?, finished_ms = ?
			WHERE id = ? AND attempt = ? AND (state = 'running' OR (state = 'failed' AND ? = 'failed'))`,
			state, failure, cause, now, claim.Run, claim.Attempt, state)
		if err != nil {
			return err
		}
		if !changed {
			return fmt.Errorf("run %s, attempt %d: %w", claim.Run, claim.Attempt, ErrFenced)
		}
		_, err = tx.ExecContext(ctx, "UPDATE attempts SET ended_ms = ?, outcome = ?, error = ? WHERE run = ? AND attempt = ?",
			now, outcome, cause, claim.Run, claim.Attempt)
		if err != nil {
			return err
		}
		return theRun(claim.Run).seal(ctx, tx)
	})
}

// attemptColumns are the columns of an attempt.
var attemptColumns = columns[Attempt]{
	table: "attempts",
	names: []string{"attempt", "host", "pid", "started_ms", "ended_ms", "outcome", "error"},
	into: func(a *Attempt) []any {
		return []any{&a.Number, &a.Host, &a.PID, (*moment)(&a.Started), (*moment)(&a.Ended), &a.Outcome, &a.Error}
	},
	row: func(a *Attempt) string { return fmt.Sprintf("attempt %d", a.Number) },
}

// attemptsOf is the query for a run's attempts.
const attemptsOf = "FROM attempts WHERE run = ? ORDER BY attempt"

// Attempts returns the attempts at a run, in order.
func (db *DB) Attempts(ctx context.Context, run string) ([]Attempt, error) {
	var attempts []Attempt
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		attempts, err = attemptColumns.read(ctx, tx, attemptsOf, run)
		return ofRun(run, err)
	})
	return attempts, err
}

// Takeovers returns how many attempts in a row, before the current one, ended because another
// process took the run over.
func (db *DB) Takeovers(ctx context.Context, run string) (int, error) {
	n := 0
	err := db.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM attempts WHERE run = ? AND outcome = 'lost' AND attempt >
			(SELECT COALESCE(MAX(attempt), 0) FROM attempts WHERE run = ? AND outcome NOT IN ('lost', ''))`, run, run).Scan(&n)
	})
	return n, err
}

// fenced runs f in a transaction in which the claim is known to be held.
func (db *DB) fenced(ctx context.Context, claim Claim, f func(*sql.Tx) error) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		var held int
		err := tx.QueryRowContext(ctx, "SELECT 1 FROM runs WHERE id = ? AND attempt = ? AND state = 'running'",
			claim.Run, claim.Attempt).Scan(&held)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("run %s, attempt %d: %w", claim.Run, claim.Attempt, ErrFenced)
		}
		if err != nil {
			return err
		}
		return f(tx)
	})
}

// endAttempt closes the record of an attempt that is still open.
func endAttempt(ctx context.Context, tx *sql.Tx, claim Claim, outcome, cause string, now int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE attempts SET ended_ms = ?, outcome = ?, error = ?
		WHERE run = ? AND attempt = ? AND ended_ms IS NULL`, now, outcome, cause, claim.Run, claim.Attempt)
	return err
}

// update runs a statement and returns whether it changed a row.
func update(ctx context.Context, tx *sql.Tx, statement string, args ...any) (bool, error) {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
