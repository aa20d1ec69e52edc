package data

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"glimpse/data/arrays"
	"glimpse/internal/safetensors"
)

// featureImages are images of a data set that has files of features: p0.png to p3.png, the last in
// no split.
func featureImages() *Dataset {
	d := &Dataset{Name: "drawn", Splits: map[string][]int{"train": {2, 0}, "val": {}, "test": {1}}}
	for k := range 4 {
		d.Images = append(d.Images, NewImage(fmt.Sprintf("p%d.png", k), "", nil))
	}
	return d
}

// number is value j of region r of image k.
func numberOf(k, r, j int) float32 { return float32(k) + float32(r)/4 + float32(j)/64 }

// writeArrays writes a file with an array an image: image k has rows[k] regions of dim numbers, as
// float16 or float32.
func writeArrays(t testing.TB, path, dtype string, rows map[string]int, dim int, change func(name string, values []float32)) {
	t.Helper()
	var tensors []safetensors.Tensor
	var values []byte
	for k, name := range slices.Sorted(maps.Keys(rows)) {
		tensors = append(tensors, safetensors.Tensor{Name: name, DType: dtype, Shape: []int64{int64(rows[name]), int64(dim)}})
		var numbers []float32
		for r := range rows[name] {
			for j := range dim {
				numbers = append(numbers, numberOf(k, r, j))
			}
		}
		if change != nil {
			change(name, numbers)
		}
		if dtype == "F32" {
			values = append(values, floatBytes(numbers)...)
			continue
		}
		for _, v := range numbers {
			bits := Float16(v)
			values = append(values, byte(bits), byte(bits>>8))
		}
	}
	header, err := safetensors.Encode(tensors, nil)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, string(header)+string(values))
}

