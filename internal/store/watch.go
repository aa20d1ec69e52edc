package store

import (
	"context"
	"database/sql"
	"errors"
)

// A Watch tells whether anybody has written to a database since it last looked. It holds a
// connection of its own, and no lock between two looks. It is for one goroutine.
type Watch struct {
	db   *DB
	conn *sql.Conn
	seen int64
}

// Watch begins to watch the database. Its first look finds no change.
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

// Changed looks whether another connection has committed anything since the last look
// (https://www.sqlite.org/pragma.html#pragma_data_version). It returns ErrMoved for a database
// whose file is no longer in place.
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

// Close gives the connection back.
func (w *Watch) Close() error { return w.conn.Close() }

// Copied tells whether what is read is a copy that was brought up to the newest schema: it does
// not change with the file.
func (db *DB) Copied() bool { return db.release != nil }
