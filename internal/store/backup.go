package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"glimpse/internal/atomicfile"
)

// Backup copies the database, as one moment saw it, to a new file, while others
// read and write. The copy is checked before it gets its name; a file
// that is there already is not replaced (fs.ErrExist). The copy counts as a
// database of its own: see [DB.Created].
func (db *DB) Backup(ctx context.Context, path string) error {
	return atomicfile.Create(path, func(temporary string) (err error) {
		reader := db.reader
		if db.writer != nil { // then the reader may execute nothing
			if reader, err = openReader(db.path, url.Values{"mode": {"ro"}}); err != nil {
				return err
			}
			defer func() { _ = reader.Close() }()
		}
		if _, err := reader.ExecContext(ctx, "VACUUM INTO ?", temporary); err != nil {
			return explain(db.path, err)
		}
		pool := openPool(temporary, 1, url.Values{"mode": {"rw"}, "_synchronous": {"FULL"}})
		defer func() { err = errors.Join(err, pool.Close()) }()
		mark := fmt.Sprintf("UPDATE schema_migrations SET applied_ms = %d WHERE number = 1", time.Now().UnixMilli())
		if _, err := pool.ExecContext(ctx, mark); err != nil {
			return explain(temporary, err)
		}
		return explain(temporary, integrity(ctx, pool, "integrity_check"))
	})
}
