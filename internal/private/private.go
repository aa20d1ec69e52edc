// Package private makes files and folders that their owner alone may read: databases,
// logs and checkpoints say more of a machine and of its data than a report does. What
// is there already keeps its mode.
//
// Whoever shares a folder of runs with a group does so once, with chmod g+rwxs: what is
// made in a folder that its group may write to is the group's as well. It must not
// import any other package of this module.
package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const groupWrites = 0o020

// Mode is the mode of a new file in a folder.
func Mode(folder string) fs.FileMode {
	if info, err := os.Stat(folder); err == nil && info.Mode()&groupWrites != 0 {
		return 0o660
	}
	return 0o600
}

// OpenFile opens a file by these flags of [os.OpenFile]. One that it makes is its owner's, as [Mode] says.
func OpenFile(path string, flags int) (*os.File, error) {
	mode := Mode(filepath.Dir(path))
	_, missing := os.Lstat(path)
	file, err := os.OpenFile(path, flags, mode)
	if err == nil && errors.Is(missing, fs.ErrNotExist) && mode&groupWrites != 0 {
		_ = file.Chmod(mode) // what the umask took away; where that cannot be had, fewer may read it
	}
	return file, err
}

// Folder makes a folder for its owner alone, with those above it that are missing. One that is there stays as it is.
func Folder(path string) error { return os.MkdirAll(path, 0o700) }

// Subfolder makes a folder below one that is there, for its owner and for those whom [Mode] gives files in that one.
// One that is there already stays as it is.
func Subfolder(path string) error {
	err := NewSubfolder(path)
	if errors.Is(err, fs.ErrExist) {
		return os.MkdirAll(path, 0o700) // an error only where it is no folder
	}
	return err
}

// NewSubfolder is [Subfolder] for a folder that must not be there: for one that is, the error is [fs.ErrExist].
func NewSubfolder(path string) error {
	mode := Mode(filepath.Dir(path))
	if err := os.Mkdir(path, 0o700); err != nil || mode&groupWrites == 0 {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Chmod(path, info.Mode()|0o070) // with the set-group-ID bit that it has of its parent
}
