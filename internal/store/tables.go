package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// table is one table of results. Its key orders its rows, and starts with the column of their run
// or study.
type table struct {
	name  string
	key   []string
	added int // the schema that added it; 0 if every readable one has it
}

// tables are all tables that hold results, ordered so that rows come after what they refer to.
// Pictures and maps are exported but not merged, since a merge could collect more than may be
// published.
var tables = []table{
	{name: "studies", key: []string{"name"}},
	{name: "runs", key: []string{"id"}},
	{name: "study_runs", key: []string{"study", "run"}},
	{name: "declarations", key: []string{"study", "number"}},
	{name: "pictures", key: []string{"study", "image"}},
	{name: "attention_maps", key: []string{"study", "run", "image"}},
	{name: "ensembles", key: []string{"study", "cell"}, added: 9},
	{name: "ensemble_captions", key: []string{"study", "cell", "image"}, added: 9},
	{name: "study_notes", key: []string{"study", "kind", "text"}, added: 10},
	{name: "deletions", key: []string{"study", "run", "deleted_ms"}, added: 10},
	{name: "study_hashes", key: []string{"study", "part"}},
	{name: "attempts", key: []string{"run", "attempt"}},
	{name: "epochs", key: []string{"run", "epoch"}},
	{name: "captions", key: []string{"run", "split", "image"}},
	{name: "metrics", key: []string{"run", "split", "key"}},
	{name: "run_notes", key: []string{"run", "kind", "text"}, added: 10},
	{name: "run_hashes", key: []string{"run", "part"}},
	{name: "audits", key: []string{"run", "split", "protocol"}},
	{name: "readings", key: []string{"run", "split", "image"}},
}

// partsOfRun returns the tables whose rows belong to one run, without the table of runs, and
// without notes, which are not results.
func partsOfRun() []table {
	return slices.DeleteFunc(slices.Clone(tables), func(t table) bool { return t.key[0] != "run" || t.name == theRun("").notes().name })
}

// foundLater returns the tables that a completed run gets rows in later: audits and readings.
func foundLater() []table { return tables[len(tables)-2:] }

// tables returns the tables with rows of the owner that are hashed, its own table first.
func (o owner) tables() []table {
	return slices.DeleteFunc(slices.Clone(tables), func(t table) bool {
		return t.key[0] != o.kind && t.name != map[string]string{"run": "runs", "study": "studies"}[o.kind] || t.name == o.hashes()
	})
}

// asEnded returns the tables of a run, without audits, readings and notes, which may be added
// after it has ended.
func (o owner) asEnded() []table {
	return slices.DeleteFunc(o.tables(), func(t table) bool {
		return t.name == o.notes().name || slices.ContainsFunc(foundLater(), func(later table) bool { return later.name == t.name })
	})
}

// notes returns the table of the owner's notes.
func (o owner) notes() table { return named(o.kind + "_notes")[0] }

// named returns the tables of the given names.
func named(names ...string) []table {
	return slices.DeleteFunc(slices.Clone(tables), func(t table) bool { return !slices.Contains(names, t.name) })
}

// has reports whether the database has the table: older schemas lack some.
func (t table) has(ctx context.Context, q querier) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?", t.name).Scan(&n)
	return n > 0, err
}

// absent reports whether the database has a readable schema that is older than the table.
func (t table) absent(ctx context.Context, q querier) (bool, error) {
	if t.added == 0 {
		return false, nil
	}
	there, err := t.has(ctx, q)
	return !there, err
}

// each calls f with the columns and the values of every row, in the order of the key. Values are
// nil, int64, float64, string or []byte, lists of numbers as texts, and are valid until f
// returns. where selects rows; it may be empty. An absent table has no rows.
func (t table) each(ctx context.Context, q querier, where string, args []any, f func(columns []string, values []any) error) error {
	if absent, err := t.absent(ctx, q); err != nil || absent {
		return err
	}
	query := "SELECT * FROM " + t.name
	if where != "" {
		query += " WHERE " + where
	}
	rows, err := q.QueryContext(ctx, query+" ORDER BY "+strings.Join(t.key, ", "), args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		for i, column := range columns {
			values[i] = unpack(column, values[i])
		}
		if err := f(columns, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// of calls f with each row that belongs to a run or a study, as each does.
func (t table) of(ctx context.Context, q querier, o owner, f func(columns []string, values []any) error) error {
	return t.each(ctx, q, t.key[0]+" = ?", []any{o.name}, f)
}

// columns lists the table's columns in their order.
func (t table) columns(ctx context.Context, q querier) ([]string, error) {
	rows, err := q.QueryContext(ctx, "SELECT * FROM "+t.name+" WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	return rows.Columns()
}

// insert prepares a statement that adds rows with some columns, as each gives them. With replace
// it overwrites rows of the same key.
func (t table) insert(ctx context.Context, tx *sql.Tx, columns []string, replace bool) (*inserter, error) {
	statement := fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)", t.name, strings.Join(columns, ", "), strings.Repeat(", ?", len(columns)-1))
	if replace {
		var set []string
		for _, column := range columns {
			set = append(set, column+" = excluded."+column)
		}
		statement += fmt.Sprintf(" ON CONFLICT (%s) DO UPDATE SET %s", strings.Join(t.key, ", "), strings.Join(set, ", "))
	}
	prepared, err := tx.PrepareContext(ctx, statement)
	return &inserter{Stmt: prepared, columns: columns}, err
}
