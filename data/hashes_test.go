package data

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
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

func TestPictureHashesKept(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	trustAtOnce(t)
	writeFlickr(t, root, 6)
	old := time.Now().Add(-time.Hour)
	for i := range 6 {
		if err := os.Chtimes(filepath.Join(root, "Images", fmt.Sprintf("p%d.png", i)), old, old); err != nil {
			t.Fatal(err)
		}
	}
	d := loadFlickr(t, root)
	time.Sleep(grain)
	first, err := d.pictureHashes(dir, 16)
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "pictures-*"))
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if known := parseHashes(text); len(known) != 6 || known["Images/p2.png"].sum != first[2] {
		t.Fatalf("kept %v", known)
	}
	for at := range text { // any changed byte: nothing is believed
		text[at] ^= 2
		if known := parseHashes(text); known != nil && at < len(text)-1 {
			t.Fatalf("byte %d of the kept hashes changed unnoticed", at)
		}
		text[at] ^= 2
	}
	if parseHashes(text[:len(text)/2]) != nil || parseHashes(nil) != nil {
		t.Error("half a file of hashes is believed")
	}
}

// A file of another version is made anew.
func TestPictureHashesOfAnotherVersion(t *testing.T) {
	for _, version := range []string{"1", "3"} {
		body := "glimpse picture hashes " + version + "\n"
		text := fmt.Appendf(nil, "%s%08x\n", body, crc32.Checksum([]byte(body), castagnoli))
		if known := parseHashes(text); known != nil {
			t.Errorf("version %s is believed: %v", version, known)
		}
	}
}

// A picture overwritten with one of its size, and given back its time of change, is
// another picture: the time of change of its inode cannot be given back.
func TestPictureOverwrittenInPlaceIsNoticed(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	trustAtOnce(t)
	writeFlickr(t, root, 6)
	old := time.Now().Add(-time.Hour)
	path := filepath.Join(root, "Images", "p2.png")
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	d := loadFlickr(t, root)
	time.Sleep(grain)
	before := contentOf(t, d, dir)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1] ^= 1
	writeFile(t, path, string(text))
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || changeTime(info) == 0 {
		t.Skip("this system gives no time of change of an inode")
	}
	if after := contentOf(t, d, dir); after.Pictures == before.Pictures || after != contentOf(t, d, "") {
		t.Errorf("pictures are %s, and were %s", after.Pictures, before.Pictures)
	}
}

// A picture that was changed just now could be changed again within the same tick of
// the clock, whatever time it was given.
func TestYoungPictureIsHashedAgain(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	writeFlickr(t, root, 6)
	path := filepath.Join(root, "Images", "p2.png")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || changeTime(info) == 0 {
		t.Skip("this system gives no time of change of an inode")
	}
	if _, err := loadFlickr(t, root).pictureHashes(dir, 16); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "pictures-*"))
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	text, err := os.ReadFile(files[0])
	if known := parseHashes(text); err != nil || known == nil || len(known) != 0 {
		t.Errorf("kept %v, %v", known, err)
	}
}
