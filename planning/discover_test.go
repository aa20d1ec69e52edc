package planning

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/data"
	"glimpse/experiments"
)

// A public layout goes by its name, where one of its splits is there; anything else is one's own.
func TestDiscover(t *testing.T) {
	for name, c := range map[string]struct {
		captions, lists string // file of captions, and whether the official lists are there
		data, split     string
		said            string
	}{
		"Flickr8k":               {"captions.txt", "yes", "flickr8k", "official", "this is Flickr8k in Kaggle's layout"},
		"Flickr8k without lists": {"captions.txt", "", "folder", "drawn", "data.split official needs"},
		"own":                    {"mine.csv", "", "folder", "drawn", "mine.csv is a table: 10 captions of 10 pictures"},
	} {
		root := t.TempDir()
		write := func(file, text string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(filepath.Join(root, "Images"), 0o700); err != nil {
			t.Fatal(err)
		}
		captions, lists := "image,caption\n", map[int]string{}
		for i := range 10 {
			file := fmt.Sprintf("1000268201_693b08cb%02d.jpg", i)
			captions += file + ",A dog runs .\n"
			lists[min(i, 2)] += file + "\n"
			picture, err := os.Create(filepath.Join(root, "Images", file))
			if err != nil {
				t.Fatal(err)
			}
			err = png.Encode(picture, image.NewGray(image.Rect(0, 0, 8, 8+i)))
			if picture.Close(); err != nil {
				t.Fatal(err)
			}
		}
		write(c.captions, captions)
		if c.lists != "" {
			write("Flickr_8k.testImages.txt", lists[0])
			write("Flickr_8k.devImages.txt", lists[1])
			write("Flickr_8k.trainImages.txt", lists[2])
		}
		found, err := Discover(root, data.Cache{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		draft := experiments.Draft{Name: "mine", Path: "mine.yaml"}
		found.Fill(&draft)
		_, study, err := draft.Write()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		d := study.Data
		if d.Name != c.data || d.Split != c.split || d.Root != root || found.Options.Name != c.data || !strings.Contains(strings.Join(found.Said, "\n"), c.said) {
			t.Errorf("%s: data are %+v, said %q", name, d, found.Said)
		}
		if _, err := (&Sets{}).Trials(study); err != nil && c.data == "folder" {
			t.Errorf("%s cannot be planned: %v", name, err)
		}
	}
	if _, err := Discover(filepath.Join(t.TempDir(), "none"), data.Cache{}); err == nil {
		t.Error("a folder that is not there is discovered")
	}
}
