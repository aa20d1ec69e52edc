package data

import (
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"glimpse/data/arrays"
)

// PrecomputedContent describes the features, in given files, of the images in a data set's
// splits.
type PrecomputedContent struct {
	SHA256      string // the first 16 hex digits of the hash of the images' ids and features, in the order of the ids
	Least, Most int    // regions of an image
	Dim         int    // D
}

// Precomputed are features of the images of a data set, computed by another program: R regions of
// D numbers per image, where R may differ. They are read in place, as float32. The file format
// does not affect the numbers. Several goroutines may use them at the same time.
type Precomputed struct {
	set     *arrays.Set
	facts   []arrayFacts // by array of the set; known for those of images in a split
	at      []int        // per image of the data set: its array; -1 for one in no split
	ids     []string     // per image
	content PrecomputedContent
	buffers sync.Pool // of *arrays.Array
}

// OpenPrecomputed opens files of features (see [arrays.Open] for path and names) and checks all
// features that the splits of a data set need: every image must have some, with equally many
// numbers per region, all finite. A name matches the image with the same id, or the one that
// differs only in an extension such as .jpg; several matches are an error. Results are cached, so
// that unchanged files are not read again.
func OpenPrecomputed(cache Cache, path, names string, d *Dataset) (*Precomputed, error) {
	if !littleEndian {
		return nil, errors.New("features: only little-endian machines are supported")
	}
	set, err := arrays.Open(path, names)
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	p := &Precomputed{set: set, buffers: sync.Pool{New: func() any { return new(arrays.Array) }}}
	if err := p.open(cache, path, d); err != nil {
		set.Close()
		return nil, fmt.Errorf("features: %w", err)
	}
	return p, nil
}

func (p *Precomputed) open(cache Cache, path string, d *Dataset) error {
	for _, image := range d.Images {
		p.ids = append(p.ids, image.ID)
	}
	used := d.inSplits()
	arraysOf, err := p.match(path, used)
	if err != nil {
		return err
	}
	p.at = slices.Repeat([]int{-1}, len(p.ids))
	for i, k := range used {
		p.at[k] = arraysOf[i]
	}
	table := &arrayTable{cache: cache, path: path}
	if p.facts, err = table.known(p.set, arraysOf); err != nil {
		return err
	}
	if err := p.check(cache, path, arraysOf, table); err != nil {
		return err
	}
	return p.sumUp(path, used)
}

// check reads the arrays that the table does not know, and adds them to it.
func (p *Precomputed) check(cache Cache, path string, needed []int, table *arrayTable) error {
	var unread []int
	for _, k := range slices.Compact(slices.Sorted(slices.Values(needed))) {
		if !p.facts[k].known() {
			unread = append(unread, k)
		}
	}
	if len(unread) == 0 {
		return nil
	}
	const many = 1000 // so many may take a while to read
	if len(unread) > many {
		cache.remark(path, "checking the features of %d images (once)", len(unread))
		if !p.settled(unread) {
			time.Sleep(fresh) // otherwise the results could not be cached, and all would be read again
		}
	}
	taken := time.Now()
	var failed atomic.Pointer[error]
	inParallel(len(unread), 2, func(i int) {
		if failed.Load() != nil {
			return
		}
		k := unread[i]
		err := p.read(k, func(a *arrays.Array) error {
			p.facts[k].of(a)
			return nil
		})
		if err != nil {
			failed.Store(&err)
		}
	})
	table.keep(p.set, p.facts, taken) // even after a fault, since a set may take long to read
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// settled reports whether what was found out about arrays can be cached: their files are old
// enough.
func (p *Precomputed) settled(of []int) bool {
	now := time.Now()
	return !slices.ContainsFunc(of, func(k int) bool { return !p.facts[k].settled(now) })
}

// read reads an array of the set.
func (p *Precomputed) read(k int, use func(*arrays.Array) error) error {
	a := p.buffers.Get().(*arrays.Array)
	defer p.buffers.Put(a)
	if err := p.set.Read(k, a); err != nil {
		return err
	}
	return use(a)
}

// sumUp compares the sizes of the images' features, and hashes them.
func (p *Precomputed) sumUp(path string, used []int) error {
	h := newContentHash()
	for n, i := range used {
		f := &p.facts[p.at[i]]
		c := &p.content
		if n == 0 {
			*c = PrecomputedContent{Least: f.rows, Most: f.rows, Dim: f.dim}
		}
		if f.dim != c.Dim {
			return fmt.Errorf("%s: image %q has %d numbers per region, but image %q has %d", path, p.ids[used[0]], c.Dim, p.ids[i], f.dim)
		}
		c.Least, c.Most = min(c.Least, f.rows), max(c.Most, f.rows)
		h.text(p.ids[i])
		h.Write(f.sum[:])
	}
	p.content.SHA256 = h.digits()
	return nil
}

// Content describes the features of the images in the splits.
func (p *Precomputed) Content() PrecomputedContent { return p.content }

// Close closes the files.
func (p *Precomputed) Close() error { return p.set.Close() }

// Regions returns R of image i, which must be in a split.
func (p *Precomputed) Regions(i int) int { return p.facts[p.at[i]].rows }

// Read copies the R×D features of image i, row by row, to row, which must have room for them. If
// they have changed since they were checked, its error wraps [ErrPrecomputedChanged].
func (p *Precomputed) Read(i int, row []float32) error {
	if i < 0 || i >= len(p.at) || p.at[i] < 0 {
		return fmt.Errorf("features: image %d of %d is in no split", i, len(p.at))
	}
	f := &p.facts[p.at[i]]
	return p.read(p.at[i], func(a *arrays.Array) error {
		if a.Rows != f.rows || a.Dim != f.dim || crc32.Checksum(floatBytes(a.Values), castagnoli) != f.crc {
			return fmt.Errorf("%s: the features of image %q %w", p.set.File(p.at[i]), p.ids[i], ErrPrecomputedChanged)
		}
		if copy(row, a.Values) < len(a.Values) {
			return fmt.Errorf("features: room for %d numbers of image %q, want %d×%d", len(row), p.ids[i], f.rows, f.dim)
		}
		return nil
	})
}

// ErrPrecomputedChanged is wrapped by the error of features that have changed since they were
// checked.
var ErrPrecomputedChanged = errors.New("have changed since they were checked: restore the files, or run the study again to plan new trials for them")

// floatBytes returns the memory of numbers as bytes, for hashing.
func floatBytes(values []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values))
}

// match finds the index of each used image's array in the set.
func (p *Precomputed) match(path string, used []int) ([]int, error) {
	places, missing := make([]int, len(used)), []string{}
	taken := make(map[int]int, len(used)) // array → image
	for n, i := range used {
		k, err := p.set.Find(p.ids[i])
		if err != nil {
			return nil, err
		}
		if k < 0 {
			missing = append(missing, p.ids[i])
			continue
		}
		if other, twice := taken[k]; twice {
			return nil, fmt.Errorf("%s: the features %q match both image %q and image %q", path, p.set.Names()[k], p.ids[other], p.ids[i])
		}
		taken[k], places[n] = i, k
	}
	if len(missing) > 0 {
		names := p.set.Names()
		return nil, fmt.Errorf("%s: %d of the %d images in the splits have no features, e.g. %q; names in the file are, e.g., %q",
			path, len(missing), len(used), missing[:min(3, len(missing))], names[:min(3, len(names))])
	}
	return places, nil
}
