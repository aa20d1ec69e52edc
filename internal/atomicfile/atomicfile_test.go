package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// alone checks that a folder holds one file, with that content.
func alone(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", filepath.Base(path), got, err, want)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left beside it: %v, %v", entries, err)
	}
}

func TestWriteReplacesAsAWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	for _, s := range []string{"old and long", "new"} {
		if err := Write(path, text(s)); err != nil {
			t.Fatal(err)
		}
		alone(t, path, s)
	}
	broken := errors.New("the source broke")
	err := Write(path, func(w io.Writer) error { return errors.Join(text("half")(w), broken) })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	alone(t, path, "new")
	if err := Write(filepath.Join(path, "b"), text("x")); err == nil {
		t.Error("a file was written below a file")
	}
}

func TestCreateNeverReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.db")
	file := func(temporary string) error { return os.WriteFile(temporary, []byte("first"), 0o600) }
	if err := Create(path, file); err != nil {
		t.Fatal(err)
	}
	called := false
	err := Create(path, func(string) error { called = true; return nil })
	if !errors.Is(err, fs.ErrExist) || called {
		t.Errorf("over a file: %v, called %v", err, called)
	}
	alone(t, path, "first")

	// Somebody is faster.
	path = filepath.Join(t.TempDir(), "c.db")
	err = Create(path, func(temporary string) error {
		return errors.Join(os.WriteFile(path, []byte("theirs"), 0o600), file(temporary))
	})
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file made meanwhile: %v", err)
	}
	alone(t, path, "theirs")

	folder := filepath.Join(t.TempDir(), "d")
	err = Create(folder, func(temporary string) error {
		return errors.Join(os.Mkdir(temporary, 0o700), file(filepath.Join(temporary, "x")))
	})
	if err != nil {
		t.Fatal(err)
	}
	alone(t, filepath.Join(folder, "x"), "first")
	broken := errors.New("it broke")
	err = Create(folder+"2", func(temporary string) error { return errors.Join(os.Mkdir(temporary, 0o700), broken) })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(folder)); len(entries) != 1 {
		t.Errorf("a failed folder was left: %v", entries)
	}
}
