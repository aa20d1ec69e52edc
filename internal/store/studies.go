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

// SaveStudy records a study and its runs, in their order. Runs that are already
// known, from this study or another, are linked and keep their results; new ones
// are queued. Of each run ID, Arm, Swept, Seed and Settings are read. The
// runs given are the study's runs from now on: those that it no longer plans
// leave it, with their results kept. But once the study's declaration is frozen
// its runs stay, with their arms and in their order, and new ones come behind.
//
// d is what the study declares. Before a final split of its runs was scored it is
// declaration number 0, in place of an earlier one. But while one of the study's runs is
// being worked on, another declaration is refused with a *BusyError. After the first
// score it must be one that is recorded already, or give the reason of an amendment, else
// a *FrozenError is returned. A refused study leaves nothing written. d without a text
// declares nothing. earlier is what a study without a declaration is known to have
// declared when it was recorded; it may be nil.
func (db *DB) SaveStudy(ctx context.Context, study Study, runs []Run, d Declaration, earlier *Declaration) error {
	if study.Name == "" {
		return errors.New("save study: it has no name")
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
	if !frozen { // else its question and file are those of the declaration that counts
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
			return fmt.Errorf("save study %s: run %d has no id or no settings", study.Name, i+1)
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

// Studies returns all studies, the oldest first.
func (db *DB) Studies(ctx context.Context) ([]Study, error) {
	var studies []Study
	err := db.read(ctx, func(tx *sql.Tx) (err error) {
		studies, err = queryStudies(ctx, tx)
		return err
	})
	return studies, err
}

// studyColumns are those that a study is read from.
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

// Study returns the study of the given name. The error of an unknown name lists
// the known ones and is ErrNotFound.
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
	known := "no study has been run there"
	if len(names) > 0 {
		known = "its studies are " + strings.Join(names, ", ")
	}
	return Study{}, fmt.Errorf("study %q: %w in %s: %s", name, ErrNotFound, db.path, known)
}

// jsonText turns JSON into a column's value; none is NULL.
func jsonText(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return string(raw)
}
