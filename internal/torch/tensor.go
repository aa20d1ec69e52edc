package torch

// #include "shim.h"
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	lib "github.com/sugarme/gotch/libtch"
)

// DType is the type of a tensor's elements, numbered as in libtorch.
type DType int32

// The element types in use.
const (
	Uint8   DType = 0
	Int64   DType = 4
	Half    DType = 5
	Float   DType = 6
	Double  DType = 7
	Boolean DType = 11
)

// Tensor is a handle to a libtorch tensor. It belongs to the scope that made it, or to the caller
// of Keep. A failed operation returns an empty Tensor; its shape is nil.
type Tensor struct{ c lib.Ctensor }

// Free releases the tensor now. Freeing twice does nothing.
func (t *Tensor) Free() {
	if t != nil && t.c != nil {
		lib.AtFree(t.c)
		t.c = nil
	}
}

// Shape returns the sizes of the dimensions; nil for an empty tensor.
func (t *Tensor) Shape() []int64 {
	if t == nil || t.c == nil {
		return nil
	}
	n := int(lib.AtDim(t.c))
	if n == 0 {
		return []int64{}
	}
	shape := make([]int64, n)
	lib.AtShape(t.c, unsafe.Pointer(&shape[0]))
	return shape
}

// Size returns the size of dimension d (from the end when negative); 0 if there is no such
// dimension.
func (t *Tensor) Size(d int) int64 {
	shape := t.Shape()
	if d < 0 {
		d += len(shape)
	}
	if d < 0 || d >= len(shape) {
		return 0
	}
	return shape[d]
}

// Len returns the number of elements; 0 for an empty tensor.
func (t *Tensor) Len() int64 {
	if t == nil || t.c == nil {
		return 0
	}
	n := int64(1)
	for _, d := range t.Shape() {
		n *= d
	}
	return n
}

// DType returns the type of the elements.
func (t *Tensor) DType() DType {
	if t == nil || t.c == nil {
		return Float
	}
	return DType(lib.AtScalarType(t.c))
}

// FromFloats copies data into a new float tensor on the device. The shape must hold
// as many elements as data.
func (s *Scope) FromFloats(device Device, data []float32, shape ...int64) *Tensor {
	return fromSlice(s, device, Float, data, shape)
}

// FromDoubles copies data into a new float64 tensor on the device.
func (s *Scope) FromDoubles(device Device, data []float64, shape ...int64) *Tensor {
	return fromSlice(s, device, Double, data, shape)
}

// FromInts copies data into a new int64 tensor on the device.
func (s *Scope) FromInts(device Device, data []int64, shape ...int64) *Tensor {
	return fromSlice(s, device, Int64, data, shape)
}

// FromIntLists copies lists into new int64 tensors of one dimension on the
// device, all in one transfer: small ones cost a GPU the same as large ones.
func (s *Scope) FromIntLists(device Device, lists ...[]int64) []*Tensor {
	all := slices.Concat(lists...)
	together, at := s.FromInts(device, all, int64(len(all))), int64(0)
	tensors := make([]*Tensor, len(lists))
	for i, list := range lists {
		tensors[i] = s.Narrow(together, 0, at, int64(len(list)))
		at += int64(len(list))
	}
	return tensors
}

// FromHalf copies float16 bits into a new half tensor on the device.
func (s *Scope) FromHalf(device Device, data []uint16, shape ...int64) *Tensor {
	return fromSlice(s, device, Half, data, shape)
}

// FromBytes copies data into a new uint8 tensor on the device.
func (s *Scope) FromBytes(device Device, data []uint8, shape ...int64) *Tensor {
	return fromSlice(s, device, Uint8, data, shape)
}

func fromSlice[E any](s *Scope, device Device, dtype DType, data []E, shape []int64) *Tensor {
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			s.fail(fmt.Errorf("torch: tensor of shape %v: a size is negative", shape))
			return &Tensor{}
		}
		n *= d
	}
	if n != int64(len(data)) {
		s.fail(fmt.Errorf("torch: tensor of shape %v needs %d values, got %d", shape, n, len(data)))
		return &Tensor{}
	}
	if n == 0 {
		return s.Zeros(device, dtype, shape...)
	}
	return s.op("tensor", func(out *lib.Ctensor) {
		sizes := append(shape[:len(shape):len(shape)], 0) // never empty
		*out = lib.Ctensor(C.gl_from_data(unsafe.Pointer(&data[0]), (*C.int64_t)(&sizes[0]), C.int(len(shape)), C.int(dtype), C.int(device)))
	})
}

// Zeros returns a tensor of zeros.
func (s *Scope) Zeros(device Device, dtype DType, shape ...int64) *Tensor {
	dims := append(shape[:len(shape):len(shape)], 0)
	return s.op("zeros", func(out *lib.Ctensor) {
		lib.AtgZeros(out, dims, len(shape), int32(dtype), int32(device))
	})
}

// Full returns a float tensor with every element equal to value.
func (s *Scope) Full(device Device, value float64, shape ...int64) *Tensor {
	return s.AddScalar(s.Zeros(device, Float, shape...), value)
}

// To copies t to the device. It returns t itself if it is there already.
func (s *Scope) To(t *Tensor, device Device) *Tensor {
	if t == nil || t.c == nil || Device(lib.AtDevice(t.c)) == device {
		return t
	}
	return s.op("to", func(out *lib.Ctensor) { lib.AtgTo(out, t.c, int32(device)) }, t)
}

// Cast converts the elements of t. It returns t itself if they have the type already.
func (s *Scope) Cast(t *Tensor, dtype DType) *Tensor {
	if t.DType() == dtype {
		return t
	}
	return s.op("cast", func(out *lib.Ctensor) { lib.AtgToDtype(out, t.c, int32(dtype), 0, 0) }, t)
}

// Floats copies the elements of t, in row-major order, to a slice.
func (s *Scope) Floats(t *Tensor) ([]float32, error) { return toSlice[float32](s, t, Float) }

// Ints copies the elements of t, in row-major order, to a slice.
func (s *Scope) Ints(t *Tensor) ([]int64, error) { return toSlice[int64](s, t, Int64) }

// Halfs copies the float16 bits of t, in row-major order, to a slice.
func (s *Scope) Halfs(t *Tensor) ([]uint16, error) { return toSlice[uint16](s, t, Half) }

// Item returns the value of a tensor of one element.
func (s *Scope) Item(t *Tensor) (float64, error) {
	v, err := s.Floats(t)
	if err != nil {
		return 0, err
	}
	if len(v) != 1 {
		return 0, fmt.Errorf("torch: item of a tensor of shape %v", t.Shape())
	}
	return float64(v[0]), nil
}

func toSlice[E any](s *Scope, t *Tensor, dtype DType) ([]E, error) {
	if !s.ready("read", []*Tensor{t}) {
		return nil, s.err
	}
	t = s.Cast(s.Detach(t), dtype)
	if s.err != nil {
		return nil, s.err
	}
	n := t.Len()
	out := make([]E, n)
	if n > 0 {
		lib.AtCopyData(t.c, unsafe.Pointer(&out[0]), uint(n), uint(unsafe.Sizeof(out[0])))
		s.check("read", t)
	}
	return out, s.err
}
