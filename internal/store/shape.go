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

// object is an entry of SQLite's list of what a database is made of.
type object struct {
	kind, name string            // kind is table, index, view or trigger
	table      string            // that an index or a trigger belongs to
	sql        string            // that made it
	types      map[string]string // of the columns of a table that migrations made
}

// objects lists what a database is made of, by name, without what SQLite keeps
// for itself.
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

// madeByMigrations gives the objects of an empty database of a schema, by name:
// what the migrations make in memory.
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

// typesOf gives the declared types of a table's columns.
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

// checkShape refuses a database in which reading or writing a table would do
// something else: its tables must be tables, all of them there, and no trigger may
// act when one is written.
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
			return fmt.Errorf("%w: it has a trigger, %q, which would act when it is written; glimpse makes none", ErrNotResults, o.name)
		case !wanted[o.name]:
		case o.kind != "table":
			return fmt.Errorf("%w: %q is a %s, where glimpse makes a table", ErrNotResults, o.name, o.kind)
		case strings.HasPrefix(strings.ToUpper(o.sql), "CREATE VIRTUAL"):
			return fmt.Errorf("%w: %q is a virtual table, where glimpse makes an ordinary one", ErrNotResults, o.name)
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

// fixShape says what to do about a schema that is not ours.
const fixShape = "`glimpse db export`, and `glimpse db import` of it, make a database that has glimpse's own"

// schema compares what the database is made of with what the migrations make, and tells
// whether all of that is there: else rows cannot be asked for.
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
	seen := map[string]bool{} // those that are as they should be
	for _, o := range there {
		ours, known := want[o.name]
		_, onOurs := want[o.table]
		switch {
		case known && oneLine(o.sql) != oneLine(ours.sql):
			here, made := difference(oneLine(o.sql), oneLine(ours.sql))
			wrong(o, fixShape, " is not the one that glimpse makes: it has %q, and should have %q", here, made)
		case known:
			seen[o.name] = true
			f.types[o.name] = ours.types
		case onOurs:
			wrong(o, "DROP it", " is none of glimpse's, and belongs to its table %s", o.table)
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
			Problem: fmt.Sprintf("the migrations applied are %q, and glimpse's are %q", applied, steps)})
	}
	return len(seen) == len(want), nil
}

// difference cuts from two texts what they have in common at both ends, but for a few
// letters, and what is too long to be shown.
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
