package pth

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
)

// dtype is an element type: its size in bytes and how one element becomes a float32.
type dtype struct {
	name string
	size int64
	get  func(p []byte) float32
}

var little = binary.LittleEndian

// storageTypes are the storage classes of module torch that are understood.
var storageTypes = map[string]*dtype{
	"FloatStorage":    {"float32", 4, func(p []byte) float32 { return math.Float32frombits(little.Uint32(p)) }},
	"DoubleStorage":   {"float64", 8, func(p []byte) float32 { return float32(math.Float64frombits(little.Uint64(p))) }},
	"HalfStorage":     {"float16", 2, func(p []byte) float32 { return half(little.Uint16(p)) }},
	"BFloat16Storage": {"bfloat16", 2, func(p []byte) float32 { return math.Float32frombits(uint32(little.Uint16(p)) << 16) }},
	"LongStorage":     {"int64", 8, func(p []byte) float32 { return float32(int64(little.Uint64(p))) }},
	"IntStorage":      {"int32", 4, func(p []byte) float32 { return float32(int32(little.Uint32(p))) }},
	"ShortStorage":    {"int16", 2, func(p []byte) float32 { return float32(int16(little.Uint16(p))) }},
	"CharStorage":     {"int8", 1, func(p []byte) float32 { return float32(int8(p[0])) }},
	"ByteStorage":     {"uint8", 1, func(p []byte) float32 { return float32(p[0]) }},
	"BoolStorage":     {"bool", 1, func(p []byte) float32 { return float32(min(p[0], 1)) }},
}

// maxNumel is the most elements of a storage: 8 GiB of float32.
const maxNumel = 1 << 31

// storage is a run of elements in the file, which one or more tensors look into.
type storage struct {
	key   string
	dtype *dtype
	numel int64
}

// view is a tensor before its data is read: sizes and strides, in elements, over a storage.
type view struct {
	storage *storage
	offset  int64
	shape   []int
	strides []int64
	numel   int64
	span    int64 // elements from the first to the last one used, inclusive
}

// newView checks that sizes and strides stay inside the storage and that no two indices share an element, which is
// what keeps a small file from claiming a huge tensor.
func newView(s *storage, offset int64, shape, strides []int64) (*view, error) {
	if len(shape) != len(strides) || len(shape) > maxDims {
		return nil, fmt.Errorf("a tensor of %d sizes and %d strides", len(shape), len(strides))
	}
	v := &view{storage: s, offset: offset, strides: strides, numel: 1, span: 1}
	empty := false
	for i, n := range shape {
		if n < 0 || n > maxNumel || strides[i] < 0 || strides[i] > maxNumel {
			return nil, fmt.Errorf("a tensor of size %d, stride %d", n, strides[i])
		}
		v.shape = append(v.shape, int(n))
		empty = empty || n == 0
	}
	if empty {
		v.numel, v.span = 0, 0
		return v, nil
	}
	for i, n := range shape { // numel, span and n are at most maxNumel here, so that no product overflows
		v.numel *= n
		v.span += (n - 1) * strides[i]
		if v.numel > s.numel || v.span > s.numel {
			break
		}
	}
	if v.numel > s.numel || offset < 0 || offset > s.numel-v.span {
		return nil, fmt.Errorf("a tensor reaches outside its storage of %d elements", s.numel)
	}
	if v.numel > v.span {
		return nil, fmt.Errorf("an expanded tensor (%d values in %d elements): save a contiguous one", v.numel, v.span)
	}
	return v, nil
}

// materialise reads the data of all views, one storage after the other. A file of size bytes may yield at most
// 4*size bytes of storage seen through tensors: enough for tied weights, not for a bomb.
func materialise(views map[string]*view, from container, size int64) (map[string]Tensor, error) {
	names := make([]string, 0, len(views))
	var total int64
	for name, v := range views {
		names = append(names, name)
		if total += v.span * v.storage.dtype.size; total > 4*size {
			return nil, fmt.Errorf("the tensors claim over %d bytes, in a file of %d", total, size)
		}
	}
	sort.Slice(names, func(i, j int) bool {
		a, b := views[names[i]].storage.key, views[names[j]].storage.key
		return a < b || a == b && names[i] < names[j]
	})
	out := make(map[string]Tensor, len(views))
	var loaded *storage
	var data []byte
	for _, name := range names {
		v := views[name]
		if v.storage != loaded {
			var err error
			if data, err = from.load(v.storage); err != nil {
				return nil, fmt.Errorf("tensor %.80q: %w", name, err)
			}
			loaded = v.storage
		}
		out[name] = Tensor{Shape: v.shape, Data: v.read(data), DType: v.storage.dtype.name}
	}
	return out, nil
}

// read copies the elements of v out of its storage's bytes, in row-major order.
func (v *view) read(data []byte) []float32 {
	out := make([]float32, v.numel)
	size, get := v.storage.dtype.size, v.storage.dtype.get
	at, index := v.offset, make([]int, len(v.shape))
	for i := range out {
		out[i] = get(data[at*size:])
		for d := len(index) - 1; d >= 0; d-- {
			if index[d]++; index[d] < v.shape[d] {
				at += v.strides[d]
				break
			}
			index[d] = 0
			at -= int64(v.shape[d]-1) * v.strides[d]
		}
	}
	return out
}

// half is the float32 of an IEEE 754 binary16 number.
func half(b uint16) float32 {
	sign, exponent, fraction := uint32(b>>15)<<31, uint32(b>>10)&31, uint32(b)&1023
	switch exponent {
	case 0: // zero and subnormal: fraction × 2^-24
		f := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31: // infinity, NaN
		return math.Float32frombits(sign | 255<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}
