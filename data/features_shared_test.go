package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// filled is how many rows the processes below fill.
const filled = 500

// fillVariable names to a process started to fill a cache how many scenes it has, and its folder.
const fillVariable = "GLIMPSE_TEST_FILL"

// startFilling runs this test binary as another process that fills the cache with the features of so many scenes.
func startFilling(t *testing.T, dir string, scenes int) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestFillingProcess$")
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", fillVariable, scenes, dir))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFillingProcess(t *testing.T) {
	var scenes int
	var dir string
	if n, _ := fmt.Sscan(os.Getenv(fillVariable), &scenes, &dir); n != 2 {
		t.Skip("runs as a process of other tests")
	}
	f := openSmall(t, dir, smallShapes(t, scenes))
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
	if len(f.Missing()) != 0 {
		t.Fatalf("missing %v", f.Missing())
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
		running = append(running, startFilling(t, dir, filled))
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

// Processes that fill the features of overlapping data sets at once share them: a picture has one row in all files.
func TestFeaturesOfOverlappingDataSets(t *testing.T) {
	dir := t.TempDir()
	var running []*exec.Cmd
	for _, scenes := range []int{filled, filled - 100, filled - 200} {
		running = append(running, startFilling(t, dir, scenes))
	}
	for _, c := range running {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	checkFilled(t, dir)
	f := openSmall(t, dir, smallShapes(t, filled))
	rows := 0
	for _, file := range f.files {
		rows += file.layout.rows
	}
	if rows != filled {
		t.Errorf("%d rows in %d files for %d pictures", rows, len(f.files), filled)
	}
}

// Processes killed while they fill the cache leave nothing damaged behind.
func TestFeaturesKilledProcesses(t *testing.T) {
	dir := t.TempDir()
	for k := range 12 {
		c := startFilling(t, dir, filled)
		time.Sleep(time.Duration(8+4*k) * time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // killed
		openSmall(t, dir, smallShapes(t, filled)).Close()
	}
	if err := startFilling(t, dir, filled).Wait(); err != nil {
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
	at := f.places[f.rows[0]]
	if _, err := at.in.file.WriteAt(half, at.in.layout.rowAt(at.row)); err != nil {
		t.Fatal(err)
	}
	second := openSmall(t, dir, d)
	if got := second.Missing(); len(got) != 9 || got[0] != 0 {
		t.Errorf("missing %v", got)
	}
	// Rows that another process puts show without reopening, damaged ones do not.
	put(t, second, 0, 5)
	checkRows(t, f, 0, 5)
	at = second.places[second.rows[7]]
	if err := at.in.setMark(at.row, rowDone|12345); err != nil {
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

// One picture more takes one row more, in whatever order the data sets come.
func TestFeaturesOfOnePictureMore(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	writeFlickr(t, root, 6)
	d := loadFlickr(t, root)
	before := openSmall(t, dir, d)
	put(t, before, before.Missing()...)
	content, err := before.Content()
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, filepath.Join(root, "captions.txt"), "a.png,A dog\n")
	appendTo(t, filepath.Join(root, "Flickr_8k.trainImages.txt"), "a.png\n")
	writePNG(t, filepath.Join(root, "Images", "a.png"), 77)
	more := openSmall(t, dir, loadFlickr(t, root))
	if got := more.Missing(); !slices.Equal(got, []int{6}) {
		t.Fatalf("missing %v, want the picture that is new", got)
	}
	put(t, more, 6)
	for _, f := range []*Features{more, openSmall(t, dir, loadFlickr(t, root))} {
		if len(f.Missing()) != 0 || len(f.files) != 2 {
			t.Errorf("missing %v, in %d files", f.Missing(), len(f.files))
		}
		checkRows(t, f, 0, 1, 2, 3, 4, 5, 6)
	}
	if again, err := openSmall(t, dir, d).Content(); err != nil || again != content {
		t.Errorf("content of the first data set is %s, %v, was %s", again, err, content)
	}
}

// A folder of others is read and never written; what is missing or damaged there goes to one's own.
func TestFeaturesShared(t *testing.T) {
	shared, own := t.TempDir(), filepath.Join(t.TempDir(), "not", "there", "yet")
	f := openSmall(t, shared, smallShapes(t, 10))
	put(t, f, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	path := f.files[0].path
	f.Close()
	open := func(scenes int) *Features {
		t.Helper()
		f, err := OpenFeatures(Cache{Dir: own, Shared: shared}, smallSpec, smallShapes(t, scenes))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	unchanged := func(want []byte) {
		t.Helper()
		entries, err := os.ReadDir(shared)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if got, err := os.ReadFile(filepath.Join(shared, e.Name())); e.Name() == filepath.Base(path) && (err != nil || !bytes.Equal(got, want)) {
				t.Errorf("the shared file has changed: %v", err)
			}
		}
		if len(entries) != 3 { // features, lock, parts
			t.Errorf("the shared folder holds %v", entries)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	f = open(10)
	checkRows(t, f, 0, 4, 9)
	release, err := f.Exclusive(t.Context())
	if len(f.Missing()) != 0 || err != nil {
		t.Fatalf("missing %v, %v", f.Missing(), err)
	}
	release()
	if _, err := os.Stat(own); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that nothing goes to: %v", err)
	}

	f = open(12)
	if got := f.Missing(); !slices.Equal(got, []int{10, 11}) {
		t.Fatalf("missing %v", got)
	}
	put(t, f, 10, 11)
	checkRows(t, open(12), 0, 9, 10, 11)
	unchanged(whole)

	// A row that is damaged in the shared folder.
	at := f.places[f.rows[3]]
	damaged := bytes.Clone(whole)
	damaged[at.in.layout.rowAt(at.row)] ^= 1
	if err := os.WriteFile(path, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, missing := range [][]int{{}, {3}} {
		f = open(10)
		if got := f.Missing(); !slices.Equal(got, missing) {
			t.Errorf("missing %v, want %v", got, missing)
		}
		if err := f.Read(3, rowOf(smallSpec, 3)); !errors.Is(err, ErrFeatures) {
			t.Errorf("a damaged row: %v", err)
		}
	}
	put(t, f, 3)
	f = open(10)
	if len(f.Missing()) != 0 {
		t.Errorf("missing %v", f.Missing())
	}
	checkRows(t, f, 2, 3, 4)
	unchanged(damaged)
}

// A row that another process computes anew while it is in use is taken if it is the same, and refused otherwise.
func TestFeaturesComputedAnewInUse(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
	f := openSmall(t, dir, d)
	put(t, f, 0, 1, 2)
	reader := openSmall(t, dir, d)
	checkRows(t, reader, 0, 1, 2)
	for i, change := range []uint16{0, 1} {
		at := f.places[f.rows[i]]
		row := rowOf(smallSpec, i)
		row[3] ^= change
		if err := at.in.write(at.row, bytesOf(row), rowMark(f.pictures[f.rows[i]], bytesOf(row))); err != nil {
			t.Fatal(err)
		}
	}
	checkRows(t, reader, 0, 2)
	for range 2 {
		if err := reader.Read(1, rowOf(smallSpec, 1)); !errors.Is(err, errRowChanged) {
			t.Errorf("other numbers: %v", err)
		}
	}
}

// Files of earlier versions are read as they are.
func TestFeaturesOfEarlierVersions(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
	const name = "grid-16-1da7b3b3078bbc57.features"
	copyFile(t, filepath.Join("testdata", name), filepath.Join(dir, name))
	f := openSmall(t, dir, d)
	if got, want := f.Missing(), []int{1, 2, 4, 5, 6, 7, 8}; !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
	checkRows(t, f, 0, 3, 9)
	put(t, f, f.Missing()...)
	if len(f.files) != 1 || !strings.HasPrefix(name, "grid-16-"+f.Hash()[:16]) {
		t.Errorf("%d files, hash %s", len(f.files), f.Hash())
	}
}
