package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Note is a note or tag that somebody added to a run or a study. It is not part of what was
// trained, scored or declared, and may be added at any time.
type Note struct {
	Study, Run string // what it belongs to: one of them is empty
	Tag        bool
	Text       string
	Written    time.Time
}

// The limits of notes.
const (
	maxNote = 4096 // bytes of a note
	maxTag  = 64   // bytes of a tag
)

// Check rejects a note that is empty, too long or not UTF-8 text, and a tag that is not one word
// of letters, digits and - _ . : / +.
func (n Note) Check() error {
	what, most := "note", maxNote
	if n.Tag {
		what, most = "tag", maxTag
	}
	switch {
	case strings.TrimSpace(n.Text) == "":
		return fmt.Errorf("the %s is empty", what)
	case len(n.Text) > most:
		return fmt.Errorf("the %s has %d bytes; the limit is %d", what, len(n.Text), most)
	case !utf8.ValidString(n.Text) || strings.ContainsRune(n.Text, 0):
		return fmt.Errorf("the %s %q is not UTF-8 text", what, n.Text)
	case n.Tag && (strings.HasPrefix(n.Text, "-") || strings.ContainsFunc(n.Text, outsideTag)):
		return fmt.Errorf("tag %q: use one word of letters, digits and - _ . : / + that does not start with -", n.Text)
	}
	return nil
}

func outsideTag(c rune) bool {
	return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("-_.:/+", c)
}

// of returns the run or study that the note belongs to.
func (n Note) of() owner {
	if n.Run != "" {
		return theRun(n.Run)
	}
	return theStudy(n.Study)
}

// Kind returns "note" or "tag".
func (n Note) Kind() string {
	if n.Tag {
		return "tag"
	}
	return "note"
}

// noteColumns are the columns of the notes of runs or of studies.
func noteColumns(o owner) columns[Note] {
	return columns[Note]{
		table: o.notes().name,
		names: []string{o.kind, "kind", "text", "written_ms"},
		into: func(n *Note) []any {
			name := &n.Study
			if o.kind == "run" {
				name = &n.Run
			}
			return []any{name, noteKind{&n.Tag}, &n.Text, (*moment)(&n.Written)}
		},
		row: func(n *Note) string { return fmt.Sprintf("%s %.40q", n.Kind(), n.Text) },
	}
}

// noteKind is the column kind.
type noteKind struct{ tag *bool }

// Scan implements sql.Scanner.
func (k noteKind) Scan(src any) error {
	if src != "note" && src != "tag" {
		return fmt.Errorf("cannot read the kind of a note from %s", shown(src))
	}
	*k.tag = src == "tag"
	return nil
}

// SaveNotes adds and removes notes and tags in one transaction. An existing one keeps its time.
// It returns ErrNotFound if a note to remove, or the run or study of a note, does not exist.
func (db *DB) SaveNotes(ctx context.Context, add, remove []Note) error {
	for _, n := range add {
		if err := n.Check(); err != nil {
			return err
		}
	}
	return db.write(ctx, func(tx *sql.Tx) error {
		var owners []owner
		for _, n := range slices.Concat(add, remove) {
			if o := n.of(); !slices.Contains(owners, o) {
				owners = append(owners, o)
			}
		}
		for _, o := range owners {
			if err := o.exists(ctx, tx); err != nil {
				return err
			}
			each := func(notes []Note, do func(context.Context, *sql.Tx, Note) error) func() error {
				return func() error {
					for _, n := range notes {
						if n.of() != o {
							continue
						}
						if err := do(ctx, tx, n); err != nil {
							return err
						}
					}
					return nil
				}
			}
			err := o.reseal(ctx, tx, []table{o.notes()}, each(remove, removeNote), each(add, putNote))
			if err != nil {
				return fmt.Errorf("%s: %w", o, err)
			}
		}
		return nil
	})
}

// exists returns ErrNotFound if there is no such run or study.
func (o owner) exists(ctx context.Context, tx *sql.Tx) error {
	t := o.tables()[0]
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+t.name+" WHERE "+t.key[0]+" = ?", o.name).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%s: %w", o, ErrNotFound)
	}
	return nil
}

