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

// FeatureSpec describes the rows of a feature cache. Caches with different specs never mix.
type FeatureSpec struct {
	Encoder       string `json:"encoder"`
	WeightsSHA256 string `json:"weights_sha256"`
	Preprocessing string `json:"preprocessing"` // how pixels become the encoder's input, in words
	ImageSize     int    `json:"image_size"`    // pixels a side
	Regions       int    `json:"regions"`       // R
	Dim           int    `json:"dim"`           // D
	// Cut is how many of the encoder's last blocks are left out, with everything after them. The
	// features are then the input of the first block left out.
	Cut  int  `json:"cut,omitempty"`
	View View `json:"view,omitzero"` // the view of the pictures; set by WithView
}

// SpecOf returns the spec of the features of a frozen encoder that sees size×size pixels and has
// weights with this SHA-256, in hex. Its last cut blocks are left out.
func SpecOf(encoder string, size, cut int, weightsSHA256 string) (FeatureSpec, error) {
	e, err := captioner.EncoderOf(encoder)
	if err != nil {
		return FeatureSpec{}, err
	}
	f, err := e.Cut(size, cut)
	if err != nil {
		return FeatureSpec{}, err
	}
	return FeatureSpec{
		Encoder: encoder, WeightsSHA256: weightsSHA256, Preprocessing: e.Normalisation.Preprocessing(),
		ImageSize: size, Regions: f.Regions, Dim: f.Dim, Cut: cut,
	}, nil
}

// RowBytes returns the size of a picture's features in the cache.
func (s FeatureSpec) RowBytes() int64 { return 2 * int64(s.Regions) * int64(s.Dim) }

// check rejects invalid specs.
func (s FeatureSpec) check() error {
	const most = 1 << 24 // more regions or dimensions than any encoder has
	switch {
	case s.View.Crop < 0:
		return fmt.Errorf("feature cache: crop %d does not exist", s.View.Crop)
	case s.Encoder == "" || checkName("", 0, s.Encoder, false) != nil:
		return fmt.Errorf("feature cache: %q is not an encoder name", s.Encoder)
	case s.ImageSize < 1, s.Regions < 1, s.Dim < 1, s.Regions > most, s.Dim > most:
		return fmt.Errorf("feature cache: image size %d, regions %d, dimensions %d: each must be positive, regions and dimensions at most 16,777,216",
			s.ImageSize, s.Regions, s.Dim)
	case s.Cut < 0:
		return fmt.Errorf("feature cache: invalid number of blocks left out, %d", s.Cut)
	}
	return nil
}

// Features is an open cache of encoder features: R×D float16 for each distinct picture of a data
// set, found by the picture's content. They are in one file or several: pictures that no file has
// get a new file together. Several goroutines and processes may use one cache at the same time: a
// row is written once, under a lock, followed by its checksum, so that a row is either complete
// or missing.
type Features struct {
	cache Cache
	spec  FeatureSpec
	key   string
	rows  []int // per image of the data set: its picture
	used  []int // images to compute for, one for each picture: those in a split; of views but the plain one, those that train

	pictures [][hashBytes]byte // the sha256 of all different pictures, in order

	mu     sync.RWMutex   // held for reading to read rows, for writing to change what follows
	told   []string       // files that Remark was called for
	files  []*featureFile // Dir's first
	places []featurePlace // per picture
	lock   *os.File
	closed bool
}

// OpenFeatures opens the cache of a data set's features. Rows are found by the spec and the
// contents of the pictures, so that a changed picture, another encoder or other weights never get
// old rows, while data sets with the same pictures share theirs. Missing rows are written to
// cache.Dir, which is not written otherwise. Rows are verified as they are read; a damaged row
// counts as missing from then on. A damaged file is ignored, with a remark.
func OpenFeatures(cache Cache, spec FeatureSpec, d *Dataset) (*Features, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	if !littleEndian {
		return nil, errors.New("feature cache: only little-endian machines are supported")
	}
	hashes, err := d.pictureHashes(spec.ImageSize)
	if err != nil {
		return nil, fmt.Errorf("feature cache: %w", err)
	}
	f := &Features{cache: cache, spec: spec}
	f.index(hashes, d)
	f.key = featureKey(spec, f.pictures)
	f.places = make([]featurePlace, len(f.pictures))
	if err := f.scan(); err != nil {
		f.Close()
		return nil, fmt.Errorf("feature cache %s: %w", cache.Dir, err)
	}
	f.remember()
	return f, nil
}

// index finds the distinct pictures, the picture of each image, and the images to compute
// features for.
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
	for split, indices := range d.Splits {
		if f.spec.View != (View{}) && split != "train" {
			continue
		}
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

// Missing returns, in ascending order, the indices of the images whose rows are missing: one for
// each distinct picture in a split or, for views other than the plain one, in the training split.
// It sees rows that other processes have put meanwhile.
func (f *Features) Missing() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if missing := f.missing(); f.closed || len(missing) == 0 {
		return missing
	}
	if err := f.scan(); err != nil { // another process may have made a file since
		f.cache.remark(f.cache.Dir, "feature cache: %v", err)
	}
	return f.missing()
}

