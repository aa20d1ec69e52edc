// Package atomicfile writes files that are there whole or not at all: whoever
// looks, and whatever stops the writer, finds the file of before or the new one.
//
// It takes a path and a function that writes, and imports none of the project's
// packages. What a killed writer leaves is a file or a folder beside the path, of a
// name that no other program reads anything into: ".glimpse-", ten random characters
// and ".tmp". Its maker holds a lock on it for as long as it lives, so that the next
// process that writes into the same folder can tell, and removes it ([Sweep]).
package atomicfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteError is returned where something could not be written, whatever the reason:
// a disk that is full or fails, a quota, a filesystem that is read-only or gone, a
// folder that somebody removed, a missing permission. An error of the function that
// fills a file is none, unless it comes from writing to that file.
type WriteError struct {
	Path string
	Err  error
}

// Error leaves out the system call and the temporary name.
func (e *WriteError) Error() string {
	reason := e.Err
	switch err := reason.(type) {
	case *fs.PathError:
		reason = err.Err
	case *os.LinkError:
		reason = err.Err
	}
	return fmt.Sprintf("writing %s: %v", e.Path, reason)
}

// Unwrap returns the reason.
func (e *WriteError) Unwrap() error { return e.Err }

// Write lets fill write a file beside path, flushes it to the disk and renames
// it to path, in place of what is there, whose mode it takes. An error leaves path as it was,
// save one of flushing the folder, after which the new file may be there.
func Write(path string, fill func(io.Writer) error) error {
	return write(path, 0o666, false, fill)
}

// WriteMode is Write, with the mode that a file has that was not there.
func WriteMode(path string, mode fs.FileMode, fill func(io.Writer) error) error {
	return write(path, mode, true, fill)
}

// write is WriteMode where the mode is exact, and leaves it to the umask where it is not.
func write(path string, mode fs.FileMode, exact bool, fill func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil {
		mode, exact = info.Mode().Perm(), true
	}
	temporary, err := hold(filepath.Dir(path), func(name string) error {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o600)
		if err != nil {
			return err
		}
		return f.Close()
	})
	if err != nil {
		return &WriteError{path, err}
	}
	defer temporary.release()
	f, err := os.OpenFile(temporary.path, os.O_WRONLY, 0)
	if err != nil {
		return &WriteError{path, err}
	}
	if exact {
		_ = f.Chmod(mode) // what the umask took away; where that cannot be had, fewer may read it
	}
	if err := fillAndClose(f, path, fill); err != nil {
		return err
	}
	if err := os.Rename(temporary.path, path); err != nil {
		return &WriteError{path, err}
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return &WriteError{path, err}
	}
	return nil
}

// fillAndClose fills a file that is to become path, flushes and closes it.
func fillAndClose(f *os.File, path string, fill func(io.Writer) error) error {
	to := &writer{f: f}
	filled := fill(to)
	synced, closed := f.Sync(), f.Close()
	if filled != nil && to.failed == nil {
		return fmt.Errorf("writing %s: %w", path, filled)
	}
	if err := cmp.Or(to.failed, synced, closed); err != nil {
		return &WriteError{path, err}
	}
	return nil
}

// writer remembers that a write failed, whatever becomes of the error.
type writer struct {
	f      *os.File
	failed error
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil && w.failed == nil {
		w.failed = err
	}
	return n, err
}

// Create lets fill make a file or a folder at a path of its own, in a temporary folder
// beside path, and, once that is done, moves it to path. Flushing to the disk is for fill
// to do. What is there already is never replaced: the error is then fs.ErrExist.
func Create(path string, fill func(temporary string) error) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return fmt.Errorf("making %s: %w", path, err)
	}
	temporary, err := hold(filepath.Dir(path), folder)
	if err != nil {
		return &WriteError{path, err}
	}
	defer temporary.release()
	made := filepath.Join(temporary.path, filepath.Base(path))
	if err := fill(made); err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	err = move(made, path)
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("making %s: %w", path, err)
	case err != nil:
		return &WriteError{path, err}
	}
	return nil
}

// move renames where nothing is. Renaming a file would replace one that was
// made meanwhile, and linking it does not; some filesystems know no links.
func move(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.Rename(from, to)
	}
	if err = os.Link(from, to); err == nil {
		return nil
	}
	if _, taken := os.Lstat(to); taken == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

// syncFolder flushes the names in a folder.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if err != nil {
		return fmt.Errorf("flushing the folder: %w", err)
	}
	return nil
}
