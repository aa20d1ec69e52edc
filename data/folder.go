package data

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"

	"glimpse/internal/jsonfile"
)

// Captions names the captions file of a folder, and its columns or keys. Empty fields are found
// by their usual names.
type Captions struct {
	Path                  string // below the root
	Image, Caption, Split string
}

// Partition divides the pictures of a folder: for data.split lists, by files below the root that
// list them; for drawn, by shares such as 10% or numbers of images.
type Partition struct {
	Train     string // a file
	Val, Test string
	Seed      int64 // of the draw
}

// partNames are the names of splits that a column may hold, in lower case.
var partNames = map[string]string{
	"train": "train", "training": "train", "restval": "train",
	"val": "val", "valid": "val", "validation": "val", "dev": "val",
	"test": "test", "testing": "test",
}

// ownHash identifies, in a file name, the options that decide what is read from a folder; "" for
// other data sets. A random split is drawn from what was read.
func (o Options) ownHash() string {
	if o.Name != "folder" {
		return ""
	}
	read := []string{o.Captions.Path, o.Captions.Image, o.Captions.Caption, o.Captions.Split}
	if o.Split == "lists" {
		read = append(read, o.Partition.Train, o.Partition.Val, o.Partition.Test)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", read))
	return "-" + hex.EncodeToString(sum[:4])
}

// own reads the captions and the split of a folder of one's own: pictures anywhere below its
// root, and one file of captions.
type own struct {
	*corpus
	o      Options
	file   string // of the captions
	folder string // of the captions file, below root
	tree   *tree
	meant  map[string]int // name as written in the captions → image; -1 for none
	byReal map[string]int // real path of a picture → image
	faults faultList
	found  Captions // names of the columns or keys that are read, if the format has any
	format string   // see formatOf
	// splitless says that the captions should contain the split, but do not.
	splitless bool
}

// spot is a place in a file.
type spot struct {
	file  string
	line  int
	entry string // in JSON: the entry and its byte
}

// spotOf returns the spot of an entry of the captions.
func (f *own) spotOf(at jsonfile.Place) spot { return spot{f.file, at.Line, at.String()} }

// readFolder reads a data set of one's own.
func readFolder(o Options) (*corpus, error) {
	f := newOwn(o)
	return f.corpus, f.read()
}

func newOwn(o Options) *own {
	return &own{corpus: new(corpus), o: o, meant: make(map[string]int), byReal: make(map[string]int)}
}

// read reads captions and split. It reports all faults of rows, names and splits together.
func (f *own) read() (err error) {
	if f.tree, err = f.sources.tree(f.o.Root); errors.Is(err, os.ErrNotExist) {
		return Error{File: f.o.Root, Msg: "does not exist; set data.root, --data or $GLIMPSE_DATA to the folder of pictures and captions"}
	} else if err != nil {
		return Error{File: f.o.Root, Msg: fmt.Sprintf("cannot be searched: %v", err)}
	}
	file, text, err := f.open(f.o.Captions.Path)
	if err != nil {
		return err
	}
	f.file, f.folder = file, path.Dir(path.Clean(filepath.ToSlash(f.o.Captions.Path)))
	if err := f.parse(text); err != nil {
		f.faults.add(err)
	}
	if f.faults.count == 0 && len(f.images) == 0 {
		f.faults.add(Error{File: file, Msg: "contains no captions"})
	}
	f.dropRepeats()
	if f.o.Split == "lists" && f.faults.count == 0 {
		f.splitByLists()
	}
	f.noteUnused()
	return f.faults.err()
}

// open reads a text file below the root.
func (f *own) open(name string) (file string, text []byte, err error) {
	clean, err := cleanName(name)
	if err == nil {
		name = clean
		_, _, err = f.tree.follow(name)
	}
	file = filepath.Join(f.o.Root, filepath.FromSlash(name))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return file, nil, Error{File: file, Msg: "is missing; paths of captions and lists are relative to the data set folder"}
	case err != nil:
		return file, nil, Error{File: file, Msg: err.Error()}
	}
	text, err = f.sources.read(f.o.Root, file)
	return file, text, err
}

