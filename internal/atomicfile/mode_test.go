package atomicfile

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A new file has the mode that is asked for, whatever the umask, or what the umask leaves; one that is replaced keeps its own.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	for _, c := range []struct {
		name   string
		there  bool
		before fs.FileMode
		write  func(path string) error
		want   fs.FileMode
	}{
		{"new", false, 0, func(path string) error { return Write(path, text) }, 0o644},
		{"new and private", false, 0, func(path string) error { return WriteMode(path, 0o600, text) }, 0o600},
		{"new and the group's", false, 0, func(path string) error { return WriteMode(path, 0o660, text) }, 0o660},
		{"old and private", true, 0o600, func(path string) error { return Write(path, text) }, 0o600},
		{"old and for all", true, 0o664, func(path string) error { return WriteMode(path, 0o600, text) }, 0o664},
		{"old and for reading", true, 0o444, func(path string) error { return Write(path, text) }, 0o444},
		{"old and for nobody", true, 0, func(path string) error { return Write(path, text) }, 0},
	} {
		path := filepath.Join(t.TempDir(), "x")
		if c.there {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.before); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.write(path); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != c.want || info.Size() == 0 {
			t.Errorf("%s: %v, %v, want mode %o", c.name, info, err, c.want)
		}
	}
}

func text(w io.Writer) error {
	_, err := io.WriteString(w, "text")
	return err
}
