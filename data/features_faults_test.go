package data

import (
	"os"
	"os/exec"
	"slices"
	"testing"

	"glimpse/internal/faults"
)

// few is how many rows the process below fills.
const few = 10

// fewVariable names the cache folder to a process started to fill it.
const fewVariable = "GLIMPSE_TEST_FEW"

func TestFillingFewProcess(t *testing.T) {
	dir := os.Getenv(fewVariable)
	if dir == "" {
		t.Skip("runs as a process of other tests")
	}
	f := openSmall(t, dir, smallShapes(t, few))
	for _, i := range f.Missing() {
		if err := f.Put(i, rowOf(smallSpec, i)); err != nil {
			t.Fatal(err)
		}
	}
}

// A write of the feature cache fails, each in its turn: no row is ever wrong, and
// the next process completes the cache.
func TestFeaturesFailedWrites(t *testing.T) {
	if err := faults.Supported(); err != nil {
		t.Skip(err)
	}
	strike := func(t *testing.T, dir string, fault faults.Fault) faults.Result {
		t.Helper()
		c := exec.Command(os.Args[0], "-test.run=^TestFillingFewProcess$")
		c.Env = append(os.Environ(), fewVariable+"="+dir)
		result, err := faults.Run(c, dir, fault)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	undisturbed := strike(t, t.TempDir(), faults.Fault{})
	if undisturbed.Code != 0 || undisturbed.Writes < few {
		t.Fatalf("undisturbed: %+v", undisturbed)
	}
	faults.Each(t, undisturbed.Writes, 8, func(t *testing.T, fault faults.Fault) faults.Result {
		dir := t.TempDir()
		result := strike(t, dir, fault)
		if again := strike(t, dir, faults.Fault{}); again.Code != 0 {
			t.Fatalf("after %s: exit code %d", result.Struck, again.Code)
		}
		f := openSmall(t, dir, smallShapes(t, few))
		if len(f.Missing()) != 0 {
			t.Errorf("after %s: missing %v", result.Struck, f.Missing())
		}
		for i := range few {
			if !slices.Equal(rowIn(f, i), rowOf(smallSpec, i)) {
				t.Errorf("after %s: row %d is %v", result.Struck, i, rowIn(f, i))
			}
		}
		return result
	})
}
