package store

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"glimpse/internal/faults"
)

// compactingVariable names a database to a process that is started to bring it up to date.
const compactingVariable = "GLIMPSE_TEST_COMPACTING"

func TestCompactingProcess(t *testing.T) {
	path := os.Getenv(compactingVariable)
	if path == "" {
		t.Skip("runs as a process of other tests")
	}
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCompactingFailedWrites lets writes fail while a database is brought up to date: it is whole,
// of one schema or the other, and the next process completes it.
func TestCompactingFailedWrites(t *testing.T) {
	if err := faults.Supported(); err != nil {
		t.Skip(err)
	}
	db := full(t)
	manyCaptions(t, db, 300)
	old := read(t, beforeCompacting(t, db))
	strike := func(t *testing.T, fault faults.Fault) (string, faults.Result) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "results.db")
		write(t, path, old)
		c := exec.Command(os.Args[0], "-test.run=^TestCompactingProcess$")
		c.Env = append(os.Environ(), compactingVariable+"="+path)
		result, err := faults.Run(c, filepath.Dir(path), fault)
		if err != nil {
			t.Fatal(err)
		}
		return path, result
	}
	path, undisturbed := strike(t, faults.Fault{})
	if undisturbed.Code != 0 || undisturbed.Writes < 50 {
		t.Fatalf("undisturbed: %+v", undisturbed)
	}
	want := exported(t, path)
	faults.Each(t, undisturbed.Writes, 8, func(t *testing.T, fault faults.Fault) faults.Result {
		path, result := strike(t, fault)
		db, err := OpenExisting(path)
		if err != nil {
			t.Fatalf("after %s: %v", result.Struck, err)
		}
		if err := errors.Join(db.Check(t.Context()), db.Close()); err != nil {
			t.Errorf("after %s: %v", result.Struck, err)
		}
		if from, _, outdated := Outdated(path); outdated {
			t.Errorf("after %s: the schema is still %d", result.Struck, from)
		}
		sameExport(t, "after "+result.Struck, exported(t, path), want)
		return result
	})
}