// cleanName returns a clean, slash-separated path below the root, or what is wrong with name.
func cleanName(name string) (string, error) {
	name = strings.ReplaceAll(strings.TrimSpace(name), `\`, "/")
	clean := path.Clean(name)
	switch {
	case name == "" || clean == ".":
		return "", errors.New("is empty; expected a file name")
	case len(name) > 1024:
		return "", fmt.Errorf("is a name of %d bytes; the limit is 1024: wrong file format?", len(name))
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", errors.New("contains a control character")
	case path.IsAbs(name):
		return "", errors.New("is an absolute path; write names relative to the data set folder")
	case !filepath.IsLocal(filepath.FromSlash(clean)):
		return "", errors.New("is outside the data set folder; write names relative to it")
	}
	return clean, nil
}

// fault records a fault at a spot.
func (f *own) fault(at spot, err error) {
	fault := Error{File: at.file, Line: at.line, Msg: err.Error()}
	errors.As(err, &fault)
	if at.entry != "" {
		fault.Msg = at.entry + ": " + fault.Msg
	}
	f.faults.add(fault)
}

// row adds captions of a picture. part is the split as written in the file; "" for none.
func (f *own) row(at spot, name, part string, captions ...string) {
	e := f.picture(at, name)
	if e == nil {
		return
	}
	for _, caption := range captions {
		if err := f.add(at.file, at.line, e, "", caption); err != nil {
			f.fault(at, err)
		}
	}
	if part = strings.TrimSpace(part); part == "" {
		return
	}
	split, known := partNames[strings.ToLower(part)]
	switch {
	case !known:
		f.fault(at, fmt.Errorf("unknown split %.40q: use train, training, restval, val, valid, validation, dev, test or testing", part))
	case e.split != "" && e.split != split:
		f.fault(at, fmt.Errorf("image %.80q is in split %s here, but in %s above; an image belongs to one split", e.id, split, e.split))
	default:
		e.split = split
	}
}

// picture returns the image that a name in the captions refers to, or nil after a fault, which is
// reported once for each name.
func (f *own) picture(at spot, written string) *entry {
	i, known := f.meant[written]
	if !known {
		var file string
		name, err := cleanName(written)
		if err == nil {
			i, file, err = f.find(f.folder, name)
		}
		switch {
		case err != nil:
			f.fault(at, fmt.Errorf("picture %.80q %w", written, err))
			i = -1
		case i < 0:
			e := f.image(at.file, at.line, name)
			e.name, e.folder = file, "." // below which it lies
			i = f.index[name]
			f.byReal[f.tree.real[file]] = i
		}
		f.meant[written] = i
	}
	if i < 0 {
		return nil
	}
	return &f.images[i]
}

// find returns the image that a clean name in a file of the given folder refers to, or -1 and its
// picture if the image is new.
func (f *own) find(folder, name string) (image int, file string, err error) {
	if i, known := f.index[name]; known {
		return i, "", nil
	}
	if file, err = f.tree.find(folder, name); err != nil {
		return -1, "", err
	}
	if i, known := f.byReal[f.tree.real[file]]; known {
		return i, file, nil
	}
	return -1, file, nil
}

// splitByLists takes the split from files that list one picture per line.
func (f *own) splitByLists() {
	p := f.o.Partition
	for i, list := range []string{p.Train, p.Val, p.Test} {
		if list == "" {
			continue
		}
		file, text, err := f.open(list)
		if err != nil {
			f.faults.add(err)
			continue
		}
		_ = eachLine(text, func(line int, s string) error {
			at, place := spot{file: file, line: line}, -1
			name, err := cleanName(s)
			if err == nil {
				place, _, err = f.find(path.Dir(filepath.ToSlash(list)), name)
			}
			switch {
			case err != nil:
				f.fault(at, fmt.Errorf("picture %.80q %w", s, err))
			case place < 0 || len(f.images[place].captions) == 0:
				f.fault(at, fmt.Errorf("%.80q has no caption in %s", s, f.file))
			case f.images[place].split != "":
				f.fault(at, fmt.Errorf("%.80q is already in split %s; an image belongs to one split", s, f.images[place].split))
			default:
				f.images[place].split = splitNames[i]
			}
			return nil
		})
	}
}

// noteUnused notes pictures and links that are not used.
func (f *own) noteUnused() {
	used := make(map[string]bool, len(f.images))
	for i := range f.images {
		if e := &f.images[i]; len(e.captions) > 0 {
			used[f.tree.real[e.name]] = true
		} else {
			e.split = "" // its empty captions were noted
		}
	}
	for _, file := range f.tree.pictures {
		if !used[f.tree.real[file]] {
			f.notes.add(f.o.Root, 0, "picture has no caption: left out")
			used[f.tree.real[file]] = true
		}
	}
	for range f.tree.away {
		f.notes.add(f.o.Root, 0, "link to outside the data set folder: ignored")
	}
}
