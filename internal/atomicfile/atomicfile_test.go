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
	if isWriteError(err) {
		t.Errorf("an error of the source counts as one of writing: %v", err)
	}
}

func isWriteError(err error) bool { return errors.As(err, new(*WriteError)) }

// TestWhatCannotBeWritten holds that an error of writing is told from others, whatever its cause and wherever it strikes.
func TestWhatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	nothing := func(io.Writer) error { return nil }
	for name, err := range map[string]error{
		"below a file":      Write(filepath.Join(file, "b"), nothing),
		"in no folder":      Write(filepath.Join(dir, "absent", "b"), nothing),
		"over a folder":     Write(dir, nothing),
		"folder in none":    Create(filepath.Join(dir, "absent", "b"), func(string) error { return nil }),
		"nothing was made":  Create(filepath.Join(dir, "b"), func(string) error { return nil }),
		"folder is removed": removedMeanwhile(filepath.Join(dir, "gone")),
		"the device is full": func() error {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				return &WriteError{Err: err} // no such device on this system
			}
			defer func() { _ = full.Close() }()
			return fillAndClose(full, "b", func(w io.Writer) error {
				_, _ = w.Write([]byte("the error of this is dropped"))
				return nil
			})
		}(),
	} {
		if !isWriteError(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
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

// removedMeanwhile writes a file into a folder that is gone before the file has its name.
func removedMeanwhile(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return Write(filepath.Join(dir, "b"), func(io.Writer) error { return os.RemoveAll(dir) })
}
