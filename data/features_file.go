package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"path/filepath"
)

// The file of a feature cache, all numbers little-endian:
//
//	0   8 bytes  "GLFEATUR"
//	8   uint32   featureVersion
//	12  uint32   length of the JSON header
//	16  uint32   CRC-32C of the JSON header
//	20  uint32   0
//	24           JSON: featureHeader
//	table        a featureEntry for each row; begins on a page
//	data         rows of R·D float16; begins on a page
//
// The rows are in the order of their pictures' hashes, so the same pictures
// give the same file whatever their names and order.
const (
	featureMagic   = "GLFEATUR"
	featureVersion = 1
	featurePage    = 4096
	fixedHeader    = 24
	entryBytes     = 40 // sha256 of the picture, then mark
	hashBytes      = 32
	maxHeader      = 1 << 16
)

// A mark is the last 8 bytes of a table entry: the CRC-32C of the row's
// picture hash and bytes in the lower half, rowDone above it; 0 while the row
// is missing. It is written after its row, in one piece.
const rowDone = uint64(0x474f4f44) << 32

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// featureHeader is the JSON at the head of a feature cache.
type featureHeader struct {
	Spec     FeatureSpec `json:"spec"`
	Rows     int         `json:"rows"`
	Pictures string      `json:"pictures"` // sha256 hex over the table's hashes
}

// layout is where things lie in a feature cache's file.
type layout struct {
	header      []byte // the fixed part and the JSON
	table, data int64  // offsets
	row, size   int64  // bytes of a row, of the file
	rows        int
}

// newLayout gives the layout for the pictures with these hashes.
func newLayout(spec FeatureSpec, pictures [][hashBytes]byte) (layout, error) {
	sum := sha256.New()
	for _, h := range pictures {
		sum.Write(h[:])
	}
	text, err := json.Marshal(featureHeader{spec, len(pictures), hex.EncodeToString(sum.Sum(nil))})
	if err != nil {
		return layout{}, err
	}
	if len(text) > maxHeader {
		return layout{}, fmt.Errorf("feature cache: a header of %d bytes, more than %d; shorten the preprocessing's description", len(text), maxHeader)
	}
	l := layout{row: spec.rowBytes(), rows: len(pictures)}
	l.header = append(l.header, featureMagic...)
	l.header = binary.LittleEndian.AppendUint32(l.header, featureVersion)
	l.header = binary.LittleEndian.AppendUint32(l.header, uint32(len(text)))
	l.header = binary.LittleEndian.AppendUint32(l.header, crc32.Checksum(text, castagnoli))
	l.header = binary.LittleEndian.AppendUint32(l.header, 0)
	l.header = append(l.header, text...)
	page := func(n int64) int64 { return (n + featurePage - 1) / featurePage * featurePage }
	l.table = page(int64(len(l.header)))
	l.data = page(l.table + int64(l.rows)*entryBytes)
	if l.rows > 0 && l.row > (math.MaxInt64-l.data)/int64(l.rows) {
		return layout{}, fmt.Errorf("feature cache: %d rows of %d bytes are more than a file can hold", l.rows, l.row)
	}
	l.size = l.data + int64(l.rows)*l.row
	return l, nil
}

func (l layout) entryAt(row int) int64 { return l.table + int64(row)*entryBytes }
func (l layout) markAt(row int) int64  { return l.entryAt(row) + hashBytes }
func (l layout) rowAt(row int) int64   { return l.data + int64(row)*l.row }

// blankTable is the table with every row missing.
func (l layout) blankTable(pictures [][hashBytes]byte) []byte {
	table := make([]byte, l.rows*entryBytes)
	for r, h := range pictures {
		copy(table[r*entryBytes:], h[:])
	}
	return table
}

// check says what is wrong with the head of an existing file of this layout.
func (l layout) check(head []byte, size int64) error {
	found, err := parseHeader(head)
	switch {
	case err != nil:
		return err
	case !bytes.HasPrefix(head, l.header):
		return fmt.Errorf("is of %s at %d pixels with %d rows, another cache than its name says", found.Spec.Encoder, found.Spec.ImageSize, found.Rows)
	case size != l.size:
		return fmt.Errorf("is %d bytes long, want %d", size, l.size)
	}
	return nil
}

// parseHeader reads the head of a feature cache's file.
func parseHeader(head []byte) (featureHeader, error) {
	var h featureHeader
	if len(head) < fixedHeader || string(head[:len(featureMagic)]) != featureMagic {
		return h, errors.New("does not begin as a feature cache")
	}
	if v := binary.LittleEndian.Uint32(head[8:]); v != featureVersion {
		return h, fmt.Errorf("has version %d, want %d", v, featureVersion)
	}
	n := binary.LittleEndian.Uint32(head[12:])
	if n > maxHeader || int(n) > len(head)-fixedHeader {
		return h, fmt.Errorf("has a header of %d bytes, more than there are", n)
	}
	text := head[fixedHeader : fixedHeader+int(n)]
	if crc32.Checksum(text, castagnoli) != binary.LittleEndian.Uint32(head[16:]) {
		return h, errors.New("has a damaged header")
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, fmt.Errorf("has a damaged header: %w", err)
	}
	if h.Rows < 0 {
		return h, fmt.Errorf("has a header with %d rows", h.Rows)
	}
	return h, h.Spec.check()
}

// rowMark is the mark of a whole row.
func rowMark(picture [hashBytes]byte, row []byte) uint64 {
	return rowDone | uint64(crc32.Update(crc32.Checksum(picture[:], castagnoli), castagnoli, row))
}

// featurePath is the file of a cache: a name a person can read, and the key.
func featurePath(dir string, spec FeatureSpec, key string) string {
	return filepath.Join(dir, fmt.Sprintf("%s-%d-%s.features", spec.Encoder, spec.ImageSize, key[:16]))
}
