package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Declaration says what a study compares, and how, before its results are known. Number 0 can be
// replaced until the first final split of the study's runs is scored. Then it is frozen, and
// later ones are amendments.
type Declaration struct {
	Study    string
	Number   int             // 0 is the study's declaration, 1… its amendments
	Text     json.RawMessage // what is declared
	SHA256   string          // of Text, as its maker hashes it
	Reason   string          // of an amendment
	Commit   string          // of the program's source when it was declared
	Declared time.Time
	Frozen   time.Time // when the first final split of one of the study's runs was scored; zero before
	Known    int       // how many of its trials had been completed when it was declared
}

// FrozenError is returned for a declaration that gives no reason and differs from the study's
// recorded ones, when some of the study's results are known.
type FrozenError struct {
	Study  string
	Frozen Declaration // the last one that was recorded
}

// Error says since when the declaration is frozen, and what to do.
func (e *FrozenError) Error() string {
	const day = "2006-01-02 15:04"
	return fmt.Sprintf("study %s was declared on %s and first scored on %s (UTC), but its declaration has changed since: "+
		"restore it, rename the study, or amend it with `glimpse run --amend REASON`",
		e.Study, e.Frozen.Declared.UTC().Format(day), e.Frozen.Frozen.UTC().Format(day))
}

// BusyError is returned for a declaration that would replace one under which a live process is
// running the study.
type BusyError struct {
	Study string
	Run   Run // one that is running
}

// Error says which process runs the study, and what to do.
func (e *BusyError) Error() string {
	return fmt.Sprintf("study %s is running under another declaration (run %s, process %d on %s): "+
		"stop it first with `glimpse stop %s`, or rename this study",
		e.Study, e.Run.ID, e.Run.Owner.PID, e.Run.Owner.Host, e.Study)
}

// Declarations returns a study's declarations, number 0 first; for the empty name, those of all
// studies, sorted by name. A study that never declared anything has none.
func (db *DB) Declarations(ctx context.Context, study string) ([]Declaration, error) {
	var declarations []Declaration
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		declarations, err = queryDeclarations(ctx, tx, study)
		return err
	})
	return declarations, err
}

// declarationColumns are the columns of a declaration.
var declarationColumns = columns[Declaration]{
	table: "declarations",
	names: []string{"study", "number", "declaration", "sha256", "reason", "commit_id", "declared_ms", "frozen_ms", "known"},
	into: func(d *Declaration) []any {
		return []any{&d.Study, &d.Number, (*document)(&d.Text), &d.SHA256, &d.Reason, &d.Commit,
			(*moment)(&d.Declared), (*moment)(&d.Frozen), &d.Known}
	},
	row: func(d *Declaration) string { return fmt.Sprintf("declaration %d of study %s", d.Number, d.Study) },
}

// declarationsOf is the query for the declarations of a study, or, for "", of all.
const declarationsOf = "FROM declarations WHERE ? IN ('', study) ORDER BY study, number"

func queryDeclarations(ctx context.Context, q querier, study string) ([]Declaration, error) {
	return declarationColumns.read(ctx, q, declarationsOf, study)
}

// declare decides whether and how to record a declaration, and records it. It returns whether the
// study was frozen before.
func declare(
	ctx context.Context, tx *sql.Tx, study string, runs []Run, d Declaration, earlier *Declaration,
) (frozen bool, err error) {
	recorded, err := queryDeclarations(ctx, tx, study)
	if err != nil {
		return false, err
	}
	if len(recorded) == 0 && earlier != nil && len(earlier.Text) > 0 {
		first := *earlier
		first.Study, first.Number = study, 0
		if err := putDeclaration(ctx, tx, first); err != nil {
			return false, err
		}
		if err := freeze(ctx, tx, study); err != nil {
			return false, err
		}
		if recorded, err = queryDeclarations(ctx, tx, study); err != nil {
			return false, err
		}
	}
	frozen = len(recorded) > 0 && !recorded[0].Frozen.IsZero()
	if len(d.Text) == 0 {
		return frozen, nil
	}
	d.Study, d.Number, d.Frozen = study, 0, time.Time{}
	known, err := countCompleted(ctx, tx, runs)
	if err != nil {
		return frozen, err
	}
	d.Known = max(d.Known, known) // of a sequential study the caller counts the trials of later looks too
	same := func(r Declaration) bool { return r.SHA256 == d.SHA256 }
	switch {
	case frozen && slices.ContainsFunc(recorded, same):
		return frozen, nil
	case frozen && d.Reason == "":
		return frozen, &FrozenError{Study: study, Frozen: recorded[len(recorded)-1]}
	case frozen:
		last := recorded[len(recorded)-1]
		d.Number, d.Frozen = last.Number+1, last.Frozen
	case len(recorded) > 0 && same(recorded[0]): // declared then, and what was completed since does not make it late
		d.Declared, d.Commit, d.Reason, d.Known = recorded[0].Declared, recorded[0].Commit, recorded[0].Reason, recorded[0].Known
	case len(recorded) > 0:
		if err := checkIdle(ctx, tx, study); err != nil {
			return false, err
		}
	}
	return frozen, putDeclaration(ctx, tx, d)
}

