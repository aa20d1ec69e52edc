package data

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// filled is how many rows the processes below fill.
const filled = 500

// fillVariable names the cache folder to a process started to fill it.
const fillVariable = "GLIMPSE_TEST_FILL"

// startFilling runs this test binary as another process that fills the cache.
func startFilling(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestFillingProcess$")
	c.Env = append(os.Environ(), fillVariable+"="+dir)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFillingProcess(t *testing.T) {
	dir := os.Getenv(fillVariable)
	if dir == "" {
		t.Skip("runs as a process of other tests")
	}
	f := openSmall(t, dir, smallShapes(t, filled))
	for _, i := range f.Missing() {
		row := rowOf(smallSpec, i)
		row[0] = Float16(float32(os.Getpid() % 1000)) // the processes disagree on purpose
		if err := f.Put(i, row); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.Missing(); len(got) != 0 {
		t.Fatalf("missing %v", got)
	}
}

// checkFilled says whether every row is there and whole, without a mishap.
func checkFilled(t *testing.T, dir string) {
	t.Helper()
	f := openSmall(t, dir, smallShapes(t, filled))
	if f.Notes() != nil || len(f.Missing()) != 0 {
		t.Fatalf("notes %v, missing %v", f.Notes(), f.Missing())
	}
	for i := range filled {
		if !slices.Equal(rowIn(f, i)[1:], rowOf(smallSpec, i)[1:]) {
			t.Fatalf("row %d is %v", i, rowIn(f, i))
		}
	}
}

// Three processes fill one cache at once: each row is there once, whole.
func TestFeaturesSeveralProcesses(t *testing.T) {
	dir := t.TempDir()
	var running []*exec.Cmd
	for range 3 {
		running = append(running, startFilling(t, dir))
	}
	for _, c := range running {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	checkFilled(t, dir)
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Processes killed while they fill the cache leave nothing damaged behind.
func TestFeaturesKilledProcesses(t *testing.T) {
	dir := t.TempDir()
	for k := range 12 {
		c := startFilling(t, dir)
		time.Sleep(time.Duration(8+4*k) * time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // killed
		f := openSmall(t, dir, smallShapes(t, filled))
		if f.Notes() != nil {
			t.Fatalf("after %d kills: %v", k+1, f.Notes())
		}
		f.Close()
	}
	if err := startFilling(t, dir).Wait(); err != nil {
		t.Fatal(err)
	}
	checkFilled(t, dir)
}

// A process killed anywhere in Put leaves a row missing or whole.
func TestFeaturesHalfWrittenRow(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
	f := openSmall(t, dir, d)
	put(t, f, 1)
	half := make([]byte, 20)
	if _, err := f.file.WriteAt(half, f.layout.rowAt(f.rows[0])); err != nil {
		t.Fatal(err)
	}
	second := openSmall(t, dir, d)
	if got := second.Missing(); len(got) != 9 || got[0] != 0 {
		t.Errorf("missing %v", got)
	}
	// Rows that another process puts show without reopening, damaged ones do not.
	put(t, second, 0, 5)
	checkRows(t, f, 0, 5)
	if err := second.mark(second.rows[7], rowDone|12345); err != nil {
		t.Fatal(err)
	}
	if rowIn(f, 7) != nil {
		t.Error("a row with a wrong checksum is given")
	}
}

func TestFeaturesExclusive(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
	a, b := openSmall(t, dir, d), openSmall(t, dir, d)
	release, err := a.Exclusive(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	if _, err := b.Exclusive(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("two hold it at once: %v", err)
	}
	release()
	release, err = b.Exclusive(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	release()
}
