package data

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// tree is what lies below the root of a data set of one's own, as far as a name in a file may mean
// it: the pictures, each once. Names that begin with a dot are passed over.
type tree struct {
	root     string              // with no link in it
	pictures []string            // their paths below root, in order
	real     map[string]string   // path → where the file really lies, which is another place behind a link
	bases    map[string][]string // last part of the path → paths
	stems    map[string][]string // that without its ending → paths
	away     []string            // links that lead out of the root
	texts    []string            // paths of files that may hold captions or lists, by their endings
}

// readTree lists a folder and what is below it. Links to folders are followed after all else, so
// that a folder goes by its own name and not by that of a link, and each folder once, so that
// circles end.
func readTree(root string) (*tree, error) {
	real, err := filepath.EvalSymlinks(root)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return nil, err
	}
	t := &tree{root: real, real: map[string]string{}, bases: map[string][]string{}, stems: map[string][]string{}}
	seen := map[string]bool{}
	folders := []string{"."} // below root
	for len(folders) > 0 {
		var links []string
		for len(folders) > 0 {
			below := folders[0]
			folders = folders[1:]
			more, linked, err := t.list(below, seen)
			if err != nil {
				return nil, err
			}
			folders, links = append(folders, more...), append(links, linked...)
		}
		folders = links
	}
	t.pictures = slices.Sorted(maps.Keys(t.real))
	for _, file := range t.pictures {
		base := path.Base(file)
		t.bases[base] = append(t.bases[base], file)
		stem := strings.TrimSuffix(base, path.Ext(base))
		t.stems[stem] = append(t.stems[stem], file)
	}
	return t, nil
}

// textTypes are the endings of files that may hold captions or lists of names, lower case; .gz may
// follow.
var textTypes = []string{".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".lst"}

func isText(name string) bool {
	return slices.Contains(textTypes, path.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz")))
}

// list takes in the pictures of a folder, and gives the folders in it: its own, and those that
// links lead to.
func (t *tree) list(below string, seen map[string]bool) (folders, links []string, err error) {
	real, err := filepath.EvalSymlinks(filepath.Join(t.root, filepath.FromSlash(below)))
	if err != nil || seen[real] {
		return nil, nil, err
	}
	seen[real] = true
	entries, err := os.ReadDir(real)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name := path.Join(below, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			folders = append(folders, name)
		case e.Type()&os.ModeSymlink != 0:
			target, isDir, err := t.follow(name)
			switch {
			case errors.Is(err, errAway):
				t.away = append(t.away, name)
			case err != nil: // it leads nowhere
			case isDir:
				links = append(links, name)
			case IsPicture(name):
				t.real[name] = target
			case isText(name):
				t.texts = append(t.texts, name)
			}
		case IsPicture(name) && e.Type().IsRegular():
			t.real[name] = path.Join(t.below(real), e.Name())
		case isText(name):
			t.texts = append(t.texts, name)
		}
	}
	return folders, links, nil
}

// errAway is of a link that leads out of the root.
var errAway = errors.New("is a link to outside the data set folder")

// follow tells where a path below the root really lies, below the root too.
func (t *tree) follow(below string) (real string, isDir bool, err error) {
	target, err := filepath.EvalSymlinks(filepath.Join(t.root, filepath.FromSlash(below)))
	if err != nil {
		return "", false, err
	}
	if real = t.below(target); !filepath.IsLocal(filepath.FromSlash(real)) {
		return "", false, errAway
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", false, err
	}
	return real, info.IsDir(), nil
}

// below is a path, with no link in it, as seen from the root.
func (t *tree) below(real string) string {
	below, err := filepath.Rel(t.root, real)
	if err != nil {
		return real
	}
	return filepath.ToSlash(below)
}

// hash identifies what names can mean.
func (t *tree) hash() string {
	h := sha256.New()
	for _, name := range t.pictures {
		fmt.Fprintf(h, "%q %q\n", name, t.real[name])
	}
	fmt.Fprintf(h, "%q", t.away)
	return hex.EncodeToString(h.Sum(nil))
}

// find gives the picture that a cleaned name means in a file of the folder dir (below root), by the
// first of these that there is: the path from the root or from the folder; the end of a picture's
// path; both again without the ending. Where several pictures would do it is an error.
func (t *tree) find(dir, name string) (string, error) {
	literal := []string{name}
	if dir != "." {
		literal = append(literal, path.Join(dir, name))
	}
	base := path.Base(name)
	for _, of := range []struct {
		files []string
		part  func(file string) string
	}{{t.bases[base], func(file string) string { return file }}, {t.stems[base], withoutEnding}} {
		for _, means := range []func(file string) bool{
			func(file string) bool { return slices.Contains(literal, file) },
			func(file string) bool { return strings.HasSuffix("/"+file, "/"+name) },
		} {
			found, err := t.only(of.files, func(file string) bool { return means(of.part(file)) })
			if found != "" || err != nil {
				return found, err
			}
		}
	}
	return t.unlisted(literal)
}

func withoutEnding(file string) string { return strings.TrimSuffix(file, path.Ext(file)) }

// only gives the one picture that some paths mean, "" where none does.
func (t *tree) only(files []string, means func(file string) bool) (string, error) {
	found := ""
	for _, file := range files {
		switch {
		case !means(file):
		case found == "":
			found = file
		case t.real[found] != t.real[file]:
			return "", fmt.Errorf("is ambiguous: %s or %s; write the path relative to the data set folder", found, file)
		}
	}
	return found, nil
}

// unlisted gives the first of some paths at which there is a file without the ending of a picture:
// what it is its content tells.
func (t *tree) unlisted(files []string) (string, error) {
	for _, file := range files {
		real, isDir, err := t.follow(file)
		if errors.Is(err, errAway) {
			return "", err
		}
		if err == nil && !isDir {
			t.real[file] = real
			return file, nil
		}
	}
	if len(t.away) > 0 {
		return "", fmt.Errorf("was not found in the data set folder (%s is a link to outside it, which is not followed)", t.away[0])
	}
	return "", errors.New("was not found in the data set folder")
}
