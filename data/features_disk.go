package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The file is read with pread and written with pwrite, not mapped: a full or
// failing disk is then an error and not a signal, and the pages that trials share
// count as the system's and not as memory of each.

// littleEndian is whether this machine stores numbers as the file does.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// open makes or verifies the file.
func (f *Features) open() error {
	if !littleEndian {
		return errors.New("its numbers are little-endian, this machine's are not")
	}
	var err error
	if f.lock, err = os.OpenFile(f.path+".lock", os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return err
	}
	return f.locked(func() error {
		fault, err := f.openExisting()
		if errors.Is(err, os.ErrNotExist) || fault != nil {
			if fault != nil {
				f.notes = append(f.notes, Note{f.path, 0, "feature cache " + fault.Error() + ": made again", 1})
			}
			err = f.create()
		}
		return err
	})
}

// openExisting opens and verifies a file that is there. fault says why it must
// be replaced.
func (f *Features) openExisting() (fault, err error) {
	file, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is not a regular file")
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	head := make([]byte, min(f.layout.data, info.Size()))
	if _, err := file.ReadAt(head, 0); err != nil && err != io.EOF {
		file.Close()
		return nil, err
	}
	fault = f.layout.check(head, info.Size())
	for r := 0; fault == nil && r < len(f.pictures); r++ {
		if at := f.layout.entryAt(r); string(head[at:at+hashBytes]) != string(f.pictures[r][:]) {
			fault = errors.New("has a damaged table")
		}
	}
	if fault != nil {
		file.Close()
		return fault, nil
	}
	f.file = file
	return nil, f.verify(head)
}

// verify reads every row that is marked as there, and unmarks the damaged.
// head is the file up to its rows.
func (f *Features) verify(head []byte) error {
	buffers := sync.Pool{New: func() any { b := make([]byte, f.layout.row); return &b }}
	var failed atomic.Pointer[error]
	damaged := make([]bool, f.layout.rows)
	inParallel(f.layout.rows, 1, func(r int) {
		mark := binary.LittleEndian.Uint64(head[f.layout.markAt(r):])
		if mark == 0 {
			return
		}
		buffer := buffers.Get().(*[]byte)
		defer buffers.Put(buffer)
		if _, err := f.file.ReadAt(*buffer, f.layout.rowAt(r)); err != nil {
			failed.Store(&err)
			return
		}
		damaged[r] = rowMark(f.pictures[r], *buffer) != mark
		f.good[r].Store(!damaged[r])
	})
	if err := failed.Load(); err != nil {
		return *err
	}
	count := 0
	for r := range damaged {
		if damaged[r] {
			count++
			if err := f.mark(r, 0); err != nil {
				return err
			}
		}
	}
	if count > 0 {
		f.notes = append(f.notes, Note{f.path, 0, "row of the feature cache is damaged: to be made again", count})
	}
	return nil
}

// create makes the file beside its place and moves it there.
func (f *Features) create() (err error) {
	dir, base := filepath.Split(f.path)
	if left, _ := filepath.Glob(f.path + ".tmp*"); left != nil {
		for _, path := range left { // of a process that was killed here: the lock is ours
			os.Remove(path)
		}
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err == nil {
		if free := uint64(disk.Bavail) * uint64(disk.Bsize); free < uint64(f.layout.size) {
			return fmt.Errorf("needs %d MB, and the disk has %d MB free; free some, or set GLIMPSE_CACHE to a folder on another disk",
				f.layout.size>>20, free>>20)
		}
	}
	file, err := os.CreateTemp(dir, base+".tmp*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	if _, err := file.WriteAt(f.layout.header, 0); err != nil {
		return err
	}
	if _, err := file.WriteAt(f.layout.blankTable(f.pictures), f.layout.table); err != nil {
		return err
	}
	if err := errors.Join(file.Truncate(f.layout.size), file.Chmod(0o644), file.Sync()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), f.path); err != nil {
		return err
	}
	f.file = file
	return nil
}

// write puts a row that is missing and marks it, under the lock.
func (f *Features) write(r int, row []uint16) error {
	return f.locked(func() error {
		if f.has(r) {
			return nil
		}
		if _, err := f.file.WriteAt(bytesOf(row), f.layout.rowAt(r)); err != nil {
			return err
		}
		if err := f.mark(r, rowMark(f.pictures[r], bytesOf(row))); err != nil {
			return err
		}
		f.good[r].Store(true)
		return nil
	})
}

// mark writes the mark of a row, 0 for a missing one.
func (f *Features) mark(r int, mark uint64) error {
	_, err := f.file.WriteAt(binary.LittleEndian.AppendUint64(nil, mark), f.layout.markAt(r))
	return err
}

// has says whether a row is there and whole. A row that another process put
// since is verified now; one that cannot be read is missing.
func (f *Features) has(r int) bool {
	if f.file == nil {
		return false
	}
	if f.good[r].Load() {
		return true
	}
	mark := make([]byte, entryBytes-hashBytes)
	if _, err := f.file.ReadAt(mark, f.layout.markAt(r)); err != nil || binary.LittleEndian.Uint64(mark) == 0 {
		return false
	}
	row := make([]byte, f.layout.row)
	if _, err := f.file.ReadAt(row, f.layout.rowAt(r)); err != nil {
		return false
	}
	whole := rowMark(f.pictures[r], row) == binary.LittleEndian.Uint64(mark)
	f.good[r].Store(whole)
	return whole
}

// bytesOf is the memory of a row, as the file holds it.
func bytesOf(row []uint16) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(row))), 2*len(row))
}

// Close ends the use of the cache.
func (f *Features) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var faults []error
	for _, file := range []*os.File{f.file, f.lock} {
		if file != nil {
			faults = append(faults, file.Close())
		}
	}
	f.file, f.lock = nil, nil
	return errors.Join(faults...)
}

// locked runs do while no other process, and no other Features of this one,
// changes the file.
func (f *Features) locked(do func() error) error {
	if err := flock(f.lock, unix.LOCK_EX); err != nil {
		return fmt.Errorf("cannot be locked: %w", err)
	}
	defer flock(f.lock, unix.LOCK_UN)
	return do()
}

// tryLock takes the lock of a file unless another holds it.
func tryLock(file *os.File) (held bool, err error) {
	err = flock(file, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// flock is the system call, repeated when a signal breaks it off.
func flock(file *os.File, how int) error {
	for {
		if err := unix.Flock(int(file.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
