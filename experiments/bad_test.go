package experiments

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the expected messages and schema.json anew")

// TestBadStudies holds the exact messages that mistakes get. Each archive in
// testdata/bad has a study.yaml, perhaps what it extends, the --set arguments
// in its first lines, and under want the whole error.
func TestBadStudies(t *testing.T) {
	paths, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(paths) < 25 {
		t.Fatalf("found %d archives in testdata/bad (%v), want at least 25", len(paths), err)
	}
	for _, path := range paths {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			var want *txtar.File
			for i := range archive.Files {
				f := &archive.Files[i]
				if f.Name == "want" {
					want = f
				} else if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err = Load("study.yaml", strings.Fields(string(archive.Comment)))
			if err == nil {
				t.Fatal("Load accepts it")
			}
			checkErrors(t, err)
			got := []byte(err.Error() + "\n")
			switch {
			case *update:
				want.Data = got
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			case !bytes.Equal(got, want.Data):
				t.Errorf("Load says\n%s\nwant\n%s", got, want.Data)
			}
		})
	}
}

// checkErrors checks that each of the joined errors is an *Error with a place.
func checkErrors(t *testing.T, err error) {
	t.Helper()
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for i, err := range all {
		var e *Error
		more := i == maxProblems && strings.HasPrefix(err.Error(), "and ")
		if !more && (!errors.As(err, &e) || e.File == "" || e.File != override && e.Line == 0) {
			t.Errorf("%q has no place", err)
		}
	}
}

func TestLoadRefusesFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bomb := "study: a\nx0: &x0 [1, 1, 1, 1, 1, 1, 1, 1]\n"
	for i := '1'; i <= '9'; i++ {
		last := string(i - 1)
		bomb += "x" + string(i) + ": &x" + string(i) + " [" + strings.Repeat("*x"+last+", ", 8) + "*x" + last + "]\n"
	}
	for _, c := range []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.yaml"), "none.yaml: cannot be read: no such file"},
		{"folder", dir, "cannot be read: is a directory"},
		{"10 MB", write("big.yaml", "study: a\n"+strings.Repeat("# ten bytes\n", 1<<20)), "cannot be read: larger than 256 KB"},
		{"bomb", write("bomb.yaml", bomb), "more than 10000 values"},
		{"deep flow", write("flow.yaml", "study: a\nx: "+strings.Repeat("[", 100_000)), "flow.yaml:"},
		{"deep block", write("block.yaml", "study: a\nx:\n "+strings.Repeat("- ", 100_000)+"1"), "block.yaml:"},
		{"not UTF-8", write("latin1.yaml", "study: a\nquestion: caf\xe9\n"), "latin1.yaml:2: not UTF-8 text"},
		{"UTF-16", write("utf16.yaml", "\xff\xfes\x00t\x00"), "utf16.yaml:1: not UTF-8 text"},
		{"binary", write("db.yaml", "SQLite format 3\x00\x10"), "db.yaml:1: control character U+0000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(c.path, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load says %v, want %q", err, c.want)
			}
			if missing := c.name == "missing"; errors.Is(err, fs.ErrNotExist) != missing {
				t.Errorf("errors.Is(err, fs.ErrNotExist) is not %v", missing)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	words := []string{"epochs", "batch_images", "optimizer", "beam"}
	for word, want := range map[string]string{
		"epoch": "epochs", "Epochs": "epochs", "batchimages": "batch_images", "optimiser": "optimizer",
		"bema": "beam", "batch_size": "batch_images", "batch_": "batch_images", "_size": "", "frobnicate": "", "": "", strings.Repeat("x", 500): "",
	} {
		if got := Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
