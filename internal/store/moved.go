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

// logs are the suffixes of the files that SQLite keeps beside a database in use: the write-ahead
// log and the shared memory.
var logs = []string{"-wal", "-shm"}

// files are the files of an open database, by the suffix of their path.
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

// InPlace returns ErrMoved if the database's path no longer leads to the open file: writes would
// go to a file that nobody will open again, and reads would see no changes.
func (db *DB) InPlace() error {
	if db.opened == nil {
		return nil
	}
	info, err := os.Stat(db.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w: no file is there any more", db.path, ErrMoved)
	case err == nil && !os.SameFile(info, db.opened[""]):
		return fmt.Errorf("%s: %w: another file has replaced it", db.path, ErrMoved)
	}
	return nil // in place, or unknown: then reading and writing will fail
}

// Rescue saves the contents of a database that is no longer in place: they exist only while it is
// open. It writes to the database's own path if that is free, else to a new name beside it, and
// returns the path. The copy has the state of all runs, so that they resume from their
// checkpoints.
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
			return "", fmt.Errorf("cannot save the contents of %s: %w", db.path, err)
		}
		ext := filepath.Ext(db.path)
		path = fmt.Sprintf("%s-rescued-%d%s", strings.TrimSuffix(db.path, ext), n, ext)
	}
}

// removeLogs removes the log of a database whose file is gone: SQLite would apply it to the next
// file of that name. A log that this process did not open belongs to another database and stays.
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
