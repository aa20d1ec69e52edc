package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// Finding is something wrong with what a database says.
type Finding struct {
	Subject string `json:"subject"` // such as "run 3f2a…" or "study demo"
	Problem string `json:"problem"`
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

// invariants are queries for rows that break what the package promises. Each
// gives the run and, in a second column, what to add to the problem.
var invariants = []struct{ problem, query string }{
	{"it is completed and has no captions",
		`SELECT id, '' FROM runs r WHERE state = 'completed' AND NOT EXISTS (SELECT 1 FROM captions c WHERE c.run = r.id)`},
	{"it is completed, and captions are not scored:",
		`SELECT r.id, COUNT(*) FROM runs r JOIN captions c ON c.run = r.id WHERE r.state = 'completed' AND c.scored = 0 GROUP BY r.id`},
	{"a scored caption has no statistics:",
		`SELECT run, MIN(image) FROM captions WHERE scored <> 0 AND (` +
			strings.Join(scoreColumns, " IS NULL OR ") + ` IS NULL) GROUP BY run`},
	{"its captions have no metrics of their split:",
		`SELECT r.id, MIN(c.split) FROM runs r JOIN captions c ON c.run = r.id WHERE r.state = 'completed'
			AND NOT EXISTS (SELECT 1 FROM metrics m WHERE m.run = r.id AND m.split = c.split) GROUP BY r.id`},
	{"it is completed and lacks a hash, its signature or its time",
		`SELECT id, '' FROM runs WHERE state = 'completed' AND (captions_sha256 = '' OR weights_sha256 = '' OR signature = '' OR finished_ms IS NULL)`},
	{"it says how many epochs it has, and holds another number:",
		`SELECT r.id, COUNT(e.epoch) FROM runs r LEFT JOIN epochs e ON e.run = r.id GROUP BY r.id, r.epochs
			HAVING COUNT(e.epoch) <> r.epochs OR COALESCE(MAX(e.epoch), 0) <> r.epochs`},
	{"its best epoch is none of its epochs:",
		`SELECT id, best_epoch FROM runs WHERE best_epoch < 0 OR best_epoch > epochs`},
	{"it was attempted more often than it says:",
		`SELECT a.run, MAX(a.attempt) FROM attempts a JOIN runs r ON r.id = a.run WHERE a.attempt > r.attempt GROUP BY a.run`},
	{"it has ended, and an attempt has not:",
		`SELECT r.id, MAX(a.attempt) FROM runs r JOIN attempts a ON a.run = r.id
			WHERE r.state IN ('completed', 'failed', 'interrupted') AND a.ended_ms IS NULL GROUP BY r.id`},
	{"it is completed, but its study's declaration is not frozen:",
		`SELECT r.id, MIN(d.study) FROM runs r JOIN study_runs m ON m.run = r.id JOIN declarations d ON d.study = m.study
			WHERE r.state = 'completed' AND d.frozen_ms IS NULL GROUP BY r.id`},
}

// Findings checks what the tables say against what this package promises, and
// reads all of them: numbers, JSON and what belongs together. It looks at no
// hash; that is for those who made it.
func (db *DB) Findings(ctx context.Context) ([]Finding, error) {
	var findings []Finding
	add := func(subject, format string, args ...any) {
		findings = append(findings, Finding{subject, fmt.Sprintf(format, args...)})
	}
	err := db.read(ctx, func(tx *sql.Tx) error {
		for _, invariant := range invariants {
			if err := broken(ctx, tx, invariant.query, func(run, detail string) {
				add("run "+run, "%s", strings.TrimSpace(invariant.problem+" "+detail))
			}); err != nil {
				return fmt.Errorf("check whether %s %w", invariant.problem, err)
			}
		}
		for _, t := range tables {
			if err := readable(ctx, tx, t, add); err != nil {
				return err
			}
		}
		return nil
	})
	return findings, err
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

// What columns hold besides text and whole numbers.
var (
	numberColumns = columnSet("seconds loss lr captions_per_second log_prob value bleu1 bleu2 bleu3 bleu4 claim_bleu1 claim_bleu2 " + strings.Join(scoreColumns, " "))
	jsonColumns   = columnSet("settings progress environment swept compare meteor_stats declaration")
	seriesColumns = columnSet("beta entropy own_log_prob other_log_prob regions_log_prob even_log_prob other_beta")
)

func columnSet(names string) map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(names) {
		set[name] = true
	}
	return set
}

// readable reads every value of a table in the way in which the package does.
func readable(ctx context.Context, tx *sql.Tx, t table, add func(subject, format string, args ...any)) error {
	return t.each(ctx, tx, "", nil, func(columns []string, values []any) error {
		words := -1
		for i, column := range columns {
			if text, ok := values[i].(string); ok && column == "words" {
				words = len(strings.Fields(text))
			}
		}
		for i, column := range columns {
			if err := readValue(column, values[i], words); err != nil {
				add(subjectOf(t, columns, values), "%s, column %s: %v", t.name, column, err)
			}
		}
		return nil
	})
}

// readValue reads one value; nil is always well, where the table allows it. words
// is the length of the caption that the value belongs to.
func readValue(column string, value any, words int) error {
	text, isText := value.(string)
	switch {
	case value == nil:
	case numberColumns[column]:
		var n number
		return n.Scan(value)
	case jsonColumns[column]:
		if !isText || !json.Valid([]byte(text)) {
			return fmt.Errorf("it is not JSON")
		}
	case column == "val":
		_, err := decodeMetrics(&text)
		return err
	case seriesColumns[column]:
		series, err := decodeSeries(&text)
		if err == nil && words >= 0 && len(series) != words {
			err = fmt.Errorf("it has %d values, and the caption %d words", len(series), words)
		}
		return err
	}
	return nil
}

// subjectOf names the run or study that a row belongs to, with the rest of its key.
func subjectOf(t table, columns []string, values []any) string {
	var parts []string
	for _, key := range t.key {
		for i, column := range columns {
			if column == key {
				parts = append(parts, fmt.Sprint(values[i]))
			}
		}
	}
	kind := "run "
	if t.key[0] == "name" || t.key[0] == "study" {
		kind = "study "
	}
	return kind + strings.Join(parts, ", ")
}
