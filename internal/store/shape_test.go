package store

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestForeignShapesAreRefused opens databases in which a name of ours stands for
// something else, or something acts when a table is written.
func TestForeignShapesAreRefused(t *testing.T) {
	for change, want := range map[string]string{
		"ALTER TABLE captions RENAME TO words; CREATE VIEW captions AS SELECT * FROM words": `"captions" is a view`,
		"ALTER TABLE runs RENAME TO r; CREATE VIEW RUNS AS SELECT * FROM r":                 `it has no table "runs"`,
		"DROP TABLE audits": `it has no table "audits"`,
		"DROP TABLE audits; CREATE VIRTUAL TABLE audits USING fts3(run)":                                    `"audits" is a virtual table`,
		"CREATE TRIGGER x AFTER UPDATE ON runs BEGIN UPDATE runs SET seed = 1; END":                         `it has a trigger, "x"`,
		"CREATE TRIGGER y AFTER INSERT ON schema_migrations BEGIN DELETE FROM captions; END":                `it has a trigger, "y"`,
		"CREATE VIEW mine AS SELECT 1 AS a; CREATE TRIGGER z INSTEAD OF INSERT ON mine BEGIN SELECT 1; END": `it has a trigger, "z"`,
	} {
		path := filled(t, 3)
		statement(t, path, "PRAGMA legacy_alter_table = ON; "+change)
		before := read(t, path)
		for name, open := range map[string]func(string) (*DB, error){"Open": Open, "OpenReadOnly": OpenReadOnly} {
			db, err := open(path)
			if err == nil {
				_ = db.Close()
			}
			if !errors.Is(err, ErrNotResults) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %s: %v", change, name, err)
			}
			if !bytes.Equal(before, read(t, path)) {
				t.Errorf("%s: %s: the file was changed", change, name)
			}
		}
	}
}

// TestSchemaIsNotTrusted looks at what connections allow a file's schema to do.
func TestSchemaIsNotTrusted(t *testing.T) {
	db := open(t)
	for name, q := range map[string]querier{"writer": db.writer, "reader": db.reader} {
		for pragma, want := range map[string]int{"trusted_schema": 0, "cell_size_check": 1} {
			var got int
			if err := q.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s is %d, %v", name, pragma, got, err)
			}
		}
	}
}

func TestEmptyFileIsNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.db")
	write(t, path, nil)
	for name, open := range map[string]func(string) (*DB, error){"OpenExisting": OpenExisting, "OpenReadOnly": OpenReadOnly} {
		db, err := open(path)
		if err == nil {
			_ = db.Close()
		}
		if !errors.Is(err, ErrNotResults) || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), "the file is empty") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(read(t, path)) != 0 {
		t.Error("the file was changed")
	}
}
