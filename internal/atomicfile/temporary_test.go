package atomicfile

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// makerVariable makes the test binary write into a folder and never end.
const makerVariable = "GLIMPSE_TEST_MAKER" // one of makers and the folder

const half = 1 << 20 // bytes that are written by then

var makers = map[string]func(dir string){
	"Write": func(dir string) {
		_ = Write(filepath.Join(dir, "events.out.tfevents"), func(w io.Writer) error {
			_, _ = w.Write(make([]byte, half))
			return linger()
		})
	},
	"Create": func(dir string) {
		_ = Create(filepath.Join(dir, "results.db"), func(temporary string) error {
			_ = os.WriteFile(temporary, make([]byte, half), 0o600)
			return linger()
		})
	},
	"Folder": func(dir string) {
		path, _, _ := Folder(dir)
		_ = os.WriteFile(filepath.Join(path, "a"), make([]byte, half), 0o600)
		_ = linger()
	},
}

func linger() error {
	os.Stdout.WriteString("half done\n")
	time.Sleep(time.Hour)
	return nil
}

func TestMain(m *testing.M) {
	if name, dir, found := strings.Cut(os.Getenv(makerVariable), " "); found {
		makers[name](dir)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestKilledMaker kills processes in the midst of writing: what they leave looks like nobody's file, stays while
// they live, and is removed once they are dead.
func TestKilledMaker(t *testing.T) {
	for name := range makers {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			maker := exec.Command(os.Args[0])
			maker.Env = append(os.Environ(), makerVariable+"="+name+" "+dir)
			out, err := maker.StdoutPipe()
			if err == nil {
				err = maker.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			swept.Delete(dir)
			if err := Write(filepath.Join(dir, "mine"), func(io.Writer) error { return nil }); err != nil {
				t.Error(err)
			}
			if bytes, err := Sweep(dir, false); err != nil || bytes != 0 {
				t.Errorf("of a living process, %d bytes were removed, %v", bytes, err)
			}
			left, _ := filepath.Glob(filepath.Join(dir, ".glimpse-*.tmp"))
			if len(left) != 1 {
				t.Fatalf("while it lives there are %v", left)
			}
			_ = maker.Process.Kill()
			_ = maker.Wait()
			entries, _ := os.ReadDir(dir)
			for _, entry := range entries {
				if strings.Contains(entry.Name(), "tfevents") || strings.HasSuffix(entry.Name(), ".db") {
					t.Errorf("it left %s", entry.Name())
				}
			}
			if bytes, err := Sweep(dir, true); err != nil || bytes != half {
				t.Errorf("it left %d bytes, %v; want %d", bytes, err, half)
			}
			swept.Delete(dir)
			if err := Write(filepath.Join(dir, "mine"), func(io.Writer) error { return nil }); err != nil {
				t.Error(err)
			}
			alone(t, filepath.Join(dir, "mine"), "")
		})
	}
}

// TestSweepLeavesTheRest holds that nothing is removed that is not known to be ours.
func TestSweepLeavesTheRest(t *testing.T) {
	dir := t.TempDir()
	kept := []string{"a.tmp", ".glimpse.tmp", ".glimpse-ABCDEFGHIJ.tmp.db", "x.glimpse-ABCDEFGHIJ.tmp", ".glimpse-abcdefghij.tmp"}
	for _, name := range append(kept, ".glimpse-ABCDEFGHIJ.tmp") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "a.tmp"), filepath.Join(dir, ".glimpse-BBBBBBBBBB.tmp")); err != nil {
		t.Fatal(err)
	}
	if bytes, err := Sweep(dir, false); err != nil || bytes != 1 {
		t.Errorf("%d bytes, %v; want 1", bytes, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != len(kept)+1 {
		t.Errorf("left are %v", entries)
	}
	if _, err := Sweep(filepath.Join(dir, "absent"), false); err == nil {
		t.Error("a folder that is not there was swept")
	}
}
