package store

import (
	"context"
	"database/sql"
	"errors"
)

// A Watch detects writes to a database. It has a connection of its own, and holds no lock between
// calls of [Watch.Changed]. It must be used by one goroutine only.
type Watch struct {
	db   *DB
	conn *sql.Conn
	seen int64
}

// Watch starts to watch the database for writes from now on.
func (db *DB) Watch(ctx context.Context) (*Watch, error) {
	conn, err := db.reader.Conn(ctx)
	if err != nil {
		return nil, explain(db.path, err)
	}
	w := &Watch{db: db, conn: conn}
	if _, err := w.Changed(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return w, nil
}

// Changed reports whether another connection has committed anything since the last call
// (https://www.sqlite.org/pragma.html#pragma_data_version). It returns ErrMoved if the database's
// file is no longer in place.
func (w *Watch) Changed(ctx context.Context) (bool, error) {
	if err := w.db.InPlace(); err != nil {
		return false, err
	}
	var version int64
	if err := w.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
		return false, explain(w.db.path, err)
	}
	changed := w.seen != 0 && version != w.seen
	w.seen = version
	return changed, nil
}

// Close releases the connection.
func (w *Watch) Close() error { return w.conn.Close() }

// Copied reports whether the database is a migrated copy of its file, which does not change with
// the file.
func (db *DB) Copied() bool { return db.release != nil }
