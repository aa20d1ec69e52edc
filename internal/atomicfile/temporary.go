package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"golang.org/x/sys/unix"
)

// ours matches the names of temporary files and folders.
var ours = regexp.MustCompile(`^\.glimpse-[A-Z2-7]{10}\.tmp$`)

// temporary is a file or a folder on its way. Its maker holds a lock on it, where the
// filesystem knows locks; elsewhere nobody can tell whether the maker lives, and what a
// killed one leaves stays.
type temporary struct {
	path string
	lock *os.File
}

// Folder makes a temporary folder in dir, or where dir is "" in that of the system, for whatever takes more than one
// file to make. release removes it.
func Folder(dir string) (path string, release func(), err error) {
	if dir == "" {
		dir = os.TempDir()
	}
	t, err := hold(dir, folder)
	if err != nil {
		return "", nil, &WriteError{dir, err}
	}
	return t.path, t.release, nil
}

// folder makes a folder that is its maker's alone.
func folder(path string) error { return os.Mkdir(path, 0o700) }

// hold makes something in dir by a name that nobody else makes up, and locks it.
func hold(dir string, make func(path string) error) (*temporary, error) {
	sweepOnce(dir)
	for {
		t := &temporary{path: filepath.Join(dir, ".glimpse-"+rand.Text()[:10]+".tmp")}
		err := make(t.path)
		if err != nil {
			return nil, err
		}
		if t.lock, err = os.Open(t.path); err == nil && t.claim() {
			return t, nil
		}
		t.release()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		// Somebody swept it away before it was locked: once more.
	}
}

// claim locks what was just made, and tells whether it is still there.
func (t *temporary) claim() bool {
	if errors.Is(flock(t.lock), unix.EWOULDBLOCK) {
		return false
	}
	opened, err := t.lock.Stat()
	named, gone := os.Lstat(t.path)
	return err == nil && gone == nil && os.SameFile(opened, named)
}

// release removes what is still there by its temporary name.
func (t *temporary) release() {
	_ = os.RemoveAll(t.path)
	if t.lock != nil {
		_ = t.lock.Close()
	}
}

// swept are the folders that this process has swept.
var swept sync.Map

func sweepOnce(dir string) {
	if _, done := swept.LoadOrStore(dir, nil); !done {
		_, _ = Sweep(dir, false)
	}
}

// Sweep removes from a folder the temporary files and folders of writers that are dead, and
// gives the bytes that these took; with dry it only counts. [Write], [Create] and [Folder] do
// it in each folder that a process writes into, the first time.
func Sweep(dir string, dry bool) (bytes int64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("looking for what killed processes left: %w", err)
	}
	for _, entry := range entries {
		if !ours.MatchString(entry.Name()) || !entry.IsDir() && !entry.Type().IsRegular() {
			continue
		}
		freed, failed := sweep(filepath.Join(dir, entry.Name()), dry)
		bytes, err = bytes+freed, errors.Join(err, failed)
	}
	return bytes, err
}

// sweep removes one of them unless its maker holds it, or nobody can tell.
func sweep(path string, dry bool) (bytes int64, err error) {
	lock, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, nil // gone meanwhile, or somebody else's
	}
	defer func() { _ = lock.Close() }()
	if flock(lock) != nil {
		return 0, nil
	}
	err = filepath.WalkDir(path, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, gone := entry.Info(); gone == nil {
				bytes += info.Size()
			}
		}
		return err
	})
	if err == nil && !dry {
		err = os.RemoveAll(path)
	}
	if err != nil {
		return 0, fmt.Errorf("removing what a killed process left: %w", err)
	}
	return bytes, nil
}

// flock takes the lock of a file or folder, unless another holds it (unix.EWOULDBLOCK) or there are no locks (other errors).
func flock(file *os.File) error {
	for {
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
