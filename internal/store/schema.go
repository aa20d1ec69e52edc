package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one numbered step of the schema.
type migration struct {
	number int
	name   string
	sql    string
}

// migrations are the steps in order: number 1 first, without gaps.
var migrations = loadMigrations()

// newest returns the schema that this program writes.
func newest() int { return len(migrations) }

// readable is the oldest schema that is read without migration. Later ones only add tables that
// readers can do without.
const readable = 6

// loadMigrations reads the embedded files 0001_name.sql and so on. It skips a misnamed file; the
// tests notice.
func loadMigrations() []migration {
	entries, _ := fs.ReadDir(migrationFiles, "migrations")
	var steps []migration
	for _, entry := range entries { // sorted by name
		digits, name, _ := strings.Cut(strings.TrimSuffix(entry.Name(), ".sql"), "_")
		number, err := strconv.Atoi(digits)
		text, readErr := fs.ReadFile(migrationFiles, "migrations/"+entry.Name())
		if err != nil || readErr != nil || number != len(steps)+1 {
			continue
		}
		steps = append(steps, migration{number: number, name: name, sql: string(text)})
	}
	return steps
}

// migrate migrates the schema to step last, which is the newest except when an older schema is
// imported. Each step is a transaction of its own.
func migrate(ctx context.Context, pool *sql.DB, path string, last int) error {
	for {
		done := false
		err := inTx(ctx, pool, func(tx *sql.Tx) error {
			version, err := schemaVersion(ctx, tx)
			if err != nil {
				return err
			}
			if version >= last {
				done = true
				return checkVersion(path, version)
			}
			if version == 0 {
				if _, err := tx.ExecContext(ctx, `CREATE TABLE schema_migrations (
					number     BIGINT NOT NULL PRIMARY KEY,
					name       TEXT   NOT NULL,
					applied_ms BIGINT NOT NULL)`); err != nil {
					return err
				}
			}
			step := migrations[version]
			if _, err := tx.ExecContext(ctx, step.sql); err != nil {
				return fmt.Errorf("migration %d (%s): %w", step.number, step.name, err)
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO schema_migrations (number, name, applied_ms) VALUES (?, ?, ?)",
				step.number, step.name, time.Now().UnixMilli())
			return err
		})
		if err != nil || done {
			return explain(path, err)
		}
	}
}

// Outdated reports whether [Open] would migrate the results database at path to a newer schema,
// permanently. It returns false for a file that another process has open.
func Outdated(path string) (from, to int, outdated bool) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || !noLog(path) {
		return 0, 0, false
	}
	pool, err := openReader(path, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	if err != nil {
		return 0, 0, false
	}
	defer func() { _ = pool.Close() }()
	from, err = schemaVersion(context.Background(), pool)
	return from, newest(), err == nil && from > 0 && from < newest()
}

// spare is how many pages of a file may be free: 1 MB.
const spare = 256

// shrink releases the free space of a file that is mostly free, as a migration leaves it. Others
// may read meanwhile. It fails if there is no room for a copy, or others write. That does no
// harm, and the next process that opens the database tries again.
func shrink(ctx context.Context, pool *sql.DB) {
	var free, pages int
	err := pool.QueryRowContext(ctx, "SELECT freelist_count, page_count FROM pragma_freelist_count, pragma_page_count").Scan(&free, &pages)
	if err == nil && free > spare && free > pages/2 {
		_, _ = pool.ExecContext(ctx, "VACUUM")
	}
}

