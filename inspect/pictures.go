package inspect

import (
	"context"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glimpse/data"
	"glimpse/data/arrays"
	"glimpse/internal/crash"
)

// Picture is a picture of anywhere: its file, and its name below the folder that it was found in.
type Picture struct{ File, Name string }

var pictureEndings = []string{".jpg", ".jpeg", ".png", ".webp"}

// FindPictures lists the pictures that paths name: files as they are, and of folders all files below that are called as
// pictures are and not hidden, in the order of their paths. A folder without any is an error.
func FindPictures(paths []string) ([]Picture, error) {
	var pictures []Picture
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || !info.IsDir() { // who reads it tells of a missing one
			pictures = append(pictures, Picture{path, filepath.Base(path)})
			continue
		}
		found, err := picturesBelow(path)
		if err != nil {
			return nil, fmt.Errorf("looking for pictures in %s: %w", path, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("the folder %s holds no picture (%s)", path, strings.Join(pictureEndings, ", "))
		}
		pictures = append(pictures, found...)
	}
	return pictures, nil
}

func picturesBelow(dir string) (found []Picture, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") && path != dir
		switch {
		case err != nil:
			return err
		case entry.IsDir() && hidden:
			return filepath.SkipDir
		case entry.IsDir() || hidden || !slices.Contains(pictureEndings, strings.ToLower(filepath.Ext(path))):
			return nil
		}
		name, err := filepath.Rel(dir, path)
		found = append(found, Picture{path, name})
		return err
	})
	return found, err
}

// atOnce is how many pictures are read while as many are captioned.
const atOnce = 16

// drawnSide is how many pixels of the longer side of a picture are kept for drawing.
const drawnSide = 640

// readPicture is a picture that was read, or an error.
type readPicture struct {
	Picture
	image  image.Image // no larger than a drawing of attention needs
	pixels []uint8     // as the encoder takes them
	// features are those that another program computed, where the captioner takes them in the place of pixels.
	features arrays.Array
	err      error
}

// readAhead reads pictures batch by batch in their order, one batch ahead of who takes them. The channel closes when all are
// read or ctx ends.
func readAhead(ctx context.Context, pictures []Picture, read func(Picture) readPicture) <-chan []readPicture {
	batches := make(chan []readPicture)
	go func() {
		defer close(batches)
		for part := range slices.Chunk(pictures, atOnce) {
			select {
			case batches <- readAll(part, read):
			case <-ctx.Done():
				return
			}
		}
	}()
	return batches
}

// readAll reads pictures, each in a goroutine of its own.
func readAll(pictures []Picture, read func(Picture) readPicture) []readPicture {
	batch := make([]readPicture, len(pictures))
	var readers crash.Workers
	for i, picture := range pictures {
		readers.Go(func() { batch[i] = read(picture) })
	}
	readers.Wait()
	return batch
}

// readPixels gives how to read a picture for an encoder that sees squares of so many pixels.
func readPixels(size int) func(Picture) readPicture {
	return func(picture Picture) readPicture {
		p := readPicture{Picture: picture}
		p.err = data.WithPicture(picture.File, size, drawnSide, func(source image.Image) {
			p.pixels, p.image = data.Squash(source, size), data.Shrink(source, drawnSide)
		})
		return p
	}
}

// readFeatures gives how to read the features of a picture, dim numbers a region, and with draw the picture too. They go by the
// picture's name below its folder or, where there are none of that, by the name of its file.
func readFeatures(set *arrays.Set, dim int, draw bool) func(Picture) readPicture {
	return func(picture Picture) readPicture {
		p := readPicture{Picture: picture}
		k, err := set.Find(filepath.ToSlash(picture.Name))
		if k < 0 && err == nil {
			k, err = set.Find(filepath.Base(picture.Name))
		}
		switch {
		case err != nil:
		case k < 0:
			err = fmt.Errorf("there are no features of %s", picture.File)
		default:
			err = set.Read(k, &p.features)
		}
		if err == nil && p.features.Dim != dim {
			err = fmt.Errorf("the features of %s have %d numbers a region, and the run was trained on %d", picture.File, p.features.Dim, dim)
		}
		if err == nil && draw {
			err = data.WithPicture(picture.File, 0, drawnSide, func(source image.Image) { p.image = data.Shrink(source, drawnSide) })
		}
		p.err = err
		return p
	}
}

// namer names files in a folder after pictures.
type namer struct {
	dir  string
	used map[string]bool // names that were given
}

func newNamer(dir string) namer { return namer{dir, map[string]bool{}} }

// path is that of the picture's name with another ending, so that no picture is overwritten, and a number where two
// pictures would share it. The folder around it is made.
func (n namer) path(picture Picture, ending string) (string, error) {
	stem := strings.TrimSuffix(picture.Name, filepath.Ext(picture.Name))
	name := stem + ending
	for i := 2; n.used[name]; i++ {
		name = fmt.Sprintf("%s-%d%s", stem, i, ending)
	}
	n.used[name] = true
	path := filepath.Join(n.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", fmt.Errorf("folder for what belongs to pictures: %w", err)
	}
	return path, nil
}
