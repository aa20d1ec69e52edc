package data

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// smallShapes is a data set of n drawn scenes.
func smallShapes(t testing.TB, n int) *Dataset {
	t.Helper()
	d, err := Load(Options{Name: "shapes", Split: "official", Images: n, MinCount: 1, Tokenize: plainWords})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var smallSpec = FeatureSpec{Encoder: "grid", WeightsSHA256: "w", Preprocessing: "p", ImageSize: 16, Regions: 4, Dim: 8}

// rowOf makes up features that tell one image from another.
func rowOf(spec FeatureSpec, i int) []uint16 {
	row := make([]uint16, spec.Regions*spec.Dim)
	for k := range row {
		row[k] = Float16(float32(i) + float32(k)/64)
	}
	return row
}

// openSmall opens a cache of which there is nothing to remark.
func openSmall(t *testing.T, dir string, d *Dataset) *Features {
	t.Helper()
	return openRemarked(t, dir, d, func(remark string) { t.Errorf("remark: %s", remark) })
}

func openRemarked(t *testing.T, dir string, d *Dataset, remark func(string)) *Features {
	t.Helper()
	f, err := OpenFeatures(Cache{Dir: dir, Remark: remark}, smallSpec, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func put(t *testing.T, f *Features, images ...int) {
	t.Helper()
	for _, i := range images {
		if err := f.Put(i, rowOf(f.Spec(), i)); err != nil {
			t.Fatal(err)
		}
	}
}

// rowIn reads the row of an image, nil when the cache gives none.
func rowIn(f *Features, i int) []uint16 {
	row := make([]uint16, f.Spec().Regions*f.Spec().Dim)
	if f.Read(i, row) != nil {
		return nil
	}
	return row
}

func checkRows(t *testing.T, f *Features, images ...int) {
	t.Helper()
	for _, i := range images {
		if !slices.Equal(rowIn(f, i), rowOf(f.Spec(), i)) {
			t.Errorf("row %d is %v", i, rowIn(f, i))
		}
	}
}

// A file that another program cuts short while it is in use is an error, not a crash.
func TestFeaturesCutShort(t *testing.T) {
	f := openSmall(t, t.TempDir(), smallShapes(t, 10))
	put(t, f, 0, 1, 2)
	if err := os.Truncate(f.files[0].path, f.files[0].layout.data); err != nil {
		t.Fatal(err)
	}
	if err := f.Read(0, rowOf(smallSpec, 0)); !errors.Is(err, io.EOF) {
		t.Errorf("error %v, want that the file ends", err)
	}
	if err := f.Read(0, nil); err == nil || !strings.Contains(err.Error(), "room for 0 values") {
		t.Errorf("error %v, want one about the room for a row", err)
	}
}

func TestFeaturesResume(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
	f := openSmall(t, dir, d)
	if got := f.Missing(); len(got) != 10 {
		t.Fatalf("missing %v", got)
	}
	put(t, f, 0, 3, 9)
	if rowIn(f, 1) != nil || rowIn(f, -1) != nil || rowIn(f, 10) != nil {
		t.Error("a missing row is not nil")
	}
	checkRows(t, f, 0, 3, 9)
	if err := errors.Join(f.Sync(), f.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if rowIn(f, 0) != nil || f.Put(0, rowOf(smallSpec, 0)) == nil || f.Sync() == nil {
		t.Error("a closed cache goes on")
	}
	again := openSmall(t, dir, d)
	if got, want := again.Missing(), []int{1, 2, 4, 5, 6, 7, 8}; !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
	checkRows(t, again, 0, 3, 9)
	if again.Hash() != f.Hash() || again.Spec() != smallSpec {
		t.Error("reopening changed the cache")
	}
}

// Content follows the bytes of the rows that splits need, and nothing else.
func TestFeaturesContent(t *testing.T) {
	d := smallShapes(t, 10)
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	content := func(fill func(f *Features)) string {
		t.Helper()
		f := openSmall(t, t.TempDir(), d)
		if _, err := f.Content(); err == nil || !strings.Contains(err.Error(), "image 0 has no features") {
			t.Errorf("content of an empty cache: %v", err)
		}
		fill(f)
		content, err := f.Content()
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	first := content(func(f *Features) { put(t, f, all...) })
	if again := content(func(f *Features) { put(t, f, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0) }); again != first || len(first) != 64 {
		t.Errorf("the same rows in another order: %s, not %s", again, first)
	}
	other := content(func(f *Features) {
		row := rowOf(smallSpec, 7)
		row[31] ^= 1
		if err := f.Put(7, row); err != nil {
			t.Fatal(err)
		}
		put(t, f, all...)
	})
	if other == first {
		t.Error("one bit of one row does not show")
	}
}

// Features of one spec are never those of another, nor do their files meet.
func TestFeaturesKeyed(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
	open := func(what string, spec FeatureSpec, d *Dataset, missing int) {
		f, err := OpenFeatures(Cache{Dir: dir}, spec, d)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if got := f.Missing(); len(got) != missing {
			t.Errorf("%s: missing %v", what, got)
		}
		put(t, f, f.Missing()...)
	}
	open("spec", smallSpec, d, 10)
	for what, change := range map[string]func(*FeatureSpec){
		"encoder": func(s *FeatureSpec) { s.Encoder = "other" }, "weights": func(s *FeatureSpec) { s.WeightsSHA256 = "v" },
		"preprocessing": func(s *FeatureSpec) { s.Preprocessing = "q" }, "size": func(s *FeatureSpec) { s.ImageSize++ },
		"regions": func(s *FeatureSpec) { s.Regions++ }, "dim": func(s *FeatureSpec) { s.Dim++ },
	} {
		spec := smallSpec
		change(&spec)
		open(what, spec, d, 10)
		open(what+" again", spec, d, 0)
	}
	open("a picture more", smallSpec, smallShapes(t, 11), 1)
	open("spec again", smallSpec, d, 0)
}

func TestFeaturesRefusals(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
	writeFile(t, filepath.Join(dir, "file"), "")
	f := openSmall(t, dir, d)
	infinite := rowOf(smallSpec, 0)
	infinite[5] = 0x7c00
	for _, c := range []struct {
		err  error
		want string
	}{
		{f.Put(10, rowOf(smallSpec, 0)), "image 10 of 10"},
		{f.Put(0, make([]uint16, 31)), "31 values, want 4×8"},
		{f.Put(0, infinite), "value 5 is +Inf in half precision"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("got %v, want %q", c.err, c.want)
		}
	}
	for _, spec := range []FeatureSpec{{}, {Encoder: "../x", ImageSize: 1, Regions: 1, Dim: 1}, {Encoder: "x", ImageSize: 1, Regions: 1 << 30, Dim: 1}} {
		if _, err := OpenFeatures(Cache{Dir: dir}, spec, d); err == nil {
			t.Errorf("spec %+v is accepted", spec)
		}
	}
	huge := smallSpec
	huge.Regions, huge.Dim = 1<<24, 1<<18
	large, err := OpenFeatures(Cache{Dir: dir}, huge, d)
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if _, err := large.Exclusive(t.Context()); err == nil || !strings.Contains(err.Error(), "MB free") {
		t.Errorf("a cache larger than the disk: %v", err)
	}
	if _, err := OpenFeatures(Cache{Dir: filepath.Join(dir, "file", "x")}, smallSpec, d); err == nil {
		t.Error("a folder that cannot be made is accepted")
	}
}

// Any damage is noticed: rows as they are read, the rest as a whole.
func TestFeaturesDamage(t *testing.T) {
	d := smallShapes(t, 10)
	flip := func(at func(l layout) int64) func([]byte, layout) []byte {
		return func(b []byte, l layout) []byte { b[at(l)] ^= 0x10; return b }
	}
	for _, c := range []struct {
		name    string
		damage  func([]byte, layout) []byte
		missing int
		note    string
	}{
		{"row", flip(func(l layout) int64 { return l.rowAt(4) + 7 }), 1, ""},
		{"mark", flip(func(l layout) int64 { return l.markAt(4) }), 1, ""},
		{"magic", flip(func(layout) int64 { return 0 }), 10, "is not a feature cache"},
		{"version", flip(func(layout) int64 { return 8 }), 10, "has version 17, expected 1"},
		{"length", flip(func(layout) int64 { return 14 }), 10, "has a truncated header"},
		{"json", flip(func(layout) int64 { return 40 }), 10, "has a damaged header"},
		{"picture hash", flip(func(l layout) int64 { return l.entryAt(3) }), 10, "has a damaged table"},
		{"cut", func(b []byte, _ layout) []byte { return b[:len(b)-1] }, 10, "bytes long, expected"},
		{"empty", func(b []byte, _ layout) []byte { return nil }, 10, "is not a feature cache"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			f := openSmall(t, dir, d)
			put(t, f, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
			path, layout := f.files[0].path, f.files[0].layout
			f.Close()
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(b, layout), 0o644); err != nil {
				t.Fatal(err)
			}
			var remarks []string
			again := openRemarked(t, dir, d, func(remark string) { remarks = append(remarks, remark) })
			if c.note == "" {
				failed := 0
				for i := range 10 {
					if err := again.Read(i, rowOf(smallSpec, i)); errors.Is(err, ErrFeatures) && strings.Contains(err.Error(), "damaged") {
						failed++
					}
				}
				if failed != 1 {
					t.Errorf("%d damaged rows are noticed", failed)
				}
			}
			missing := again.Missing()
			if len(missing) != c.missing || (c.note == "") != (len(remarks) == 0) || len(remarks) > 1 || c.note != "" && !strings.Contains(remarks[0], c.note) {
				t.Fatalf("missing %v, remarks %q", missing, remarks)
			}
			put(t, again, missing...)
			again.Close()
			third := openSmall(t, dir, d)
			damaged, err := third.Verify()
			if len(third.Missing()) != 0 || damaged != 0 || err != nil {
				t.Errorf("not mended: missing %v, %d damaged, %v", third.Missing(), damaged, err)
			}
			checkRows(t, third, 0, 4, 9)
		})
	}
}

// A mark that was not written to its end is none.
func TestFeaturesHalfWrittenMark(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
	f := openSmall(t, dir, d)
	put(t, f, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	for i := range 8 {
		at := f.places[f.rows[i]]
		if _, err := at.in.file.WriteAt(make([]byte, 8-i), at.in.layout.markAt(at.row)+int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := openSmall(t, dir, d).Missing(), []int{0, 1, 2, 3, 4, 5, 6, 7}; !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
}

// Verify finds the damaged rows among all.
func TestFeaturesVerify(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
	f := openSmall(t, dir, d)
	put(t, f, 0, 1, 2, 3, 4, 5)
	for _, i := range []int{1, 4} {
		at := f.places[f.rows[i]]
		if _, err := at.in.file.WriteAt([]byte("damage"), at.in.layout.rowAt(at.row)); err != nil {
			t.Fatal(err)
		}
	}
	again := openSmall(t, dir, d)
	if n, err := again.Verify(); n != 2 || err != nil {
		t.Errorf("%d damaged, %v", n, err)
	}
	if got, want := openSmall(t, dir, d).Missing(), []int{1, 4, 6, 7, 8, 9}; !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
}

func TestFeaturesSharePictures(t *testing.T) {
	root := t.TempDir()
	writeFlickr(t, root, 6)
	copyFile(t, filepath.Join(root, "Images", "p0.png"), filepath.Join(root, "Images", "p4.png"))
	d := loadFlickr(t, root)
	dir := t.TempDir()
	f := openSmall(t, dir, d)
	if got, want := f.Missing(), []int{0, 1, 2, 3, 5}; !slices.Equal(got, want) {
		t.Fatalf("missing %v, want %v: pictures 0 and 4 are the same", got, want)
	}
	put(t, f, 0)
	if !slices.Equal(rowIn(f, 4), rowOf(smallSpec, 0)) {
		t.Error("equal pictures do not share a row")
	}
	put(t, f, 1, 2, 3, 5)
	// A changed picture has other features, though size and name stay, and those of the others are there.
	writePNG(t, filepath.Join(root, "Images", "p2.png"), 77)
	changed := openSmall(t, dir, d)
	if got := changed.Missing(); changed.Hash() == f.Hash() || !slices.Equal(got, []int{2}) {
		t.Errorf("missing %v once picture 2 has changed", got)
	}
}

func FuzzFeatureHeader(f *testing.F) {
	header, err := newHeader(smallSpec, make([][32]byte, 3))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(header)
	f.Add(append([]byte(featureMagic), make([]byte, 40)...))
	f.Add([]byte{})
	long := slices.Clone(header)
	binary.LittleEndian.PutUint32(long[12:], 1<<31)
	f.Add(long)
	f.Fuzz(func(t *testing.T, head []byte) {
		h, size, err := parseHeader(head)
		if err != nil {
			return
		}
		if h.Rows < 0 || h.Spec.check() != nil || size > len(head) {
			t.Errorf("accepted %+v of %d bytes", h, size)
		}
		if l, err := newLayout(h.Spec, h.Rows, size); err == nil && (l.table < int64(size) || l.data < l.table || l.size < l.data) {
			t.Errorf("laid out as %+v", l)
		}
	})
}
