package inspect

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/internal/crash"
)

// paint writes a PNG of one colour, and makes the folder around it.
func paint(t *testing.T, path string, c color.Color) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o777))
	f, err := os.Create(path)
	check(t, err)
	defer f.Close()
	picture := image.NewRGBA(image.Rect(0, 0, 12, 8))
	for x := range 12 {
		for y := range 8 {
			picture.Set(x, y, c)
		}
	}
	check(t, png.Encode(f, picture))
}

// TestFindPictures holds that a folder gives the pictures below it, by their endings, and counts what else is there, and
// that a file is taken as it is.
func TestFindPictures(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"album/b.PNG", "album/deep/a.jpeg", "album/notes.txt", "album/.hidden/c.png", "album/.d.png", "album/e.heic",
		"album/deep/f.HEIC", "album/deep/raw", "empty/notes.txt", "notes.txt", "apple/g.heic"} {
		check(t, os.MkdirAll(filepath.Dir(path), 0o777))
		check(t, os.WriteFile(path, nil, 0o666))
	}
	const endings = "(.jpg, .jpeg, .png, .webp, .gif, .tif, .tiff, .bmp)"
	const heic = " .heic (HEIC picture, not supported); convert with `heif-convert IN.heic OUT.jpg`"
	for _, c := range []struct {
		paths  []string
		want   []Picture
		passed []string
		fails  string
	}{
		{paths: []string{"album"}, want: []Picture{{"album/b.PNG", "b.PNG"}, {"album/deep/a.jpeg", "deep/a.jpeg"}},
			passed: []string{"skipped 2" + heic, "skipped 1 without an extension, 1 .txt"}},
		{paths: []string{"album/.hidden"}, want: []Picture{{"album/.hidden/c.png", "c.png"}}},
		{paths: []string{"notes.txt", "missing/x.png"}, want: []Picture{{"notes.txt", "notes.txt"}, {"missing/x.png", "x.png"}}},
		{paths: []string{"album/deep", "album"}, want: []Picture{{"album/deep/a.jpeg", "a.jpeg"}, {"album/b.PNG", "b.PNG"}},
			passed: []string{"skipped 2" + heic, "skipped 1 without an extension, 1 .txt", "skipped 1 already seen under other paths"}},
		{paths: []string{"album/b.PNG", "album/b.PNG"}, want: []Picture{{"album/b.PNG", "b.PNG"}, {"album/b.PNG", "b.PNG"}}},
		{paths: []string{"album", "empty"}, fails: "the folder empty contains no pictures " + endings + "; skipped 1 .txt"},
		{paths: []string{"apple"}, fails: "the folder apple contains no pictures " + endings + "; skipped 1" + heic},
	} {
		got, err := FindPictures(c.paths)
		if (err == nil) != (c.fails == "") || err != nil && err.Error() != c.fails {
			t.Errorf("%v: %v, want %q", c.paths, err, c.fails)
		}
		if err == nil && (!slices.Equal(got.Pictures, c.want) || !slices.Equal(got.PassedOver(), c.passed)) {
			t.Errorf("%v: %v, %q, want %v, %q", c.paths, got.Pictures, got.PassedOver(), c.want, c.passed)
		}
	}
}

