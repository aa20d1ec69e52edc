package data

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"glimpse/captioner"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// FeatureSpec says what the rows of a feature cache are. Caches of different
// specs never mix.
type FeatureSpec struct {
	Encoder       string `json:"encoder"`
	WeightsSHA256 string `json:"weights_sha256"`
	Preprocessing string `json:"preprocessing"` // how pixels become the encoder's input, in words
	ImageSize     int    `json:"image_size"`    // pixels a side
	Regions       int    `json:"regions"`       // R
	Dim           int    `json:"dim"`           // D
}

// SpecOf says what the features of a frozen encoder are, which turns pictures of size×size pixels into regions by weights
// of this sha256 in hex.
func SpecOf(encoder string, size int, weightsSHA256 string) (FeatureSpec, error) {
	e, err := captioner.EncoderOf(encoder)
	if err != nil {
		return FeatureSpec{}, err
	}
	f, err := e.Features(size, 0)
	if err != nil {
		return FeatureSpec{}, err
	}
	return FeatureSpec{
		Encoder: encoder, WeightsSHA256: weightsSHA256, Preprocessing: e.Normalisation.Preprocessing(),
		ImageSize: size, Regions: f.Regions(), Dim: f.Dim,
	}, nil
}

// rowBytes is the size of an image's features.
func (s FeatureSpec) rowBytes() int64 { return 2 * int64(s.Regions) * int64(s.Dim) }

// check refuses specs that no cache can hold.
func (s FeatureSpec) check() error {
	const most = 1 << 24 // more regions or dimensions than any encoder has
	switch {
	case s.Encoder == "" || checkName("", 0, s.Encoder, false) != nil:
		return fmt.Errorf("feature cache: encoder %q is no name", s.Encoder)
	case s.ImageSize < 1, s.Regions < 1, s.Dim < 1, s.Regions > most, s.Dim > most:
		return fmt.Errorf("feature cache: image size %d, regions %d, dimensions %d: all must be positive and none absurd",
			s.ImageSize, s.Regions, s.Dim)
	}
	return nil
}

// Features is an open cache of encoder features: R×D float16 for each distinct
// picture of a data set, in one file. Several goroutines and
// several processes may use one cache at the same time: a row is written once,
// under a lock, and its checksum after it, so that a row is whole or missing.
type Features struct {
	spec  FeatureSpec
	key   string
	path  string
	notes []Note
	rows  []int // per image of the data set: its row in the file
	used  []int // images to compute for: in a split, one for each row

	pictures [][hashBytes]byte // per row: the sha256 of its picture

	mu     sync.Mutex // serialises writing and closing
	file   *os.File
	lock   *os.File
	layout layout
	good   []atomic.Bool // per row: verified or written by this process
}

// OpenFeatures opens the cache of a data set's features under dir, creating it
// when there is none. The file is found by the spec and by the contents of all
// pictures, so that a changed picture, another encoder or other weights never
// meet old rows, while splits of the same pictures share theirs. Every row is
// verified; damaged rows are missing again, and a damaged file is replaced by
// an empty one. Notes tells of both.
func OpenFeatures(dir string, spec FeatureSpec, d *Dataset) (*Features, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("feature cache: %w", err)
	}
	hashes, err := d.pictureHashes(spec.ImageSize)
	if err != nil {
		return nil, fmt.Errorf("feature cache: %w", err)
	}
	f := &Features{spec: spec}
	f.index(hashes, d)
	if f.layout, err = newLayout(spec, f.pictures); err != nil {
		return nil, err
	}
	f.key = featureKey(spec, f.pictures)
	f.path = featurePath(dir, spec, f.key)
	f.good = make([]atomic.Bool, len(f.pictures))
	if err := f.open(); err != nil {
		f.Close()
		return nil, fmt.Errorf("feature cache %s: %w", f.path, err)
	}
	return f, nil
}

// index gives each image its row, and each row its picture.
func (f *Features) index(hashes [][32]byte, d *Dataset) {
	f.pictures = sortedDistinct(hashes)
	row := make(map[[32]byte]int, len(f.pictures))
	for r, h := range f.pictures {
		row[h] = r
	}
	f.rows = make([]int, len(hashes))
	for i, h := range hashes {
		f.rows[i] = row[h]
	}
	taken := make([]bool, len(f.pictures))
	inSplit := make([]bool, len(hashes))
	for _, indices := range d.Splits {
		for _, i := range indices {
			inSplit[i] = true
		}
	}
	for i := range hashes {
		if inSplit[i] && !taken[f.rows[i]] {
			taken[f.rows[i]] = true
			f.used = append(f.used, i)
		}
	}
}

