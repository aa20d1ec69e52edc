package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestModes(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		defer syscall.Umask(syscall.Umask(umask))
		dir := t.TempDir()
		at := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		make := func(path string) {
			t.Helper()
			f, err := OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
			must(err)
			must(f.Close())
		}
		must(Folder(at("runs")))
		must(Subfolder(at("runs", "own")))
		must(Subfolder(at("runs", "own"))) // again
		make(at("runs", "own", "log"))
		must(os.WriteFile(at("old"), nil, 0o600))
		must(os.Chmod(at("old"), 0o644))
		make(at("old"))
		must(os.Chmod(at("runs"), 0o770|fs.ModeSetgid)) // shared with a group, once
		must(Folder(at("runs")))
		must(Subfolder(at("runs", "shared")))
		make(at("runs", "shared", "log"))
		must(Subfolder(at("runs", "own")))
		for path, want := range map[string]fs.FileMode{
			at("runs"): 0o770, at("runs", "own"): 0o700, at("runs", "own", "log"): 0o600, at("old"): 0o644,
			at("runs", "shared"): 0o770, at("runs", "shared", "log"): 0o660,
		} {
			info, err := os.Stat(path)
			must(err)
			if got := info.Mode().Perm(); got != want {
				t.Errorf("umask %03o: %s has mode %o, want %o", umask, path, got, want)
			}
		}
		if info, err := os.Stat(at("runs", "shared")); err != nil || info.Mode()&fs.ModeSetgid == 0 {
			t.Errorf("umask %03o: the group of the shared folder is not handed on", umask)
		}
		if err := NewSubfolder(at("runs", "shared")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a folder that is there is made anew: %v", err)
		}
		if err := Subfolder(at("old")); err == nil {
			t.Error("a file was taken for a folder")
		}
		if err := Subfolder(at("missing", "x")); err == nil {
			t.Error("a folder was made below a missing one")
		}
	}
}