// putNote adds a note unless it exists.
func putNote(ctx context.Context, tx *sql.Tx, n Note) error {
	o := n.of()
	if n.Written.IsZero() {
		n.Written = time.Now()
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO "+o.notes().name+" ("+o.kind+", kind, text, written_ms) VALUES (?, ?, ?, ?) ON CONFLICT ("+
		o.kind+", kind, text) DO NOTHING", o.name, n.Kind(), n.Text, n.Written.UnixMilli())
	return err
}

func removeNote(ctx context.Context, tx *sql.Tx, n Note) error {
	o := n.of()
	removed, err := update(ctx, tx, "DELETE FROM "+o.notes().name+" WHERE "+o.kind+" = ? AND kind = ? AND text = ?", o.name, n.Kind(), n.Text)
	if err == nil && !removed {
		err = fmt.Errorf("%s %q: %w", n.Kind(), n.Text, ErrNotFound)
	}
	return err
}

// Notes returns the notes and tags of a study, then those of its runs; for the empty name, all of
// the database. Those of one study or run are in the order in which they were written.
func (db *DB) Notes(ctx context.Context, study string) ([]Note, error) {
	var notes []Note
	err := db.read(ctx, func(tx *sql.Tx) error {
		for _, of := range []struct {
			owner owner
			where string
		}{
			{theStudy(""), "? IN ('', study) ORDER BY study, written_ms, kind, text"},
			{theRun(""), "? = '' OR run IN (SELECT run FROM study_runs WHERE study = ?) ORDER BY run, written_ms, kind, text"},
		} {
			args := []any{study, study}[:strings.Count(of.where, "?")]
			found, err := noteColumns(of.owner).read(ctx, tx, "FROM "+of.owner.notes().name+" WHERE "+of.where, args...)
			if err != nil {
				return err
			}
			notes = append(notes, found...)
		}
		return nil
	})
	return notes, err
}

// addTags fills Tags: the tags of the run and of the studies that hold it.
func addTags(ctx context.Context, q querier, runs map[string]*Run, study, run string) error {
	absent, err := theRun("").notes().absent(ctx, q)
	if err != nil || absent {
		return err
	}
	ofRuns, args := among("run", study, run)
	ofMembers, _ := among("m.run", study, run)
	rows, err := q.QueryContext(ctx, `SELECT run, text FROM run_notes WHERE kind = 'tag' AND `+ofRuns+` UNION
		SELECT m.run, n.text FROM study_notes n JOIN study_runs m ON m.study = n.study WHERE n.kind = 'tag' AND `+ofMembers+` ORDER BY 1, 2`,
		append(args, args...)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var run, tag string
		if err := rows.Scan(&run, &tag); err != nil {
			return err
		}
		if r := runs[run]; r != nil {
			r.Tags = append(r.Tags, tag)
		}
	}
	return rows.Err()
}

// mergeNotes adds the notes of a run or a study that another database has and this one lacks, if
// the notes there match their hashes.
func mergeNotes(ctx context.Context, from, to *sql.Tx, o owner) error {
	theirs, err := noteColumns(o).read(ctx, from, "FROM "+o.notes().name+" WHERE "+o.kind+" = ?", o.name)
	if err != nil || len(theirs) == 0 {
		return err
	}
	damage, err := o.damage(ctx, from, []table{o.notes()})
	if err != nil || damage != "" {
		return err
	}
	ours, err := noteColumns(o).read(ctx, to, "FROM "+o.notes().name+" WHERE "+o.kind+" = ?", o.name)
	if err != nil {
		return err
	}
	known := map[[2]string]bool{}
	for _, n := range ours {
		known[[2]string{n.Kind(), n.Text}] = true
	}
	more := slices.DeleteFunc(theirs, func(n Note) bool { return known[[2]string{n.Kind(), n.Text}] })
	if len(more) == 0 {
		return nil
	}
	return o.reseal(ctx, to, []table{o.notes()}, nil, func() error {
		for _, n := range more {
			if err := putNote(ctx, to, n); err != nil {
				return err
			}
		}
		return nil
	})
}
