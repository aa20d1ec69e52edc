package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"glimpse/internal/atomicfile"
)

// featurePlace is the place of a picture's row.
type featurePlace struct {
	in   *featureFile // nil while no file has room for it
	row  int
	mark uint64 // as it was last read; 0 while the row is missing
}

// scan finds the files of the spec in the folders of the cache, and the place of each picture's
// row in them. If there are several, an existing row takes precedence over a missing one, and Dir
// over Shared; a missing row in Dir was missing or damaged in Shared. The caller holds f.mu.
func (f *Features) scan() error {
	files, err := f.openAll()
	if err != nil {
		return err
	}
	for _, file := range f.files {
		if !slices.Contains(files, file) {
			file.file.Close()
		}
	}
	f.files = files
	clear(f.places)
	for _, file := range files {
		pictures, marks, err := file.table()
		if err == nil {
			f.find(file, pictures, marks)
		} else if err = f.leaveOut(file.path, file.own, err); err != nil {
			return err
		}
	}
	return nil
}

// openAll opens all files of the spec that are not open yet.
func (f *Features) openAll() (files []*featureFile, err error) {
	defer func() {
		if err == nil {
			return
		}
		for _, file := range files {
			if !slices.Contains(f.files, file) {
				file.file.Close()
			}
		}
	}()
	for _, folder := range f.cache.folders() {
		names, err := matching(folder, f.spec.stem(), featureEnding)
		if err != nil {
			return files, err
		}
		for _, name := range names {
			path, own := filepath.Join(folder, name), folder == f.cache.Dir
			file, err := f.openKnown(path, own)
			switch {
			case err == nil:
				files = append(files, file)
			case errors.Is(err, errOtherSpec) || errors.Is(err, os.ErrNotExist): // or removed just now
			default:
				if err := f.leaveOut(path, own, err); err != nil {
					return files, err
				}
			}
		}
	}
	return files, nil
}

// openKnown opens a file, unless it is open.
func (f *Features) openKnown(path string, own bool) (*featureFile, error) {
	for _, file := range f.files {
		if file.path != path {
			continue
		}
		is, err := file.file.Stat()
		there, err2 := os.Stat(path)
		if err == nil && err2 == nil && os.SameFile(is, there) {
			return file, nil
		}
	}
	return openFeatureFile(path, f.spec, own)
}

// leaveOut remarks once that a file cannot be used. For a file of Dir that the system cannot read
// it returns an error: the file may be intact, and may have taken days to compute.
func (f *Features) leaveOut(path string, own bool, why error) error {
	if own && errors.As(why, new(*fs.PathError)) {
		return why
	}
	if !slices.Contains(f.told, path) {
		f.told = append(f.told, path)
		f.cache.remark(path, "feature cache %v; ignoring it", why)
	}
	return nil
}

// find adopts the places that a file has for pictures. Both lists are sorted.
func (f *Features) find(file *featureFile, pictures [][hashBytes]byte, marks []uint64) {
	p := 0
	for r, picture := range pictures {
		for p < len(f.pictures) && bytes.Compare(f.pictures[p][:], picture[:]) < 0 {
			p++
		}
		if p == len(f.pictures) {
			return
		}
		if f.pictures[p] != picture {
			continue
		}
		at, there := &f.places[p], marks[r] != 0
		if at.in == nil && (there || file.own) || at.in != nil && at.mark == 0 && there && file.own {
			*at = featurePlace{file, r, marks[r]}
		}
	}
}

// there reports whether a picture's row exists, even if another process has just put it. The
// caller holds f.mu.
func (f *Features) there(p int) bool {
	at := &f.places[p]
	if at.in != nil && at.mark == 0 {
		if mark, err := at.in.mark(at.row); err == nil {
			at.mark = mark
		}
	}
	return at.in != nil && at.mark != 0
}

// read copies the row of a picture and verifies it.
func (f *Features) read(p int, row []byte) error {
	f.mu.RLock()
	at := f.places[p]
	var err error
	whole := at.in != nil && at.mark != 0
	if whole {
		err = at.in.read(at.row, row)
		whole = err == nil && rowMark(f.pictures[p], row) == at.mark
	}
	f.mu.RUnlock()
	if err != nil || whole {
		return err
	}
	return f.readAgain(p, row)
}

// readAgain reads a row that was missing or incomplete again, while no other process writes. A
// damaged row counts as missing from then on.
func (f *Features) readAgain(p int, row []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := &f.places[p]
	if at.in == nil && !f.closed {
		if err := f.scan(); err != nil {
			return err
		}
	}
	if at.in == nil {
		return errNoRow
	}
	read := func() error {
		mark, err := at.in.mark(at.row)
		if err != nil {
			return err
		}
		if mark == 0 {
			return errNoRow
		}
		if err := at.in.read(at.row, row); err != nil {
			return err
		}
		switch {
		case rowMark(f.pictures[p], row) != mark:
			return f.drop(p)
		case at.mark != 0 && at.mark != mark:
			return errRowChanged
		}
		at.mark = mark
		return nil
	}
	if !at.in.own {
		return read()
	}
	return f.locked(read)
}

