package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// object is an entry of SQLite's schema table.
type object struct {
	kind, name string            // kind is table, index, view or trigger
	table      string            // the table of an index or a trigger
	sql        string            // the statement that created it
	types      map[string]string // of the columns, if migrations created the table
}

// objects lists the objects of a database, sorted by name, without SQLite's internal ones.
func objects(ctx context.Context, q querier) ([]object, error) {
	rows, err := q.QueryContext(ctx, `SELECT type, name, tbl_name, COALESCE(sql, '') FROM sqlite_master
		WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []object
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.kind, &o.name, &o.table, &o.sql); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, rows.Err()
}

// madeByMigrations returns the objects that the migrations create for a schema, by name.
func madeByMigrations(ctx context.Context, version int) (map[string]object, error) {
	madeMu.Lock()
	defer madeMu.Unlock()
	if made[version] != nil {
		return made[version], nil
	}
	pool := sql.OpenDB(connector("file::memory:"))
	pool.SetMaxOpenConns(1)
	defer func() { _ = pool.Close() }()
	if err := migrate(ctx, pool, "memory", version); err != nil {
		return nil, err
	}
	list, err := objects(ctx, pool)
	if err != nil {
		return nil, err
	}
	byName := map[string]object{}
	for _, o := range list {
		if o.kind == "table" {
			if o.types, err = typesOf(ctx, pool, o.name); err != nil {
				return nil, err
			}
		}
		byName[o.name] = o
	}
	made[version] = byName
	return byName, nil
}

// typesOf returns the declared types of a table's columns.
func typesOf(ctx context.Context, q querier, table string) (map[string]string, error) {
	rows, err := q.QueryContext(ctx, "SELECT name, type FROM pragma_table_info(?)", table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	types := map[string]string{}
	for rows.Next() {
		var name, declared string
		if err := rows.Scan(&name, &declared); err != nil {
			return nil, err
		}
		types[name] = declared
	}
	return types, rows.Err()
}

var (
	madeMu sync.Mutex
	made   = map[int]map[string]object{} // by schema
)

// checkShape rejects a database in which reading or writing a table could do something else: all
// tables must exist and be ordinary tables, and there must be no triggers.
func checkShape(ctx context.Context, q querier, version int) error {
	want, err := madeByMigrations(ctx, version)
	if err != nil {
		return err
	}
	there, err := objects(ctx, q)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for name, o := range want {
		wanted[name] = o.kind == "table"
	}
	for _, o := range there {
		switch {
		case o.kind == "trigger":
			return fmt.Errorf("%w: it has a trigger, %q, which would run on writes; glimpse creates none", ErrNotResults, o.name)
		case !wanted[o.name]:
		case o.kind != "table":
			return fmt.Errorf("%w: %q is a %s, but must be a table", ErrNotResults, o.name, o.kind)
		case strings.HasPrefix(strings.ToUpper(o.sql), "CREATE VIRTUAL"):
			return fmt.Errorf("%w: %q is a virtual table, but must be an ordinary one", ErrNotResults, o.name)
		}
		wanted[o.name] = false
	}
	for _, t := range tables {
		if wanted[t.name] {
			return fmt.Errorf("%w: it has no table %q", ErrNotResults, t.name)
		}
	}
	return nil
}

// fixShape is the advice for a schema that is not glimpse's.
const fixShape = "run `glimpse db export`, then `glimpse db import`, for a database with glimpse's own schema"

// schema compares the database's objects with those that the migrations create. It returns
// whether all of them are there; if not, rows cannot be queried.
func (f *Findings) schema(ctx context.Context, q querier) (asMade bool, err error) {
	version, err := schemaVersion(ctx, q)
	if err != nil {
		return false, err
	}
	want, err := madeByMigrations(ctx, version)
	if err != nil {
		return false, err
	}
	there, err := objects(ctx, q)
	if err != nil {
		return false, err
	}
	wrong := func(o object, fix, format string, args ...any) {
		f.add(Finding{Subject: "schema", Problem: o.kind + " " + o.name + fmt.Sprintf(format, args...), Fix: fix})
	}
	f.types = map[string]map[string]string{}
	seen := map[string]bool{} // those that match
	for _, o := range there {
		ours, known := want[o.name]
		_, onOurs := want[o.table]
		switch {
		case known && oneLine(o.sql) != oneLine(ours.sql):
			here, made := difference(oneLine(o.sql), oneLine(ours.sql))
			wrong(o, fixShape, " differs from glimpse's: it has %q, not %q", here, made)
		case known:
			seen[o.name] = true
			f.types[o.name] = ours.types
		case onOurs:
			wrong(o, "remove it with SQL's DROP", " is not glimpse's, but belongs to its table %s", o.table)
		default:
			f.Foreign = append(f.Foreign, o.kind+" "+o.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !seen[name] && !slices.ContainsFunc(there, func(o object) bool { return o.name == name }) {
			wrong(want[name], fixShape, " is missing")
		}
	}
	applied, err := names(ctx, q, "SELECT number || ' ' || name FROM schema_migrations ORDER BY number")
	if err != nil {
		return false, err
	}
	var steps []string
	for _, step := range migrations[:version] {
		steps = append(steps, fmt.Sprintf("%d %s", step.number, step.name))
	}
	if !slices.Equal(applied, steps) {
		f.add(Finding{Subject: "schema", Table: "schema_migrations", Fix: fixShape,
			Problem: fmt.Sprintf("the applied migrations are %q, but glimpse's are %q", applied, steps)})
	}
	return len(seen) == len(want), nil
}

// difference cuts the common start and end of two texts, except for a few letters, and limits
// their length.
func difference(a, b string) (string, string) {
	const around, most = 12, 60
	start := 0
	for start < min(len(a), len(b)) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < min(len(a), len(b))-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	cut := func(text string) string {
		text = text[max(0, start-around):min(len(text), len(text)-end+around)]
		return text[:min(len(text), most)]
	}
	return cut(a), cut(b)
}

// oneLine is SQL without line breaks.
func oneLine(sql string) string { return strings.Join(strings.Fields(sql), " ") }
