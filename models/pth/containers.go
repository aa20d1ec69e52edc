package pth

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
)

// zipFile is the format since PyTorch 1.6: NAME/data.pkl, and a stored entry NAME/data/KEY for each storage.
type zipFile struct {
	prefix  string
	entries map[string]*zip.File
	left    int64 // bytes of storages that a file of this size can still hold
}

func openZip(r io.ReaderAt, size int64) (any, container, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, nil, fmt.Errorf("damaged zip archive: %w", err)
	}
	z := &zipFile{entries: make(map[string]*zip.File, len(archive.File)), left: size}
	found := false
	for _, f := range archive.File {
		z.entries[f.Name] = f
		if prefix, ok := strings.CutSuffix(f.Name, "data.pkl"); ok && !found {
			z.prefix, found = prefix, true
		}
	}
	if !found {
		return nil, nil, errors.New("a zip archive without data.pkl is not a PyTorch weights file")
	}
	if z.entries[z.prefix+"constants.pkl"] != nil {
		return nil, nil, errors.New("a TorchScript program, not a state dict: save model.state_dict()")
	}
	if f := z.entries[z.prefix+"byteorder"]; f != nil {
		order, err := z.bytes(f, int64(len("little")))
		if err != nil || string(order) != "little" {
			return nil, nil, errors.New("not in little-endian byte order: save it on a little-endian machine")
		}
	}
	pickle, err := z.bytes(z.entries[z.prefix+"data.pkl"], maxPickle)
	if err != nil {
		return nil, nil, err
	}
	root, _, err := unpickle(pickle, map[string]*storage{})
	return root, z, err
}

// bytes returns an entry of at most limit bytes, its checksum verified.
func (z *zipFile) bytes(f *zip.File, limit int64) ([]byte, error) {
	switch {
	case f.Method != zip.Store:
		return nil, fmt.Errorf("zip entry %.80q is compressed, which torch.save never does", f.Name)
	case f.UncompressedSize64 > uint64(limit):
		return nil, fmt.Errorf("zip entry %.80q has %d bytes, more than the %d allowed", f.Name, f.UncompressedSize64, limit)
	case f.UncompressedSize64 > uint64(z.left):
		return nil, fmt.Errorf("zip entry %.80q has %d bytes, more than the file", f.Name, f.UncompressedSize64)
	}
	z.left -= int64(f.UncompressedSize64)
	in, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("zip entry %.80q: %w", f.Name, err)
	}
	defer in.Close()
	p := make([]byte, f.UncompressedSize64)
	if _, err = io.ReadFull(in, p); err == nil {
		_, err = io.Copy(io.Discard, in) // reaches the end, where the checksum is compared
	}
	if err != nil {
		return nil, fmt.Errorf("zip entry %.80q: %w", f.Name, err)
	}
	return p, nil
}

func (z *zipFile) load(s *storage) ([]byte, error) {
	f := z.entries[z.prefix+"data/"+s.key]
	if f == nil {
		return nil, fmt.Errorf("the archive has no storage %.40q", s.key)
	}
	if f.UncompressedSize64 < uint64(s.numel*s.dtype.size) {
		return nil, fmt.Errorf("storage %.40q has %d bytes, too few for %d values of %s", s.key, f.UncompressedSize64, s.numel, s.dtype.name)
	}
	return z.bytes(f, math.MaxInt64)
}

// legacyFile is the format before PyTorch 1.6: pickles of a magic number, a version, facts about the machine, the
// object and the list of storage keys; then, in the order of that list, each storage's length and bytes.
type legacyFile struct {
	r      io.ReaderAt
	offset map[string]int64
}

// legacyMagic opens each legacy file; the value is MAGIC_NUMBER in torch/serialization.py, as are the version and
// the order of the parts.
const legacyMagic, legacyVersion = "119547037146038801333356", 1001

func openLegacy(r io.ReaderAt, size int64) (any, container, error) {
	window := make([]byte, min(size, maxPickle))
	if err := readFull(r, window, 0); err != nil {
		return nil, nil, err
	}
	at := 0
	next := func(storages map[string]*storage) (any, error) {
		v, used, err := unpickle(window[at:], storages)
		at += used
		return v, err
	}
	magic, err := next(nil)
	if n, ok := magic.(*big.Int); err != nil || !ok || n.String() != legacyMagic {
		return nil, nil, errors.New("a pickle, but not written by torch.save")
	}
	if version, err := next(nil); err != nil || version != int64(legacyVersion) {
		return nil, nil, fmt.Errorf("not version %d of PyTorch's legacy format", legacyVersion)
	}
	facts, err := next(nil)
	if err != nil {
		return nil, nil, err
	}
	if d, ok := facts.(*dict); ok {
		for i, k := range d.keys {
			if k == "little_endian" && d.values[i] != true {
				return nil, nil, errors.New("not in little-endian byte order: save it on a little-endian machine")
			}
		}
	}
	storages := map[string]*storage{}
	root, err := next(storages)
	if err != nil {
		return nil, nil, err
	}
	keys, err := next(nil)
	if err != nil {
		return nil, nil, err
	}
	f, err := locate(r, size, int64(at), keys, storages)
	return root, f, err
}

// locate finds where each storage of a legacy file begins, reading their lengths from offset at on.
func locate(r io.ReaderAt, size, at int64, keys any, storages map[string]*storage) (*legacyFile, error) {
	l, ok := keys.(*list)
	if !ok {
		return nil, fmt.Errorf("a %s where the storage keys should be", kind(keys))
	}
	f := &legacyFile{r, make(map[string]int64, len(storages))}
	for _, k := range l.items {
		key, _ := k.(string)
		s := storages[key]
		if s == nil || f.offset[key] != 0 {
			return nil, errors.New("the list of storages does not match the tensors")
		}
		var length [8]byte
		if err := readFull(r, length[:], at); err != nil {
			return nil, err
		}
		if int64(little.Uint64(length[:])) != s.numel {
			return nil, fmt.Errorf("storage %.40q has %d values, its tensor says %d", key, little.Uint64(length[:]), s.numel)
		}
		at += 8
		if s.numel > (size-at)/s.dtype.size {
			return nil, fmt.Errorf("storage %.40q: the file ends early: %w", key, io.ErrUnexpectedEOF)
		}
		f.offset[key] = at
		at += s.numel * s.dtype.size
	}
	return f, nil
}

func (f *legacyFile) load(s *storage) ([]byte, error) {
	at, ok := f.offset[s.key]
	if !ok {
		return nil, fmt.Errorf("the file has no storage %.40q", s.key)
	}
	p := make([]byte, s.numel*s.dtype.size)
	return p, readFull(f.r, p, at)
}
