package reports

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	broken "glimpse/internal/faults"
	"glimpse/internal/store"
)

// folderVariable names the folder to a process started to write a report.
const folderVariable = "GLIMPSE_TEST_REPORT"

func TestReportProcess(t *testing.T) {
	dir := os.Getenv(folderVariable)
	if dir == "" {
		t.Skip("runs as a process of another test")
	}
	db := fill(t, store.Study{Name: "begun", Question: "Is it written?"}, nil)
	if err := Write(context.Background(), db, "begun", dir); err != nil {
		t.Fatal(err)
	}
}

// A write of a report fails, each in its turn: every file is there whole or not
// at all, and the next report replaces all.
func TestReportFailedWrites(t *testing.T) {
	if err := broken.Supported(); err != nil {
		t.Skip(err)
	}
	strike := func(t *testing.T, dir string, fault broken.Fault) broken.Result {
		t.Helper()
		c := exec.Command(os.Args[0], "-test.run=^TestReportProcess$")
		c.Env = append(os.Environ(), folderVariable+"="+filepath.Join(dir, "report"))
		result, err := broken.Run(c, dir, fault)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	whole := t.TempDir()
	undisturbed := strike(t, whole, broken.Fault{})
	want := files(t, filepath.Join(whole, "report"))
	if undisturbed.Code != 0 || len(want) < 2 {
		t.Fatalf("undisturbed: %+v, %d files", undisturbed, len(want))
	}
	broken.Each(t, undisturbed.Writes, 4, func(t *testing.T, fault broken.Fault) broken.Result {
		dir := t.TempDir()
		result := strike(t, dir, fault)
		for name, text := range files(t, filepath.Join(dir, "report")) {
			if filepath.Ext(name) != ".tmp" && !bytes.Equal(text, want[name]) {
				t.Errorf("after %s: %s is not whole", result.Struck, name)
			}
		}
		if again := strike(t, dir, broken.Fault{}); again.Code != 0 {
			t.Fatalf("after %s: exit code %d", result.Struck, again.Code)
		}
		for name, text := range files(t, filepath.Join(dir, "report")) {
			if filepath.Ext(name) != ".tmp" && !bytes.Equal(text, want[name]) {
				t.Errorf("after %s, and once more: %s is not whole", result.Struck, name)
			}
		}
		return result
	})
}

// files reads all files of a folder, none if there is no folder.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	for _, entry := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[entry.Name()] = raw
	}
	return found
}