// checkIdle returns a *BusyError if one of the study's runs is active: its holder sent a
// heartbeat within its lease.
func checkIdle(ctx context.Context, tx *sql.Tx, study string) error {
	busy, err := queryRuns(ctx, tx, `FROM runs r JOIN study_runs m ON m.run = r.id WHERE m.study = ? AND r.state = 'running'
		AND r.heard_ms + r.lease_ms > ? ORDER BY m.position, r.id LIMIT 1`, study, time.Now().UnixMilli())
	if err != nil {
		return err
	}
	if len(busy) > 0 {
		return &BusyError{Study: study, Run: busy[0]}
	}
	return nil
}

// putDeclaration records a declaration. It replaces the one with the same number, if any.
func putDeclaration(ctx context.Context, tx *sql.Tx, d Declaration) error {
	if !json.Valid(d.Text) || d.SHA256 == "" {
		return fmt.Errorf("study %s: its declaration is not JSON, or has no hash", d.Study)
	}
	if d.Declared.IsZero() {
		d.Declared = time.Now()
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO declarations
		(study, number, declaration, sha256, reason, commit_id, declared_ms, frozen_ms, known) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (study, number) DO UPDATE SET declaration = excluded.declaration, sha256 = excluded.sha256,
		reason = excluded.reason, commit_id = excluded.commit_id, declared_ms = excluded.declared_ms,
		frozen_ms = excluded.frozen_ms, known = excluded.known`,
		d.Study, d.Number, string(d.Text), d.SHA256, d.Reason, d.Commit, d.Declared.UnixMilli(), moment(d.Frozen), d.Known)
	return err
}

// countCompleted counts the given runs that are completed, or were before they were deleted.
func countCompleted(ctx context.Context, tx *sql.Tx, runs []Run) (int, error) {
	completed, counted := 0, map[string]bool{}
	for _, run := range runs {
		if counted[run.ID] {
			continue
		}
		counted[run.ID] = true
		var n int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT id FROM runs WHERE id = ? AND state = 'completed'
			UNION SELECT run FROM deletions WHERE run = ?) AS known`, run.ID, run.ID).Scan(&n)
		if err != nil {
			return 0, err
		}
		completed += n
	}
	return completed, nil
}

// freezing freezes a study's unfrozen declarations as of the end of its first completed run, if
// it has or had one.
const freezing = `UPDATE declarations SET frozen_ms = (SELECT MIN(scored_ms) FROM (
		SELECT COALESCE(r.finished_ms, r.created_ms) AS scored_ms
			FROM runs r JOIN study_runs m ON m.run = r.id WHERE m.study = declarations.study AND r.state = 'completed'
		UNION ALL SELECT COALESCE(finished_ms, deleted_ms) FROM deletions WHERE study = declarations.study) AS scored)
	WHERE frozen_ms IS NULL AND study = ?`

// freeze freezes the declarations of a study that holds a completed run.
func freeze(ctx context.Context, tx *sql.Tx, study string) error {
	_, err := tx.ExecContext(ctx, freezing, study)
	return err
}

// freezeHolders freezes the declarations of all studies that hold a run.
func freezeHolders(ctx context.Context, tx *sql.Tx, run string) error {
	rows, err := tx.QueryContext(ctx, `SELECT DISTINCT d.study FROM declarations d JOIN study_runs m ON m.study = d.study
		WHERE m.run = ? AND d.frozen_ms IS NULL`, run)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var studies []string
	for rows.Next() {
		var study string
		if err := rows.Scan(&study); err != nil {
			return err
		}
		studies = append(studies, study)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, study := range studies {
		err := theStudy(study).reseal(ctx, tx, named("declarations"), nil, func() error { return freeze(ctx, tx, study) })
		if err != nil {
			return err
		}
	}
	return nil
}