// querier is a connection pool or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// schemaVersion returns the number of the last migration; 0 for an empty database, and
// ErrNotResults for somebody else's.
func schemaVersion(ctx context.Context, q querier) (int, error) {
	var tables, ours int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(CASE WHEN name = 'schema_migrations' THEN 1 END)
		FROM sqlite_master WHERE type = 'table'`).Scan(&tables, &ours)
	if err != nil {
		return 0, err
	}
	if ours == 0 {
		if tables > 0 {
			return 0, fmt.Errorf("%w: it is another program's SQLite database", ErrNotResults)
		}
		return 0, nil
	}
	var version int
	if err := q.QueryRowContext(ctx, "SELECT COALESCE(MAX(number), 0) FROM schema_migrations").Scan(&version); err != nil {
		if !isSQL(err) {
			return 0, err
		}
		return 0, fmt.Errorf("%w: its table schema_migrations is not glimpse's (%w)", ErrNotResults, err)
	}
	return version, nil
}

func checkVersion(path string, version int) error {
	if version > newest() {
		return fmt.Errorf("%s: %w: it has schema %d, this program knows %d; upgrade glimpse, or use another --db", path, ErrNewer, version, newest())
	}
	return nil
}

// checkLimit bounds the size of files that are checked in full each time they are opened, in a
// fraction of a second. Larger files are checked only by [DB.Check].
const checkLimit = 64 << 20

// inspect checks a file before it is opened for writing: it must be absent, empty, or a results
// database that this program understands. It writes nothing.
func inspect(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return fmt.Errorf("open results database: its directory: %w; create it first, or use another --db", err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("open results database: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w: it is not a regular file", path, ErrNotResults)
	}
	if info.Size() == 0 {
		return nil
	}
	if err := checkHeader(path); err != nil {
		return err
	}
	if _, err := os.Stat(path + "-journal"); err == nil {
		return nil // a write was cut off: SQLite must roll it back before anything can be read
	}
	options := url.Values{"mode": {"ro"}}
	if noLog(path) {
		// Without a log nobody has the file open, and reading it as it lies
		// leaves no traces beside it.
		options.Set("immutable", "1")
	}
	err = inspectWith(path, info.Size(), options)
	if err != nil && options.Has("immutable") {
		// Another process may just have opened it: check again with locks.
		options.Del("immutable")
		if again := inspectWith(path, info.Size(), options); again == nil {
			return nil
		}
	}
	return err
}

func inspectWith(path string, size int64, options url.Values) error {
	pool, err := openReader(path, options)
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	ctx := context.Background()
	if _, err := vet(ctx, pool, path); err != nil {
		return err
	}
	if size > checkLimit {
		return nil
	}
	if err := integrity(ctx, pool, "quick_check"); err != nil {
		return explain(path, err)
	}
	return nil
}

// vet rejects a database that is not glimpse's, or has a newer schema, before any of its tables
// is read or written. It returns the schema; 0 for an empty database.
func vet(ctx context.Context, q querier, path string) (version int, err error) {
	version, err = schemaVersion(ctx, q)
	if err == nil && version > 0 && version <= newest() {
		if err = checkShape(ctx, q, version); err == nil {
			err = checkNames(ctx, q)
		}
	}
	if errors.Is(err, ErrNotResults) {
		return 0, fmt.Errorf("%s: %w; nothing was changed: use another --db", path, err)
	}
	if err != nil {
		return 0, explain(path, err)
	}
	return version, checkVersion(path, version)
}

// checkNames rejects a database with names of runs or studies that lead out of their folder: they
// name files and folders, and this program gives no such names.
func checkNames(ctx context.Context, q querier) error {
	var name string
	err := q.QueryRowContext(ctx, `SELECT name FROM (SELECT id AS name FROM runs UNION ALL SELECT name FROM studies)
		WHERE name = '' OR name LIKE '.%' OR name LIKE '%/%' OR name LIKE '%\%' LIMIT 1`).Scan(&name)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%w: the name %q of a run or study leads out of its folder", ErrNotResults, name)
}

// checkHeader reads the 16 bytes that every SQLite file starts with
// (https://www.sqlite.org/fileformat.html, section 1.3.1).
func checkHeader(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open results database: %w", err)
	}
	defer func() { _ = f.Close() }()
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(f, head); err != nil || string(head) != magic {
		return fmt.Errorf("%s: %w: it is not a SQLite file; nothing was changed: use another --db", path, ErrNotResults)
	}
	return nil
}

// noLog reports whether a database has no write-ahead log beside it.
func noLog(path string) bool {
	_, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist)
}

// integrity runs one of SQLite's checks and returns what it finds.
func integrity(ctx context.Context, q querier, check string) error {
	rows, err := q.QueryContext(ctx, "PRAGMA "+check+"(5)")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var found []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		if line != "ok" {
			found = append(found, line)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("%w: %s; restore a backup, or use another --db", ErrDamaged, strings.Join(found, "; "))
	}
	return nil
}
