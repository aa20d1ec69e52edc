package data

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Layout describes a public data set in a folder.
type Layout struct {
	Name    string   // data.name to read it: flickr8k, flickr30k or coco
	Title   string   // for messages, such as "Flickr8k in Kaggle's layout"
	Files   []string // with its captions, below the folder; if there are none, Karpathy's file
	Splits  []string // values of data.split that work here, the usual one first; without seed, which needs no file
	Missing []string // what is missing, each with what needs it and where to get it
}

// Recognize finds which public data set is in a folder, in which layout, and what is missing. It
// checks the names of files and, if they are ambiguous, their first lines: any captions file may
// be called captions.txt.
func Recognize(root string) (Layout, bool) { return recognize(root, "") }

// recognize is Recognize for a reader of the data set name, which trusts the file names of that
// data set.
func recognize(root, name string) (Layout, bool) {
	for _, set := range []*flickr{&flickr8k, &flickr30k} {
		for _, captions := range set.captions {
			whose := familyOfFile(filepath.Join(root, captions.name)).set
			if !isFile(root, captions.name) || !captions.telling && whose != set.name && (whose != "" || name != set.name) {
				continue
			}
			l := Layout{Name: set.name, Title: set.title + " in " + captions.layout, Files: []string{captions.name}}
			if lists := set.missingLists(root); len(lists) == 0 {
				l.Splits = append(l.Splits, "official")
			} else {
				l.lacks("official", strings.Join(lists, ", "), set.listsIn)
			}
			return l.withKarpathy(root).withPictures(root), true
		}
	}
	if l, found := recognizeCOCO(root); found {
		return l.withKarpathy(root).withPictures(root), true
	}
	for _, set := range []string{"flickr8k", "flickr30k", "coco"} {
		file := karpathyOf(root, set)
		// A file in the parent folder may belong to another data set.
		if file == "" || filepath.Dir(file) != "." && !slices.ContainsFunc(picturesBelow(root), func(p somePictures) bool { return p.family.set == set }) {
			continue
		}
		l := Layout{Name: set, Title: titles[set] + " in Karpathy JSON", Files: []string{file}}
		return l.withKarpathy(root).withPictures(root), true
	}
	return Layout{}, false
}

// titles are the names of the data sets for messages.
var titles = map[string]string{"flickr8k": flickr8k.title, "flickr30k": flickr30k.title, "coco": "COCO"}

func (l *Layout) lacks(split, files, where string) {
	l.Missing = append(l.Missing, fmt.Sprintf("data.split %s needs %s, from %s", split, files, where))
}

// withKarpathy adds the split karpathy, or what it lacks.
func (l Layout) withKarpathy(root string) Layout {
	if karpathyOf(root, l.Name) != "" {
		l.Splits = append(l.Splits, "karpathy")
	} else {
		l.lacks("karpathy", "dataset_"+l.Name+".json", karpathyZip)
	}
	return l
}

// withPictures adds that pictures are missing, or are not those of the captions.
func (l Layout) withPictures(root string) Layout {
	wanted, others := familyOfFile(filepath.Join(root, l.Files[0])), ""
	for _, p := range picturesBelow(root) {
		if p.family == wanted || p.family == (family{}) || wanted == (family{}) {
			return l
		}
		others = fmt.Sprintf(" of %s: %s contains those of %s", wanted.title, p.folder, p.family.title)
	}
	l.Missing = append(l.Missing, "the pictures"+others)
	return l
}

// karpathyOf returns the data set's dataset_*.json in a folder or its parent, as a path relative
// to the folder; "" for none.
func karpathyOf(root, set string) string {
	file, err := new(corpus).karpathyFile(Options{Root: root, Name: set})
	if err != nil || file == "" || filepath.Base(file) != "dataset_"+set+".json" && familyOfFile(file).set != set {
		return ""
	}
	below, err := filepath.Rel(root, file)
	if err != nil {
		return ""
	}
	return below
}

// recognizeCOCO looks for captions_*.json.
func recognizeCOCO(root string) (Layout, bool) {
	l := Layout{Name: "coco", Title: "captions in COCO format"}
	var splits []string
	for _, split := range splitNames {
		found, err := new(corpus).captionsFiles(root, split)
		if err != nil || len(found) == 0 {
			continue
		}
		splits = append(splits, split)
		if one, err := new(corpus).findCaptions(root, split); err == nil {
			found = []string{one}
		}
		for _, file := range found {
			if below, err := filepath.Rel(root, file); err == nil {
				l.Files = append(l.Files, below)
			}
		}
	}
	if len(l.Files) == 0 {
		return l, false
	}
	for _, year := range []string{"2014", "2017"} {
		if strings.Contains(path.Base(l.Files[0]), year) {
			l.Title = "COCO " + year
		}
	}
	if slices.Contains(splits, "train") && slices.Contains(splits, "val") {
		l.Splits = append(l.Splits, "official")
	} else {
		l.lacks("official", "captions_train*.json and captions_val*.json", "annotations_trainval2014.zip or annotations_trainval2017.zip")
	}
	return l, true
}

func isFile(root, name string) bool {
	info, err := os.Stat(filepath.Join(root, name))
	return err == nil && info.Mode().IsRegular()
}

// family is a data set, identified by how its pictures are named.
type family struct{ set, title string }

