package main

import (
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/internal/atomicfile"
	"glimpse/internal/store"
	"glimpse/reports/attention"
)

// pictureSide is how many pixels of a picture are kept for drawing.
const pictureSide = 640

// picturePath is a picture to caption: its file, and its name below the folder that it was found in.
type picturePath struct{ file, name string }

// findPictures lists the pictures that arguments name: files as they are, and of folders all files below that are
// called as pictures are, in the order of their paths.
func findPictures(args []string) ([]picturePath, error) {
	var paths []picturePath
	for _, arg := range args {
		if !isFolder(arg) {
			paths = append(paths, picturePath{arg, filepath.Base(arg)})
			continue
		}
		before := len(paths)
		err := filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			hidden := strings.HasPrefix(entry.Name(), ".") && path != arg
			switch {
			case err != nil:
				return err
			case entry.IsDir() && hidden:
				return filepath.SkipDir
			case entry.IsDir() || hidden || !slices.Contains(pictureEndings, strings.ToLower(filepath.Ext(path))):
				return nil
			}
			name, err := filepath.Rel(arg, path)
			paths = append(paths, picturePath{path, name})
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("looking for pictures in %s: %w", arg, err)
		}
		if len(paths) == before {
			return nil, fmt.Errorf("the folder %s holds no picture (%s)", arg, strings.Join(pictureEndings, ", "))
		}
	}
	return paths, nil
}

var pictureEndings = []string{".jpg", ".jpeg", ".png", ".webp"}

// besidePictures names files in a folder after pictures.
type besidePictures struct {
	dir  string
	used map[string]bool // names that were given
}

// path is that of the picture's name with another ending, so that no picture is overwritten, and a number where two
// pictures would share it. The folder around it is made.
func (b besidePictures) path(picture picturePath, ending string) (string, error) {
	stem := strings.TrimSuffix(picture.name, filepath.Ext(picture.name))
	name := stem + ending
	for i := 2; b.used[name]; i++ {
		name = fmt.Sprintf("%s-%d%s", stem, i, ending)
	}
	b.used[name] = true
	path := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", fmt.Errorf("folder for what belongs to pictures: %w", err)
	}
	return path, nil
}

// sheetWriter draws where a captioner looked, a file for each picture.
type sheetWriter struct {
	besidePictures
	remark string
	grid   attention.Grid
}

func newSheetWriter(dir string, run store.Run, beam int, g captioner.Grid) (*sheetWriter, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("folder for attention pictures: %w", err)
	}
	remark := fmt.Sprintf("%s, seed %d (run %s) · beam %d", run.Arm, run.Seed, run.ID, beam)
	return &sheetWriter{besidePictures{dir, map[string]bool{}}, remark, attention.Grid(g)}, nil
}

// write draws the caption of a picture and gives the path of the drawing.
func (s *sheetWriter) write(p readPicture, c data.Caption) (string, error) {
	sheet, err := attention.Sheet(p.image, filepath.Base(p.path.file)+" · "+s.remark, looks(c), s.grid)
	if err != nil {
		return "", err
	}
	path, err := s.path(p.path, ".attention.png")
	if err != nil {
		return "", err
	}
	return path, atomicfile.Write(path, func(w io.Writer) error { return png.Encode(w, sheet) })
}

// looks are the words of a caption with where its captioner looked.
func looks(c data.Caption) []attention.Word {
	words := make([]attention.Word, len(c.Words))
	for i, text := range c.Words {
		words[i] = attention.Word{Text: text, Alpha: c.Alpha[i], Beta: math.NaN()}
		if c.Beta != nil {
			words[i].Beta = c.Beta[i]
		}
	}
	return words
}
