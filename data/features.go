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
	// Cut is how many of the encoder's last blocks are left out, with what follows them: the features are then what
	// they are given.
	Cut  int  `json:"cut,omitempty"`
	View View `json:"view,omitzero"` // what is seen of the pictures; set by WithView
}

// SpecOf says what the features of a frozen encoder are, which turns pictures of size×size pixels into regions by weights
// of this sha256 in hex; cut of its last blocks are left out.
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

// RowBytes is the size of a picture's features in the cache.
func (s FeatureSpec) RowBytes() int64 { return 2 * int64(s.Regions) * int64(s.Dim) }

// check refuses specs that no cache can hold.
func (s FeatureSpec) check() error {
	const most = 1 << 24 // more regions or dimensions than any encoder has
	switch {
	case s.View.Crop < 0:
		return fmt.Errorf("feature cache: there is no crop %d", s.View.Crop)
	case s.Encoder == "" || checkName("", 0, s.Encoder, false) != nil:
		return fmt.Errorf("feature cache: %q is not an encoder name", s.Encoder)
	case s.ImageSize < 1, s.Regions < 1, s.Dim < 1, s.Regions > most, s.Dim > most:
		return fmt.Errorf("feature cache: image size %d, regions %d, dimensions %d: all must be positive and within limits",
			s.ImageSize, s.Regions, s.Dim)
	case s.Cut < 0:
		return fmt.Errorf("feature cache: invalid number of blocks left out, %d", s.Cut)
	}
	return nil
}

// Features is an open cache of encoder features: R×D float16 for each distinct
// picture of a data set, found by the picture's content. They lie in one file or several: a picture that no file
// has gets a new one, together with all others that are missing then. Several goroutines and
// several processes may use one cache at the same time: a row is written once,
// under a lock, and its checksum after it, so that a row is whole or missing.
type Features struct {
	cache Cache
	spec  FeatureSpec
	key   string
	rows  []int // per image of the data set: its picture
	used  []int // images to compute for, one for each picture: those in a split; of views but the plain one, those that train

	pictures [][hashBytes]byte // the sha256 of all different pictures, in order

	mu     sync.RWMutex   // held for reading to read rows, for writing to change what follows
	told   []string       // of which files Remark was told
	files  []*featureFile // Dir's first
	places []featurePlace // per picture
	lock   *os.File
	closed bool
}

// OpenFeatures opens the cache of a data set's features. Rows are found by the spec and by the contents of the
// pictures, so that a changed picture, another encoder or other weights never
// meet old rows, while data sets with the same pictures share theirs. What is missing is put into cache.Dir, which
// need be written for nothing else. Rows are verified as they are read; a damaged one is missing from then on. A
// damaged file is left out, with a remark.
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

// index finds the different pictures, that of each image, and the images to compute for.
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

// Missing gives, in ascending order, the dataset indices that need a row: the
// images in a split (of views but the plain one, in the training split), one for
// each distinct picture, whose row is not there. It sees what other processes put meanwhile.
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
	if f.closed {
		return errors.New("feature cache: put after close")
	}
	if err := f.put(f.rows[i], bytesOf(row)); err != nil {
		return fmt.Errorf("feature cache %s: image %d: %w", f.cache.Dir, i, err)
	}
	return nil
}

// Read copies the R*D float16 bits of image i, row-major, to row, and verifies them. The error of a row that is missing or
// damaged wraps [ErrFeatures].
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

// Verify reads all rows that the splits need and are there, and counts the damaged, which are missing from then on.
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

// Exclusive waits until no other process holds the features of the spec for filling, and
// holds them until release is called or the process ends. It keeps processes
// that start together from computing the same rows; ask Missing afterwards. It makes room for what
// is missing, which fails where the disk has none.
// Putting and reading need no hold. Where nothing is missing there is nothing to hold.
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

// Sync flushes what was put to the disk.
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

// Content is the sha256 hex over the checksums of the rows that the splits need, in the order of the data set: what a
// captioner is trained on, byte for byte, where Hash says only what it was computed from. Rows are read as they are then,
// or not at all. The error of a missing one wraps [ErrFeatures].
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

// Close ends the use of the cache.
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

// Spec is what the cache was opened with.
func (f *Features) Spec() FeatureSpec { return f.spec }

// Hash is the sha256 hex over the spec and the contents of the pictures.
func (f *Features) Hash() string { return f.key }
