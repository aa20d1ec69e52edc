package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Finding is one fault in the contents of a database.
type Finding struct {
	Subject string `json:"subject"` // such as "run 3f2a…", "study demo" or "schema"
	Problem string `json:"problem"`
	Table   string `json:"table,omitempty"`  // the table with the fault; "" if none
	Column  string `json:"column,omitempty"` // the column with the fault; "" if none
	Rows    int    `json:"rows,omitempty"`   // how many of the subject's rows have it; Problem describes the first
	Fix     string `json:"fix,omitempty"`    // what to do
}

// Findings are all faults in the contents of a database.
type Findings struct {
	List []Finding // at most MostFindings
	More int       // how many findings List leaves out
	// Unsealed are the idle runs, and the studies, whose rows have no hashes because an older
	// version wrote them.
	Unsealed []string

	// Foreign are tables and views that glimpse did not create and never reads.
	Foreign []string

	types map[string]map[string]string // table → column → its type
}

// MostFindings bounds how many findings are listed.
const MostFindings = 1000

// How to fix rows that cannot be recomputed.
const (
	FixRun   = "restore a backup; or merge the other runs into a new database (`glimpse db merge`) and run the study there"
	FixStudy = "restore a backup; or merge the runs into a new database (`glimpse db merge`) and run the study's file there"
)

// fixOf returns how to fix damaged rows of a table.
func fixOf(table string, o owner) string {
	switch table {
	case "audits":
		return "run `glimpse audit " + o.name + "` to compute them again"
	case "readings":
		return "run `glimpse swap` to compute them again"
	case "pictures", "attention_maps":
		return "run `glimpse illustrate " + o.name + "` to make them again"
	case "ensembles", "ensemble_captions":
		return "run `glimpse ensemble " + o.name + " --record` to make them again"
	}
	if table == o.notes().name {
		return "restore a backup; or remove all its notes and tags (`glimpse note " + o.name + " --remove TEXT --untag TAG`) and write them again"
	}
	if o.kind == "study" || table == "study_runs" {
		return FixStudy
	}
	return FixRun
}

// add adds a finding. Findings in the same column of the same subject are counted as one.
func (f *Findings) add(one Finding) {
	if one.Table != "" {
		for i := len(f.List) - 1; i >= 0 && f.List[i].Subject == one.Subject; i-- {
			at := &f.List[i]
			if at.Table == one.Table && at.Column == one.Column && at.Rows > 0 && one.Rows > 0 {
				at.Rows += one.Rows
				return
			}
		}
	}
	if len(f.List) == MostFindings {
		f.More++
		return
	}
	f.List = append(f.List, one)
}

// Check runs SQLite's integrity check and the check of foreign keys over the
// whole file, and returns an error that lists what is wrong.
func (db *DB) Check(ctx context.Context) error {
	if err := integrity(ctx, db.reader, "integrity_check"); err != nil {
		return explain(db.path, err)
	}
	rows, err := db.reader.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return explain(db.path, err)
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		return fmt.Errorf("%s: %w: rows refer to a run or study that does not exist", db.path, ErrDamaged)
	}
	return explain(db.path, rows.Err())
}

