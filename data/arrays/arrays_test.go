package arrays

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRead reads what numpy and safetensors wrote (testdata/make_fixtures.py): number j of region r
// of image k is k + r/4 + j/64.
func TestRead(t *testing.T) {
	three := []int{3, 3, 3}
	ragged := []int{1, 2, 3}
	for _, c := range []struct {
		path string
		rows []int
		step float64 // from one number of a region to the next
	}{
		{"whole.npy", three, 1. / 64},
		{"flat.npy", []int{1, 1, 1}, 1. / 64},
		{"ragged.npz", ragged, 1. / 64},
		{"compressed.npz", ragged, 1. / 64},
		{"counts.npz", ragged, 1. / 64},
		{"bytes.npz", three, 1. / 64},
		{"ragged.safetensors", ragged, 1. / 64},
		{"counts.safetensors", ragged, 1. / 64},
		{"brain.safetensors", three, 0},
		{"folder", ragged, 1. / 64},
	} {
		s, err := Open(filepath.Join("testdata", c.path), "")
		if err != nil {
			t.Error(err)
			continue
		}
		if want := []string{"a.jpg", "b.jpg", "sub/ç.png"}; !slices.Equal(s.Names(), want) {
			t.Errorf("%s: names %q, want %q", c.path, s.Names(), want)
		}
		var a Array // one for all
		for _, k := range []int{2, 0, 1} {
			if err := s.Read(k, &a); err != nil {
				t.Error(err)
				continue
			}
			if a.Rows != c.rows[k] || a.Dim != 5 {
				t.Errorf("%s: image %d has %d×%d numbers, want %d×5", c.path, k, a.Rows, a.Dim, c.rows[k])
			}
			for i, v := range a.Values {
				if want := float32(float64(k) + float64(i/5)/4 + float64(i%5)*c.step); v != want {
					t.Fatalf("%s: number %d of image %d is %v, want %v", c.path, i, k, v, want)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestHalves holds the table of float16 to the formula of the standard, at the edges.
func TestHalves(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0: 0, 1: math.Ldexp(1, -24), 0x3ff: math.Ldexp(1023, -24), 0x400: math.Ldexp(1, -14), 0x3c00: 1, 0xc000: -2, 0x7bff: 65504,
	} {
		if got := halves[bits]; float64(got) != want {
			t.Errorf("%#x is %v, want %v", bits, got, want)
		}
	}
	if !math.Signbit(float64(halves[0x8000])) || halves[0x7c00] == halves[0x7c00] {
		t.Error("-0 has lost its sign, or an infinity is taken")
	}
}

// npyBytes is a .npy file with this header and values.
func npyBytes(header string, values []byte) []byte {
	out := append([]byte(npyMagic), 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	return append(append(out, header...), values...)
}

func headerOf(descr, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
}

// singles are float32.
func singles(values ...float32) []byte {
	var out []byte
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

// zipOf is an archive of members, stored.
func zipOf(t testing.TB, members ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m[0], Method: zip.Store})
		if err == nil {
			_, err = f.Write([]byte(m[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// claiming is an archive of one compressed member that claims so many bytes.
func claiming(t testing.TB, claimed uint64, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateRaw(&zip.FileHeader{
		Name: "a.npy", Method: zip.Deflate, CompressedSize64: uint64(len(content)), UncompressedSize64: claimed, CRC32: crc32.ChecksumIEEE(content),
	})
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// overlapping moves the second entry of an archive's directory to where the first member lies.
func overlapping(archive []byte) []byte {
	at := bytes.Index(archive, []byte("PK\x01\x02"))
	second := at + 4 + bytes.Index(archive[at+4:], []byte("PK\x01\x02"))
	copy(archive[second+42:second+46], archive[at+42:at+46])
	return archive
}

// TestRefused holds what is refused, when it is opened or read, and why.
func TestRefused(t *testing.T) {
	nan := float32(math.NaN())
	good := npyBytes(headerOf("<f4", "(2, 2)"), singles(1, 2, 3, 4))
	images := npyBytes(headerOf("<f4", "(2, 1, 2)"), singles(1, 2, 3, 4))
	texts := npyBytes(headerOf("|S1", "(2,)"), []byte("ab"))
	for _, c := range []struct {
		name    string
		content []byte
		names   string
		want    string
	}{
		{"x.h5", good, "", "expected a .npy, .npz or .safetensors file, or a folder"},
		{"x.npy", good, "", "has no image names"},
		{"x.npy", good, "a\nb\nc\n", "there are features of 2 images, but 3 names"},
		{"x.npy", good, "a\na\n", `duplicate name "a"`},
		{"x.npy", good, "a\n\n", "x.txt:2: expected an image name"},
		{"x.npy", good, `["a", 1.5]`, "x.txt:1: entry 2 (byte 6): "},
		{"x.npy", good, "a\nb\n", ""},
		{"x.npy", good[:len(good)-1], "a\nb\n", "bytes long, but the shape [2 2] in its header needs"},
		{"x.npy", append(slices.Clone(good), 0), "a\nb\n", "bytes long, but the shape [2 2] in its header needs"},
		{"x.npy", good[:30], "a\nb\n", "ends within the header"},
		{"x.npy", []byte("PK"), "a\nb\n", "ends within the header"},
		{"x.npy", []byte("not an array at all"), "a\nb\n", "is not a .npy file"},
		{"x.npy", npyBytes(headerOf("<f4", "(2, 2)"), singles(1, 2, 3, nan)), "a\nb\n", `image "b": number 2 of region 1 (byte `},
		{"x.npy", npyBytes(headerOf("<f8", "(1, 1)"), binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e300))), "a\n", "too large for a float32"},
		{"x.npy", npyBytes(headerOf("<f2", "(1, 1)"), []byte{0, 0x7c}), "a\n", "is not finite"},
		{"x.npy", npyBytes(headerOf("<f4", "(1099511627776, 1099511627776)"), nil), "a\n", "missing or impossible size"},
		{"x.npy", npyBytes(headerOf("<f4", "(1099511627776, 1)"), nil), "a\n", "bytes long, but the shape"},
		{"x.npy", npyBytes(headerOf("<f4", "(1, 0)"), nil), "a\n", "has 1 regions of 0 numbers"},
		{"x.npy", npyBytes(headerOf("<f4", "(2,)"), singles(1, 2)), "a\n", "expected N×R×D or N×D"},
		{"x.npy", npyBytes(headerOf("<i4", "(1, 1)"), singles(1)), "a\n", `the values are "<i4"`},
		{"x.npy", npyBytes("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", singles(1)), "a\n", "records"},
		{"x.npy", npyBytes("{'descr': '<f4', 'shape': (1, 1)}", singles(1)), "a\n", "fortran_order and shape"},
		{"x.npy", npyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (1, -1)}", singles(1)), "a\n", "the shape"},
		{"x.npy", npyBytes("__import__('os')", singles(1)), "a\n", "not a dict"},

		{"x.npz", zipOf(t, [2]string{"a.npy", string(good)}), "", ""},
		{"x.npz", zipOf(t, [2]string{"a.npy", string(good)}, [2]string{"b.txt", "b"}), "", `contains "b.txt", which is not an array`},
		{"x.npz", zipOf(t, [2]string{"a.npy", string(good)}, [2]string{"a.npy", string(good)}), "", `duplicate name "a"`},
		{"x.npz", overlapping(zipOf(t, [2]string{"a.npy", string(good)}, [2]string{"b.npy", string(good)})), "", `overlap at byte`},
		{"x.npz", zipOf(t, [2]string{"a.npy", string(good)})[:60], "", "is not a readable archive"},
		{"x.npz", zipOf(t), "", "contains no arrays"},
		{"x.npz", zipOf(t, [2]string{"a.npy", string(images)}), "", `image "a": has shape [2 1 2], expected R×D`},
		{"x.npz", bytes.Replace(zipOf(t, [2]string{"a.npy", string(good)}), singles(3), singles(5), 1), "", "checksum error"},
		{"x.npz", claiming(t, 1<<40, []byte{3, 0}), "", `"a.npy" claims 1099511627776 bytes, which its 2 compressed bytes cannot contain`},
		{"x.npz", zipOf(t, [2]string{"features.npy", string(images)}, [2]string{"names.npy", string(texts)}), "", ""},
		{"x.npz", zipOf(t, [2]string{"features.npy", string(images)}), "", "has no image names"},
		{"x.npz", zipOf(t, [2]string{"features.npy", string(images)}, [2]string{"names.npy", string(good)}), "", "expected one value per image"},
		{"x.npz", zipOf(t, [2]string{"features.npy", string(images)}, [2]string{"names.npy", string(texts)},
			[2]string{"counts.npy", string(npyBytes(headerOf("|u1", "(2,)"), []byte{1, 2}))}), "", `image "b": count is 2, expected 1 to 1`},
		{"x.npz", zipOf(t, [2]string{"features.npy", string(images)}, [2]string{"names.npy", string(texts)},
			[2]string{"counts.npy", string(npyBytes(headerOf("|i1", "(2,)"), []byte{255, 1}))}), "", `image "a": count is -`},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, c.content, 0o666); err != nil {
			t.Fatal(err)
		}
		if c.names != "" {
			if err := os.WriteFile(filepath.Join(dir, "x.txt"), []byte(c.names), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		err := readAll(path)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir)) {
			t.Errorf("%s, %.90q: %v, want %q", c.name, c.content, err, c.want)
		}
	}
	for path, want := range map[string]string{
		"fortran.npy": "Fortran order", "big.npy": "big-endian", "objects.npy": "Python objects", "packed.npz": "write it with numpy.savez", "gone.npy": "no such file",
	} {
		if _, err := Open(filepath.Join("testdata", path), filepath.Join("testdata", "whole.txt")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	for _, path := range []string{"folder", "ragged.npz", "ragged.safetensors"} {
		if _, err := Open(filepath.Join("testdata", path), filepath.Join("testdata", "whole.txt")); err == nil || !strings.Contains(err.Error(), "; remove encoder.names") {
			t.Errorf("%s with a file of names: %v", path, err)
		}
	}
}

// readAll opens a set and reads all of it.
func readAll(path string) error {
	s, err := Open(path, "")
	if err != nil {
		return err
	}
	defer s.Close()
	var a Array
	for k := range s.Names() {
		if err := s.Read(k, &a); err != nil {
			return err
		}
		if len(a.Values) != a.Rows*a.Dim || a.Rows < 1 || a.Rows > MostRows || a.Dim < 1 {
			return fmt.Errorf("%d values of %d×%d", len(a.Values), a.Rows, a.Dim)
		}
	}
	return nil
}

// TestNamesInTwoPlaces holds that nobody guesses which of two files of names is meant.
func TestNamesInTwoPlaces(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"x.npy": string(npyBytes(headerOf("<f4", "(2, 2)"), singles(1, 2, 3, 4))), "x.txt": "a\nb\n", "names.json": `["b", "a"]`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(filepath.Join(dir, "x.npy"), ""); err == nil || !strings.Contains(err.Error(), "set encoder.names") {
		t.Errorf("two files of names: %v", err)
	}
	s, err := Open(filepath.Join(dir, "x.npy"), filepath.Join(dir, "names.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var a Array
	if err := s.Read(1, &a); err != nil || a.Values[0] != 1 {
		t.Errorf("image b: %v, %v; want that of the first row", a.Values, err)
	}
}

// TestFileChanges holds what is said where a file is cut short or gone once it is open.
func TestFileChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	content := npyBytes(headerOf("<f4", "(2, 2)"), singles(1, 2, 3, 4))
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "names.txt"), []byte("a\nb"), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Truncate(path, int64(len(content)-4)); err != nil {
		t.Fatal(err)
	}
	if err := s.Read(1, new(Array)); err == nil || !strings.Contains(err.Error(), `image "b": ends before its 1×2 numbers of type float32`) {
		t.Errorf("a file that was cut short: %v", err)
	}
}

// fuzz adds files of an ending as seeds, and holds that no content is read beyond its limits.
func fuzz(f *testing.F, ending string, seeds ...[]byte) {
	for _, path := range []string{"whole", "flat", "ragged", "compressed", "counts", "bytes", "brain", "fortran", "big", "packed"} {
		if content, err := os.ReadFile(filepath.Join("testdata", path+ending)); err == nil {
			f.Add(content)
		}
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	dir := f.TempDir()
	path := filepath.Join(dir, "x"+ending)
	if err := os.WriteFile(filepath.Join(dir, "names.txt"), []byte("a\nb\nc\n"), 0o666); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := readAll(path); err != nil && strings.Contains(err.Error(), "values of") {
			t.Error(err)
		}
	})
}

func FuzzNPY(f *testing.F) {
	fuzz(f, ".npy", npyBytes(headerOf("<f4", "(1099511627776, 4, 4)"), nil), npyBytes(headerOf("<f2", "(3, 1)"), []byte("123456")))
}

func FuzzNPZ(f *testing.F) {
	fuzz(f, ".npz", claiming(f, 1<<24, []byte{3, 0}))
}

func FuzzSafetensors(f *testing.F) { fuzz(f, ".safetensors") }

func FuzzNames(f *testing.F) {
	f.Add([]byte("a\nb\r\n"))
	f.Add([]byte(`["a", 7, "c"]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		names, err := parseNames("x", content)
		if err != nil {
			return
		}
		for _, name := range names {
			if strings.TrimSpace(name) == "" {
				t.Errorf("an empty name among %q", names)
			}
		}
	})
}
