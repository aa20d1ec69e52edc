package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// A Text is free text in a row: about the machine a run was trained on, about a failure, or in a
// note.
type Text struct {
	Run    string // id
	Study  string // for a note of a study; then Run is empty
	Column string // environment, error or text
	Value  string
}

// of returns the run or study that the text belongs to.
func (t Text) of() owner { return Note{Study: t.Study, Run: t.Run}.of() }

// texts are the columns with free text. Declarations are not among them: they never change.
var texts = []struct{ table, owner, column string }{
	{"runs", "id", "environment"}, {"runs", "id", "error"}, {"attempts", "run", "error"},
	{"run_notes", "run", "text"}, {"study_notes", "study", "text"},
}

// Texts calls each with all texts of these studies and their runs; if none is given, of the whole
// database.
func (db *DB) Texts(ctx context.Context, studies []string, each func(Text)) error {
	return db.read(ctx, func(tx *sql.Tx) error {
		return eachText(ctx, tx, studies, func(_ int, _ int64, text Text) { each(text) })
	})
}

// eachText calls each with the texts, the index of their column in texts, and their row.
func eachText(ctx context.Context, tx *sql.Tx, studies []string, each func(column int, row int64, text Text)) error {
	for i, t := range texts {
		absent, err := named(t.table)[0].absent(ctx, tx)
		if err != nil {
			return err
		}
		if absent {
			continue
		}
		query := fmt.Sprintf("SELECT rowid, %s, %s FROM %s WHERE COALESCE(%[2]s, '') <> ''", t.owner, t.column, t.table)
		var args []any
		for _, study := range studies {
			args = append(args, study)
		}
		if len(studies) > 0 {
			of := "SELECT run FROM study_runs WHERE study"
			if t.owner == "study" {
				of = "SELECT name FROM studies WHERE name"
			}
			query += fmt.Sprintf(" AND %s IN (%s IN (?%s))", t.owner, of, strings.Repeat(", ?", len(studies)-1))
		}
		rows, err := tx.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			text, row := Text{Column: t.column}, int64(0)
			name := &text.Run
			if t.owner == "study" {
				name = &text.Study
			}
			if err := rows.Scan(&row, name, &text.Value); err != nil {
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

// Rewrite replaces each text that [DB.Texts] gives by the result of change, in one transaction.
// No trace of the old texts is left in the file or beside it. Rewrite needs exclusive access to
// the database at path, and returns ErrLocked if another process has it open.
func Rewrite(ctx context.Context, path string, studies []string, change func(Text) string) (err error) {
	db, err := Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.reader.Close(); err != nil { // it would prevent exclusive access
		return explain(db.path, err)
	}
	if err := db.alone(ctx); err != nil {
		return err
	}
	if err := db.write(ctx, func(tx *sql.Tx) error { return rewrite(ctx, tx, studies, change) }); err != nil {
		return err
	}
	// Space that was freed earlier was not overwritten then.
	_, err = db.writer.ExecContext(ctx, "VACUUM")
	return explain(db.path, err)
}

// alone locks out every other process until the database is closed, and makes SQLite overwrite
// deleted data. It also turns off the log, which could outlive the database.
func (db *DB) alone(ctx context.Context) error {
	var mode string
	for _, statement := range []string{"PRAGMA busy_timeout = 1000", "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA secure_delete = ON", "PRAGMA journal_mode = DELETE"} {
		err := db.writer.QueryRowContext(ctx, statement).Scan(&mode) // each returns the new value
		if err != nil && !locked(err) {
			return explain(db.path, err)
		}
	}
	if mode != "delete" {
		return fmt.Errorf("%s: %w: its log would keep the text to be removed; end its runners with `glimpse stop` and try again", db.path, ErrLocked)
	}
	return nil
}

// rewrite replaces the texts that change modifies, and updates the hashes of their rows.
func rewrite(ctx context.Context, tx *sql.Tx, studies []string, change func(Text) string) error {
	type changed struct {
		column int
		row    int64
		value  string
	}
	byOwner := map[owner][]changed{} // collected first, so that no row is read while it is written
	err := eachText(ctx, tx, studies, func(column int, row int64, text Text) {
		if value := change(text); value != text.Value {
			byOwner[text.of()] = append(byOwner[text.of()], changed{column, row, value})
		}
	})
	if err != nil {
		return err
	}
	for o, rows := range byOwner {
		in := []table{o.notes()}
		if o.kind == "run" {
			in = append(in, named("runs", "attempts")...)
		}
		err := o.reseal(ctx, tx, in, nil, func() error {
			for _, c := range rows {
				t := texts[c.column]
				if t.table == o.notes().name { // two notes may have become equal
					_, err := tx.ExecContext(ctx, fmt.Sprintf(`DELETE FROM %[1]s WHERE rowid <> ? AND %[2]s = ? AND text = ?
						AND kind = (SELECT kind FROM %[1]s WHERE rowid = ?)`, t.table, t.owner), c.row, o.name, c.value, c.row)
					if err != nil {
						return err
					}
				}
				if _, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET %s = ? WHERE rowid = ?", t.table, t.column), c.value, c.row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", o, err)
		}
	}
	return nil
}
