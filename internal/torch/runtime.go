package torch

// Without -fopenmp the loops of at::parallel_for that are compiled here stay
// on one thread. scripts/libtorch links them to the OpenMP library that libtorch
// brings, and chooses the C++ standard that its headers ask for.

// #cgo CXXFLAGS: -O3 -Wno-deprecated-declarations
// #cgo linux CXXFLAGS: -fopenmp
// #cgo LDFLAGS: -ldl
// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	lib "github.com/sugarme/gotch/libtch"
)

// Device is where a tensor lives: CPU, or the number of a CUDA device.
type Device int32

// CPU is the host's processor.
const CPU Device = -1

// String returns the device's name for [ParseDevice].
func (d Device) String() string {
	if d < 0 {
		return "cpu"
	}
	return "cuda:" + strconv.Itoa(int(d))
}

// ParseDevice parses auto, cpu, cuda and cuda:N. auto is the first usable CUDA device, or else
// the CPU. For a CUDA device that cannot be used it returns an error that says why.
func ParseDevice(name string) (Device, error) {
	switch {
	case name == "cpu":
		return CPU, nil
	case name == "auto" || name == "":
		if n, _ := CUDADevices(); n > 0 {
			return 0, nil
		}
		return CPU, nil
	case name == "cuda" || strings.HasPrefix(name, "cuda:"):
		index := 0
		if _, rest, found := strings.Cut(name, ":"); found {
			i, err := strconv.Atoi(rest)
			if err != nil || i < 0 {
				return CPU, fmt.Errorf("device %q: expected cuda:N with N = 0, 1, …", name)
			}
			index = i
		}
		n, err := CUDADevices()
		if err != nil {
			return CPU, fmt.Errorf("device %q cannot be used: %w", name, err)
		}
		if index >= n {
			return CPU, fmt.Errorf("device %q: this machine has %d usable CUDA devices", name, n)
		}
		return Device(index), nil
	}
	return CPU, fmt.Errorf("device %q: expected auto, cpu, cuda or cuda:N", name)
}

var loadCUDA = sync.OnceValue(func() error {
	name := C.CString("libtorch_cuda.so")
	defer C.free(unsafe.Pointer(name))
	if message := C.gl_load_cuda(name); message != nil {
		return fmt.Errorf("libtorch was built without CUDA: %s", takeString(unsafe.Pointer(message)))
	}
	return nil
})

// CUDADevices loads libtorch's CUDA library, once, and counts the devices. The
// error says why there are none.
func CUDADevices() (int, error) {
	if err := loadCUDA(); err != nil {
		return 0, err
	}
	n := int(lib.AtcCudaDeviceCount())
	if n <= 0 {
		return 0, fmt.Errorf("libtorch found no CUDA device: check that NVIDIA's driver is installed")
	}
	return n, nil
}

// Name returns the maker's name for the GPU; "" for the CPU, or if the driver does not tell.
func (d Device) Name() string {
	if _, err := CUDADevices(); d < 0 || err != nil {
		return ""
	}
	if name := C.gl_cuda_name(C.int(d)); name != nil {
		return takeString(unsafe.Pointer(name))
	}
	return ""
}

// Version returns the version of libtorch.
func Version() string { return C.GoString(C.gl_version()) }

// BLAS names the library behind matrix products on the CPU.
func BLAS() string { return C.GoString(C.gl_blas()) }

// threads is the last argument of SetThreads; 0 before.
var threads atomic.Int32

// SetThreads sets how many threads an operation on the CPU may use, for scopes that start later.
func SetThreads(n int) {
	threads.Store(int32(max(n, 1)))
	adoptThreads()
}

// adoptThreads tells the calling thread how many threads to use: OpenMP keeps
// that number for each thread of the operating system.
func adoptThreads() {
	if n := threads.Load(); n > 0 {
		C.gl_set_threads(C.int(n))
	}
}

// OneThread makes operations on the CPU that are called from this thread of the operating system
// use only this thread, until end is called. Use it within [Run].
func OneThread() (end func()) {
	before := Threads()
	C.gl_set_threads(1)
	return func() { C.gl_set_threads(C.int(before)) }
}

// Threads returns how many threads an operation on the CPU may use.
func Threads() int { return int(C.gl_threads()) }

// SetDeterministic makes CUDA operations deterministic, or fail where they
// cannot be; those on the CPU are so for a fixed number of threads.
func SetDeterministic(on bool) { C.gl_set_deterministic(C.int(flag(on))) }

// SetFullPrecision makes CUDA compute convolutions and products in float32, never in TF32, whose
// 10 bits would make features differ from the CPU's in the third digit.
func SetFullPrecision() { C.gl_set_full_precision() }

// Seed sets the generators of all devices.
func Seed(seed int64) { C.gl_seed(C.int64_t(seed)) }

// GeneratorState returns the state of the device's generator, to be saved in a
// checkpoint.
func (s *Scope) GeneratorState(device Device) ([]uint8, error) {
	t := s.op("generator_state", func(out *lib.Ctensor) {
		*out = lib.Ctensor(C.gl_generator_state(C.int(device)))
	})
	return toSlice[uint8](s, t, Uint8)
}

// SetGeneratorState restores a state from [Scope.GeneratorState].
func (s *Scope) SetGeneratorState(device Device, state []uint8) error {
	t := s.FromBytes(CPU, state, int64(len(state)))
	if s.err == nil {
		C.gl_set_generator_state(C.int(device), C.gl_tensor(t.c))
		s.check("set_generator_state", t)
	}
	return s.err
}

// Inference runs f in inference mode: nothing is recorded for Backward, and
// tensors made there cannot take part in it later.
func (s *Scope) Inference(f func(s *Scope) error) error {
	if s.err != nil {
		return s.err
	}
	guard := C.gl_inference_begin()
	defer C.gl_inference_end(guard)
	return s.Do(f)
}

// LibraryDir returns the folder that libtorch was loaded from; "" if unknown.
func LibraryDir() string {
	if path := C.GoString(C.gl_library_path()); path != "" {
		return filepath.Dir(path)
	}
	return ""
}

// takeString copies a C string made by malloc and frees it.
func takeString(p unsafe.Pointer) string {
	defer C.free(p)
	return C.GoString((*C.char)(p))
}