// familyOf identifies a public data set by the name of one of its pictures. For other names both
// fields are "".
//
//	Flickr8k   1000268201_693b08cb0e.jpg, an id and a secret
//	Flickr30k  1000092795.jpg, an id
//	COCO 2014  COCO_val2014_000000000042.jpg
//	COCO 2017  000000000042.jpg, an id of twelve digits
func familyOf(name string) family {
	stem, isJPEG := strings.CutSuffix(path.Base(name), ".jpg")
	id, secret, both := strings.Cut(stem, "_")
	switch _, year := cocoNumber(stem); {
	case !isJPEG:
		return family{}
	case year != "":
		return family{"coco", "COCO " + year}
	case both && isDigits(id) && len(secret) == 10 && strings.Trim(secret, "0123456789abcdef") == "":
		return family{"flickr8k", "Flickr8k"}
	case isDigits(stem) && len(stem) <= 11:
		return family{"flickr30k", "Flickr30k"}
	}
	return family{}
}

// cocoNumber returns the id in the name of a COCO picture, given without its extension, and the
// year of that naming scheme.
func cocoNumber(stem string) (id, year string) {
	year = "2017"
	if rest, old := strings.CutPrefix(stem, "COCO_"); old {
		split, number, _ := strings.Cut(rest, "_")
		if !slices.Contains([]string{"train2014", "val2014", "test2014"}, split) {
			return "", ""
		}
		stem, year = number, "2014"
	}
	if len(stem) != 12 || !isDigits(stem) {
		return "", ""
	}
	return stem, year
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// familyOfFile identifies a data set by the first picture name in a file of captions.
func familyOfFile(file string) family {
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return family{}
	}
	f, err := os.Open(file)
	if err != nil {
		return family{}
	}
	defer f.Close()
	head, _ := io.ReadAll(io.LimitReader(f, 64<<10)) // the reader of the whole file reports its faults
	return familyIn(string(head))
}

// familyIn is familyOfFile for the start of a file.
func familyIn(head string) family {
	for _, word := range strings.FieldsFunc(head, func(r rune) bool { return strings.ContainsRune("\t\r\n,|\"#/ ", r) }) {
		if strings.HasSuffix(word, ".jpg") {
			return familyOf(word)
		}
	}
	return family{}
}

// somePictures are the pictures of a folder, with one name as an example.
type somePictures struct {
	folder  string // below the root
	example string // name of one
	family  family
}

// picturesBelow looks for pictures in a folder, in its subfolders and in the subfolders of its
// folder images, as in all public layouts.
func picturesBelow(root string) []somePictures {
	folders := []string{"."}
	for _, dir := range []string{".", "images", "flickr30k_images"} {
		entries, _ := os.ReadDir(filepath.Join(root, dir)) // an unreadable folder has no usable pictures
		for _, e := range entries {
			if info, err := os.Stat(filepath.Join(root, dir, e.Name())); err == nil && info.IsDir() {
				folders = append(folders, filepath.Join(dir, e.Name()))
			}
		}
	}
	var found []somePictures
	for _, folder := range folders {
		dir, err := os.Open(filepath.Join(root, folder))
		if err != nil {
			continue
		}
		names, _ := dir.Readdirnames(located) // any of thousands will do
		dir.Close()
		slices.Sort(names)
		if at := slices.IndexFunc(names, IsPicture); at >= 0 {
			found = append(found, somePictures{folder, names[at], familyOf(names[at])})
		}
	}
	return found
}

// mixUp returns a hint if the pictures below a folder belong to another data set than the picture
// name from the captions; else "".
func mixUp(root, named string) string {
	wanted := familyOf(named)
	if wanted == (family{}) {
		return ""
	}
	for _, p := range picturesBelow(root) {
		switch {
		case p.family == (family{}) || p.family == wanted:
			continue
		case p.family.set == "coco" && wanted.set == "coco":
			return fmt.Sprintf("; the captions are from %s, but %s contains the pictures of %s, the same pictures under other names (%s): "+
				"get captions and pictures of one year", wanted.title, p.folder, p.family.title, p.example)
		}
		return fmt.Sprintf("; the captions are from %s, but %s contains the pictures of %s (%s): use files of one data set",
			wanted.title, p.folder, p.family.title, p.example)
	}
	return ""
}

// instead returns a hint about what the folder contains instead of what the options ask for, and
// what would work; "" if nothing is recognized.
func (o Options) instead() string {
	l, found := recognize(o.Root, o.Name)
	if !found {
		entries, _ := os.ReadDir(o.Root)
		for _, e := range entries {
			if !e.IsDir() {
				continue
			}
			if l, found := Recognize(filepath.Join(o.Root, e.Name())); found {
				return fmt.Sprintf("; its subfolder %s is %s: set data.root to it?", e.Name(), l.Title)
			}
		}
		return ""
	}
	said := "; this is " + l.Title
	if len(l.Splits) == 0 {
		return said + ", but " + strings.Join(l.Missing, "; ")
	}
	if l.Name != o.Name {
		return fmt.Sprintf("%s; to read it, set data: {name: %s, split: %s}", said, l.Name, l.Splits[0])
	}
	return fmt.Sprintf("%s; data.split: %s would work", said, l.Splits[0])
}
