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

// tree lists the pictures below the root of a user's own data set, each once, for finding the
// picture that a name refers to. Names that start with a dot are skipped.
type tree struct {
	root     string              // without links
	pictures []string            // their paths below root, in order
	real     map[string]string   // path → real path, which differs behind a link
	bases    map[string][]string // last element of the path → paths
	stems    map[string][]string // the same without its extension → paths
	away     []string            // links to outside the root
	texts    []string            // paths of files that may be captions or lists, by their extensions
}

// readTree lists a folder and everything below it. It follows links to folders last, so that a
// folder is listed under its own name, not a link's, and lists each folder once, so that cycles
// end.
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

// textTypes are the extensions of files that may contain captions or lists of names, in lower
// case; .gz may follow.
var textTypes = []string{".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".lst"}

func isText(name string) bool {
	return slices.Contains(textTypes, path.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz")))
}

// list adds the pictures of a folder, and returns its subfolders and the folders that its links
// lead to.
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
			case err != nil: // a dangling link
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

// errAway is the error of a link to outside the root.
var errAway = errors.New("is a link to outside the data set folder")

// follow returns the real path, also below the root, of a path below the root.
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

// below returns a path without links relative to the root.
func (t *tree) below(real string) string {
	below, err := filepath.Rel(t.root, real)
	if err != nil {
		return real
	}
	return filepath.ToSlash(below)
}

// hash identifies everything that decides which picture a name refers to.
func (t *tree) hash() string {
	h := sha256.New()
	for _, name := range t.pictures {
		fmt.Fprintf(h, "%q %q\n", name, t.real[name])
	}
	fmt.Fprintf(h, "%q", t.away)
	return hex.EncodeToString(h.Sum(nil))
}

// find returns the picture that a clean name in a file of the folder dir (below root) refers to:
// the first match of the path from the root or from dir, the end of a picture's path, and both
// again without the extension. Several matches are an error.
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

// only returns the one picture among the paths that match; "" if none does.
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

// unlisted returns the first of some paths with a file that lacks the extension of a picture: its
// content decides what it is.
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