func (f *Features) missing() []int {
	missing := []int{}
	for _, i := range f.used {
		if f.closed || !f.there(f.rows[i]) {
			missing = append(missing, i)
		}
	}
	return missing
}

// Put stores the R*D float16 bits of image i, row-major. It does not change an existing row. It
// returns an error for values that are not finite.
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
	if f.closed {
		return errors.New("feature cache: put after close")
	}
	if err := f.put(f.rows[i], bytesOf(row)); err != nil {
		return fmt.Errorf("feature cache %s: image %d: %w", f.cache.Dir, i, err)
	}
	return nil
}

// Read copies the R*D float16 bits of image i, row-major, to row, and verifies them. For a
// missing or damaged row its error wraps [ErrFeatures].
func (f *Features) Read(i int, row []uint16) error {
	if i < 0 || i >= len(f.rows) {
		return fmt.Errorf("feature cache: image %d of %d", i, len(f.rows))
	}
	if want := f.spec.Regions * f.spec.Dim; len(row) != want {
		return fmt.Errorf("feature cache: image %d: room for %d values, want %d×%d", i, len(row), f.spec.Regions, f.spec.Dim)
	}
	if err := f.read(f.rows[i], bytesOf(row)); err != nil {
		return fmt.Errorf("feature cache %s: image %d %w", f.cache.Dir, i, err)
	}
	return nil
}

// Verify reads all existing rows that the splits need, and counts the damaged ones, which count
// as missing from then on.
func (f *Features) Verify() (damaged int, err error) {
	var count atomic.Int64
	var failed atomic.Pointer[error]
	buffers := sync.Pool{New: func() any { row := make([]uint16, f.spec.Regions*f.spec.Dim); return &row }}
	inParallel(len(f.used), 1, func(k int) {
		row := buffers.Get().(*[]uint16)
		defer buffers.Put(row)
		switch err := f.Read(f.used[k], *row); {
		case errors.Is(err, errRowDamaged):
			count.Add(1)
		case err != nil && !errors.Is(err, errNoRow):
			failed.Store(&err)
		}
	})
	if err := failed.Load(); err != nil {
		return int(count.Load()), *err
	}
	return int(count.Load()), nil
}

// Exclusive waits until no other process is filling the features of the spec, and locks them
// until release is called or the process ends. It keeps processes that start together from
// computing the same rows; call Missing afterwards. It allocates space for the missing rows, and
// fails if the disk is full. Put and Read need no lock. If nothing is missing, nothing is locked.
func (f *Features) Exclusive(ctx context.Context) (release func(), err error) {
	if len(f.Missing()) == 0 {
		return func() {}, nil
	}
	file, err := f.lockFile(".fill")
	if err != nil {
		return nil, fmt.Errorf("feature cache: %w", err)
	}
	for {
		held, err := tryLock(file)
		if err == nil && held {
			if err := f.makeRoom(); err != nil {
				file.Close()
				return nil, fmt.Errorf("feature cache %s: %w", f.cache.Dir, err)
			}
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
		return nil, fmt.Errorf("feature cache %s: waiting for another process to fill it: %w", f.cache.Dir, err)
	}
}

// Sync flushes the rows that were put to disk.
func (f *Features) Sync() error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return errors.New("feature cache: sync after close")
	}
	for _, file := range f.files {
		if !file.own {
			continue
		}
		if err := file.file.Sync(); err != nil {
			return fmt.Errorf("feature cache %s: %w", file.path, err)
		}
	}
	return nil
}

// Content returns the SHA-256, in hex, of the checksums of the rows that the splits need, in the
// order of the data set. It identifies the features byte for byte, while Hash identifies only
// what they were computed from. From then on, reading a row that has changed fails. For a missing
// row its error wraps [ErrFeatures].
func (f *Features) Content() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return "", errors.New("feature cache: content after close")
	}
	sum := sha256.New()
	for _, i := range f.used {
		if !f.there(f.rows[i]) {
			return "", fmt.Errorf("feature cache %s: image %d %w", f.cache.Dir, i, errNoRow)
		}
		sum.Write(binary.LittleEndian.AppendUint64(nil, f.places[f.rows[i]].mark))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Close closes the cache.
func (f *Features) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var faults []error
	for _, file := range f.files {
		faults = append(faults, file.file.Close())
	}
	if f.lock != nil {
		faults = append(faults, f.lock.Close())
	}
	f.files, f.lock, f.closed = nil, nil, true
	clear(f.places)
	return errors.Join(faults...)
}

// Spec returns the spec that the cache was opened with.
func (f *Features) Spec() FeatureSpec { return f.spec }

// Hash returns the SHA-256, in hex, of the spec and the contents of the pictures.
func (f *Features) Hash() string { return f.key }
