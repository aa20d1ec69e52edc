package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Whatever the umask, a database, the log beside it, its copies and its exports are their owner's alone; a file that is there
// keeps its mode, and the log takes it.
func TestNewFilesArePrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	modes := func(want fs.FileMode, paths ...string) {
		t.Helper()
		for _, path := range paths {
			info, err := os.Stat(path)
			must(err)
			want := want
			if info.IsDir() {
				want |= want >> 2 & 0o111
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("%s has mode %o, want %o", path, got, want)
			}
		}
	}
	db, err := Open(at("results.db"))
	must(err)
	must(db.SaveStudy(t.Context(), Study{Name: "s"}, nil, Declaration{}, nil))
	modes(0o600, db.Path(), db.Path()+"-wal", db.Path()+"-shm")
	must(db.Backup(t.Context(), at("backup.db")))
	for _, form := range []string{JSONLines, CSV} {
		_, err = db.Export(t.Context(), at(form), form)
		must(err)
		files, err := filepath.Glob(at(form + "/*"))
		must(err)
		modes(0o600, append(files, at(form))...)
	}
	_, err = Import(t.Context(), at(JSONLines), at("imported.db"))
	must(err)
	modes(0o600, at("backup.db"), at("imported.db"))
	must(db.Close())
	modes(0o600, db.Path())

	must(os.Chmod(db.Path(), 0o664)) // shared, once
	db, err = Open(db.Path())
	must(err)
	must(db.SaveStudy(t.Context(), Study{Name: "s2"}, nil, Declaration{}, nil))
	modes(0o664, db.Path(), db.Path()+"-wal", db.Path()+"-shm")
	must(db.Close())
	modes(0o664, db.Path())
}
