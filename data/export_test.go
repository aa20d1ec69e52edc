package data

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// TestExport holds that drawn scenes leave as pictures and captions, which are read back as the data set coco with the same
// captions in the same splits, and that pictures that are files stay where they are.
func TestExport(t *testing.T) {
	scenes, err := Load(Options{Name: "shapes", Split: "official", Images: 60, MinCount: 1, Tokenize: plainWords})
	if err != nil {
		t.Fatal(err)
	}
	dir, other := t.TempDir(), t.TempDir()
	written, err := scenes.Export(dir)
	want := ExportedSplit{"test", filepath.Join(dir, "captions_test.json"), len(scenes.Splits["test"]), 5 * len(scenes.Splits["test"])}
	if err != nil || len(written) != 3 || written[2] != want {
		t.Fatalf("%+v, %v", written, err)
	}
	back, err := Load(Options{Name: "coco", Split: "official", Root: dir, MinCount: 1, Tokenize: plainWords})
	if err != nil {
		t.Fatal(err)
	}
	captions := func(d *Dataset, split, ending string) map[string][]string {
		of := map[string][]string{}
		for _, i := range d.Splits[split] {
			of[d.Images[i].ID+ending] = d.Images[i].Captions()
		}
		return of
	}
	for split := range scenes.Splits {
		if want, got := captions(scenes, split, ".png"), captions(back, split, ""); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read back as\n%v\nwant\n%v", split, got, want)
		}
	}
	if _, err := back.Export(other); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(other); err != nil || len(entries) != 3 {
		t.Errorf("captions of files leave as %v, %v", entries, err)
	}
}

// TestInfo counts what is in a data set whose test split has a word that the training captions lack.
func TestInfo(t *testing.T) {
	root := t.TempDir()
	writeCOCO(t, root)
	d, err := Load(Options{Name: "coco", Split: "official", Root: root, MinCount: 1, Tokenize: plainWords})
	if err != nil {
		t.Fatal(err)
	}
	d.Images[6] = NewImage(d.Images[6].ID, d.Images[6].Path, [][]string{{"a", "dog", "number", "cat", "cat"}})
	d.Splits["val"] = d.Splits["val"][:2]
	info := d.Info()
	if info.Images != 8 || info.Unused != 1 || info.Vocabulary != 4+3 || len(info.Notes) != 1 || info.Root != root {
		t.Errorf("%+v", info)
	}
	words := 5 + len(d.Images[7].Tokens()[0])
	if want := (SplitInfo{Images: 2, Captions: 2, Words: words, Longest: 5, Unknown: info.Splits["test"].Unknown}); info.Splits["test"] != want {
		t.Errorf("test: %+v, want %+v", info.Splits["test"], want)
	}
	if got, want := float64(info.Splits["test"].Unknown), 2/float64(words); got != want {
		t.Errorf("%g of the words are unknown, want %g", got, want)
	}
}
