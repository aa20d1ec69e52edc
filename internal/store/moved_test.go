package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFileGone takes the file of an open database away, or puts another in its
// place: nothing more is written, what it holds can be had, and the other is left alone.
func TestFileGone(t *testing.T) {
	for name, replaced := range map[string]bool{"removed": false, "replaced": true} {
		t.Run(name, func(t *testing.T) {
			db, ctx := open(t), t.Context()
			claim := claimed(t, db)
			reader, err := OpenReadOnly(db.Path())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = reader.Close() }()
			if err := errors.Join(db.InPlace(), reader.InPlace()); err != nil {
				t.Fatal(err)
			}
			rescued := db.Path()
			if err := os.Chmod(db.Path(), 0o640); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if db, err = Open(rescued); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(db.Path()); err != nil {
				t.Fatal(err)
			}
			other := read(t, filled(t, 3))
			if replaced {
				write(t, db.Path(), other)
				rescued = strings.TrimSuffix(db.Path(), ".db") + "-rescued-2.db"
				write(t, strings.TrimSuffix(db.Path(), ".db")+"-rescued-1.db", []byte("of an earlier time"))
			}
			_, beat := db.Beat(ctx, claim)
			for what, err := range map[string]error{
				"a look": db.InPlace(), "a reader's look": reader.InPlace(), "a beat": beat,
				"a checkpoint": db.SaveCheckpoint(ctx, claim, Checkpoint{}),
				"a backup":     db.Backup(ctx, filepath.Join(t.TempDir(), "copy.db")),
			} {
				if !errors.Is(err, ErrMoved) || !strings.Contains(err.Error(), db.Path()) {
					t.Errorf("%s: %v", what, err)
				}
			}
			path, err := db.Rescue(ctx)
			if err != nil || path != rescued {
				t.Fatalf("kept in %q, %v; want %s", path, err, rescued)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("kept with the mode %v, %v", info.Mode(), err)
			}
			kept, err := OpenReadOnly(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = kept.Close() }()
			if run, err := kept.Run(ctx, "aa00"); err != nil || run.State != Running || run.Attempt != 1 {
				t.Errorf("kept is %+v, %v", run, err)
			}
			if replaced && string(read(t, db.Path())) != string(other) {
				t.Error("the file that took its place was changed")
			}
			for _, suffix := range logs {
				if _, err := os.Stat(db.Path() + suffix); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s is left", suffix)
				}
			}
		})
	}
}
