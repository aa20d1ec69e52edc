package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"glimpse/internal/atomicfile"
)

// Backup copies a snapshot of the database to a new file. Others may read and write meanwhile.
// The copy is checked before it gets its name. An existing file is not replaced (fs.ErrExist).
// The copy counts as a database of its own: see [DB.Created].
func (db *DB) Backup(ctx context.Context, path string) error {
	return atomicfile.Create(path, func(temporary string) error {
		if db.writer == nil {
			return copyInto(ctx, db.reader, db.path, temporary)
		}
		// The reader may not execute VACUUM, and the writer must not wait.
		if err := db.InPlace(); err != nil {
			return err
		}
		reader, err := openReader(db.path, url.Values{"mode": {"ro"}})
		if err != nil {
			return err
		}
		return errors.Join(copyInto(ctx, reader, db.path, temporary), reader.Close())
	})
}

// copyInto copies the database at path, as the connection sees it, to a new file, marks the copy
// as a database of its own and checks it.
func copyInto(ctx context.Context, from *sql.DB, path, to string) (err error) {
	if err := makePrivate(to); err != nil {
		return err
	}
	if _, err := from.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return explain(path, err)
	}
	pool := openPool(to, 1, url.Values{"mode": {"rw"}, "_synchronous": {"FULL"}})
	defer func() { err = errors.Join(err, pool.Close()) }()
	mark := fmt.Sprintf("UPDATE schema_migrations SET applied_ms = %d WHERE number = 1", time.Now().UnixMilli())
	if _, err := pool.ExecContext(ctx, mark); err != nil {
		return explain(to, err)
	}
	return explain(to, integrity(ctx, pool, "integrity_check"))
}
