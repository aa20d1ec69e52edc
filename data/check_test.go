package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// breakPicture changes the middle of a picture's file, and leaves its header and its end.
func breakPicture(t *testing.T, path string) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := len(file) / 2; at < len(file)/2+8; at++ {
		file[at] ^= 0x55
	}
	writeFile(t, path, string(file))
}

// All broken pictures are found before anything is trained, and told together.
func TestBrokenPicturesAreRefused(t *testing.T) {
	root := t.TempDir()
	writeFlickr(t, root, 30)
	picture := func(name string) string { return filepath.Join(root, "Images", name) }
	for _, name := range []string{"p2.png", "p5.png", "p28.png"} {
		breakPicture(t, picture(name))
	}
	_, err := Load(keptOptions(root, ""))
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 3 {
		t.Fatalf("got %v", err)
	}
	if b := faults[1]; b.Image != "p5.png" || b.Path != picture("p5.png") || b.Split != "train" || b.Line != 27 || !b.Skippable ||
		!strings.Contains(b.Reason, "cannot be decoded: truncated or damaged") {
		t.Errorf("told %+v", b)
	}
	for _, want := range []string{
		"3 images cannot be used:\n", "captions.txt:12: picture", "captions.txt:27: ", "captions.txt:142: ", "`data.on_broken: skip`",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %q", err, want)
		}
	}
	for i := range 25 {
		writeFile(t, picture(fmt.Sprintf("p%d.png", i)), "\xff\xd8\xff")
	}
	_, err = Load(keptOptions(root, ""))
	if err == nil || !strings.Contains(err.Error(), "26 images cannot be used") || strings.Count(err.Error(), "captions.txt:") != faultsTold ||
		!strings.Contains(err.Error(), "\n  and 6 more; list all with `glimpse data info`\n") {
		t.Errorf("got %v", err)
	}
}

// Skip leaves out the images whose picture is broken, wherever the data set lies, and no others.
func TestBrokenPicturesAreSkipped(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	for _, folder := range []string{root, elsewhere} {
		writeFlickr(t, folder, 8)
		breakPicture(t, filepath.Join(folder, "Images", "p2.png"))
		writeFile(t, filepath.Join(folder, "Images", "p3.png"), "")
	}
	load := func(folder string) *Dataset {
		o := keptOptions(folder, "")
		o.OnBroken = Skip
		d, err := Load(o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := load(root)
	var ids []string
	for _, image := range d.Images {
		ids = append(ids, image.ID)
	}
	if want := []string{"p0.png", "p1.png", "p4.png", "p5.png", "p6.png", "p7.png"}; !slices.Equal(ids, want) || len(d.Splits["train"]) != 4 {
		t.Errorf("images %v, splits %v", ids, d.Splits)
	}
	if len(d.Broken) != 2 || d.Broken[0].Image != "p2.png" || d.Broken[1].Image != "p3.png" {
		t.Errorf("told %+v", d.Broken)
	}
	if n := d.Notes[len(d.Notes)-1]; n.Count != 2 || n.Line != 12 || !strings.Contains(n.Reason, "left out") {
		t.Errorf("noted %v", n)
	}
	if a, b := contentOf(t, d), contentOf(t, load(elsewhere)); a != b {
		t.Errorf("content %+v, elsewhere %+v", a, b)
	}
	if err := d.Refusal(); err != nil {
		t.Errorf("refused: %v", err)
	}
	// A picture that is missing here may be there on another machine.
	if err := os.Remove(filepath.Join(root, "Images", "p4.png")); err != nil {
		t.Fatal(err)
	}
	o := keptOptions(root, "")
	o.OnBroken = Skip
	_, err := Load(o)
	if err == nil || !strings.Contains(err.Error(), `p4.png" is missing; download the data again`) || strings.Contains(err.Error(), "p2.png") {
		t.Errorf("got %v", err)
	}
	looked, err := Look(o)
	if err != nil || len(looked.Broken) != 3 || looked.Broken[2].Skippable {
		t.Fatalf("looked at %v, %v", looked.Broken, err)
	}
	if err := looked.Refusal(); err == nil || !strings.Contains(err.Error(), "1 image cannot be used; download") {
		t.Errorf("refusal %v", err)
	}
}

// A picture is decoded once, also of a data set that is refused, and a broken one again each time.
func TestPicturesAreDecodedOnce(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	trustAtOnce(t)
	writeFlickr(t, root, 6)
	breakPicture(t, filepath.Join(root, "Images", "p3.png"))
	time.Sleep(grain)
	for _, want := range []int{6, 1, 1} {
		o := keptOptions(root, dir)
		checked := 0
		o.Cache.Checking = func(done, total int) {
			checked++
			if done != checked || total != want {
				t.Errorf("told of %d of %d, want %d of %d", done, total, checked, want)
			}
		}
		if _, err := Load(o); err == nil {
			t.Error("a broken picture is believed")
		}
		if checked != want {
			t.Errorf("%d pictures were decoded, want %d", checked, want)
		}
	}
}

// A table of a version that looked at no more than header and end is read, and its pictures are
// decoded.
func TestPicturesOfOlderTables(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	trustAtOnce(t)
	writeFlickr(t, root, 6)
	breakPicture(t, filepath.Join(root, "Images", "p3.png"))
	time.Sleep(grain)
	var table pictureTable
	for _, name := range []string{"p0.png", "p3.png"} {
		info, err := os.Stat(filepath.Join(root, "Images", name))
		if err != nil {
			t.Fatal(err)
		}
		table.add(filepath.Join("Images", name), picture{stamp: stampOf(info), hashed: true})
		table.facts[len(table.facts)-40] |= 1 // ends as a picture does
	}
	path, err := picturePath(dir, root)
	if err == nil {
		err = writeFlat(path, pictureMagic, struct{}{}, table.paths.ends, table.paths.text, table.facts)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(keptOptions(root, dir)); err == nil || !strings.Contains(err.Error(), "p3.png") {
		t.Errorf("got %v", err)
	}
}
