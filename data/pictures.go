package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// stamp detects whether a file has changed. A program that writes a file can set mtime freely,
// but not ctime, the time of change of the inode.
type stamp struct {
	size, mtime, ctime int64 // bytes, and nanoseconds since 1970; ctime 0 if the system has none
	inode              int64
}

func stampOf(info os.FileInfo) stamp {
	inode, ctime := inodeOf(info)
	return stamp{size: info.Size(), mtime: info.ModTime().UnixNano(), ctime: ctime, inode: inode}
}

// fresh is how old a file must be to trust its times: a younger one could change again within the
// clock's resolution. Tests lower it.
var fresh = 2 * time.Second

// settled reports whether a stamp taken at that time can be trusted.
func (s stamp) settled(taken time.Time) bool {
	changed := s.ctime
	if changed == 0 {
		changed = s.mtime
	}
	return changed < taken.Add(-fresh).UnixNano()
}

// picture is what is known about a picture's file, valid while its stamp is unchanged.
type picture struct {
	stamp
	whole  bool     // it was decoded completely; see checkPicture
	hashed bool     // sum is known
	sum    [32]byte // sha256 of the file
}

// knownPictures is what is known about the pictures of a data set.
type knownPictures struct {
	mu    sync.Mutex
	known []picture // per image
}

// paths returns the files of the images' pictures.
func (d *Dataset) paths() []string {
	paths := make([]string, len(d.Images))
	for i, image := range d.Images {
		paths[i] = image.Path
	}
	return paths
}

// below returns the path of a picture relative to the root.
func (d *Dataset) below(path string) string {
	below, err := filepath.Rel(d.Options.Root, path)
	if err != nil {
		return path // cannot happen: it was joined to the root
	}
	return below
}

// pictureHashes returns the SHA-256 of every image's content: the file's bytes or, for drawn
// scenes, the pixels at the given size. For unchanged files it uses the cache.
func (d *Dataset) pictureHashes(size int) ([][32]byte, error) {
	sums := make([][32]byte, len(d.Images))
	if d.scenes != nil {
		inParallel(len(sums), 1, func(i int) { sums[i] = sha256.Sum256(d.scenes[i].paint(size)) })
		return sums, nil
	}
	p := d.pictures
	if p == nil { // the data set was not loaded from files
		p = &knownPictures{known: make([]picture, len(d.Images))}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var changed atomic.Bool
	var failed atomic.Pointer[error]
	now := time.Now()
	inParallel(len(sums), 4, func(i int) {
		info, err := os.Stat(d.Images[i].Path)
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("picture %s is not a regular file", d.Images[i].Path)
		}
		if err != nil {
			failed.Store(&err)
			return
		}
		known := &p.known[i]
		if seen := stampOf(info); known.stamp != seen {
			*known = picture{stamp: seen}
		}
		if !known.hashed {
			changed.Store(true)
			if known.sum, err = hashFile(d.Images[i].Path); err != nil {
				failed.Store(&err)
				return
			}
			known.hashed = true
		}
		sums[i] = known.sum
	})
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	if changed.Load() {
		d.keepPictures(d.paths(), p.known, now)
	}
	return sums, nil
}

// A table of pictures lists what is known about them, in the order of their paths below the root.
// There is one flat file for each root, with these blocks: the ends of the paths, the paths, and
// pictureBytes for each.
const (
	pictureMagic = "glimpse pictures 3\n"
	pictureBytes = 4*8 + 8 + 32 // the stamp, the bits below, the hash
)

// The bits of a picture. In older tables, bit 1 meant that only the start and end of the picture
// were checked.
const (
	hashedBit = 2
	wholeBit  = 4 // decoded with the current decoders and checks; use another bit when these become stricter
)

// pictureTable is such a file.
type pictureTable struct {
	paths texts
	facts []byte
}

// pictureTables are the tables of the cache. The first that knows a picture takes precedence.
type pictureTables []pictureTable