// featureKey is the sha256 of the spec and the pictures, as hex.
func featureKey(spec FeatureSpec, pictures [][32]byte) string {
	text, _ := json.Marshal(spec) // strings and ints: cannot fail
	sum := sha256.New()
	fmt.Fprintf(sum, "features %d\n%s\n", featureVersion, text)
	for _, h := range pictures {
		sum.Write(h[:])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Missing gives, in ascending order, the dataset indices that need a row: the
// images in a split, one for each distinct picture, whose row is not there. It
// sees what other processes put meanwhile.
func (f *Features) Missing() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	missing := []int{}
	for _, i := range f.used {
		if !f.has(f.rows[i]) {
			missing = append(missing, i)
		}
	}
	return missing
}

// Put stores the R*D float16 bits of image i, row-major. A row that is already
// there stays as it is. A row that is not finite is refused.
func (f *Features) Put(i int, row []uint16) error {
	if i < 0 || i >= len(f.rows) {
		return fmt.Errorf("feature cache: image %d of %d", i, len(f.rows))
	}
	if want := f.spec.Regions * f.spec.Dim; len(row) != want {
		return fmt.Errorf("feature cache: image %d: %d values, want %d×%d", i, len(row), f.spec.Regions, f.spec.Dim)
	}
	for k, bits := range row {
		if bits&0x7c00 == 0x7c00 {
			return fmt.Errorf("feature cache: image %d: value %d is %v in half precision; are the encoder's weights or its input wrong?",
				i, k, Float32(bits))
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return errors.New("feature cache: put after close")
	}
	if err := f.write(f.rows[i], row); err != nil {
		return fmt.Errorf("feature cache %s: image %d: %w", f.path, i, err)
	}
	return nil
}

// Read copies the R*D float16 bits of image i, row-major, to row; not while the
// cache is being closed. A missing row is an error.
func (f *Features) Read(i int, row []uint16) error {
	if i < 0 || i >= len(f.rows) {
		return fmt.Errorf("feature cache: image %d of %d", i, len(f.rows))
	}
	if want := f.spec.Regions * f.spec.Dim; len(row) != want {
		return fmt.Errorf("feature cache: image %d: room for %d values, want %d×%d", i, len(row), f.spec.Regions, f.spec.Dim)
	}
	r := f.rows[i]
	if !f.good[r].Load() {
		f.mu.Lock()
		ok := f.has(r)
		f.mu.Unlock()
		if !ok {
			return fmt.Errorf("feature cache %s: image %d has no row", f.path, i)
		}
	}
	if _, err := f.file.ReadAt(bytesOf(row), f.layout.rowAt(r)); err != nil {
		return fmt.Errorf("feature cache %s: image %d: %w", f.path, i, err)
	}
	return nil
}

// Exclusive waits until no other process holds the cache for filling, and
// holds it until release is called or the process ends. It keeps processes
// that start together from computing the same rows; ask Missing afterwards.
// Putting and reading need no hold.
func (f *Features) Exclusive(ctx context.Context) (release func(), err error) {
	file, err := os.OpenFile(f.path+".fill", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("feature cache: %w", err)
	}
	for {
		held, err := tryLock(file)
		if err == nil && held {
			return func() { file.Close() }, nil
		}
		if err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(100 * time.Millisecond):
				continue
			}
		}
		file.Close()
		return nil, fmt.Errorf("feature cache %s: waiting for another process to fill it: %w", f.path, err)
	}
}

// Sync flushes what was put to the disk.
func (f *Features) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return errors.New("feature cache: sync after close")
	}
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("feature cache %s: %w", f.path, err)
	}
	return nil
}

// Content is the sha256 hex over the checksums of the rows that the splits need, in the order of the data set: what a
// captioner is trained on, byte for byte, where Hash says only what it was computed from. A missing row is an error.
func (f *Features) Content() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return "", errors.New("feature cache: content after close")
	}
	table := make([]byte, f.layout.rows*entryBytes)
	if _, err := f.file.ReadAt(table, f.layout.table); err != nil {
		return "", fmt.Errorf("feature cache %s: %w", f.path, err)
	}
	sum := sha256.New()
	for _, i := range f.used {
		mark := table[f.rows[i]*entryBytes+hashBytes:][:entryBytes-hashBytes]
		if binary.LittleEndian.Uint64(mark) == 0 {
			return "", fmt.Errorf("feature cache %s: image %d has no row", f.path, i)
		}
		sum.Write(mark)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Spec is what the cache was opened with.
func (f *Features) Spec() FeatureSpec { return f.spec }

// Hash is the sha256 hex over the spec and the contents of the pictures.
func (f *Features) Hash() string { return f.key }

// Path is the cache's file.
func (f *Features) Path() string { return f.path }

// Notes tells what was found damaged on opening.
func (f *Features) Notes() []Note { return f.notes }
