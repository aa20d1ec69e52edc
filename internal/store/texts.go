package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Text is what a row tells in its own words: of the machine that a run was trained on, or of a failure.
type Text struct {
	Run    string // id
	Column string // environment or error
	Value  string
}

// texts are the columns that hold them. A study's own texts are none: what was declared never changes.
var texts = []struct{ table, run, column string }{
	{"runs", "id", "environment"}, {"runs", "id", "error"}, {"attempts", "run", "error"},
}

// Texts calls each with all texts of these studies' runs or, where none is named, of every run.
func (db *DB) Texts(ctx context.Context, studies []string, each func(Text)) error {
	return db.read(ctx, func(tx *sql.Tx) error {
		return eachText(ctx, tx, studies, func(_ int, _ int64, text Text) { each(text) })
	})
}

// eachText calls each with the texts, by their column in texts and their row.
func eachText(ctx context.Context, tx *sql.Tx, studies []string, each func(column int, row int64, text Text)) error {
	for i, t := range texts {
		query := fmt.Sprintf("SELECT rowid, %s, %s FROM %s WHERE COALESCE(%[2]s, '') <> ''", t.run, t.column, t.table)
		var args []any
		for _, study := range studies {
			args = append(args, study)
		}
		if len(studies) > 0 {
			query += fmt.Sprintf(" AND %s IN (SELECT run FROM study_runs WHERE study IN (?%s))", t.run, strings.Repeat(", ?", len(studies)-1))
		}
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			text, row := Text{Column: t.column}, int64(0)
			if err := rows.Scan(&row, &text.Run, &text.Value); err != nil {
				return err
			}
			each(i, row, text)
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Rewrite replaces the texts of these studies' runs, or of every run where none is named, by what change makes of
// them, in one transaction. What they were is then nowhere in the file, nor beside it: it opens the database at path for
// itself alone, and returns ErrLocked where another process has it open.
func Rewrite(ctx context.Context, path string, studies []string, change func(Text) string) (err error) {
	db, err := Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.reader.Close(); err != nil { // it would be another process, too
		return explain(db.path, err)
	}
	if err := db.alone(ctx); err != nil {
		return err
	}
	if err := db.write(ctx, func(tx *sql.Tx) error { return rewrite(ctx, tx, studies, change) }); err != nil {
		return err
	}
	// What was freed before this was not overwritten then.
	_, err = db.writer.ExecContext(ctx, "VACUUM")
	return explain(db.path, err)
}

// alone keeps every other process out until the database is closed, and has it overwrite what is deleted. There is no log then
// that could outlive it.
func (db *DB) alone(ctx context.Context) error {
	var mode string
	for _, statement := range []string{"PRAGMA busy_timeout = 1000", "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA secure_delete = ON", "PRAGMA journal_mode = DELETE"} {
		err := db.writer.QueryRowContext(ctx, statement).Scan(&mode) // each gives what it set
		if err != nil && !locked(err) {
			return explain(db.path, err)
		}
	}
	if mode != "delete" {
		return fmt.Errorf("%s: %w: its log would keep what is to go; `glimpse stop` ends runners, and then try again", db.path, ErrLocked)
	}
	return nil
}

// rewrite replaces what change makes different, and hashes those rows anew.
func rewrite(ctx context.Context, tx *sql.Tx, studies []string, change func(Text) string) error {
	type changed struct {
		column int
		row    int64
		value  string
	}
	byRun := map[string][]changed{} // first, so that no row is read while it is written
	err := eachText(ctx, tx, studies, func(column int, row int64, text Text) {
		if value := change(text); value != text.Value {
			byRun[text.Run] = append(byRun[text.Run], changed{column, row, value})
		}
	})
	if err != nil {
		return err
	}
	for _, run := range slices.Sorted(maps.Keys(byRun)) {
		err := theRun(run).reseal(ctx, tx, named("runs", "attempts"), nil, func() error {
			for _, c := range byRun[run] {
				t := texts[c.column]
				if _, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET %s = ? WHERE rowid = ?", t.table, t.column), c.value, c.row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("run %s: %w", run, err)
		}
	}
	return nil
}
