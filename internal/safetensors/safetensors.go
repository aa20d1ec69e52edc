// Package safetensors reads and writes the headers of files in the safetensors format: eight bytes
// of header length, a header of JSON that names each tensor with its type, shape and place, and the
// values, little-endian. It reads no values: whoever needs them knows from the header where they
// lie.
package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	stdjson "encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxHeader is the longest header that is read, in bytes, that of the reference reader.
const MaxHeader = 100 << 20

// lengthBytes hold the length of the header.
const lengthBytes = 8

// metadataKey is the header's one key that is no tensor's.
const metadataKey = "__metadata__"

// A Tensor is a tensor of a file.
type Tensor struct {
	Name       string
	DType      string // such as F32
	Shape      []int64
	Begin, End int64 // bytes of the file
}

// A Header is what a file holds.
type Header struct {
	Tensors  []Tensor          // in the order of their values
	Metadata map[string]string // texts that the file keeps beside its tensors
}

// sizes are the bytes of a value, by type. Types that are not among them are listed, and their size
// is not checked.
var sizes = map[string]int64{
	"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}

// entry is a tensor's line in the header.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"` // behind the header
}

// Read reads the header of a file of so many bytes. Tensors must fill the rest of the file, without
// holes and overlaps, so that together they take no more memory than the file; whatever is wrong is
// an error that names tensor and byte.
func Read(file io.ReaderAt, size int64) (Header, error) {
	start := make([]byte, lengthBytes)
	if size < lengthBytes {
		return Header{}, fmt.Errorf("not a safetensors file: %d bytes", size)
	}
	if _, err := file.ReadAt(start, 0); err != nil {
		return Header{}, err
	}
	length := binary.LittleEndian.Uint64(start)
	if length > MaxHeader || length > uint64(size-lengthBytes) {
		return Header{}, fmt.Errorf("not a safetensors file: a header of %d bytes in a file of %d", length, size)
	}
	text := make([]byte, length)
	if _, err := file.ReadAt(text, lengthBytes); err != nil {
		return Header{}, err
	}
	return parse(text, lengthBytes+int64(length), size)
}

// parse takes the text of a header apart, whose values are the bytes from begin to end of the file.
func parse(text []byte, begin, end int64) (h Header, err error) {
	var entries map[string]jsontext.Value
	if err := json.Unmarshal(text, &entries); err != nil {
		return h, fmt.Errorf("header of the safetensors file: %w", err)
	}
	if raw, given := entries[metadataKey]; given {
		if err := json.Unmarshal(raw, &h.Metadata); err != nil {
			return h, fmt.Errorf("header of the safetensors file: %s: %w", metadataKey, err)
		}
		delete(entries, metadataKey)
	}
	for name, raw := range entries {
		var e entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return h, fmt.Errorf("tensor %q: %w", name, err)
		}
		n, ok := count(e.Shape)
		if !ok {
			return h, fmt.Errorf("tensor %q: impossible shape %v", name, e.Shape)
		}
		from, to := e.Offsets[0], e.Offsets[1]
		each, known := sizes[e.DType]
		if from < 0 || to < from || to > end-begin || known && to-from != each*n {
			return h, fmt.Errorf("tensor %q: %s of shape %v at bytes %d–%d does not fit the file", name, e.DType, e.Shape, from, to)
		}
		h.Tensors = append(h.Tensors, Tensor{name, e.DType, e.Shape, begin + from, begin + to})
	}
	slices.SortFunc(h.Tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.End, b.End), cmp.Compare(a.Name, b.Name))
	})
	free := begin
	for _, t := range h.Tensors {
		if t.Begin != free {
			return h, fmt.Errorf("tensor %q begins at byte %d, where %d is free", t.Name, t.Begin-begin, free-begin)
		}
		free = t.End
	}
	if free < end {
		return h, fmt.Errorf("%d of %d bytes of values belong to no tensor", end-free, end-begin)
	}
	return h, nil
}

// count counts the values of a shape, and refuses one that no file can hold.
func count(shape []int64) (int64, bool) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt64/8/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// Encode gives the beginning of a file that holds these tensors, whose Begin and End it ignores:
// they lie one behind the other, in this order. Equal arguments give equal bytes.
func Encode(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	header := make(map[string]any, len(tensors)+1)
	if len(metadata) > 0 {
		header[metadataKey] = metadata
	}
	at := int64(0)
	for _, t := range tensors {
		n, ok := count(t.Shape)
		if !ok || sizes[t.DType] == 0 {
			return nil, fmt.Errorf("tensor %q: cannot write %s of shape %v", t.Name, t.DType, t.Shape)
		}
		header[t.Name] = entry{t.DType, t.Shape, [2]int64{at, at + n*sizes[t.DType]}}
		at += n * sizes[t.DType]
	}
	text, err := stdjson.Marshal(header) // whose bytes are those of all earlier checkpoints; keys sorted
	if err != nil {
		return nil, err
	}
	text = append(text, bytes.Repeat([]byte{' '}, (8-len(text)%8)%8)...)
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}
