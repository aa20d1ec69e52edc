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
	d, err := Load(Options{Name: "shapes", Images: n, MinCount: 1, Tokenize: plainWords})
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

func openSmall(t *testing.T, dir string, d *Dataset) *Features {
	t.Helper()
	f, err := OpenFeatures(dir, smallSpec, d)
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
	if err := os.Truncate(f.Path(), f.layout.data); err != nil {
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
	if again.Notes() != nil || again.Hash() != f.Hash() || again.Spec() != smallSpec {
		t.Error("reopening changed the cache:", again.Notes())
	}
}

// Content follows the bytes of the rows that splits need, and nothing else.
func TestFeaturesContent(t *testing.T) {
	d := smallShapes(t, 10)
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	content := func(fill func(f *Features)) string {
		t.Helper()
		f := openSmall(t, t.TempDir(), d)
		if _, err := f.Content(); err == nil || !strings.Contains(err.Error(), "image 0 has no row") {
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

func TestFeaturesKeyed(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
	paths := map[string]string{}
	open := func(what string, spec FeatureSpec, d *Dataset) {
		f, err := OpenFeatures(dir, spec, d)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for other, path := range paths {
			if path == f.Path() {
				t.Errorf("%s and %s share %s", what, other, path)
			}
		}
		paths[what] = f.Path()
	}
	open("spec", smallSpec, d)
	for what, change := range map[string]func(*FeatureSpec){
		"encoder": func(s *FeatureSpec) { s.Encoder = "other" }, "weights": func(s *FeatureSpec) { s.WeightsSHA256 = "v" },
		"preprocessing": func(s *FeatureSpec) { s.Preprocessing = "q" }, "size": func(s *FeatureSpec) { s.ImageSize++ },
		"regions": func(s *FeatureSpec) { s.Regions++ }, "dim": func(s *FeatureSpec) { s.Dim++ },
	} {
		spec := smallSpec
		change(&spec)
		open(what, spec, d)
	}
	open("pictures", smallSpec, smallShapes(t, 11))
}

func TestFeaturesRefusals(t *testing.T) {
	dir, d := t.TempDir(), smallShapes(t, 10)
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
		if _, err := OpenFeatures(dir, spec, d); err == nil {
			t.Errorf("spec %+v is accepted", spec)
		}
	}
	huge := smallSpec
	huge.Regions, huge.Dim = 1<<24, 1<<18
	if _, err := OpenFeatures(dir, huge, d); err == nil || !strings.Contains(err.Error(), "MB free") {
		t.Errorf("a cache larger than the disk: %v", err)
	}
	if _, err := OpenFeatures(filepath.Join(f.Path(), "x"), smallSpec, d); err == nil {
		t.Error("a folder that cannot be made is accepted")
	}
}

// Any damage is noticed: rows one by one, the rest as a whole.
func TestFeaturesDamage(t *testing.T) {
	d := smallShapes(t, 10)
	flip := func(at func(f *Features) int64) func([]byte, *Features) []byte {
		return func(b []byte, f *Features) []byte { b[at(f)] ^= 0x10; return b }
	}
	for _, c := range []struct {
		name    string
		damage  func([]byte, *Features) []byte
		missing int
		note    string
	}{
		{"row", flip(func(f *Features) int64 { return f.layout.rowAt(4) + 7 }), 1, "row of the feature cache is damaged"},
		{"mark", flip(func(f *Features) int64 { return f.layout.markAt(4) }), 1, "row of the feature cache is damaged"},
		{"magic", flip(func(*Features) int64 { return 0 }), 10, "does not begin as a feature cache"},
		{"version", flip(func(*Features) int64 { return 8 }), 10, "has version 17, want 1"},
		{"length", flip(func(*Features) int64 { return 14 }), 10, "more than there are"},
		{"json", flip(func(*Features) int64 { return 40 }), 10, "has a damaged header"},
		{"picture hash", flip(func(f *Features) int64 { return f.layout.entryAt(3) }), 10, "has a damaged table"},
		{"cut", func(b []byte, _ *Features) []byte { return b[:len(b)-1] }, 10, "bytes long, want"},
		{"empty", func(b []byte, _ *Features) []byte { return nil }, 10, "does not begin as a feature cache"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			f := openSmall(t, dir, d)
			put(t, f, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
			f.Close()
			b, err := os.ReadFile(f.Path())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.Path(), c.damage(b, f), 0o644); err != nil {
				t.Fatal(err)
			}
			again := openSmall(t, dir, d)
			missing := again.Missing()
			if notes := again.Notes(); len(missing) != c.missing || len(notes) != 1 || !strings.Contains(notes[0].Reason, c.note) {
				t.Fatalf("missing %v, notes %v", missing, notes)
			}
			put(t, again, missing...)
			again.Close()
			third := openSmall(t, dir, d)
			if len(third.Missing()) != 0 || third.Notes() != nil {
				t.Errorf("not mended: missing %v, notes %v", third.Missing(), third.Notes())
			}
			checkRows(t, third, 0, 4, 9)
		})
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
	// A changed picture is another data set for the cache, though size and name stay.
	copyFile(t, filepath.Join(root, "Images", "p1.png"), filepath.Join(root, "Images", "p2.png"))
	if openSmall(t, dir, d).Hash() == f.Hash() {
		t.Error("a changed picture keeps its features")
	}
}

func FuzzFeatureHeader(f *testing.F) {
	l, err := newLayout(smallSpec, make([][32]byte, 3))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(l.header)
	f.Add(append([]byte(featureMagic), make([]byte, 40)...))
	f.Add([]byte{})
	long := slices.Clone(l.header)
	binary.LittleEndian.PutUint32(long[12:], 1<<31)
	f.Add(long)
	f.Fuzz(func(t *testing.T, head []byte) {
		h, err := parseHeader(head)
		if err == nil && (h.Rows < 0 || h.Spec.check() != nil) {
			t.Errorf("accepted %+v", h)
		}
	})
}
