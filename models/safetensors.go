package models

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"unsafe"

	"glimpse/internal/atomicfile"
	"glimpse/internal/private"
)

// namedTensor is a float32 tensor as it stands in a file.
type namedTensor struct {
	name  string
	shape []int64
	data  []float32
}

// tensorEntry is a tensor's line in the header of a safetensors file.
type tensorEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// maxHeader is the longest header that is read, that of the reference reader.
const maxHeader = 100 << 20

// writeSafetensors writes float32 tensors in the safetensors format (eight
// bytes of header length, the header as JSON, the values little-endian) to a
// temporary file, flushes it and renames it to path. Equal tensors give equal
// bytes. It returns the sha256 of the file in hex.
func writeSafetensors(path string, tensors []namedTensor) (string, error) {
	header := make(map[string]tensorEntry, len(tensors))
	at := int64(0)
	for _, t := range tensors {
		end := at + 4*int64(len(t.data))
		header[t.name] = tensorEntry{"F32", t.shape, [2]int64{at, end}}
		at = end
	}
	text, err := json.Marshal(header) // keys sorted
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", path, err)
	}
	text = append(text, bytes.Repeat([]byte{' '}, (8-len(text)%8)%8)...)
	sum := sha256.New()
	err = atomicfile.WriteMode(path, private.Mode(filepath.Dir(path)), func(f io.Writer) error {
		w := io.MultiWriter(f, sum)
		if err := binary.Write(w, binary.LittleEndian, uint64(len(text))); err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		for _, t := range tensors {
			if _, err := w.Write(littleEndian(t.data)); err != nil {
				return err
			}
		}
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// readSafetensors reads a file of float32 tensors whose sha256 must be sum, in
// the order of their data. Whatever is wrong with the file is an error.
func readSafetensors(path, sum string) ([]namedTensor, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a checkpoint: %w", err)
	}
	if got := hexSHA256(content); got != sum {
		return nil, fmt.Errorf("%s is damaged: its sha256 is %s, not %s", path, got, sum)
	}
	tensors, err := parseSafetensors(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return tensors, nil
}

func parseSafetensors(content []byte) ([]namedTensor, error) {
	if len(content) < 8 {
		return nil, fmt.Errorf("not a safetensors file: %d bytes", len(content))
	}
	length := binary.LittleEndian.Uint64(content)
	if length > maxHeader || length > uint64(len(content)-8) {
		return nil, fmt.Errorf("not a safetensors file: a header of %d bytes in a file of %d", length, len(content))
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(content[8:8+length], &header); err != nil {
		return nil, fmt.Errorf("header of the safetensors file: %w", err)
	}
	delete(header, "__metadata__")
	values := content[8+length:]
	entries := make(map[string]tensorEntry, len(header))
	for name, raw := range header {
		var e tensorEntry
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		n := int64(1)
		for _, d := range e.Shape {
			if d < 0 || (d > 0 && n > math.MaxInt64/8/d) {
				return nil, fmt.Errorf("tensor %q: impossible shape %v", name, e.Shape)
			}
			n *= d
		}
		from, to := e.Offsets[0], e.Offsets[1]
		if e.DType != "F32" || from < 0 || to < from || to > int64(len(values)) || to-from != 4*n {
			return nil, fmt.Errorf("tensor %q: %s of shape %v at bytes %d–%d does not fit the file", name, e.DType, e.Shape, from, to)
		}
		entries[name] = e
	}
	// Tensors fill the rest of the file, without holes and overlaps, so that they take no more memory than the file.
	names := slices.SortedFunc(maps.Keys(entries), func(a, b string) int {
		x, y := entries[a].Offsets, entries[b].Offsets
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]), cmp.Compare(a, b))
	})
	var tensors []namedTensor
	free := int64(0)
	for _, name := range names {
		e := entries[name]
		if e.Offsets[0] != free {
			return nil, fmt.Errorf("tensor %q begins at byte %d, where %d is free", name, e.Offsets[0], free)
		}
		free = e.Offsets[1]
		data := make([]float32, (free-e.Offsets[0])/4)
		for i := range data {
			data[i] = math.Float32frombits(binary.LittleEndian.Uint32(values[e.Offsets[0]+4*int64(i):]))
		}
		tensors = append(tensors, namedTensor{name, e.Shape, data})
	}
	if left := int64(len(values)) - free; left > 0 {
		return nil, fmt.Errorf("%d of %d bytes of values belong to no tensor", left, len(values))
	}
	return tensors, nil
}

// littleEndian gives the bytes of the values as files hold them.
func littleEndian(v []float32) []byte {
	if len(v) == 0 {
		return nil
	}
	if raw := unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v)); isLittleEndian {
		return raw
	}
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

var isLittleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
