// Package arrays reads arrays of numbers that other programs wrote for images, one image at a
// time: R rows of D numbers each, where R may differ between images. Supported are
//
//   - .npy: one array N×R×D or N×D, and a file of N names beside it;
//   - .npz: an array an image; or features N×R×D, names, and counts where images have fewer than R rows;
//   - .safetensors: likewise, with the names in the metadata or beside it;
//   - a folder of .npy, one an image, in folders of their own or not.
//
// [Open] reads headers and names. Values are read in place when an image is requested, so that a
// set may be larger than memory. Numbers are float16, bfloat16, float32 or float64, little-endian
// and in C order, and are returned as float32. Errors name file, image and byte; sizes are
// checked before memory is allocated.
package arrays

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The limits of an image's array.
const (
	MostRows   = 4096
	MostDim    = 1 << 16
	MostValues = 1 << 24 // R·D
)

// A Set is an open file or folder of arrays. Several goroutines may read from it.
type Set struct {
	path   string
	file   *os.File // nil for a folder
	names  []string
	places []place // by name

	byStem map[string][]int // name without a picture's extension → places
}

// place is where an image's array is stored, in one of three ways.
type place struct {
	file   string    // its own .npy file
	member *zip.File // its own member of a .npz, whose bytes start at block.at
	block  block     // a part of the set's file
}

// block is an array of consecutive values in a file.
type block struct {
	kind      kind
	rows, dim int
	at        int64 // byte of the file
}

// An Array is the array of one image, row by row. The next Read reuses its memory.
type Array struct {
	Rows, Dim int
	Values    []float32

	raw []byte
}

// Open opens a set. names is the file with the names of its arrays; "" if it is beside the set,
// or the set contains them. The caller must close the set.
func Open(path, names string) (*Set, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	s := &Set{path: path}
	read := map[string]func(size int64, names string) error{".npy": s.openNPY, ".npz": s.openNPZ, ".safetensors": s.openSafetensors}
	switch ending := strings.ToLower(filepath.Ext(path)); {
	case info.IsDir() && names != "":
		err = errors.New("the files of a folder are named after their images; remove encoder.names")
	case info.IsDir():
		err = s.openFolder()
	case !info.Mode().IsRegular():
		err = errors.New("is not a file or folder")
	case read[ending] == nil:
		err = errors.New("expected a .npy, .npz or .safetensors file, or a folder of .npy files")
	default:
		if s.file, err = os.Open(path); err == nil {
			err = read[ending](info.Size(), names)
		}
	}
	if err == nil {
		err = s.sort()
	}
	if err != nil {
		s.Close()
		if errors.As(err, new(*fs.PathError)) {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Close closes the set.
func (s *Set) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Names returns the names of the arrays, sorted; for files below a folder, their paths with
// slashes and without .npy.
func (s *Set) Names() []string { return s.names }

// File returns the path of the file with array k of the names: its own, or the set's.
func (s *Set) File(k int) string { return cmp.Or(s.places[k].file, s.path) }

// At returns the byte of File(k) where array k starts; 0 in its own file.
func (s *Set) At(k int) int64 { return s.places[k].block.at }

// add puts an array into the set.
func (s *Set) add(name string, p place) {
	s.names, s.places = append(s.names, name), append(s.places, p)
}

// sort sorts the arrays by name. It returns an error for a duplicate name.
func (s *Set) sort() error {
	if len(s.names) == 0 {
		return errors.New("contains no arrays")
	}
	order := make([]int, len(s.names))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(s.names[a], s.names[b]) })
	names, places := make([]string, len(order)), make([]place, len(order))
	for to, from := range order {
		if names[to], places[to] = s.names[from], s.places[from]; to > 0 && names[to] == names[to-1] {
			return fmt.Errorf("duplicate name %q", names[to])
		}
	}
	s.names, s.places, s.byStem = names, places, make(map[string][]int, len(names))
	for k, name := range names {
		stem := withoutEnding(name)
		s.byStem[stem] = append(s.byStem[stem], k)
	}
	return nil
}

// Find returns the index in the names of the array of the image with this id: the one with the
// same name, or the only one that differs just by a picture's extension; -1 if there is none.
// Several candidates are an error.
func (s *Set) Find(id string) (int, error) {
	if k, exact := slices.BinarySearch(s.names, id); exact {
		return k, nil
	}
	switch alike := s.byStem[withoutEnding(id)]; len(alike) {
	case 0:
		return -1, nil
	case 1:
		return alike[0], nil
	default:
		return 0, fmt.Errorf("%s: ambiguous features for image %q: %q or %q", s.path, id, s.names[alike[0]], s.names[alike[1]])
	}
}

// pictureEndings are the extensions that may differ between names and ids.
var pictureEndings = []string{".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}

// withoutEnding returns a name without a picture's extension.
func withoutEnding(name string) string {
	if end := filepath.Ext(name); slices.Contains(pictureEndings, strings.ToLower(end)) {
		return strings.TrimSuffix(name, end)
	}
	return name
}

// Read reads array k of the names. Values that are not finite, or too large for float32, are an
// error.
func (s *Set) Read(k int, a *Array) error {
	p := s.places[k]
	var err error
	switch {
	case p.file != "":
		err = readNPYFile(p.file, a)
	case p.member != nil:
		err = readMember(p.member, a)
	default:
		err = a.read(io.NewSectionReader(s.file, p.block.at, p.block.bytes()), p.block)
	}
	switch {
	case err == nil || errors.As(err, new(*fs.PathError)):
		return err
	case p.file != "":
		return fmt.Errorf("%s: %w", p.file, err)
	}
	return fmt.Errorf("%s: image %q: %w", s.path, s.names[k], err)
}

// bytes returns the size of the block.
func (b block) bytes() int64 { return int64(b.rows) * int64(b.dim) * b.kind.size }

// check rejects a shape that no captioner can use.
func (b block) check() error {
	switch {
	case b.rows < 1 || b.dim < 1:
		return fmt.Errorf("has %d regions of %d numbers, expected at least one", b.rows, b.dim)
	case b.rows > MostRows:
		return fmt.Errorf("has %d regions; the limit is %d", b.rows, MostRows)
	case b.dim > MostDim || b.rows*b.dim > MostValues:
		return fmt.Errorf("has %d×%d numbers; the limit is %d per region and %d in total", b.rows, b.dim, MostDim, MostValues)
	}
	return nil
}

// read reads the values of a block from r, which starts at the block.
func (a *Array) read(r io.Reader, b block) error {
	if err := b.check(); err != nil {
		return err
	}
	n := b.rows * b.dim
	a.raw = slices.Grow(a.raw[:0], int(b.bytes()))[:b.bytes()]
	a.Values = slices.Grow(a.Values[:0], n)[:n]
	a.Rows, a.Dim = b.rows, b.dim
	if _, err := io.ReadFull(r, a.raw); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("ends before its %d×%d numbers of type %s", b.rows, b.dim, b.kind.name)
		}
		return err
	}
	if bad := b.kind.convert(a.Values, a.raw); bad >= 0 {
		why := "is not finite"
		if b.kind.name == "float64" {
			why = "is not finite, or too large for a float32"
		}
		return fmt.Errorf("number %d of region %d (byte %d) %s", bad%b.dim+1, bad/b.dim+1, b.at+int64(bad)*b.kind.size, why)
	}
	return nil
}

