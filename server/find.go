package server

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
)

// Of the folders that are given, so many databases are shown, down to this depth, and so many
// files are looked at.
const (
	mostSources = 200
	mostDepth   = 8
	mostFiles   = 100_000
)

// found are the paths of databases that were not known, each with the name that it has in URLs.
type found struct {
	paths []string
	names map[string]string // path → name
	more  bool              // than are shown
}

// find looks for databases: files as they are given, and those below folders. Links within
// folders are not followed. Those that are known, by path with their names, are left out, and not
// opened again: that would drop SQLite's locks on them.
func find(places []string, known map[string]string) (found, error) {
	f := found{names: map[string]string{}}
	taken := map[string]bool{"assets": true, "compare": true, "queue": true, "live": true}
	for _, name := range known {
		taken[name] = true
	}
	add := func(path, name string) {
		if f.names[path] != "" || known[path] != "" {
			return
		}
		if len(f.paths) == mostSources {
			f.more = true
			return
		}
		name = plain(name)
		one := name
		for n := 2; taken[one]; n++ {
			one = fmt.Sprintf("%s-%d", name, n)
		}
		taken[one] = true
		f.names[path] = one
		f.paths = append(f.paths, path)
	}
	for _, place := range places {
		path, err := filepath.Abs(place)
		if err != nil {
			return f, fmt.Errorf("%s: %w", place, err)
		}
		info, err := os.Stat(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return f, fmt.Errorf("%s: %w", place, err)
		}
		if err != nil || !info.IsDir() { // one that is not there yet is waited for
			add(path, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
			continue
		}
		inside, more := below(path, known)
		f.more = f.more || more
		for _, file := range inside {
			relative, _ := filepath.Rel(filepath.Dir(path), file) // it is below
			add(file, strings.TrimSuffix(relative, filepath.Ext(relative)))
		}
	}
	return f, nil
}

// below are the databases below a folder, in order. What cannot be read is passed over.
func below(folder string, known map[string]string) (paths []string, more bool) {
	files := 0
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		relative, _ := filepath.Rel(folder, path)
		switch {
		case err != nil:
			return nil
		case entry.IsDir() && strings.Count(relative, string(filepath.Separator)) >= mostDepth:
			return fs.SkipDir
		case files >= mostFiles:
			more = true
			return fs.SkipAll
		}
		files++
		if entry.Type().IsRegular() && filepath.Ext(path) == ".db" && (known[path] != "" || isSQLite(path)) {
			paths = append(paths, path)
		}
		return nil
	})
	slices.Sort(paths)
	return paths, more
}

// isSQLite looks at the beginning of a file.
func isSQLite(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, 16)
	_, err = io.ReadFull(file, head)
	return err == nil && bytes.Equal(head, []byte("SQLite format 3\x00"))
}

// plain makes a name fit for a URL.
func plain(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, name)
	if name = strings.Trim(name, "-"); name == "" {
		return "results"
	}
	return name
}
