package data

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"

	"glimpse/data/arrays"
)

// arrayFacts is what is known about an array, valid while its file and its place there are
// unchanged.
type arrayFacts struct {
	stamp
	begins    int64 // its first byte in the file
	rows, dim int
	crc       uint32   // CRC-32C of its numbers as float32
	sum       [32]byte // SHA-256 of R, D and its numbers as float32
}

func (f *arrayFacts) known() bool { return f.rows > 0 }

// of takes the facts of an array.
func (f *arrayFacts) of(a *arrays.Array) {
	f.rows, f.dim = a.Rows, a.Dim
	f.crc = crc32.Checksum(floatBytes(a.Values), castagnoli)
	sum := sha256.New()
	sum.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(a.Rows)), uint64(a.Dim)))
	sum.Write(floatBytes(a.Values))
	f.sum = [32]byte(sum.Sum(nil))
}

// An arrayTable stores what is known about the arrays of a file or folder, in the order of their
// names. There is one flat file for each path, with these blocks: the ends of the names, the
// names, and arrayBytes for each.
type arrayTable struct {
	cache Cache
	path  string
}

const (
	arrayMagic = "glimpse arrays 1\n"
	arrayBytes = 4*8 + 4*8 + 32 // the stamp; rows, dim, crc and first byte; the hash
)

// file returns the path of the table in a folder of the cache.
func (t *arrayTable) file(folder string) (string, error) {
	hash, err := rootHash(t.path)
	return filepath.Join(folder, "arrays-"+hash+".table"), err
}

// known returns what the cache knows about the arrays of a set, by array. For the needed ones it
// checks that their files have not changed; others are returned unchecked.
func (t *arrayTable) known(set *arrays.Set, needed []int) ([]arrayFacts, error) {
	facts := make([]arrayFacts, len(set.Names()))
	if err := stampAll(facts, set, needed); err != nil {
		return nil, err
	}
	for _, folder := range t.cache.folders() {
		path, err := t.file(folder)
		if err != nil {
			continue
		}
		names, rows, err := openArrayTable(path)
		if err != nil {
			continue
		}
		at := 0
		for k, name := range set.Names() { // both are in order
			for at < names.len() && string(names.at(at)) < name {
				at++
			}
			if at == names.len() {
				break
			}
			isNeeded := facts[k].stamp != stamp{}
			if kept := factsAt(rows, at); string(names.at(at)) == name && !facts[k].known() &&
				(!isNeeded || kept.stamp == facts[k].stamp && kept.begins == facts[k].begins) {
				facts[k] = kept
			}
		}
	}
	return facts, nil
}

// stampAll takes the stamps of the files that hold the needed arrays.
func stampAll(facts []arrayFacts, set *arrays.Set, needed []int) error {
	stamps := map[string]stamp{}
	for _, k := range needed {
		file := set.File(k)
		seen, looked := stamps[file]
		if !looked {
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			seen = stampOf(info)
			stamps[file] = seen
		}
		facts[k].stamp, facts[k].begins = seen, set.At(k)
	}
	return nil
}

func openArrayTable(path string) (names texts, facts []byte, err error) {
	blocks, err := openFlat(path, arrayMagic, new(struct{}))
	if err != nil {
		return names, nil, err
	}
	names, facts, ok := arrayTableOf(blocks)
	if !ok {
		return names, nil, errors.New("is inconsistent")
	}
	return names, facts, nil
}

// arrayTableOf returns the table in the blocks of a file, and false if they are inconsistent.
func arrayTableOf(blocks [][]byte) (names texts, facts []byte, ok bool) {
	if len(blocks) != 3 {
		return names, nil, false
	}
	names = texts{blocks[0], blocks[1]}
	return names, blocks[2], names.whole() && len(blocks[2]) == arrayBytes*names.len()
}

func factsAt(rows []byte, k int) arrayFacts {
	row := rows[arrayBytes*k:][:arrayBytes]
	n := func(i int) int64 { return int64(binary.LittleEndian.Uint64(row[8*i:])) }
	if rows, dim := n(4), n(5); rows < 1 || rows > arrays.MostRows || dim < 1 || dim > arrays.MostDim {
		return arrayFacts{} // impossible values: treat as unknown
	}
	return arrayFacts{
		stamp: stamp{n(0), n(1), n(2), n(3)}, rows: int(n(4)), dim: int(n(5)), crc: uint32(n(6)), begins: n(7), sum: [32]byte(row[8*8:]),
	}
}

// keep caches what is known about the arrays of a set, except for files that had changed just
// before taken. It ignores failures, since what is not cached is only computed again.
func (t *arrayTable) keep(set *arrays.Set, facts []arrayFacts, taken time.Time) {
	if t.cache.Dir == "" {
		return
	}
	path, err := t.file(t.cache.Dir)
	if err != nil {
		return
	}
	var names texts
	var rows []byte
	for k, name := range set.Names() {
		f := facts[k]
		if !f.known() || !f.settled(taken) {
			continue
		}
		names.add(name)
		for _, n := range []int64{f.size, f.mtime, f.ctime, f.inode, int64(f.rows), int64(f.dim), int64(f.crc), f.begins} {
			rows = binary.LittleEndian.AppendUint64(rows, uint64(n))
		}
		rows = append(rows, f.sum[:]...)
	}
	_ = os.MkdirAll(t.cache.Dir, 0o777)
	_ = writeFlat(path, arrayMagic, struct{}{}, names.ends, names.text, rows)
}
