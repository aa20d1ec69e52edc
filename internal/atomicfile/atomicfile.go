// Package atomicfile writes files that are there whole or not at all: whoever
// looks, and whatever stops the writer, finds the file of before or the new one.
//
// It takes a path and a function that writes, and imports none of the project's
// packages. What a killed writer leaves is a file beside the path, whose name is
// that of the path with a random part and ".tmp" added.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write lets fill write a file beside path, flushes it to the disk and renames
// it to path, in place of what is there, whose mode it takes. An error leaves path as it was,
// save one of flushing the folder, after which the new file may be there.
func Write(path string, fill func(io.Writer) error) error { return write(path, 0, fill) }

// WriteMode is Write, with the mode that a file has that was not there.
func WriteMode(path string, mode fs.FileMode, fill func(io.Writer) error) error {
	return write(path, mode, fill)
}

// write is WriteMode; mode 0 is what the umask leaves.
func write(path string, mode fs.FileMode, fill func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	temporary := beside(path)
	at := mode
	if mode == 0 {
		at = 0o666
	}
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, at)
	if err == nil {
		if mode != 0 {
			_ = f.Chmod(mode) // what the umask took away; where that cannot be had, fewer may read it
		}
		err = errors.Join(fill(f), f.Sync(), f.Close())
		if err == nil {
			err = os.Rename(temporary, path)
		}
		if err == nil {
			return syncFolder(path)
		}
		_ = os.Remove(temporary)
	}
	return fmt.Errorf("writing %s: %w", path, err)
}

// Create lets fill make a file or a folder at a path beside path and, once that
// is done, gives it its name. Flushing to the disk is for fill to do. What is
// there already is never replaced: the error is then fs.ErrExist.
func Create(path string, fill func(temporary string) error) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return fmt.Errorf("making %s: %w", path, err)
	}
	temporary := beside(path)
	err := fill(temporary)
	if err == nil {
		err = move(temporary, path)
	}
	if err != nil {
		_ = os.RemoveAll(temporary)
		return fmt.Errorf("making %s: %w", path, err)
	}
	return syncFolder(path)
}

// beside makes up a name that nobody else does.
func beside(path string) string { return path + "." + rand.Text()[:10] + ".tmp" }

// move renames where nothing is. Renaming a file would replace one that was
// made meanwhile, and linking it does not; some filesystems know no links.
func move(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil || info.IsDir() {
		return errors.Join(err, os.Rename(from, to))
	}
	err = os.Link(from, to)
	if err == nil {
		return os.Remove(from)
	}
	if _, taken := os.Lstat(to); taken == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

// syncFolder flushes the names in the folder of path.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if err != nil {
		return fmt.Errorf("flushing the folder of %s: %w", path, err)
	}
	return nil
}
