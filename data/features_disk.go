package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A file of features is read with pread and written with pwrite, not mapped. So a full or failing
// disk causes an error, not a signal, and pages that trials share count as the system's memory,
// not as each trial's.

// littleEndian is whether this machine stores numbers as the file does.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// featureFile is an open file of features.
type featureFile struct {
	path   string
	own    bool // whether it may be written
	file   *os.File
	header featureHeader
	layout layout
}

// errOtherSpec is returned for an intact file of other features.
var errOtherSpec = errors.New("contains other features")

// openFeatureFile opens a file of features of this spec and checks its size. Errors of the system
// are *fs.PathError.
func openFeatureFile(path string, spec FeatureSpec, own bool) (*featureFile, error) {
	flags := os.O_RDONLY
	if own {
		flags = os.O_RDWR
	}
	file, err := os.OpenFile(path, flags, 0)
	if own && (errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS)) {
		own = false
		file, err = os.Open(path)
	}
	if err != nil {
		return nil, err
	}
	ff := &featureFile{path: path, own: own, file: file}
	if err := ff.check(spec); err != nil {
		file.Close()
		return nil, err
	}
	return ff, nil
}

// check reads the header.
func (ff *featureFile) check(spec FeatureSpec) error {
	info, err := ff.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("is not a regular file")
	}
	head := make([]byte, min(fixedHeader+maxHeader, info.Size()))
	if _, err := ff.file.ReadAt(head, 0); err != nil && err != io.EOF {
		return err
	}
	var size int
	if ff.header, size, err = parseHeader(head); err != nil {
		return err
	}
	if ff.header.Spec != spec {
		return errOtherSpec
	}
	if ff.layout, err = newLayout(spec, ff.header.Rows, size); err != nil {
		return err
	}
	if info.Size() != ff.layout.size {
		return fmt.Errorf("is %d bytes long, expected %d", info.Size(), ff.layout.size)
	}
	return nil
}

// table reads the pictures of all rows, and their marks.
func (ff *featureFile) table() (pictures [][hashBytes]byte, marks []uint64, err error) {
	table := make([]byte, ff.layout.rows*entryBytes)
	if _, err := ff.file.ReadAt(table, ff.layout.table); err != nil {
		return nil, nil, err
	}
	pictures, marks = make([][hashBytes]byte, ff.layout.rows), make([]uint64, ff.layout.rows)
	for r := range pictures {
		entry := table[r*entryBytes:][:entryBytes]
		pictures[r] = [hashBytes]byte(entry)
		marks[r] = markIn(entry[hashBytes:])
	}
	if hashOf(pictures) != ff.header.Pictures {
		return nil, nil, errors.New("has a damaged table")
	}
	return pictures, marks, nil
}

// mark reads the mark of a row.
func (ff *featureFile) mark(r int) (uint64, error) {
	mark := make([]byte, entryBytes-hashBytes)
	_, err := ff.file.ReadAt(mark, ff.layout.markAt(r))
	return markIn(mark), err
}

// markIn returns the mark in a table entry; 0 also for one that was only partly written.
func markIn(entry []byte) uint64 {
	mark := binary.LittleEndian.Uint64(entry)
	if mark>>32 != rowDone>>32 {
		return 0
	}
	return mark
}

// setMark writes the mark of a row; 0 for a missing one.
func (ff *featureFile) setMark(r int, mark uint64) error {
	_, err := ff.file.WriteAt(binary.LittleEndian.AppendUint64(nil, mark), ff.layout.markAt(r))
	return err
}

// read copies a row.
func (ff *featureFile) read(r int, row []byte) error {
	_, err := ff.file.ReadAt(row, ff.layout.rowAt(r))
	return err
}

// write writes a row and then its mark, which is 0 meanwhile.
func (ff *featureFile) write(r int, row []byte, mark uint64) error {
	if err := ff.setMark(r, 0); err != nil {
		return err
	}
	if _, err := ff.file.WriteAt(row, ff.layout.rowAt(r)); err != nil {
		return err
	}
	return ff.setMark(r, mark)
}

// createFeatureFile creates the file for the pictures with these hashes, in order, with all rows
// missing. It is created beside its path and renamed. The caller holds the lock.
func createFeatureFile(dir string, spec FeatureSpec, pictures [][hashBytes]byte) (err error) {
	path := filepath.Join(dir, spec.fileName(pictures))
	header, err := newHeader(spec, pictures)
	if err != nil {
		return err
	}
	l, err := newLayout(spec, len(pictures), len(header))
	if err != nil {
		return err
	}
	left, err := matching(dir, filepath.Base(path)+".tmp", "")
	if err != nil {
		return err
	}
	for _, name := range left { // left by a killed process: we hold the lock
		os.Remove(filepath.Join(dir, name))
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err == nil {
		if free := uint64(disk.Bavail) * uint64(disk.Bsize); free < uint64(l.size) {
			return fmt.Errorf("needs %d MB, but the disk has only %d MB free; free some space (`glimpse features prune` may help), "+
				"or set $GLIMPSE_CACHE to a folder on another disk", l.size>>20, free>>20)
		}
	}
	file, err := os.CreateTemp(dir, filepath.Base(path)+".tmp*")
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			os.Remove(file.Name())
		}
	}()
	if _, err := file.WriteAt(header, 0); err != nil {
		return err
	}
	if _, err := file.WriteAt(blankTable(pictures), l.table); err != nil {
		return err
	}
	if err := errors.Join(file.Truncate(l.size), file.Chmod(0o644), file.Sync()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// bytesOf returns the memory of a row as bytes, as in the file.
func bytesOf(row []uint16) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(row))), 2*len(row))
}

// tryLock locks a file unless another process has locked it.
func tryLock(file *os.File) (held bool, err error) {
	err = flock(file, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// flock is the system call, repeated when a signal interrupts it.
func flock(file *os.File, how int) error {
	for {
		if err := unix.Flock(int(file.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
