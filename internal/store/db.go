package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/mattn/go-sqlite3"
)

// readers bounds the connections that read.
const readers = 4

// statements is how many prepared statements a connection keeps: all that are used run by run.
const statements = 64

// patience is how long a statement waits for another process's lock. Tests wait
// less.
var patience = 30 * time.Second

// DB is an open results database. It is safe for use by several goroutines;
// several processes may hold the same file open.
type DB struct {
	path      string
	writer    *sql.DB // one connection; nil when opened for reading alone
	reader    *sql.DB
	temporary string // folder of a copy that is read in the file's place, or ""
}

// Open opens the results database at path for reading and writing, creating the
// file if there is none and migrating an older schema. A file that is not a
// results database, is damaged, or has a schema newer than this program is
// refused and left as it was.
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
	writer, err := openWriter(path)
	if err != nil {
		return nil, err
	}
	if err := migrate(context.Background(), writer, path, newest()); err != nil {
		_ = writer.Close()
		return nil, err
	}
	reader, err := openReader(path, url.Values{"mode": {"rw"}, "_query_only": {"true"}})
	if err != nil {
		_ = writer.Close()
		return nil, err
	}
	return &DB{path: path, writer: writer, reader: reader}, nil
}

// OpenReadOnly opens an existing results database for reading. It needs no
// write permission, neither on the file nor on its directory, and changes
// nothing: of a database with an older schema it opens a copy that it brings up
// to date. Methods that write return [ErrReadOnly].
func OpenReadOnly(path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open results database: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open results database: %w", err)
	}
	if info.Size() == 0 {
		return nil, fmt.Errorf("%s: %w: the file is empty", path, ErrNotResults)
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
	version, err := schemaVersion(context.Background(), reader)
	if err == nil && version < newest() {
		var copied *DB
		if copied, err = openCopy(reader); err == nil {
			_ = reader.Close()
			copied.path = path
			return copied, nil
		}
		err = fmt.Errorf("bringing a copy from schema %d to %d: %w", version, newest(), err)
	}
	if err != nil {
		_ = reader.Close()
		return nil, explain(path, err)
	}
	return &DB{path: path, reader: reader}, nil
}

// openCopy copies what a connection sees into a temporary file with the newest
// schema, and opens that for reading.
func openCopy(from *sql.DB) (*DB, error) {
	dir, err := os.MkdirTemp("", "glimpse-")
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
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &DB{reader: reader, temporary: dir}, nil
}

// Path returns the absolute path of the database file.
func (db *DB) Path() string { return db.path }

// Created returns when the database was created. It tells databases apart.
func (db *DB) Created(ctx context.Context) (time.Time, error) {
	var ms int64
	err := db.reader.QueryRowContext(ctx, "SELECT applied_ms FROM schema_migrations WHERE number = 1").Scan(&ms)
	return time.UnixMilli(ms), explain(db.path, err)
}

// Close releases the database. The last process to close it leaves one file:
// the log is folded in, and the journal mode set back so that the file can be
// read where nothing may be written.
func (db *DB) Close() error {
	err := db.reader.Close()
	if db.temporary != "" {
		err = errors.Join(err, os.RemoveAll(db.temporary))
	}
	if db.writer == nil {
		return err
	}
	err = errors.Join(err, db.fold())
	return errors.Join(err, db.writer.Close())
}

// fold leaves one file that can be read where nothing may be written. While
// another process has the file open, neither statement can succeed, and neither
// needs to: that process will do it.
func (db *DB) fold() (err error) {
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

// write runs f in a transaction that holds the write lock from its start.
func (db *DB) write(ctx context.Context, f func(*sql.Tx) error) error {
	if db.writer == nil {
		return fmt.Errorf("%s: %w", db.path, ErrReadOnly)
	}
	return explain(db.path, inTx(ctx, db.writer, f))
}

// unsynced is write for what may be lost with the machine's power; the database
// stays sound in any case.
func (db *DB) unsynced(ctx context.Context, f func(*sql.Tx) error) error {
	if db.writer == nil {
		return fmt.Errorf("%s: %w", db.path, ErrReadOnly)
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

func openWriter(path string) (*sql.DB, error) {
	pool, err := openPool(path, 1, url.Values{
		"mode":          {"rwc"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"on"},
		"_txlock":       {"immediate"},
	})
	if err != nil {
		return nil, err
	}
	// Entering WAL mode needs the file alone, and SQLite does not wait for that.
	deadline := time.Now().Add(patience)
	for {
		err = pool.Ping()
		if err == nil || !locked(err) || time.Now().After(deadline) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	var mode string
	if err == nil {
		err = pool.QueryRow("PRAGMA journal_mode").Scan(&mode)
	}
	if err == nil && mode != "wal" {
		err = fmt.Errorf("journal mode is %s, not WAL: a results database needs a local filesystem with shared memory", mode)
	}
	if err != nil {
		_ = pool.Close()
		return nil, explain(path, err)
	}
	return pool, nil
}

func openReader(path string, options url.Values) (*sql.DB, error) {
	pool, err := openPool(path, min(readers, max(2, runtime.NumCPU())), options)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(); err != nil {
		_ = pool.Close()
		return nil, explain(path, err)
	}
	return pool, nil
}

func openPool(path string, connections int, options url.Values) (*sql.DB, error) {
	options.Set("_busy_timeout", fmt.Sprint(patience.Milliseconds()))
	options.Set("_stmt_cache_size", fmt.Sprint(statements))
	pool, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, explain(path, err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// locked tells whether an error is another process's lock.
func locked(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) && (failure.Code == sqlite3.ErrBusy || failure.Code == sqlite3.ErrLocked)
}
