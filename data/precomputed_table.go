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

// arrayFacts is what is known of an array as long as its file stays as it is, and the array has its
// place there.
type arrayFacts struct {
	stamp
	begins    int64 // byte of the file
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

// An arrayTable keeps what is known of the arrays of a file or folder, in the order of their names.
// It is a flat file for each path, with these blocks: the ends of the names, the names, and
// arrayBytes of each.
type arrayTable struct {
	cache Cache
	path  string
}

const (
	arrayMagic = "glimpse arrays 1\n"
	arrayBytes = 4*8 + 4*8 + 32 // the stamp; rows, dim, crc and beginning; the hash
)

// file is the table in a folder of the cache.
func (t *arrayTable) file(folder string) (string, error) {
	hash, err := rootHash(t.path)
	return filepath.Join(folder, "arrays-"+hash+".table"), err
}

// known gives what the cache knows of the arrays of a set, by array. Of the needed ones it believes
// what it knows of files that did not change; the others are given as they were.
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

// arrayTableOf takes the blocks of a file, unless they do not fit together.
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
		return arrayFacts{} // of nothing that could have been read
	}
	return arrayFacts{
		stamp: stamp{n(0), n(1), n(2), n(3)}, rows: int(n(4)), dim: int(n(5)), crc: uint32(n(6)), begins: n(7), sum: [32]byte(row[8*8:]),
	}
}

// keep writes what is known of the arrays of a set, but for files that had changed just before
// taken. What is not kept is found out again, so that failing to keep it is no error.
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
