package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"time"

	"github.com/mattn/go-sqlite3"
)

// readers bounds the connections that read.
const readers = 4

// statements is how many prepared statements a connection caches: enough for all that are used
// once per run.
const statements = 64

// patience is how long a statement waits for another process's lock. Tests wait
// less.
var patience = 30 * time.Second

func openWriter(path string) (*sql.DB, error) {
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	pool := openPool(path, 1, writing("WAL", "FULL"))
	// Switching to WAL mode needs exclusive access, and SQLite does not wait for it.
	deadline := time.Now().Add(patience)
	var err error
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
		err = fmt.Errorf("the journal mode is %s, not WAL: put the results database on a local filesystem with shared memory", mode)
	}
	if err != nil {
		_ = pool.Close()
		return nil, explain(path, err)
	}
	return pool, nil
}

// openUnshared opens a new file that no other process uses, and that is worthless until the
// caller has flushed it to disk: so it needs no log and no waiting for the disk.
func openUnshared(path string) (*sql.DB, error) {
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	pool := openPool(path, 1, writing("MEMORY", "OFF"))
	if err := pool.Ping(); err != nil {
		_ = pool.Close()
		return nil, explain(path, err)
	}
	return pool, nil
}

// writing returns the options of a connection that writes.
func writing(journal, synchronous string) url.Values {
	return url.Values{
		"mode":          {"rwc"},
		"_journal_mode": {journal},
		"_synchronous":  {synchronous},
		"_foreign_keys": {"on"},
		"_txlock":       {"immediate"},
	}
}

func openReader(path string, options url.Values) (*sql.DB, error) {
	pool := openPool(path, min(readers, max(2, runtime.NumCPU())), options)
	if err := pool.Ping(); err != nil {
		_ = pool.Close()
		return nil, explain(path, err)
	}
	return pool, nil
}

func openPool(path string, connections int, options url.Values) *sql.DB {
	options.Set("_busy_timeout", fmt.Sprint(patience.Milliseconds()))
	options.Set("_stmt_cache_size", fmt.Sprint(statements))
	pool := sql.OpenDB(connector("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options.Encode()))
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool
}

// connector is the data source name of connections that do not trust the file: its schema may not
// call functions with side effects, and pages with overlapping cells are detected before they are
// read.
type connector string

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(string(c)) }

// Driver implements driver.Connector.
func (connector) Driver() driver.Driver {
	return &sqlite3.SQLiteDriver{ConnectHook: func(conn *sqlite3.SQLiteConn) error {
		_, err := conn.Exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", nil)
		return errors.Join(err, registerPack(conn))
	}}
}

// locked reports whether an error is due to another process's lock.
func locked(err error) bool {
	var failure sqlite3.Error
	return errors.As(err, &failure) && (failure.Code == sqlite3.ErrBusy || failure.Code == sqlite3.ErrLocked)
}