// invariants are queries for rows that violate what the package promises. Each returns the run
// and, in a second column, a detail to append to the problem.
var invariants = []struct{ problem, query string }{
	{"it is completed but has no captions",
		`SELECT id, '' FROM runs r WHERE state = 'completed' AND NOT EXISTS (SELECT 1 FROM captions c WHERE c.run = r.id)`},
	{"it is completed, but captions are unscored:",
		`SELECT r.id, COUNT(*) FROM runs r JOIN captions c ON c.run = r.id WHERE r.state = 'completed' AND c.scored = 0 GROUP BY r.id`},
	{"a scored caption has no statistics:",
		`SELECT run, MIN(image) FROM captions WHERE scored <> 0 AND (` +
			strings.Join(scoreColumns, " IS NULL OR ") + ` IS NULL) GROUP BY run`},
	{"it has captions of a split but no metrics of it:",
		`SELECT r.id, MIN(c.split) FROM runs r JOIN captions c ON c.run = r.id WHERE r.state = 'completed'
			AND NOT EXISTS (SELECT 1 FROM metrics m WHERE m.run = r.id AND m.split = c.split) GROUP BY r.id`},
	{"it is completed but lacks a hash, its signature or its end time",
		`SELECT id, '' FROM runs WHERE state = 'completed' AND (captions_sha256 = '' OR weights_sha256 = '' OR signature = '' OR finished_ms IS NULL)`},
	{"its count of epochs differs from the epochs stored:",
		`SELECT r.id, COUNT(e.epoch) FROM runs r LEFT JOIN epochs e ON e.run = r.id GROUP BY r.id, r.epochs
			HAVING COUNT(e.epoch) <> r.epochs OR COALESCE(MAX(e.epoch), 0) <> r.epochs`},
	{"its best epoch does not exist:",
		`SELECT id, best_epoch FROM runs WHERE best_epoch < 0 OR best_epoch > epochs`},
	{"it has more attempts than it counts:",
		`SELECT a.run, MAX(a.attempt) FROM attempts a JOIN runs r ON r.id = a.run WHERE a.attempt > r.attempt GROUP BY a.run`},
	{"it has ended, but an attempt of it is still open:",
		`SELECT r.id, MAX(a.attempt) FROM runs r JOIN attempts a ON a.run = r.id
			WHERE r.state IN ('completed', 'failed', 'interrupted') AND a.ended_ms IS NULL GROUP BY r.id`},
	{"it is completed, but its study's declaration is not frozen:",
		`SELECT r.id, MIN(d.study) FROM runs r JOIN study_runs m ON m.run = r.id JOIN declarations d ON d.study = m.study
			WHERE r.state = 'completed' AND d.frozen_ms IS NULL GROUP BY r.id`},
}

// Findings checks the contents of a database: its schema, the references between rows, that each
// row can be read by the code that reads it, and that rows match their hashes. It continues after
// a fault, unless the schema is at fault. judge gets each run with its captions by split, if they
// could be read, and returns further problems; it may be nil.
func (db *DB) Findings(ctx context.Context, judge func(Run, map[string][]Caption) []string) (Findings, error) {
	var f Findings
	err := db.read(ctx, func(tx *sql.Tx) error {
		if asMade, err := f.schema(ctx, tx); err != nil || !asMade {
			return err
		}
		for _, invariant := range invariants {
			if err := broken(ctx, tx, invariant.query, func(run, detail string) {
				f.add(Finding{Subject: "run " + run, Problem: strings.TrimSpace(invariant.problem + " " + detail), Fix: FixRun})
			}); err != nil {
				return fmt.Errorf("check whether %s: %w", strings.TrimSuffix(invariant.problem, ":"), err)
			}
		}
		runs, err := names(ctx, tx, "SELECT id FROM runs ORDER BY created_ms, id")
		if err != nil {
			return err
		}
		for _, id := range runs {
			s, err := surveyOf(ctx, tx, &f, theRun(id))
			if err == nil {
				err = s.run(judge)
			}
			if err != nil {
				return ofRun(id, err)
			}
		}
		studies, err := names(ctx, tx, "SELECT name FROM studies ORDER BY created_ms, name")
		if err != nil {
			return err
		}
		for _, name := range studies {
			s, err := surveyOf(ctx, tx, &f, theStudy(name))
			if err == nil {
				err = s.study()
			}
			if err != nil {
				return fmt.Errorf("study %s: %w", name, err)
			}
		}
		return nil
	})
	return f, err
}

func broken(ctx context.Context, tx *sql.Tx, query string, found func(run, detail string)) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var run, detail string
		if err := rows.Scan(&run, &detail); err != nil {
			return err
		}
		found(run, detail)
	}
	return rows.Err()
}

// names reads a column of texts.
func names(ctx context.Context, q querier, query string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	return list, rows.Err()
}