// picturePath returns the file of the table of a root.
func picturePath(folder, root string) (string, error) {
	hash, err := rootHash(root)
	return filepath.Join(folder, "pictures-"+hash+".table"), err
}

// pictureTables opens the tables for the data set's root. It ignores damaged ones.
func (d *Dataset) pictureTables() pictureTables {
	var all pictureTables
	for _, folder := range d.Options.Cache.folders() {
		if path, err := picturePath(folder, d.Options.Root); err == nil {
			if t, err := openPictureTable(path); err == nil {
				all = append(all, t)
			}
		}
	}
	return all
}

func openPictureTable(path string) (pictureTable, error) {
	blocks, err := openFlat(path, pictureMagic, new(struct{}))
	if err != nil {
		return pictureTable{}, err
	}
	t, ok := pictureTableOf(blocks)
	if !ok {
		return pictureTable{}, errors.New("is inconsistent")
	}
	return t, nil
}

// pictureTableOf returns the table in the blocks of a file, and false if they are inconsistent.
func pictureTableOf(blocks [][]byte) (t pictureTable, ok bool) {
	if len(blocks) != 3 {
		return t, false
	}
	t = pictureTable{texts{blocks[0], blocks[1]}, blocks[2]}
	return t, t.paths.whole() && len(t.facts) == pictureBytes*t.paths.len()
}

// find returns what is known about the picture at a path below the root; the zero value if
// nothing is.
func (tables pictureTables) find(path string) picture {
	wanted := []byte(path)
	for _, t := range tables {
		at, found := sort.Find(t.paths.len(), func(k int) int { return bytes.Compare(wanted, t.paths.at(k)) })
		if found {
			return t.at(at)
		}
	}
	return picture{}
}

func (t pictureTable) at(k int) picture {
	fact := t.facts[pictureBytes*k:][:pictureBytes]
	n := func(i int) int64 { return int64(binary.LittleEndian.Uint64(fact[8*i:])) }
	return picture{
		stamp: stamp{n(0), n(1), n(2), n(3)}, whole: n(4)&wholeBit != 0, hashed: n(4)&hashedBit != 0, sum: [32]byte(fact[5*8:]),
	}
}

func (t *pictureTable) add(path string, p picture) {
	t.paths.add(path)
	bits := int64(0)
	if p.whole {
		bits |= wholeBit
	}
	if p.hashed {
		bits |= hashedBit
	}
	for _, n := range []int64{p.size, p.mtime, p.ctime, p.inode, bits} {
		t.facts = binary.LittleEndian.AppendUint64(t.facts, uint64(n))
	}
	t.facts = append(t.facts, p.sum[:]...)
}

// keepPictures writes what is known about the pictures at these paths into the cache, and keeps
// what the table knows about others. taken is when the pictures were examined: it leaves out
// files that had changed just before. It ignores failures, since what is not cached is only
// computed again.
func (d *Dataset) keepPictures(paths []string, known []picture, taken time.Time) {
	folder := d.Options.Cache.Dir
	if folder == "" {
		return
	}
	path, err := picturePath(folder, d.Options.Root)
	if err != nil {
		return
	}
	all := make(map[string]picture, len(paths))
	if old, err := openPictureTable(path); err == nil {
		for k := range old.paths.len() {
			all[string(old.paths.at(k))] = old.at(k)
		}
	}
	for i, p := range known {
		below := d.below(paths[i])
		delete(all, below)
		if (p.whole || p.hashed) && p.settled(taken) {
			all[below] = p
		}
	}
	var t pictureTable
	for _, path := range slices.Sorted(maps.Keys(all)) {
		t.add(path, all[path])
	}
	_ = os.MkdirAll(folder, 0o777)
	_ = writeFlat(path, pictureMagic, struct{}{}, t.paths.ends, t.paths.text, t.facts)
}

// sortedDistinct returns the distinct hashes, sorted.
func sortedDistinct(hashes [][32]byte) [][32]byte {
	sorted := slices.Clone(hashes)
	slices.SortFunc(sorted, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(sorted)
}
