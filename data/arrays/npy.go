package arrays

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The format is numpy's (numpy.lib.format): a magic text, a version, the length of a header, and
// the header, the text of a Python dict with the keys descr, fortran_order and shape. It is read
// here, not by a library, because only the position of the values is needed, not the values.

const (
	npyMagic      = "\x93NUMPY"
	npyEnding     = ".npy"
	mostNPYHeader = 1 << 16
)

// npy is the header of a .npy file.
type npy struct {
	descr   string // such as <f4
	fortran bool
	shape   []int64
	data    int64 // byte at which the values start
}

// readNPY reads a header.
func readNPY(r io.Reader) (h npy, err error) {
	start := make([]byte, len(npyMagic)+4)
	if _, err := io.ReadFull(r, start); err != nil {
		return h, noNPY(err)
	}
	if string(start[:len(npyMagic)]) != npyMagic {
		return h, errors.New("is not a .npy file")
	}
	version, length := start[len(npyMagic)], int64(binary.LittleEndian.Uint16(start[len(npyMagic)+2:]))
	h.data = int64(len(start))
	switch version {
	case 1:
	case 2, 3: // their lengths have two bytes more
		more := make([]byte, 2)
		if _, err := io.ReadFull(r, more); err != nil {
			return h, noNPY(err)
		}
		length |= int64(binary.LittleEndian.Uint16(more)) << 16
		h.data += 2
	default:
		return h, fmt.Errorf("is a .npy file of version %d; versions 1 to 3 are supported", version)
	}
	if length > mostNPYHeader {
		return h, fmt.Errorf("has a header of %d bytes; the limit is %d", length, mostNPYHeader)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, noNPY(err)
	}
	h.data += length
	d := dict{string(text)}
	if err := d.read(&h); err != nil {
		return h, fmt.Errorf("has an invalid header: %w", err)
	}
	return h, nil
}

func noNPY(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("ends within the header of a .npy file")
	}
	return err
}

// dict is what is left to read of the header's text.
type dict struct{ rest string }

// read reads {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
func (d *dict) read(h *npy) error {
	if !d.take("{") {
		return errors.New("not a dict")
	}
	given := map[string]bool{}
	for !d.take("}") {
		name, err := d.text()
		if err != nil {
			return err
		}
		if given[name] || !d.take(":") {
			return fmt.Errorf("the key %.20q is duplicated or has no value", name)
		}
		given[name] = true
		switch name {
		case "descr":
			if d.take("[") {
				return errors.New("the values are records; save a plain array")
			}
			h.descr, err = d.text()
		case "fortran_order":
			if h.fortran = d.take("True"); !h.fortran && !d.take("False") {
				err = errors.New("fortran_order must be True or False")
			}
		case "shape":
			h.shape, err = d.tuple()
		default:
			err = fmt.Errorf("unknown key %.20q", name)
		}
		if err != nil {
			return err
		}
		if !d.take(",") {
			if !d.take("}") {
				return errors.New("unclosed dict")
			}
			break
		}
	}
	if d.skip(); d.rest != "" || len(given) != 3 {
		return errors.New("the keys must be descr, fortran_order and shape")
	}
	return nil
}

func (d *dict) skip() { d.rest = strings.TrimLeft(d.rest, " \n") }

// take skips a word if it comes next, and reports whether it did.
func (d *dict) take(word string) bool {
	d.skip()
	rest, ok := strings.CutPrefix(d.rest, word)
	if ok {
		d.rest = rest
	}
	return ok
}

