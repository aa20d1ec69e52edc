package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// seal hashes all current rows of a run or a study. It replaces earlier hashes.
func (o owner) seal(ctx context.Context, tx *sql.Tx) error {
	if err := o.unseal(ctx, tx); err != nil {
		return err
	}
	hashes, err := o.current(ctx, tx, o.tables(), nil, nil)
	if err != nil {
		return err
	}
	for _, part := range slices.Sorted(maps.Keys(hashes)) {
		if err := o.put(ctx, tx, part, hashes[part]); err != nil {
			return err
		}
	}
	return nil
}

// unseal drops all hashes of a run that is about to change.
func (o owner) unseal(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM "+o.hashes()+" WHERE "+o.kind+" = ?", o.name)
	return err
}

// reseal calls write to change rows in some tables, and updates their hashes. Rows that had no
// hash, or did not match it, stay that way: a later write proves nothing about earlier rows.
// clear removes rows to be replaced, and may be nil; if it leaves none, earlier damage does not
// matter.
func (o owner) reseal(ctx context.Context, tx *sql.Tx, in []table, clear, write func() error) error {
	stored, err := o.stored(ctx, tx)
	if err != nil {
		return err
	}
	before, err := o.current(ctx, tx, in, stored, nil)
	if err != nil {
		return err
	}
	left := before
	if clear != nil {
		if err := clear(); err != nil {
			return err
		}
		if left, err = o.current(ctx, tx, in, stored, nil); err != nil {
			return err
		}
	}
	if err := write(); err != nil {
		return err
	}
	after, err := o.current(ctx, tx, in, nil, nil)
	if err != nil {
		return err
	}
	for _, t := range in {
		parts := []string{t.name}
		if t.name == "runs" {
			parts = append(parts, diffPart)
		}
		for _, part := range parts {
			if stored[part] != before[part] && left[part] != "" {
				continue
			}
			if err := o.put(ctx, tx, part, after[part]); err != nil {
				return err
			}
		}
	}
	return nil
}

// stored returns the stored hashes, by part; none if the schema is older than hashes.
func (o owner) stored(ctx context.Context, q querier) (map[string]string, error) {
	kept := map[string]string{}
	there, err := table{name: o.hashes()}.has(ctx, q)
	if err != nil || !there {
		return kept, err
	}
	rows, err := q.QueryContext(ctx, "SELECT part, hash FROM "+o.hashes()+" WHERE "+o.kind+" = ?", o.name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var part, hash string
		if err := rows.Scan(&part, &hash); err != nil {
			return nil, fmt.Errorf("%s: read the hashes of its rows: %w", o, err)
		}
		kept[part] = hash
	}
	return kept, rows.Err()
}

// current returns the hashes of the owner's current rows in some tables, by part. It hashes the
// columns that existed when the stored hash was made. seen is called with each row, and may be
// nil.
func (o owner) current(
	ctx context.Context, q querier, in []table, stored map[string]string, seen func(t table, columns []string, values []any),
) (map[string]string, error) {
	hashes := map[string]string{}
	for _, t := range in {
		h, err := newRowHash(ctx, t, stored[t.name])
		if err != nil {
			return nil, err
		}
		err = t.of(ctx, q, o, func(columns []string, values []any) error {
			h.add(columns, values)
			if seen != nil {
				seen(t, columns, values)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		h.note(hashes)
	}
	return hashes, nil
}

// put stores a hash; "" deletes it.
func (o owner) put(ctx context.Context, tx *sql.Tx, part, hash string) error {
	if hash == "" {
		_, err := tx.ExecContext(ctx, "DELETE FROM "+o.hashes()+" WHERE "+o.kind+" = ? AND part = ?", o.name, part)
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO "+o.hashes()+" ("+o.kind+", part, hash) VALUES (?, ?, ?) ON CONFLICT ("+
		o.kind+", part) DO UPDATE SET hash = excluded.hash", o.name, part, hash)
	return err
}

// changed lists, sorted, the parts that no longer match their hashes. If the owner's own row has
// a hash, all parts must have one. A diff that was removed counts as unchanged.
func changed(stored, current map[string]string) []string {
	var parts []string
	for part, hash := range stored {
		if now := current[part]; now != hash && (part != diffPart || now != "") {
			parts = append(parts, part)
		}
	}
	if isSealed(stored) {
		for part := range current {
			if stored[part] == "" {
				parts = append(parts, part)
			}
		}
	}
	slices.Sort(parts)
	return parts
}

// isSealed reports whether all rows of an owner were hashed.
func isSealed(stored map[string]string) bool { return stored["runs"] != "" || stored["studies"] != "" }

// damage returns which of an owner's rows in some tables no longer match their hashes; "" if all
// do, or there are no hashes.
func (o owner) damage(ctx context.Context, q querier, in []table) (string, error) {
	stored, err := o.stored(ctx, q)
	if err != nil {
		return "", err
	}
	return o.damageOf(ctx, q, in, stored, nil)
}

// damageOf is damage with the stored hashes given. It calls seen with each row that it hashes;
// seen may be nil.
func (o owner) damageOf(
	ctx context.Context, q querier, in []table, stored map[string]string, seen func(t table, columns []string, values []any),
) (string, error) {
	if len(stored) == 0 {
		return "", nil
	}
	current, err := o.current(ctx, q, in, stored, seen)
	if err != nil {
		return "", err
	}
	stored = maps.Clone(stored)
	maps.DeleteFunc(stored, func(part, _ string) bool {
		return part != diffPart && !slices.ContainsFunc(in, func(t table) bool { return t.name == part })
	})
	parts := changed(stored, current)
	if len(parts) == 0 {
		return "", nil
	}
	return "rows no longer match their hashes, in " + strings.Join(parts, ", "), nil
}

// Seal hashes the current rows of all idle runs and all studies that have no hashes. It returns
// how many it hashed.
func (db *DB) Seal(ctx context.Context) (sealed int, err error) {
	var owners []owner
	err = db.read(ctx, func(tx *sql.Tx) error {
		runs, err := names(ctx, tx, "SELECT id FROM runs WHERE state <> 'running' ORDER BY created_ms, id")
		if err != nil {
			return err
		}
		for _, id := range runs {
			owners = append(owners, theRun(id))
		}
		studies, err := names(ctx, tx, "SELECT name FROM studies ORDER BY created_ms, name")
		for _, name := range studies {
			owners = append(owners, theStudy(name))
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, o := range owners { // one transaction each, so that runners wait only briefly
		err := db.write(ctx, func(tx *sql.Tx) error {
			stored, err := o.stored(ctx, tx)
			if err != nil || isSealed(stored) {
				return err
			}
			if o.kind == "run" {
				var running int
				err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM runs WHERE id = ? AND state = 'running'", o.name).Scan(&running)
				if err != nil || running > 0 {
					return err // it was claimed meanwhile
				}
			}
			sealed++
			return o.seal(ctx, tx)
		})
		if err != nil {
			return sealed, fmt.Errorf("%s: %w", o, err)
		}
	}
	return sealed, nil
}