// ErrFeatures is wrapped by the errors of rows that are missing, damaged or changed.
var ErrFeatures = errors.New("run `glimpse features`, or run the study again, to compute them")

var (
	errNoRow      = fmt.Errorf("has no features: %w", ErrFeatures)
	errRowDamaged = fmt.Errorf("has damaged features: %w", ErrFeatures)
	errRowChanged = fmt.Errorf("has features that were recomputed with a different result while in use: %w", ErrFeatures)
)

// drop marks a damaged row as missing. If its file is in the read-only folder, a file in Dir
// records that.
func (f *Features) drop(p int) error {
	at := &f.places[p]
	at.mark = 0
	if at.in.own {
		return errors.Join(errRowDamaged, at.in.setMark(at.row, 0))
	}
	at.in = nil
	return errors.Join(errRowDamaged, f.locked(func() error { return f.create([]int{p}) }))
}

// put writes the row of a picture, unless a whole one is there. The caller holds f.mu.
func (f *Features) put(p int, row []byte) error {
	return f.locked(func() error {
		if f.places[p].in == nil {
			if err := f.place(); err != nil {
				return err
			}
		}
		at := &f.places[p]
		mark, err := at.in.mark(at.row)
		if err != nil {
			return err
		}
		if mark != 0 {
			present := make([]byte, at.in.layout.row)
			if err := at.in.read(at.row, present); err == nil && rowMark(f.pictures[p], present) == mark {
				at.mark = mark
				return nil
			}
		}
		if !at.in.own {
			return fmt.Errorf("%s is not writable", at.in.path)
		}
		if err := at.in.write(at.row, row, rowMark(f.pictures[p], row)); err != nil {
			return err
		}
		at.mark = rowMark(f.pictures[p], row)
		return nil
	})
}

// makeRoom is place for callers that hold neither f.mu nor the lock.
func (f *Features) makeRoom() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.locked(f.place)
}

// place creates a file for all pictures that have no place yet. The caller holds f.mu and the
// lock.
func (f *Features) place() error {
	if err := f.scan(); err != nil { // another process may have been faster
		return err
	}
	var unplaced []int
	for p, at := range f.places {
		if at.in == nil {
			unplaced = append(unplaced, p)
		}
	}
	if len(unplaced) == 0 {
		return nil
	}
	return f.create(unplaced)
}

// create creates a file for pictures. The caller holds f.mu and the lock.
func (f *Features) create(of []int) error {
	pictures := make([][hashBytes]byte, len(of))
	for i, p := range of {
		pictures[i] = f.pictures[p]
	}
	if err := createFeatureFile(f.cache.Dir, f.spec, pictures); err != nil {
		return err
	}
	if err := f.scan(); err != nil {
		return err
	}
	f.remember()
	return nil
}

// locked runs do while no other process, and no other Features of this process, changes the files
// of the spec in Dir.
func (f *Features) locked(do func() error) error {
	if f.lock == nil {
		lock, err := f.lockFile(".lock")
		if err != nil {
			return err
		}
		f.lock = lock
	}
	if err := flock(f.lock, unix.LOCK_EX); err != nil {
		return fmt.Errorf("cannot be locked: %w", err)
	}
	defer flock(f.lock, unix.LOCK_UN)
	return do()
}

// lockFile opens a file to lock, for all features of the spec.
func (f *Features) lockFile(ending string) (*os.File, error) {
	if err := os.MkdirAll(f.cache.Dir, 0o777); err != nil {
		return nil, err
	}
	path := filepath.Join(f.cache.Dir, f.spec.stem()+featureKey(f.spec, nil)[:16]+ending)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if errors.Is(err, fs.ErrPermission) { // owned by another user, in a shared folder
		return os.Open(path)
	}
	return file, err
}

// partsEnding is the extension of a list of the files in Dir with the features of one data set,
// whose [Features.Hash] is in the list's name. Its modification time is that of the last opening.
const partsEnding = ".parts"

// remember writes that list. It ignores failures: at worst, features in a file that no list names
// are computed again.
func (f *Features) remember() {
	var names []string
	for _, file := range f.files {
		used := func(at featurePlace) bool { return at.in == file }
		if file.own && slices.ContainsFunc(f.places, used) {
			names = append(names, filepath.Base(file.path))
		}
	}
	if len(names) == 0 {
		return
	}
	path := filepath.Join(f.cache.Dir, f.spec.stem()+f.key[:16]+partsEnding)
	text := strings.Join(names, "\n") + "\n"
	if was, err := os.ReadFile(path); err == nil && string(was) == text {
		now := time.Now()
		_ = os.Chtimes(path, now, now)
		return
	}
	_ = atomicfile.Write(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}
