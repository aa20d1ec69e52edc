package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"glimpse/internal/atomicfile"
)

// DB is an open results database. It is safe for use by several goroutines;
// several processes may hold the same file open.
type DB struct {
	path    string
	writer  *sql.DB // one connection; nil when opened for reading alone
	reader  *sql.DB
	release func() // removes the temporary copy that is read instead of the file; nil without one
	opened  files  // nil for a copy
}

// Open opens the results database at path for reading and writing. It creates the database if the
// file is absent or empty, and migrates an older schema. It rejects a file that is not a results
// database, is damaged, or has a schema newer than this program's, and leaves it unchanged.
func Open(path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open results database: %w", err)
	}
	if err := inspect(path); err != nil {
		return nil, err
	}
	if err := checkFilesystem(path, true); err != nil {
		return nil, err
	}
	_, _ = atomicfile.Sweep(filepath.Dir(path), false) // what an import or a backup that was killed left beside it
	writer, err := openWriter(path)
	if err != nil {
		return nil, err
	}
	if _, err = vet(context.Background(), writer, path); err == nil { // again: it may have had to be recovered first
		err = migrate(context.Background(), writer, path, newest())
	}
	if err != nil {
		_ = writer.Close()
		return nil, err
	}
	shrink(context.Background(), writer)
	reader, err := openReader(path, url.Values{"mode": {"rw"}, "_query_only": {"true"}})
	if err != nil {
		_ = writer.Close()
		return nil, err
	}
	db := &DB{path: path, writer: writer, reader: reader}
	if db.opened, err = filesOf(path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// OpenExisting is [Open] for a database that must exist: it rejects an absent (fs.ErrNotExist) or
// empty file.
func OpenExisting(path string) (*DB, error) {
	if err := checkPresent(path); err != nil {
		return nil, err
	}
	return Open(path)
}

// checkPresent rejects a file that is absent or empty.
func checkPresent(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("open results database: %w", err)
	}
	if info.Size() == 0 {
		return fmt.Errorf("%s: %w: the file is empty; restore a backup, or use another --db", path, ErrNotResults)
	}
	return nil
}

// OpenReadOnly opens an existing results database for reading. It needs no write permission on
// the file or its directory, and changes nothing. If the schema is too old to be read, it opens a
// migrated copy. Methods that write return [ErrReadOnly].
func OpenReadOnly(path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open results database: %w", err)
	}
	if err := checkPresent(path); err != nil {
		return nil, err
	}
	if err := checkFilesystem(path, false); err != nil {
		return nil, err
	}
	if err := inspect(path); err != nil {
		return nil, err
	}
	reader, err := openReader(path, url.Values{"mode": {"ro"}})
	if err == nil {
		if _, err = schemaVersion(context.Background(), reader); err != nil {
			_ = reader.Close()
		}
	}
	if err != nil && !locked(err) && noLog(path) {
		// A file left in WAL mode wants to create its log beside it. Where the
		// directory forbids that, nobody else can be writing either.
		reader, err = openReader(path, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	}
	if err != nil {
		return nil, explain(path, err)
	}
	version, err := vet(context.Background(), reader, path) // again: it may have had to be recovered first
	if err != nil {
		_ = reader.Close()
		return nil, err
	}
	if version < readable {
		copied, err := openCopy(reader)
		_ = reader.Close()
		if err != nil {
			return nil, explain(path, fmt.Errorf("migrate a copy from schema %d to %d: %w", version, newest(), err))
		}
		copied.path = path
		return copied, nil
	}
	opened, err := filesOf(path)
	if err != nil {
		_ = reader.Close()
		return nil, err
	}
	return &DB{path: path, reader: reader, opened: opened}, nil
}

