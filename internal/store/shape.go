package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
)

// object is an entry of SQLite's list of what a database is made of.
type object struct {
	kind, name string // kind is table, index, view or trigger
	table      string // that an index or a trigger belongs to
	sql        string // that made it
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
		byName[o.name] = o
	}
	made[version] = byName
	return byName, nil
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
