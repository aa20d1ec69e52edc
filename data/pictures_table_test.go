package data

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// grain is longer than the steps in which a filesystem counts times of change.
const grain = 20 * time.Millisecond

// trustAtOnce has times of change trusted, however young.
func trustAtOnce(t *testing.T) {
	t.Helper()
	was := fresh
	fresh = 0
	t.Cleanup(func() { fresh = was })
}

// keptPictures opens the table of pictures in a folder.
func keptPictures(t *testing.T, dir string) (path string, table pictureTable) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "pictures-*.table"))
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	table, err := openPictureTable(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return files[0], table
}

// What loading and hashing found out of pictures is there for the next, and nothing of it is believed once a byte is changed.
func TestPicturesAreKept(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	trustAtOnce(t)
	writeFlickr(t, root, 6)
	time.Sleep(grain)
	d := loadKept(t, root, dir)
	_, table := keptPictures(t, dir)
	if p := (pictureTables{table}).find("Images/p2.png"); table.paths.len() != 6 || !p.whole || !p.hashed {
		t.Fatalf("once loaded, of %d pictures it keeps %+v", table.paths.len(), p)
	}
	sums, err := d.pictureHashes(16)
	if err != nil {
		t.Fatal(err)
	}
	path, table := keptPictures(t, dir)
	if p := (pictureTables{table}).find("Images/p2.png"); table.paths.len() != 6 || !p.whole || !p.hashed || p.sum != sums[2] {
		t.Fatalf("once hashed, of %d pictures it keeps %+v", table.paths.len(), p)
	}
	if again, err := loadKept(t, root, dir).pictureHashes(16); err != nil || !slices.Equal(again, sums) {
		t.Errorf("kept hashes %x, %v, want %x", again, err, sums)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(dir, "damaged")
	for at := range text {
		text[at] ^= 2
		writeFile(t, damaged, string(text))
		if _, err := openPictureTable(damaged); err == nil {
			t.Fatalf("byte %d of the table changed unnoticed", at)
		}
		text[at] ^= 2
	}
	writeFile(t, damaged, string(text[:len(text)/2]))
	if _, err := openPictureTable(damaged); err == nil {
		t.Error("half a table is believed")
	}
}

// Data sets in one folder do not forget each other's pictures.
func TestPicturesOfOthersAreKept(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	trustAtOnce(t)
	writeFlickr(t, root, 6)
	time.Sleep(grain)
	contentOf(t, loadKept(t, root, dir))
	writePNG(t, filepath.Join(root, "Images", "x.png"), 77)
	writeFile(t, filepath.Join(root, "captions.txt"), "image,caption\nx.png,A dog\np0.png,A dog\n")
	writeFile(t, filepath.Join(root, "Flickr_8k.trainImages.txt"), "x.png\n")
	writeFile(t, filepath.Join(root, "Flickr_8k.devImages.txt"), "")
	writeFile(t, filepath.Join(root, "Flickr_8k.testImages.txt"), "p0.png\n")
	time.Sleep(grain)
	contentOf(t, loadKept(t, root, dir))
	_, table := keptPictures(t, dir)
	for _, name := range []string{"p0.png", "p5.png", "x.png"} {
		if p := (pictureTables{table}).find("Images/" + name); !p.hashed {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// A picture overwritten with one of its size, and given back its time of change, is
// another picture: the time of change of its inode cannot be given back. So is one that another takes the place of.
func TestPictureOverwrittenIsNoticed(t *testing.T) {
	for name, write := range map[string]func(path string, text []byte) error{
		"in place": func(path string, text []byte) error { return os.WriteFile(path, text, 0o644) },
		"by renaming": func(path string, text []byte) error {
			if err := os.WriteFile(path+".new", text, 0o644); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			root, dir := t.TempDir(), t.TempDir()
			trustAtOnce(t)
			writeFlickr(t, root, 6)
			old := time.Now().Add(-time.Hour)
			path := filepath.Join(root, "Images", "p2.png")
			appendTo(t, path, "behind its end")
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
			time.Sleep(grain)
			before := contentOf(t, loadKept(t, root, dir))
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text[len(text)-1] ^= 1
			if err := write(path, text); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || stampOf(info).ctime == 0 {
				t.Skip("this system gives no time of change of an inode")
			}
			if after := contentOf(t, loadKept(t, root, dir)); after.Pictures == before.Pictures || after != contentOf(t, loadFlickr(t, root)) {
				t.Errorf("pictures are %s, and were %s", after.Pictures, before.Pictures)
			}
			text = text[:len(text)/2] // no longer a picture
			if err := write(path, text); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(keptOptions(root, dir)); err == nil {
				t.Error("a picture that is cut off is taken for whole")
			}
		})
	}
}

// A picture that was changed just now could be changed again within the same tick of
// the clock, whatever time it was given.
func TestYoungPictureIsNotKept(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	writeFlickr(t, root, 6)
	old := time.Now().Add(-time.Hour)
	for i := range 6 {
		if err := os.Chtimes(filepath.Join(root, "Images", fmt.Sprintf("p%d.png", i)), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(root, "Images", "p2.png")); err != nil || stampOf(info).ctime == 0 {
		t.Skip("this system gives no time of change of an inode")
	}
	contentOf(t, loadKept(t, root, dir))
	if _, table := keptPictures(t, dir); table.paths.len() != 0 {
		t.Errorf("kept %d pictures", table.paths.len())
	}
}
