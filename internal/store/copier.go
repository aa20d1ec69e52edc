package store

import (
	"bytes"
	"context"
	"database/sql"
)

// heldRows are rows that were read already, by table.
type heldRows map[string]*heldTable

type heldTable struct {
	columns []string
	values  []any // row by row
}

// hold keeps a row of a table.
func (h heldRows) hold(t table, columns []string, values []any) {
	held := h[t.name]
	if held == nil {
		held = &heldTable{columns: columns}
		h[t.name] = held
	}
	for _, value := range values {
		if b, isBlob := value.([]byte); isBlob {
			value = bytes.Clone(b)
		}
		held.values = append(held.values, value)
	}
}

// A copier writes rows of another database as they are, in one transaction.
type copier struct {
	tx      *sql.Tx
	inserts map[string]*inserter // by table, of those that it has written to
}

func newCopier(tx *sql.Tx) *copier { return &copier{tx, map[string]*inserter{}} }

func (c *copier) close() {
	for _, insert := range c.inserts {
		_ = insert.Close()
	}
}

// put writes a row.
func (c *copier) put(ctx context.Context, t table, columns []string, values []any) (err error) {
	insert := c.inserts[t.name]
	if insert == nil {
		// Rows that belong to a run are put if there are none.
		replaces := t.name == "runs" || t.name == "studies" || t.name == "run_hashes"
		if insert, err = t.insert(ctx, c.tx, columns, replaces); err != nil {
			return err
		}
		c.inserts[t.name] = insert
	}
	return insert.put(ctx, values)
}

// copy copies rows of a table.
func (c *copier) copy(ctx context.Context, from *sql.Tx, t table, where string, args ...any) error {
	if there, err := t.has(ctx, from); err != nil || !there {
		return err // an older schema
	}
	return t.each(ctx, from, where, args, func(columns []string, values []any) error {
		return c.put(ctx, t, columns, values)
	})
}