// TestFindPicturesByLinks holds that links are followed, round in circles too, and that nothing is found twice.
func TestFindPicturesByLinks(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"album/a.png", "elsewhere/b.png", "elsewhere/c.png"} {
		check(t, os.MkdirAll(filepath.Dir(path), 0o777))
		check(t, os.WriteFile(path, nil, 0o666))
	}
	for link, to := range map[string]string{
		"album/linked": "../elsewhere", "elsewhere/back": "../album", "elsewhere/self": ".", "album/z.png": "a.png", "album/y.png": "../elsewhere/c.png",
		"album/gone.png": "nothing.png", "album/lost": "nowhere", "shortcut": "album", "album/round.png": "round.png",
	} {
		check(t, os.Symlink(to, link))
	}
	for path, want := range map[string][]Picture{
		"shortcut": {{"a.png", "a.png"}, {"gone.png", "gone.png"}, {"linked/b.png", "linked/b.png"}, {"linked/c.png", "linked/c.png"}, {"round.png", "round.png"}},
		"album":    {{"a.png", "a.png"}, {"gone.png", "gone.png"}, {"linked/b.png", "linked/b.png"}, {"linked/c.png", "linked/c.png"}, {"round.png", "round.png"}},
	} {
		for i := range want {
			want[i].File = filepath.Join(path, want[i].File)
		}
		got, err := FindPictures([]string{path})
		if err != nil || !slices.Equal(got.Pictures, want) || got.Again != 4 {
			t.Errorf("%s: %v, %d again, %v; want %v", path, got.Pictures, got.Again, err, want)
		}
	}
	if got, err := FindPictures([]string{"album", "shortcut"}); err != nil || len(got.Pictures) != 5 {
		t.Errorf("one folder under two names: %v, %v", got, err)
	}
}

// TestReadAhead holds that pictures come in their order and in batches, as squares for the encoder, and that a broken one
// carries its error and does not stop the others.
func TestReadAhead(t *testing.T) {
	dir := t.TempDir()
	paint(t, filepath.Join(dir, "red.png"), color.RGBA{255, 0, 0, 255})
	var pictures []Picture
	for range atOnce {
		pictures = append(pictures, Picture{filepath.Join(dir, "red.png"), "red.png"})
	}
	pictures = append(pictures, Picture{filepath.Join(dir, "missing.png"), "missing.png"}, pictures[0])
	var batches [][]readPicture
	for batch := range readAhead(t.Context(), pictures, readPixels(4)) {
		batches = append(batches, batch)
	}
	if len(batches) != 2 || len(batches[0]) != atOnce || len(batches[1]) != 2 {
		t.Fatalf("%d batches of %d pictures", len(batches), len(pictures))
	}
	missing, red := batches[1][0], batches[1][1]
	if missing.err == nil || !strings.Contains(missing.err.Error(), "missing.png") || missing.pixels != nil {
		t.Errorf("the missing picture: error %v", missing.err)
	}
	if red.err != nil || len(red.pixels) != 4*4*3 || red.pixels[0] != 255 || red.pixels[1] != 0 || red.image.Bounds().Dx() != 12 {
		t.Errorf("the red picture: error %v, %d bytes, %v", red.err, len(red.pixels), red.image.Bounds())
	}
}

// TestNamer holds that what belongs to pictures lies as they do, and that no file is given to two of them.
func TestNamer(t *testing.T) {
	dir := t.TempDir()
	names := newNamer(dir)
	for _, c := range []struct{ picture, want string }{
		{"a.png", "a.txt"}, {"deep/a.png", "deep/a.txt"}, {"a.jpg", "a-2.txt"}, {"a.png", "a-3.txt"}, {"deep/a.jpg", "deep/a-2.txt"},
	} {
		got, err := names.path(Picture{Name: c.picture}, ".txt")
		if err != nil || got != filepath.Join(dir, c.want) {
			t.Errorf("%s: %s, %v; want %s", c.picture, got, err, c.want)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "deep")); err != nil || !info.IsDir() {
		t.Errorf("the folder was not made: %v", err)
	}
}

// A fault in reading one picture costs that picture, not the process.
func TestFaultInReadingAPicture(t *testing.T) {
	batches := readAhead(t.Context(), []Picture{{File: "a.jpg"}, {File: "b.jpg"}}, func(p Picture) readPicture {
		if p.File == "b.jpg" {
			panic("broken")
		}
		return readPicture{Picture: p}
	})
	batch := <-batches
	var fault *crash.Error
	if len(batch) != 2 || batch[0].err != nil || batch[1].File != "b.jpg" || !errors.As(batch[1].err, &fault) {
		t.Errorf("%+v", batch)
	}
}