// text reads a quoted text.
func (d *dict) text() (string, error) {
	for _, quote := range []string{"'", `"`} {
		if d.take(quote) {
			text, rest, ok := strings.Cut(d.rest, quote)
			if ok && !strings.Contains(text, `\`) {
				d.rest = rest
				return text, nil
			}
		}
	}
	return "", errors.New("a string is missing or unclosed")
}

// mostDimensions limits the dimensions of an array.
const mostDimensions = 32

// tuple reads (2, 3), (2,) or (): sizes whose product must fit in a file.
func (d *dict) tuple() ([]int64, error) {
	if !d.take("(") {
		return nil, errors.New("the shape is not a tuple")
	}
	var shape []int64
	n := int64(1)
	for !d.take(")") {
		end := strings.IndexFunc(d.rest, func(c rune) bool { return c < '0' || c > '9' })
		if end < 0 {
			end = 0
		}
		size, err := strconv.ParseInt(d.rest[:end], 10, 64)
		if err != nil || size > 0 && n > math.MaxInt64/16/size || len(shape) == mostDimensions {
			return nil, errors.New("the shape has a missing or impossible size")
		}
		n *= max(size, 1)
		shape = append(shape, size)
		d.rest = d.rest[end:]
		if !d.take(",") {
			if !d.take(")") {
				return nil, errors.New("the shape is unclosed")
			}
			break
		}
	}
	return shape, nil
}

// count is the number of values.
func (h npy) count() int64 {
	n := int64(1)
	for _, size := range h.shape {
		n *= size
	}
	return n
}

// kind returns the type of the values, which must be numbers in C order.
func (h npy) kind() (kind, error) {
	k, known := map[string]kind{"<f2": float16, "<f4": float32s, "<f8": float64s}[h.descr]
	switch {
	case strings.HasPrefix(h.descr, ">"):
		return k, fmt.Errorf("the values are big-endian (%s); save array.astype('<f4')", h.descr)
	case strings.Contains(h.descr, "O"):
		return k, errors.New("the values are Python objects; save one numeric array, or one array per image")
	case !known:
		return k, fmt.Errorf("the values are %q; float16, float32 and float64 are supported", h.descr)
	case h.fortran:
		return k, errors.New("the values are in Fortran order; save numpy.ascontiguousarray(array)")
	}
	return k, nil
}

// checkSize checks the number of values against the size of the file, or of the member of an
// archive.
func (h npy) checkSize(each, size int64) error {
	if want := h.data + h.count()*each; size != want {
		return fmt.Errorf("is %d bytes long, but the shape %v in its header needs %d", size, h.shape, want)
	}
	return nil
}

// readBlock reads the header of the array of one image, which has size bytes including the
// header.
func readBlock(r io.Reader, size int64) (block, error) {
	h, err := readNPY(r)
	if err != nil {
		return block{}, err
	}
	k, err := h.kind()
	if err != nil {
		return block{}, err
	}
	if err := h.checkSize(k.size, size); err != nil {
		return block{}, err
	}
	return perImage(k, h.shape, h.data)
}

// openNPY opens one array of all images.
func (s *Set) openNPY(size int64, names string) error {
	h, err := readNPY(io.NewSectionReader(s.file, 0, size))
	if err != nil {
		return err
	}
	k, err := h.kind()
	if err != nil {
		return err
	}
	if err := h.checkSize(k.size, size); err != nil {
		return err
	}
	listed, err := namesBeside(s.path, names)
	if err != nil {
		return err
	}
	return s.addAll(k, h.shape, h.data, listed, nil)
}

// openFolder finds the .npy files below a folder. They are read when requested.
func (s *Set) openFolder() error {
	return filepath.WalkDir(s.path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && path != s.path
		if hidden && entry.IsDir() {
			return filepath.SkipDir
		}
		if below, ok := strings.CutSuffix(path, npyEnding); ok && !hidden && !entry.IsDir() {
			name, err := filepath.Rel(s.path, below)
			if err != nil {
				return err
			}
			s.add(filepath.ToSlash(name), place{file: path})
		}
		return nil
	})
}

// readNPYFile reads the array of an image's own file.
func readNPYFile(path string, a *Array) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("is not a regular file")
	}
	b, err := readBlock(file, info.Size())
	if err != nil {
		return err
	}
	return a.read(file, b)
}
