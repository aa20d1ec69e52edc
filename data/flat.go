package data

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"glimpse/internal/atomicfile"
)

// A flat file contains blocks of bytes that are used in place: it is mapped into memory, so that
// opening it copies nothing, and processes that use it share its pages.
//
//	magic    a line that names the kind of file and its version
//	head     JSON, behind its length as a uint64
//	blocks   the bytes of each, behind their length as a uint64
//	sum      the SHA-256 of all that
//
// Numbers are little-endian. A flat file is never changed, only replaced: truncating it would
// crash the processes that have it mapped. A mapping lasts as long as the process.

var (
	errDamaged = errors.New("has a wrong checksum")
	errVersion = errors.New("is from another version")
)

// writeFlat writes a flat file in place of the one that is there.
func writeFlat(path, magic string, head any, blocks ...[]byte) error {
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(file io.Writer) error {
		sum := sha256.New()
		buffered := bufio.NewWriter(file)
		w := io.MultiWriter(buffered, sum)
		io.WriteString(w, magic) // Flush returns any failure
		for _, block := range append([][]byte{text}, blocks...) {
			w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(block))))
			w.Write(block)
		}
		buffered.Write(sum.Sum(nil))
		return buffered.Flush()
	})
}

// openFlat maps a flat file, decodes its head into head and returns its blocks. If there is no
// file, the error is [os.ErrNotExist].
func openFlat(path, magic string, head any) (blocks [][]byte, err error) {
	file, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	if blocks, err = parseFlat(file, magic, head); err != nil {
		return nil, errors.Join(err, unix.Munmap(file))
	}
	return blocks, nil
}

// mapFile maps a file for reading.
func mapFile(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() || info.Size() == 0 {
		return nil, errDamaged
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	mapped, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return mapped, nil
}

// parseFlat checks a flat file and takes it apart.
func parseFlat(file []byte, magic string, head any) (blocks [][]byte, err error) {
	end := len(file) - sha256.Size
	if end < 0 || sha256.Sum256(file[:max(end, 0)]) != [sha256.Size]byte(file[end:]) {
		return nil, errDamaged
	}
	rest, known := bytes.CutPrefix(file[:end], []byte(magic))
	if !known {
		return nil, errVersion
	}
	for len(rest) > 0 {
		if len(rest) < 8 || binary.LittleEndian.Uint64(rest) > uint64(len(rest)-8) {
			return nil, errDamaged
		}
		size := int(binary.LittleEndian.Uint64(rest))
		blocks = append(blocks, rest[8:8+size:8+size])
		rest = rest[8+size:]
	}
	if len(blocks) == 0 || json.Unmarshal(blocks[0], head) != nil {
		return nil, errDamaged
	}
	return blocks[1:], nil
}

// ends are the offsets at which consecutive items end, and the next ones start: ascending uint32.
type ends []byte

func (e ends) len() int { return len(e) / 4 }

// span returns where item k starts and ends.
func (e ends) span(k int) (from, to int) {
	if k > 0 {
		from = number(e, k-1)
	}
	return from, number(e, k)
}

// cover checks that the ends ascend to total.
func (e ends) cover(total int) bool {
	last := 0
	for k := range e.len() {
		_, to := e.span(k)
		if to < last {
			return false
		}
		last = to
	}
	return len(e)%4 == 0 && last == total
}

// texts are concatenated strings.
type texts struct {
	ends ends
	text []byte
}

func (t texts) len() int { return t.ends.len() }

// at returns text k, without copying it.
func (t texts) at(k int) []byte {
	from, to := t.ends.span(k)
	return t.text[from:to]
}

func (t *texts) add(s string) {
	t.text = append(t.text, s...)
	t.ends = binary.LittleEndian.AppendUint32(t.ends, uint32(len(t.text)))
}

func (t texts) whole() bool { return t.ends.cover(len(t.text)) }

// number is number k of a row of uint32.
func number(row []byte, k int) int { return int(binary.LittleEndian.Uint32(row[4*k:])) }