// perImage returns the block of an array for one image: R×D, or D for one region.
func perImage(k kind, shape []int64, at int64) (block, error) {
	switch len(shape) {
	case 1:
		shape = []int64{1, shape[0]}
	case 2:
	default:
		return block{}, fmt.Errorf("has shape %v, expected R×D: regions × numbers per region", shape)
	}
	b := block{k, int(min(shape[0], MostRows+1)), int(min(shape[1], MostDim+1)), at}
	return b, b.check()
}

// addAll adds the images of one array N×R×D, or N×D for one region each, whose values start at a
// byte of the file. counts are the numbers of valid rows per image; nil if all are valid.
func (s *Set) addAll(k kind, shape []int64, at int64, names []string, counts []int64) error {
	if len(shape) == 2 {
		shape = []int64{shape[0], 1, shape[1]}
	}
	if len(shape) != 3 {
		return fmt.Errorf("the features have shape %v, expected N×R×D or N×D: images × regions × numbers per region", shape)
	}
	if int64(len(names)) != shape[0] {
		return fmt.Errorf("there are features of %d images, but %d names", shape[0], len(names))
	}
	whole, err := perImage(k, shape[1:], at)
	if err != nil {
		return fmt.Errorf("each image %w", err)
	}
	if counts != nil && len(counts) != len(names) {
		return fmt.Errorf("there are features of %d images, but %d counts", len(names), len(counts))
	}
	for i, name := range names {
		b := whole
		b.at += int64(i) * whole.bytes()
		if counts != nil {
			if counts[i] < 1 || counts[i] > int64(whole.rows) {
				return fmt.Errorf("image %q: count is %d, expected 1 to %d", name, counts[i], whole.rows)
			}
			b.rows = int(counts[i])
		}
		s.add(name, place{block: b})
	}
	return nil
}
