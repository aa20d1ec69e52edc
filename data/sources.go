package data

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glimpse/internal/jsonfile"
)

// sources records the text files that a data set was read from, and the folders that were
// searched for them. While they are unchanged, byte for byte, reading the data set again would
// give the same result.
type sources struct {
	Texts    []sourceText   `json:"texts"`
	Searches []sourceSearch `json:"searches"`
	Tree     string         `json:"tree,omitempty"` // hash of the files below the root; "" if they were not listed
}

// sourceText is a requested text file.
type sourceText struct {
	Path   string `json:"path"`   // below the root
	SHA256 string `json:"sha256"` // in hex; "" if there is no such file
}

// sourceSearch is a folder that was searched for files with a given start and end of their names.
type sourceSearch struct {
	Path  string   `json:"path"` // below the root
	Begin string   `json:"begin"`
	End   string   `json:"end"`
	Found []string `json:"found"` // names, in order
}

// read is readText, and records it.
func (s *sources) read(root, path string) ([]byte, error) {
	text, err := readFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	below, err2 := filepath.Rel(root, path)
	if err2 != nil {
		return nil, err2
	}
	seen := sourceText{Path: below}
	if err == nil {
		sum := sha256.Sum256(text)
		seen.SHA256 = hex.EncodeToString(sum[:])
	}
	s.Texts = append(s.Texts, seen)
	if err != nil {
		return nil, err
	}
	if text, err = jsonfile.Unpack(text); err != nil {
		return nil, Error{File: path, Msg: fmt.Sprintf("cannot be unpacked: %v; download it again", err)}
	}
	return cleanText(path, text)
}

// tree is readTree, and records it.
func (s *sources) tree(root string) (*tree, error) {
	t, err := readTree(root)
	if err == nil {
		s.Tree = t.hash()
	}
	return t, err
}

// search lists the files of a folder whose names start with begin and end with end, sorted by
// name. A missing folder has none.
func (s *sources) search(root, dir, begin, end string) ([]string, error) {
	names, err := matching(dir, begin, end)
	if err != nil {
		return nil, err
	}
	below, err := filepath.Rel(root, dir)
	if err != nil {
		return nil, err
	}
	s.Searches = append(s.Searches, sourceSearch{below, begin, end, names})
	found := make([]string, len(names))
	for i, name := range names {
		found[i] = filepath.Join(dir, name)
	}
	return found, nil
}

func matching(dir, begin, end string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	found := []string{}
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, begin) && strings.HasSuffix(name, end) {
			found = append(found, name)
		}
	}
	return found, nil
}

// unchanged reports whether all sources are as recorded. It reads every text.
func (s sources) unchanged(root string) bool {
	for _, search := range s.Searches {
		found, err := matching(filepath.Join(root, search.Path), search.Begin, search.End)
		if err != nil || !slices.Equal(found, search.Found) {
			return false
		}
	}
	if s.Tree != "" {
		if t, err := readTree(root); err != nil || t.hash() != s.Tree {
			return false
		}
	}
	for _, text := range s.Texts {
		path := filepath.Join(root, text.Path)
		info, err := os.Stat(path)
		if text.SHA256 == "" && errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil || !info.Mode().IsRegular() {
			return false
		}
		if sum, err := hashFile(path); err != nil || hex.EncodeToString(sum[:]) != text.SHA256 {
			return false
		}
	}
	return true
}

// hashFile returns the sha256 of a file.
func hashFile(path string) (sum [32]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return sum, fmt.Errorf("%s: %w", path, err)
	}
	h.Sum(sum[:0])
	return sum, nil
}
