package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// The format of a file of features, with all numbers little-endian:
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
// The rows are in the order of their pictures' hashes, so that the same pictures give the same
// file whatever their names and order.
const (
	featureMagic   = "GLFEATUR"
	featureVersion = 1
	featurePage    = 4096
	fixedHeader    = 24
	entryBytes     = 40 // sha256 of the picture, then mark
	hashBytes      = 32
	maxHeader      = 1 << 16
	featureEnding  = ".features"
)

// A mark is the last 8 bytes of a table entry: the CRC-32C of the row's
// picture hash and bytes in the lower half, rowDone above it; 0 while the row
// is missing. It is written after its row, and rowDone last.
const rowDone = uint64(0x474f4f44) << 32

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// featureHeader is the JSON at the head of a feature cache.
type featureHeader struct {
	Spec     FeatureSpec `json:"spec"`
	Rows     int         `json:"rows"`
	Pictures string      `json:"pictures"` // sha256 hex over the table's hashes
}

// layout says where the parts of a file of features are.
type layout struct {
	table, data int64 // offsets
	row, size   int64 // bytes of a row, of the file
	rows        int
}

// newLayout returns the layout of a file that starts with this many bytes of header.
func newLayout(spec FeatureSpec, rows, header int) (layout, error) {
	page := func(n int64) int64 { return (n + featurePage - 1) / featurePage * featurePage }
	l := layout{row: spec.RowBytes(), rows: rows, table: page(int64(header))}
	if int64(rows) > (math.MaxInt64-l.table)/entryBytes-featurePage {
		return layout{}, fmt.Errorf("feature cache: %d rows do not fit into one file", rows)
	}
	l.data = page(l.table + int64(rows)*entryBytes)
	if rows > 0 && l.row > (math.MaxInt64-l.data)/int64(rows) {
		return layout{}, fmt.Errorf("feature cache: %d rows of %d bytes do not fit into one file", rows, l.row)
	}
	l.size = l.data + int64(rows)*l.row
	return l, nil
}

// newHeader returns the header of the file for the pictures with these hashes, in order.
func newHeader(spec FeatureSpec, pictures [][hashBytes]byte) ([]byte, error) {
	text, err := json.Marshal(featureHeader{spec, len(pictures), hashOf(pictures)})
	if err != nil {
		return nil, err
	}
	if len(text) > maxHeader {
		return nil, fmt.Errorf("feature cache: the header has %d bytes, but the limit is %d: shorten the description of the preprocessing", len(text), maxHeader)
	}
	header := []byte(featureMagic)
	for _, n := range []uint32{featureVersion, uint32(len(text)), crc32.Checksum(text, castagnoli), 0} {
		header = binary.LittleEndian.AppendUint32(header, n)
	}
	return append(header, text...), nil
}

// hashOf is the sha256 hex over the hashes of pictures.
func hashOf(pictures [][hashBytes]byte) string {
	sum := sha256.New()
	for _, h := range pictures {
		sum.Write(h[:])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (l layout) entryAt(row int) int64 { return l.table + int64(row)*entryBytes }
func (l layout) markAt(row int) int64  { return l.entryAt(row) + hashBytes }
func (l layout) rowAt(row int) int64   { return l.data + int64(row)*l.row }

// blankTable is the table with every row missing.
func blankTable(pictures [][hashBytes]byte) []byte {
	table := make([]byte, len(pictures)*entryBytes)
	for r, h := range pictures {
		copy(table[r*entryBytes:], h[:])
	}
	return table
}

// parseHeader reads the header of a file of features, and returns its length.
func parseHeader(head []byte) (h featureHeader, size int, err error) {
	if len(head) < fixedHeader || string(head[:len(featureMagic)]) != featureMagic {
		return h, 0, errors.New("is not a feature cache")
	}
	if v := binary.LittleEndian.Uint32(head[8:]); v != featureVersion {
		return h, 0, fmt.Errorf("has version %d, expected %d", v, featureVersion)
	}
	n := binary.LittleEndian.Uint32(head[12:])
	if n > maxHeader || int(n) > len(head)-fixedHeader {
		return h, 0, fmt.Errorf("has a truncated header of %d bytes", n)
	}
	text := head[fixedHeader : fixedHeader+int(n)]
	if crc32.Checksum(text, castagnoli) != binary.LittleEndian.Uint32(head[16:]) {
		return h, 0, errors.New("has a damaged header")
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, 0, fmt.Errorf("has a damaged header: %w", err)
	}
	if h.Rows < 0 {
		return h, 0, fmt.Errorf("has a header with %d rows", h.Rows)
	}
	return h, fixedHeader + int(n), h.Spec.check()
}

// rowMark returns the mark of a complete row.
func rowMark(picture [hashBytes]byte, row []byte) uint64 {
	return rowDone | uint64(crc32.Update(crc32.Checksum(picture[:], castagnoli), castagnoli, row))
}

// stem returns the start of the names of all files of an encoder at a size.
func (s FeatureSpec) stem() string { return fmt.Sprintf("%s-%d-", s.Encoder, s.ImageSize) }

// fileName returns the name of the file for the pictures with these hashes: a readable name and
// the start of a key.
func (s FeatureSpec) fileName(pictures [][hashBytes]byte) string {
	return s.stem() + featureKey(s, pictures)[:16] + featureEnding
}