// openCopy copies what a connection sees into a temporary file with the newest
// schema, and opens that for reading.
func openCopy(from *sql.DB) (*DB, error) {
	dir, release, err := atomicfile.Folder("")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "results.db")
	if _, err = from.Exec("VACUUM INTO ?", path); err == nil {
		var migrated *DB
		if migrated, err = Open(path); err == nil {
			err = migrated.Close()
		}
	}
	var reader *sql.DB
	if err == nil {
		reader, err = openReader(path, url.Values{"mode": {"ro"}})
	}
	if err != nil {
		release()
		return nil, err
	}
	return &DB{reader: reader, release: release}, nil
}

// Path returns the absolute path of the database file.
func (db *DB) Path() string { return db.path }

// Created returns when the database was created. It identifies the database.
func (db *DB) Created(ctx context.Context) (time.Time, error) {
	var ms int64
	err := db.reader.QueryRowContext(ctx, "SELECT applied_ms FROM schema_migrations WHERE number = 1").Scan(&ms)
	return time.UnixMilli(ms), explain(db.path, err)
}

// Close closes the database. The last process to close it leaves one file: the log is merged into
// it, and the journal mode reset so that the file can be read from a read-only directory.
func (db *DB) Close() error {
	err := db.reader.Close()
	if db.release != nil {
		db.release()
	}
	if db.writer == nil {
		return err
	}
	err = errors.Join(err, db.fold())
	return errors.Join(err, db.writer.Close())
}

// fold leaves one file that can be read from a read-only directory. While another process has the
// file open, neither statement can succeed, and neither needs to: that process will do it. If the
// database's file is gone, whatever is at its path is another database, which must not be read
// with this one's log.
func (db *DB) fold() (err error) {
	if db.InPlace() != nil {
		return db.removeLogs()
	}
	for _, statement := range []string{
		"PRAGMA busy_timeout = 0",
		"PRAGMA wal_checkpoint(TRUNCATE)",
		"PRAGMA journal_mode = DELETE",
	} {
		if _, failed := db.writer.Exec(statement); failed != nil && !locked(failed) {
			err = errors.Join(err, explain(db.path, failed))
		}
	}
	return err
}

// write runs f in a transaction that holds the write lock from its start. It fails too if the
// file is no longer in place afterwards: nobody would read it again.
func (db *DB) write(ctx context.Context, f func(*sql.Tx) error) error {
	if err := db.writable(); err != nil {
		return err
	}
	if err := inTx(ctx, db.writer, f); err != nil {
		return explain(db.path, err)
	}
	return db.InPlace()
}

// writable returns an error for a database that is read-only, or whose file is gone.
func (db *DB) writable() error {
	if db.writer == nil {
		return fmt.Errorf("%s: %w", db.path, ErrReadOnly)
	}
	return db.InPlace()
}

// unsynced is write for what may be lost in a power failure. The database stays consistent in any
// case.
func (db *DB) unsynced(ctx context.Context, f func(*sql.Tx) error) error {
	if err := db.writable(); err != nil {
		return err
	}
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return explain(db.path, err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous = NORMAL"); err != nil {
		return explain(db.path, err)
	}
	err = inTx(ctx, conn, f)
	if _, failed := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous = FULL"); failed != nil {
		err = errors.Join(err, failed)
	}
	return explain(db.path, err)
}

// read runs f in a transaction, so that all its queries see one state.
func (db *DB) read(ctx context.Context, f func(*sql.Tx) error) error {
	return explain(db.path, inTx(ctx, db.reader, f))
}

// beginner is a connection or a pool of them.
type beginner interface {
	BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
}

func inTx(ctx context.Context, on beginner, f func(*sql.Tx) error) error {
	tx, err := on.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// makePrivate creates an empty file for a new database, readable by its owner only: SQLite would
// create one that all can read. SQLite gives the log and its other files the mode of this one.
func makePrivate(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // opening an existing database without SQLite would drop its locks
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process created it, equally private
	}
	if err != nil {
		return fmt.Errorf("create the results database: %w; check that you can write there, or use another --db", err)
	}
	return file.Close()
}
