package inspect

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"glimpse/data"
	"glimpse/data/arrays"
	"glimpse/internal/crash"
	"glimpse/internal/term"
)

// Picture is a picture of anywhere: its file, and its name below the folder that it was found in.
type Picture struct{ File, Name string }

// Found are the pictures that paths name, and what else lies in their folders.
type Found struct {
	Pictures []Picture
	Others   map[string]int // how many files have which ending, "" for none, and are not called as pictures are that are read
	Again    int            // files and folders that were met again
}

// FindPictures lists the pictures that paths name: files as they are, and of folders all files
// below that are called as pictures are and not hidden, in the order of their paths. Links are
// followed; a file or folder that folders lead to again counts once. A folder without any picture
// is an error.
func FindPictures(paths []string) (Found, error) {
	all := Found{Others: map[string]int{}}
	seen := map[string]bool{}
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || !info.IsDir() { // who reads it tells of a missing one
			all.Pictures = append(all.Pictures, Picture{path, filepath.Base(path)})
			continue
		}
		w := walker{Found{Others: map[string]int{}}, path, seen}
		if err := w.walk(path); err != nil {
			return all, fmt.Errorf("looking for pictures in %s: %w", path, err)
		}
		if len(w.Pictures)+w.Again == 0 {
			none := fmt.Sprintf("the folder %s contains no pictures (%s)", path, strings.Join(data.PictureEndings(), ", "))
			return all, errors.New(strings.Join(append([]string{none}, w.PassedOver()...), "; "))
		}
		all.Pictures = append(all.Pictures, w.Pictures...)
		all.Again += w.Again
		for ending, n := range w.Others {
			all.Others[ending] += n
		}
	}
	return all, nil
}

// walker looks for pictures in a folder.
type walker struct {
	Found
	root string
	seen map[string]bool // files and folders that were met, by their paths without links
}

// walk looks into a folder.
func (w *walker) walk(dir string) error {
	if real, err := filepath.EvalSymlinks(dir); err != nil || w.meet(real) {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		folder, link := entry.IsDir(), entry.Type()&fs.ModeSymlink != 0
		if link {
			info, err := os.Stat(path)
			folder = err == nil && info.IsDir()
		}
		switch {
		case strings.HasPrefix(entry.Name(), "."):
		case folder:
			if err := w.walk(path); err != nil {
				return err
			}
		case !data.IsPicture(path):
			w.Others[strings.ToLower(filepath.Ext(path))]++
		default:
			if real, err := filepath.EvalSymlinks(path); err == nil && w.meet(real) { // who reads it tells of a link to nothing
				continue
			}
			name, err := filepath.Rel(w.root, path)
			if err != nil {
				return err
			}
			w.Pictures = append(w.Pictures, Picture{path, name})
		}
	}
	return nil
}

// meet notes a file or folder, and tells whether it was met before.
func (w *walker) meet(real string) (again bool) {
	if again = w.seen[real]; again {
		w.Again++
	}
	w.seen[real] = true
	return again
}

// PassedOver says what lies in the folders and is not captioned, a line for each ending of
// pictures that are not read.
func (f Found) PassedOver() []string {
	var lines, rest []string
	for _, ending := range slices.Sorted(maps.Keys(f.Others)) {
		n := f.Others[ending]
		switch kind, convert := data.Unread(ending); {
		case kind != "":
			lines = append(lines, fmt.Sprintf("skipped %d %s (%s, not supported); convert with `%s`", n, ending, kind, convert))
		case ending == "":
			rest = append(rest, fmt.Sprintf("%d without an extension", n))
		default:
			rest = append(rest, fmt.Sprintf("%d %s", n, term.Line(ending)))
		}
	}
	if len(rest) > 0 {
		lines = append(lines, "skipped "+strings.Join(rest, ", "))
	}
	if f.Again > 0 {
		lines = append(lines, fmt.Sprintf("skipped %d already seen under other paths", f.Again))
	}
	return lines
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

// readAhead reads pictures batch by batch in their order, one batch ahead of who takes them. The
// channel closes when all are read or ctx ends.
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

// readAll reads pictures, each in a goroutine of its own. A fault in reading one is that picture's error.
func readAll(pictures []Picture, read func(Picture) readPicture) []readPicture {
	batch := make([]readPicture, len(pictures))
	var readers sync.WaitGroup
	for i, picture := range pictures {
		batch[i].Picture = picture
		readers.Go(func() {
			defer crash.Recover(&batch[i].err)
			batch[i] = read(picture)
		})
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
			err = fmt.Errorf("no features of %s", picture.File)
		default:
			err = set.Read(k, &p.features)
		}
		if err == nil && p.features.Dim != dim {
			err = fmt.Errorf("the features of %s have %d numbers per region, but the run was trained on %d", picture.File, p.features.Dim, dim)
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

// path is that of the picture's name with another ending, so that no picture is overwritten, and a
// number where two pictures would share it. The folder around it is made.
func (n namer) path(picture Picture, ending string) (string, error) {
	stem := strings.TrimSuffix(picture.Name, filepath.Ext(picture.Name))
	name := stem + ending
	for i := 2; n.used[name]; i++ {
		name = fmt.Sprintf("%s-%d%s", stem, i, ending)
	}
	n.used[name] = true
	path := filepath.Join(n.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", fmt.Errorf("output folder for pictures: %w", err)
	}
	return path, nil
}
