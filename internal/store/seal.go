package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// seal hashes all rows of a run or a study as they are, in place of what was hashed
// before.
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

// unseal drops all hashes of a run that is to be worked on.
func (o owner) unseal(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM "+o.hashes()+" WHERE "+o.kind+" = ?", o.name)
	return err
}

// reseal lets write change rows in some of the tables, and hashes them anew. What was not
// hashed, or was no longer as it had been hashed, stays so: a later write is no
// proof of what was there before. clear takes away what is to be replaced, and may be nil;
// where nothing is left then, what was there does not matter.
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

// stored are the hashes that are kept, by part; a database of a schema that knows none
// has none.
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
			return nil, fmt.Errorf("%s: hashes of its rows: %w", o, err)
		}
		kept[part] = hash
	}
	return kept, rows.Err()
}

// current are the hashes of what is there now in some tables, of those that have
// rows of it, and of the columns that were there when it was hashed before. seen gets each row, and may be nil.
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

// put keeps a hash; "" drops it.
func (o owner) put(ctx context.Context, tx *sql.Tx, part, hash string) error {
	if hash == "" {
		_, err := tx.ExecContext(ctx, "DELETE FROM "+o.hashes()+" WHERE "+o.kind+" = ? AND part = ?", o.name, part)
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO "+o.hashes()+" ("+o.kind+", part, hash) VALUES (?, ?, ?) ON CONFLICT ("+
		o.kind+", part) DO UPDATE SET hash = excluded.hash", o.name, part, hash)
	return err
}

// changed lists the parts that are no longer as they were hashed, sorted. Of an owner
// whose own row was hashed all were; differences that were taken out are not missed.
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

// isSealed tells whether the stored hashes are those of all rows of their owner.
func isSealed(stored map[string]string) bool { return stored["runs"] != "" || stored["studies"] != "" }

// damage says which of an owner's rows in some tables are no longer as they were
// hashed; "" where all are, or none was hashed.
func (o owner) damage(ctx context.Context, q querier, in []table) (string, error) {
	stored, err := o.stored(ctx, q)
	if err != nil {
		return "", err
	}
	return o.damageOf(ctx, q, in, stored, nil)
}

// damageOf does so with the hashes that are stored, and shows each row that it hashes to seen, which may be nil.
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
	return "rows were changed after they were hashed, in " + strings.Join(parts, ", "), nil
}

// Seal hashes the rows, as they are now, of all runs that nobody works on and all studies
// that were never hashed. It returns how many those were.
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
	for _, o := range owners { // a transaction each, so that runners need not wait for all
		err := db.write(ctx, func(tx *sql.Tx) error {
			stored, err := o.stored(ctx, tx)
			if err != nil || isSealed(stored) {
				return err
			}
			if o.kind == "run" {
				var running int
				err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM runs WHERE id = ? AND state = 'running'", o.name).Scan(&running)
				if err != nil || running > 0 {
					return err // somebody took it up
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
