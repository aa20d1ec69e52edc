package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// SaveStudy records a study and its runs, in order. Runs that exist already, from this study or
// another, are linked and keep their results; new ones are queued. Only the ID, Arm, Swept, Seed
// and Settings of each run are read. From now on the study has exactly the given runs: others
// leave it, but keep their results. Once the study's declaration is frozen, however, its runs
// stay, with their arms and in their order, and new ones are appended.
//
// d is the study's declaration. Until a final split of its runs is scored, it becomes declaration
// number 0 and replaces an earlier one; but while one of the study's runs is active, a different
// declaration is rejected with a *BusyError. After the first score it must equal a recorded one
// or give a reason, as an amendment; otherwise SaveStudy returns a *FrozenError. On an error
// nothing is written. A d without text declares nothing. earlier is what a study without a
// recorded declaration is known to have declared; it may be nil.
func (db *DB) SaveStudy(ctx context.Context, study Study, runs []Run, d Declaration, earlier *Declaration) error {
	if study.Name == "" {
		return errors.New("save study: the study has no name")
	}
	return db.write(ctx, func(tx *sql.Tx) error {
		return theStudy(study.Name).reseal(ctx, tx, named("studies", "study_runs", "declarations"), nil, func() error {
			return saveStudy(ctx, tx, study, runs, d, earlier)
		})
	})
}

func saveStudy(ctx context.Context, tx *sql.Tx, study Study, runs []Run, d Declaration, earlier *Declaration) error {
	now := time.Now().UnixMilli()
	created := now
	if !study.Created.IsZero() {
		created = study.Created.UnixMilli()
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO studies (name, question, spec, compare, created_ms) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (name) DO NOTHING`, study.Name, study.Question, study.Spec, jsonText(study.Compare), created)
	if err != nil {
		return err
	}
	frozen, err := declare(ctx, tx, study.Name, runs, d, earlier)
	if err != nil {
		return err
	}
	if !frozen { // once frozen, the question and file stay those of the declaration
		_, err := tx.ExecContext(ctx, "UPDATE studies SET question = ?, spec = ?, compare = ? WHERE name = ?",
			study.Question, study.Spec, jsonText(study.Compare), study.Name)
		if err != nil {
			return err
		}
	}
	behind := 0
	if frozen {
		last := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(position), -1) FROM study_runs WHERE study = ?", study.Name)
		err = last.Scan(&behind)
		behind++
	} else {
		_, err = tx.ExecContext(ctx, "DELETE FROM study_runs WHERE study = ?", study.Name)
	}
	if err != nil {
		return err
	}
	for i, run := range runs {
		if run.ID == "" || !json.Valid(run.Settings) {
			return fmt.Errorf("save study %s: run %d has no ID or no valid settings", study.Name, i+1)
		}
		added, err := update(ctx, tx, `INSERT INTO runs (id, seed, settings, state, created_ms) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (id) DO NOTHING`, run.ID, run.Seed, string(run.Settings), Queued, now)
		if err == nil && added {
			err = theRun(run.ID).seal(ctx, tx)
		}
		if err != nil {
			return err
		}
		swept, err := json.Marshal(run.Swept)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO study_runs (study, run, position, arm, swept) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (study, run) DO NOTHING`, study.Name, run.ID, behind+i, run.Arm, string(swept))
		if err != nil {
			return err
		}
	}
	return freeze(ctx, tx, study.Name)
}

// Studies returns all studies, oldest first.
func (db *DB) Studies(ctx context.Context) ([]Study, error) {
	var studies []Study
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		studies, err = queryStudies(ctx, tx)
		return err
	})
	return studies, err
}

// studyColumns are the columns of a study.
var studyColumns = columns[Study]{
	table: "studies",
	names: []string{"name", "question", "spec", "compare", "created_ms"},
	into: func(s *Study) []any {
		return []any{&s.Name, &s.Question, &s.Spec, (*document)(&s.Compare), (*moment)(&s.Created)}
	},
	row: func(s *Study) string { return "study " + s.Name },
}

func queryStudies(ctx context.Context, q querier) ([]Study, error) {
	return studyColumns.read(ctx, q, "FROM studies ORDER BY created_ms, name")
}

// Study returns the study of the given name. For an unknown name it returns ErrNotFound, wrapped
// with a list of the known ones.
func (db *DB) Study(ctx context.Context, name string) (Study, error) {
	studies, err := db.Studies(ctx)
	if err != nil {
		return Study{}, err
	}
	names := make([]string, len(studies))
	for i, study := range studies {
		if study.Name == name {
			return study, nil
		}
		names[i] = study.Name
	}
	known := "its studies are " + strings.Join(names, ", ")
	switch len(names) {
	case 0:
		known = "it has no studies yet"
	case 1:
		known = "its only study is " + names[0]
	}
	return Study{}, fmt.Errorf("study %q: %w in %s: %s", name, ErrNotFound, db.path, known)
}

// jsonText turns JSON into a column's value; empty JSON becomes NULL.
func jsonText(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return string(raw)
}
