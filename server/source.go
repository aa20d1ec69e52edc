package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"glimpse/internal/crash"
	"glimpse/internal/store"
)

// A source is a results database that is shown, whether it can be read or not.
type source struct {
	name string // in URLs
	path string // absolute

	mu      sync.Mutex
	handle  *handle // nil while it cannot be read
	failure error   // why not
	tried   stamp   // of the file when it was opened, or could not be
	studies map[string]*study
	version uint64 // counts what was written, as far as it was noticed

	watch *store.Watch // the watcher's alone
}

// A handle keeps a database open until its last user is done.
type handle struct {
	db   *store.DB
	uses sync.WaitGroup
}

// A stamp tells whether a file was written or replaced.
type stamp struct {
	info os.FileInfo
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info}
}

func (s stamp) equal(other stamp) bool {
	if s.info == nil || other.info == nil {
		return s.info == other.info
	}
	return os.SameFile(s.info, other.info) && s.info.ModTime().Equal(other.info.ModTime()) && s.info.Size() == other.info.Size()
}

// errAbsent is shown for a database that is not there.
var errAbsent = errors.New("the database does not exist: it was removed, or nothing was recorded yet; the page updates once it appears")

// use gives the open database until done is called.
func (s *source) use() (db *store.DB, done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle == nil {
		return nil, nil, s.failure
	}
	h := s.handle
	h.uses.Add(1)
	return h.db, h.uses.Done, nil
}

// with has f work with the open database. A fault of the program in it is an error.
func (s *source) with(f func(db *store.DB) error) (err error) {
	db, done, err := s.use()
	if err != nil {
		return err
	}
	defer done()
	defer crash.Recover(&err)
	return f(db)
}

// current is the version of what the database holds.
func (s *source) current() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// look opens the database if it can and is not open, closes it if it is gone, and says whether
// anything changed. It is called by the watcher alone.
func (s *source) look(ctx context.Context) (changed bool) {
	if s.watch != nil {
		written, err := s.watch.Changed(ctx)
		copied := s.handle.db.Copied() && !s.tried.equal(stampOf(s.path))
		if err == nil && !copied {
			if written {
				s.mu.Lock()
				s.version++
				s.mu.Unlock()
			}
			return written
		}
		s.close(err)
		changed = true
	}
	now := stampOf(s.path)
	if s.failure != nil && now.equal(s.tried) && !errors.Is(s.failure, store.ErrLocked) {
		return changed // as before
	}
	s.tried = now
	db, err := store.OpenReadOnly(s.path)
	if err == nil {
		s.watch, err = db.Watch(ctx)
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (%s)", errAbsent, s.path)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		changed = changed || s.failure == nil || s.failure.Error() != err.Error()
		s.failure = err
	} else {
		s.handle, s.failure, changed = &handle{db: db}, nil, true
	}
	if changed {
		s.version++
		s.studies = map[string]*study{}
	}
	return changed
}

// close lets the database go, once nobody uses it any more.
func (s *source) close(why error) {
	if s.watch != nil {
		_ = s.watch.Close() // of a database that is only read
		s.watch = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.handle; h != nil {
		s.handle, s.failure = nil, why
		go func() {
			h.uses.Wait()
			_ = h.db.Close() // it was only read
		}()
	}
}

// folder is where the database lies, beside which its runs have theirs.
func (s *source) folder() string { return filepath.Dir(s.path) }
