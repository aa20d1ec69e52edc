// Package pth reads the weights in a PyTorch .pth file without PyTorch.
//
// It reads a file that torch.save wrote from a state dict, in the zip format (PyTorch 1.6 and
// later) or in the legacy format before it, and returns its tensors by name as float32. A .pth
// file is a Python pickle, and unpickling one in Python runs whatever code the file names. The
// machine here runs nothing: it knows tensors, their storages and ordered dicts, and rejects a
// file that names anything else. A file's claims are checked against its contents before memory
// is allocated, so that a hostile file causes only an error.
//
// The package needs only the standard library and must not import any of this module's packages.
package pth

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Tensor is one entry of a state dict.
type Tensor struct {
	Shape []int     // sizes, outermost first; empty for a scalar
	Data  []float32 // row-major whatever the strides in the file were, as many values as the product of Shape
	DType string    // element type in the file: "float32", "float64", "float16", "bfloat16", "int64", … "bool"
}

const (
	maxPickle  = 2 << 20 // bytes of a pickle; the largest state dicts of image networks need about 0.3 MB
	maxItems   = 1 << 20 // values that a pickle may make
	maxDims    = 16      // dimensions of a tensor
	maxEntries = 1 << 17 // tensors of a state dict
)

// Read returns the tensors of the state dict in the file at path. A checkpoint that keeps its
// state dict under the key "state_dict" is read too. Integers and booleans become float32 (exact
// up to 2^24), doubles are rounded.
func Read(path string) (map[string]Tensor, error) {
	var tensors map[string]Tensor
	err := withFile(path, func(r io.ReaderAt, size int64) (err error) {
		tensors, err = Decode(r, size)
		return err
	})
	return tensors, err
}

// Check returns the error of Read for a file that is missing, not a file of weights, or not a
// state dict. It reads only the description of the tensors, so it does not detect damaged or
// missing values.
func Check(path string) error {
	return withFile(path, func(r io.ReaderAt, size int64) error {
		_, _, err := describe(r, size)
		return err
	})
}

// withFile opens a regular file.
func withFile(path string, do func(r io.ReaderAt, size int64) error) error {
	info, err := os.Stat(path) // before opening it: opening a pipe may block forever
	if err != nil {
		return fmt.Errorf("read weights: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("read weights %s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read weights: %w", err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return fmt.Errorf("read weights: %w", err)
	}
	if err := do(f, info.Size()); err != nil {
		return fmt.Errorf("read weights %s: %w", path, err)
	}
	return nil
}

// Decode is Read for the size bytes of r. The memory it takes is bounded by a small multiple of size.
func Decode(r io.ReaderAt, size int64) (map[string]Tensor, error) {
	views, storages, err := describe(r, size)
	if err != nil {
		return nil, err
	}
	return materialise(views, storages, size)
}

// describe returns the tensors by name without their values, and the container of the values.
func describe(r io.ReaderAt, size int64) (map[string]*view, container, error) {
	head := make([]byte, min(size, 4))
	if err := readFull(r, head, 0); err != nil {
		return nil, nil, err
	}
	var root any
	var storages container
	var err error
	switch {
	case string(head) == "PK\x03\x04":
		root, storages, err = openZip(r, size)
	case len(head) > 1 && head[0] == opProto:
		root, storages, err = openLegacy(r, size)
	default:
		err = errors.New("not a PyTorch weights file: neither a zip archive nor a pickle")
	}
	if err != nil {
		return nil, nil, err
	}
	views, err := stateDict(root)
	return views, storages, err
}

// container gives the bytes of the storages of a file.
type container interface {
	// load returns the little-endian bytes of a storage; it fails if the file does not hold all
	// of them.
	load(s *storage) ([]byte, error)
}

// stateDict finds the tensors by name in the unpickled object: a dict of tensors, or one under "state_dict".
func stateDict(root any) (map[string]*view, error) {
	d, ok := root.(*dict)
	if !ok {
		return nil, fmt.Errorf("contains a %s, not a state dict: save model.state_dict()", kind(root))
	}
	for i, k := range d.keys {
		if inner, ok := d.values[i].(*dict); ok && k == "state_dict" {
			d = inner
			break
		}
	}
	if len(d.keys) > maxEntries {
		return nil, fmt.Errorf("the state dict has %d entries; the limit is %d", len(d.keys), maxEntries)
	}
	views := make(map[string]*view, len(d.keys))
	for i, k := range d.keys {
		name, ok := k.(string)
		if !ok {
			return nil, fmt.Errorf("the state dict has a key of type %s, not a string", kind(k))
		}
		v, ok := d.values[i].(*view)
		if ok && v.storage == nil {
			return nil, fmt.Errorf("state dict entry %.80q is a parameter without data", name)
		}
		if !ok {
			return nil, fmt.Errorf("state dict entry %.80q is a %s, not a tensor", name, kind(d.values[i]))
		}
		views[name] = v
	}
	if len(views) == 0 {
		return nil, errors.New("the state dict is empty")
	}
	return views, nil
}

// readFull fills p from offset, and says where the file ends too early.
func readFull(r io.ReaderAt, p []byte, offset int64) error {
	if n, err := r.ReadAt(p, offset); n < len(p) {
		if err == io.EOF {
			return fmt.Errorf("the file ends at byte %d, %d bytes too early: %w", offset+int64(n), len(p)-n, io.ErrUnexpectedEOF)
		}
		return err
	}
	return nil
}
