package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"glimpse/internal/atomicfile"
)

// logs are what SQLite keeps beside a database that is being written: the
// write-ahead log and the memory that processes share.
var logs = []string{"-wal", "-shm"}

// files are those that a database was opened in, by what is added to its path.
type files map[string]os.FileInfo

// filesOf looks at the files of a database that is open.
func filesOf(path string) (files, error) {
	opened := files{}
	for _, suffix := range append([]string{""}, logs...) {
		info, err := os.Stat(path + suffix)
		if err != nil && suffix == "" {
			return nil, fmt.Errorf("open results database: %w", err)
		}
		if err == nil {
			opened[suffix] = info
		}
	}
	return opened, nil
}

// InPlace returns ErrMoved where another file, or none, lies at the database's path
// by now: what is written then goes to a file that nobody will open again, and what
// is read no longer changes.
func (db *DB) InPlace() error {
	if db.opened == nil {
		return nil
	}
	info, err := os.Stat(db.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w: it was removed, or moved elsewhere", db.path, ErrMoved)
	case err == nil && !os.SameFile(info, db.opened[""]):
		return fmt.Errorf("%s: %w: another file took its place", db.path, ErrMoved)
	}
	return nil // or it cannot be told, and that is for reading and writing to say
}

// Rescue writes what a database that is no longer in place holds, which is there as
// long as it is open, to a file: to its own path if nothing is there, else to a new name
// beside it. It returns the path of that file. The copy keeps what runs had come to, so
// that they go on from their checkpoints.
func (db *DB) Rescue(ctx context.Context) (string, error) {
	if db.writer == nil {
		return "", fmt.Errorf("%s: %w", db.path, ErrReadOnly)
	}
	copyTo := func(path string) error {
		return atomicfile.Create(path, func(temporary string) error {
			if err := copyInto(ctx, db.writer, db.path, temporary); err != nil {
				return err
			}
			if err := os.Chmod(temporary, db.opened[""].Mode().Perm()); err != nil { // shared as it was
				return err
			}
			return db.removeLogs()
		})
	}
	path := db.path
	for n := 1; ; n++ {
		err := copyTo(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("what %s held cannot be written: %w", db.path, err)
		}
		ext := filepath.Ext(db.path)
		path = fmt.Sprintf("%s-rescued-%d%s", strings.TrimSuffix(db.path, ext), n, ext)
	}
}

// removeLogs removes the log of a database whose file is gone: SQLite would take it for
// that of the next file of that name, and write it into it. A log that is not
// the one that this process has open is another database's.
func (db *DB) removeLogs() error {
	for _, suffix := range logs {
		info, err := os.Lstat(db.path + suffix)
		if err == nil && db.opened[suffix] != nil && os.SameFile(info, db.opened[suffix]) {
			err = os.Remove(db.path + suffix)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
