package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
// shared cache. named is a file, or the name of one there or in a folder below (study/arm), with or
// without its extension; "" takes the only one that is not in a folder below. It returns an error
// if there is none or several match.
func CaptionerFile(named string) (string, error) {
	if named != "" {
		if _, err := os.Stat(named); !errors.Is(err, fs.ErrNotExist) {
			return named, err
		}
	}
	folders, err := captionerFolders()
	if err != nil {
		return "", err
	}
	return captionerIn(folders, named)
}

// packedCaptioners returns the files of all captioners in these folders.
func packedCaptioners() ([]string, error) {
	folders, err := captionerFolders()
	if err != nil {
		return nil, err
	}
	var files []string
	for _, folder := range folders {
		names, err := captionersIn(os.DirFS(folder))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			files = append(files, filepath.Join(folder, name+packedExt))
		}
	}
	return files, nil
}

// captionersIn returns the names of the captioners in a folder and in those directly below, sorted;
// none if there is no such folder. It leaves out folders that may not be read.
func captionersIn(folder fs.FS) (names []string, err error) {
	err = fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case errors.Is(err, fs.ErrPermission): // another user's, in a shared cache
			return fs.SkipDir
		case err != nil:
			return fmt.Errorf("look for captioners: %w", err)
		case entry.IsDir() && strings.Count(path, "/") > 0:
			return fs.SkipDir
		}
		if name, packed := strings.CutSuffix(path, packedExt); packed && !entry.IsDir() {
			names = append(names, name)
		}
		return nil
	})
	return names, err
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
		here, err := captionersIn(os.DirFS(folder))
		if err != nil {
			return "", err
		}
		names = append(names, here...)
		found := slices.DeleteFunc(here, func(name string) bool {
			if named == "" {
				return strings.Contains(name, "/")
			}
			return name != want
		})
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
	return "", Usage(fmt.Errorf("no captioner %q: no such file, and none in %s; write one with `glimpse pack RUN`", named, term.Enumerate(folders)))
}
