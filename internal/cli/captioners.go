package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"glimpse/internal/term"
)

// captionersDir is the name of folders with packed captioners; packedExt is the extension of
// their files.
const (
	captionersDir = "captioners"
	packedExt     = ".safetensors"
)

// CaptionerFile finds a packed captioner in the first of these folders that has one: captioners/
// beside the program, beside the program's folder (bin/ of a checkout), in the cache, and in the
// shared cache. named is a file, or the name of one there, with or without its extension; ""
// takes the only one. It returns an error if there is none or several match.
func CaptionerFile(named string) (string, error) {
	if named != "" {
		if _, err := os.Stat(named); err == nil || strings.ContainsRune(named, filepath.Separator) {
			if errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("no captioner %s: write one with `glimpse pack RUN`", named)
			}
			return named, err
		}
	}
	folders, err := captionerFolders()
	if err != nil {
		return "", err
	}
	return captionerIn(folders, named)
}

func captionerFolders() ([]string, error) {
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return nil, fmt.Errorf("locate this program to find captioners beside it: %w", err)
	}
	beside := filepath.Dir(program)
	folders := []string{filepath.Join(beside, captionersDir), filepath.Join(filepath.Dir(beside), captionersDir)}
	own, shared, err := cacheDirs(mayWrite)
	if err != nil {
		return nil, err
	}
	folders = append(folders, filepath.Join(own, captionersDir))
	if shared != "" {
		folders = append(folders, filepath.Join(shared, captionersDir))
	}
	return folders, nil
}

func captionerIn(folders []string, named string) (string, error) {
	want := strings.TrimSuffix(named, packedExt)
	var names []string
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("look for captioners: %w", err)
		}
		var found []string
		for _, entry := range entries {
			name, packed := strings.CutSuffix(entry.Name(), packedExt)
			if !packed || entry.IsDir() {
				continue
			}
			names = append(names, name)
			if named == "" || name == want {
				found = append(found, name)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return filepath.Join(folder, found[0]+packedExt), nil
		default:
			return "", Usage(fmt.Errorf("%s contains several captioners; choose one with --captioner: %s", folder, term.Enumerate(found)))
		}
	}
	switch {
	case named == "":
		return "", Usage(fmt.Errorf("no captioner found: choose a run with --run (list them with `glimpse runs`) or a file with --captioner; "+
			"searched %s", term.Enumerate(folders)))
	case len(names) > 0:
		return "", Usage(fmt.Errorf("no captioner %q; available: %s", named, term.Enumerate(names)))
	}
	return "", Usage(fmt.Errorf("no captioner %q: no such file, and none in %s", named, term.Enumerate(folders)))
}
