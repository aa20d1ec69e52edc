package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestCaptionerIn holds the order of folders, and what is said where the choice is not clear.
func TestCaptionerIn(t *testing.T) {
	dir := t.TempDir()
	folder := func(name string, files ...string) string {
		path := filepath.Join(dir, name)
		for _, file := range files {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(path, file), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	none, readme := folder("none"), folder("readme", "README.md")
	one, two := folder("one", "soft.safetensors", "README.md"), folder("two", "none.safetensors", "soft.safetensors")
	three := filepath.Dir(folder(filepath.Join("three", "study"), "soft.safetensors"))
	folder(filepath.Join("three", "study", "deeper"), "soft.safetensors")
	for _, c := range []struct {
		name    string
		folders []string
		named   string
		want    string // the file, or part of the error
	}{
		{"the only one", []string{none, readme, one, two}, "", filepath.Join(one, "soft.safetensors")},
		{"first folder", []string{one, two}, "soft", filepath.Join(one, "soft.safetensors")},
		{"by name", []string{one, two}, "none", filepath.Join(two, "none.safetensors")},
		{"by file name", []string{two}, "soft.safetensors", filepath.Join(two, "soft.safetensors")},
		{"below", []string{none, three}, "study/soft", filepath.Join(three, "study", "soft.safetensors")},
		{"not one below", []string{three, one}, "", filepath.Join(one, "soft.safetensors")},
		{"only below", []string{three}, "", "choose a run with --run"},
		{"not the last part alone", []string{three}, "soft", `no captioner "soft"; available: study/soft`},
		{"several", []string{two, one}, "", "choose one with --captioner: none and soft"},
		{"nothing there", []string{none, readme}, "", "choose a run with --run"},
		{"unknown", []string{one}, "hard", `no captioner "hard"; available: soft`},
		{"unknown, nothing there", []string{none}, "hard", "no such file, and none in"},
	} {
		got, err := captionerIn(c.folders, c.named)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A shared cache may hold folders that only their owner can read: the others are found nevertheless.
func TestCaptionersBesideAClosedFolder(t *testing.T) {
	folder := closed{fstest.MapFS{"one.safetensors": {}, "study/two.safetensors": {}, "theirs/three.safetensors": {}}}
	names, err := captionersIn(folder)
	if err != nil || !slices.Equal(names, []string{"one", "study/two"}) {
		t.Errorf("%q, %v", names, err)
	}
}

// closed is a file system whose folder "theirs" may not be read.
type closed struct{ fstest.MapFS }

func (c closed) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "theirs" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return c.MapFS.ReadDir(name)
}