func openPrecomputed(t testing.TB, cache Cache, path string, d *Dataset) *Precomputed {
	t.Helper()
	p, err := OpenPrecomputed(cache, path, "", d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// TestPrecomputed holds that each image gets its own features, whatever its array is called, and
// that what they are called, their container and their type change nothing of the hash.
func TestPrecomputed(t *testing.T) {
	dir, d := t.TempDir(), featureImages()
	hashes := map[string]bool{}
	for _, c := range []struct {
		dtype string
		rows  map[string]int
	}{
		{"F32", map[string]int{"p0.png": 1, "p1.png": 2, "p2.png": 3}},
		{"F16", map[string]int{"p0": 1, "p1.jpg": 2, "p2": 3, "p4": 1}},
	} {
		path := filepath.Join(dir, c.dtype+".safetensors")
		writeArrays(t, path, c.dtype, c.rows, 5, nil)
		p := openPrecomputed(t, Cache{}, path, d)
		got := p.Content()
		hashes[got.SHA256] = true
		if got.Least != 1 || got.Most != 3 || got.Dim != 5 || len(got.SHA256) != contentDigits {
			t.Errorf("%s: content %+v", c.dtype, got)
		}
		row := make([]float32, 15)
		for k := range 3 {
			if err := p.Read(k, row); err != nil {
				t.Fatal(err)
			}
			for i, v := range row[:5*p.Regions(k)] {
				if want := numberOf(k, i/5, i%5); v != want {
					t.Fatalf("number %d of image %d is %v, want %v", i, k, v, want)
				}
			}
		}
		if err := p.Read(3, row); err == nil || !strings.Contains(err.Error(), "in no split") {
			t.Errorf("an image in no split: %v", err)
		}
		if err := p.Read(2, row[:14]); err == nil || !strings.Contains(err.Error(), "want 3×5") {
			t.Errorf("too little room: %v", err)
		}
	}
	if len(hashes) != 1 {
		t.Errorf("the same numbers have the hashes %v", hashes)
	}
	path := filepath.Join(dir, "other.safetensors")
	writeArrays(t, path, "F32", map[string]int{"p0": 1, "p1": 2, "p2": 3}, 5, func(name string, values []float32) {
		if name == "p1" {
			values[9] = math.Nextafter32(values[9], 9)
		}
	})
	if p := openPrecomputed(t, Cache{}, path, d); hashes[p.Content().SHA256] {
		t.Error("a number that differs in its last digit leaves the hash")
	}
}

// TestPrecomputedRefused holds what keeps a study from beginning, and that it is told by name.
func TestPrecomputedRefused(t *testing.T) {
	all := map[string]int{"p0": 1, "p1": 2, "p2": 3}
	for _, c := range []struct {
		rows   map[string]int
		change func(name string, values []float32)
		want   string
	}{
		{map[string]int{"p0": 1, "x": 2}, nil, `2 of the 3 images in the splits have no features, e.g. ["p1.png" "p2.png"]; names in the file are, e.g., ["p0" "x"]`},
		{map[string]int{"p0": 1, "p1.jpg": 2, "p1.webp": 2, "p2": 3}, nil, `ambiguous features for image "p1.png": "p1.jpg" or "p1.webp"`},
		{map[string]int{"p0": 1, "p1.jpg": 2, "p1.png": 2, "p2": 3}, nil, ""},
		{all, func(name string, values []float32) {
			if name == "p2" {
				values[7] = float32(math.Inf(1))
			}
		}, `image "p2": number 3 of region 2 (byte `},
		{map[string]int{"p0": 1, "p1": 2, "p2": arrays.MostRows + 1}, nil, `image "p2" (byte `},
	} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		writeArrays(t, path, "F32", c.rows, 5, c.change)
		p, err := OpenPrecomputed(Cache{}, path, "", featureImages())
		if err == nil {
			p.Close()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%v: %v, want %q", c.rows, err, c.want)
		}
	}
	dir := t.TempDir()
	for name, shape := range map[string]string{"p0": "(1, 2)", "p1": "(1, 2)", "p2": "(2, 1)"} {
		header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': %s}", shape)
		writeFile(t, filepath.Join(dir, name+".npy"), "\x93NUMPY\x01\x00"+string(rune(len(header)))+"\x00"+header+"\x00\x00\x00\x00\x00\x00\x00\x00")
	}
	if _, err := OpenPrecomputed(Cache{}, dir, "", featureImages()); err == nil || !strings.Contains(err.Error(), `image "p0.png" has 2 numbers per region, but image "p2.png" has 1`) {
		t.Errorf("regions of different sizes: %v", err)
	}
	twins := featureImages()
	twins.Images[1] = NewImage("p0.jpg", "", nil)
	path := filepath.Join(dir, "x.safetensors")
	writeArrays(t, path, "F32", all, 5, nil)
	if _, err := OpenPrecomputed(Cache{}, path, "", twins); err == nil || !strings.Contains(err.Error(), `the features "p0" match both image "p0.jpg" and image "p0.png"`) {
		t.Errorf("two images of one name: %v", err)
	}
}

// TestPrecomputedCache holds that what was checked is not read again, unless its file changed, and
// that a change behind the checks is noticed when features are read.
func TestPrecomputedCache(t *testing.T) {
	was := fresh
	fresh = 0
	t.Cleanup(func() { fresh = was })
	dir := t.TempDir()
	cache := Cache{Dir: filepath.Join(dir, "cache")}
	path := filepath.Join(dir, "x.safetensors")
	d, rows := featureImages(), map[string]int{"p0": 1, "p1": 2, "p2": 3, "p3": 2}
	writeArrays(t, path, "F32", rows, 5, nil)
	time.Sleep(10 * time.Millisecond) // beyond the clock's grain
	first := openPrecomputed(t, cache, path, d)

	table, _ := filepath.Glob(filepath.Join(cache.Dir, "arrays-*.table"))
	if len(table) != 1 {
		t.Fatalf("tables %v", table)
	}
	set, err := arrays.Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	facts, err := (&arrayTable{cache: cache, path: path}).known(set, []int{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	for k := range 3 {
		if !facts[k].known() || facts[k] != first.facts[k] {
			t.Errorf("of array %d %+v is known, want %+v", k, facts[k], first.facts[k])
		}
	}
	if facts[3].known() {
		t.Error("an array that nobody needed was read")
	}
	// Another data set adds what it needs, and keeps the rest.
	d.Splits = map[string][]int{"train": {3}}
	openPrecomputed(t, cache, path, d)
	if facts, err = (&arrayTable{cache: cache, path: path}).known(set, []int{0, 1, 2, 3}); err != nil || !facts[0].known() || !facts[3].known() {
		t.Errorf("after another data set: %+v, %v", facts, err)
	}

	writeArrays(t, path, "F32", rows, 5, func(name string, values []float32) { values[0]++ })
	if err := first.Read(1, make([]float32, 15)); !errors.Is(err, ErrPrecomputedChanged) || !strings.Contains(err.Error(), `the features of image "p1.png"`) {
		t.Errorf("features that changed: %v", err)
	}
	if again := openPrecomputed(t, cache, path, featureImages()); again.Content() == first.Content() {
		t.Error("a changed file has the content of the one before")
	}

	// A damaged table counts as none.
	writeFile(t, table[0], "damaged")
	openPrecomputed(t, cache, path, featureImages())
}

// TestPrecomputedOrder holds that names in another order are noticed, though the array itself did
// not change.
func TestPrecomputedOrder(t *testing.T) {
	was := fresh
	fresh = 0
	t.Cleanup(func() { fresh = was })
	dir, d := t.TempDir(), featureImages()
	cache := Cache{Dir: filepath.Join(dir, "cache")}
	path := filepath.Join(dir, "x.npy")
	header := "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1)}"
	writeFile(t, path, "\x93NUMPY\x01\x00"+string(rune(len(header)))+"\x00"+header+string(floatBytes([]float32{0, 1, 2})))
	writeFile(t, filepath.Join(dir, "x.txt"), "p0\np1\np2\n")
	time.Sleep(10 * time.Millisecond) // beyond the clock's grain
	first := openPrecomputed(t, cache, path, d)
	writeFile(t, filepath.Join(dir, "x.txt"), "p1\np0\np2\n")
	second := openPrecomputed(t, cache, path, d)
	row := make([]float32, 1)
	if err := second.Read(0, row); err != nil || row[0] != 1 || first.Content() == second.Content() {
		t.Errorf("image 0 has %v, %v; content %v", row, err, second.Content())
	}
}

// TestExportFeatures holds that features of the cache are read back as they are.
func TestExportFeatures(t *testing.T) {
	d, err := Load(Options{Name: "shapes", Split: "official", Images: 12, Seed: 1, MinCount: 1, Tokenize: plainWords})
	if err != nil {
		t.Fatal(err)
	}
	spec := FeatureSpec{Encoder: "resnet18", WeightsSHA256: "w", Preprocessing: "p", ImageSize: 32, Regions: 2, Dim: 3}
	f, err := OpenFeatures(Cache{Dir: t.TempDir()}, spec, d)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := f.Export(path, d); !errors.Is(err, ErrFeatures) {
		t.Errorf("an empty cache is exported: %v", err)
	}
	for _, i := range f.Missing() {
		if err := f.Put(i, []uint16{uint16(i), 1, 2, 3, 4, 0xbc00}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Export(path, d); err != nil {
		t.Fatal(err)
	}
	p := openPrecomputed(t, Cache{}, path, d)
	want, got := make([]uint16, 6), make([]float32, 6)
	for _, i := range d.inSplits() {
		if err := errors.Join(f.Read(i, want), p.Read(i, got)); err != nil {
			t.Fatal(err)
		}
		for k := range want {
			if got[k] != Float32(want[k]) {
				t.Fatalf("number %d of image %d is %v, want %v", k, i, got[k], Float32(want[k]))
			}
		}
	}
	if c := p.Content(); c.Least != 2 || c.Most != 2 || c.Dim != 3 {
		t.Errorf("content %+v", c)
	}
}

// Whatever a table of arrays holds, it is refused or gives sizes that arrays can have.
func FuzzArrayTable(f *testing.F) {
	dir := f.TempDir()
	path, cache := filepath.Join(dir, "x.safetensors"), Cache{Dir: filepath.Join(dir, "cache")}
	writeArrays(f, path, "F32", map[string]int{"p0": 1, "p1": 2, "p2": 3}, 5, nil)
	p := openPrecomputed(f, Cache{}, path, featureImages())
	(&arrayTable{cache: cache, path: path}).keep(p.set, p.facts, time.Now().Add(time.Hour))
	tables, _ := filepath.Glob(filepath.Join(cache.Dir, "arrays-*.table"))
	if len(tables) != 1 {
		f.Fatal(tables)
	}
	text, err := os.ReadFile(tables[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text[:len(text)-sha256.Size])
	f.Fuzz(func(t *testing.T, body []byte) {
		blocks, err := parseFlat(summed(body), arrayMagic, new(json.RawMessage))
		if err != nil {
			return
		}
		names, rows, ok := arrayTableOf(blocks)
		if !ok {
			return
		}
		for k := range names.len() {
			if facts := factsAt(rows, k); facts.known() && (facts.rows > arrays.MostRows || facts.dim < 1) {
				t.Errorf("%+v", facts)
			}
		}
	})
}
