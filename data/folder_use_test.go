package data

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Lists name pictures as captions do.
func TestFolderLists(t *testing.T) {
	files := map[string]string{
		"p/a.png": "", "p/b.png": "", "p/c.png": "", "p/d.png": "",
		"c.csv":    "image,caption\na.png,x\nb.png,y\nc.png,z\nd.png,\n",
		"l/tr.txt": "a.png\r\n\r\n", "l/va.txt": "p/b\n", "l/te.txt": "../x\nc.png\nd.png\ne.png\np/a.png\nc\n",
	}
	root := writeOwn(t, files)
	o := ownOptions(root, Captions{Path: "c.csv"})
	o.Split, o.Partition = "lists", Partition{Train: "l/tr.txt", Val: "l/va.txt", Test: "l/te.txt"}
	_, err := Load(o)
	te := filepath.Join(root, "l", "te.txt")
	want := strings.Join([]string{
		te + `:1: picture "../x" is outside the data set folder; write names relative to it`,
		te + `:3: "d.png" has no caption in ` + filepath.Join(root, "c.csv"),
		te + `:4: picture "e.png" was not found in the data set folder`,
		te + `:5: "p/a.png" is already in split train; an image belongs to one split`,
		te + `:6: "c" is already in split test; an image belongs to one split`,
	}, "\n")
	if err == nil || err.Error() != "data set folder: "+want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	writeFile(t, te, "c.png")
	d, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	if ids := splitIDs(d); ids["train"] != "a.png" || ids["val"] != "b.png" || ids["test"] != "c.png" {
		t.Error(ids)
	}
	if len(d.Notes) != 2 || d.Notes[0].Reason != "caption is empty: left out" || d.Notes[1].Reason != "picture has no caption: left out" {
		t.Errorf("notes %v", d.Notes)
	}
	o.Partition.Val = "l/none.txt"
	if _, err := Load(o); err == nil || !strings.Contains(err.Error(), "none.txt: is missing") {
		t.Error(err)
	}
}

// What was compiled counts as long as names mean what they meant; other options have files of their
// own.
func TestFolderCompiled(t *testing.T) {
	root := writeOwn(t, map[string]string{"p/a.png": "", "p/b.png": "", "p/c.png": "", "c.csv": strings.Replace(ownCSV, `A "cat".`, "A cat", 1),
		"d.csv": "image,caption,split\na.png,A dog,train\nb.png,A dog,test\n", "tr": "a.png\n", "te": "b.png\n", "te2": "c.png\n"})
	dir := t.TempDir()
	load := func(captions, split string, p Partition) (*Dataset, error) {
		o := ownOptions(root, Captions{Path: captions})
		o.Split, o.Partition, o.Tokenizer, o.Cache.Dir = split, p, "plain", dir
		return Load(o)
	}
	compiled := func() int {
		files, _ := filepath.Glob(filepath.Join(dir, "*.dataset"))
		return len(files)
	}
	for _, step := range []struct {
		captions, split string
		p               Partition
		files           int
		test            string
	}{
		{"c.csv", "column", Partition{}, 1, "c.png"},
		{"c.csv", "column", Partition{}, 1, "c.png"},
		{"d.csv", "column", Partition{}, 2, "b.png"},
		{"c.csv", "column", Partition{}, 2, "c.png"},
		{"c.csv", "lists", Partition{Train: "tr", Test: "te"}, 3, "b.png"},
		{"c.csv", "lists", Partition{Train: "tr", Test: "te2"}, 4, "c.png"},
		{"c.csv", "lists", Partition{Train: "tr", Test: "te"}, 4, "b.png"},
		{"c.csv", "drawn", Partition{Val: "0", Test: "1", Seed: 1}, 5, ""},
		{"c.csv", "drawn", Partition{Val: "0", Test: "1", Seed: 5}, 5, ""}, // a draw is none of what is compiled
	} {
		d, err := load(step.captions, step.split, step.p)
		if err != nil {
			t.Fatalf("%+v: %v", step, err)
		}
		if ids := splitIDs(d); ids["test"] != step.test && step.test != "" || compiled() != step.files {
			t.Errorf("%+v: test images %s, %d compiled", step, ids["test"], compiled())
		}
	}
	writeFile(t, filepath.Join(root, "te"), "c.png\n")
	if d, err := load("c.csv", "lists", Partition{Train: "tr", Test: "te"}); err != nil || splitIDs(d)["test"] != "c.png" {
		t.Error("a changed list is not noticed:", err)
	}
	writePNG(t, filepath.Join(root, "q", "a.png"), 77)
	if _, err := load("c.csv", "column", Partition{}); err == nil || !strings.Contains(err.Error(), `:2: picture "a.png" is ambiguous: p/a.png or q/a.png`) {
		t.Errorf("a second picture of the name is not noticed: %v", err)
	}
}

// A picture under two names in two splits is reported.
func TestFolderShared(t *testing.T) {
	root := writeOwn(t, map[string]string{"a.png": "1", "b.png": "2", "again.png": "1", "twin.png": "2",
		"c.csv": "image,caption,split\na.png,x,train\nb.png,x,test\nagain.png,x,test\ntwin.png,x,test\n"})
	d, err := Load(ownOptions(root, Captions{Path: "c.csv"}))
	if want := []Note{{root, 0, "picture in split test is identical to one in train: used in both", 1}}; err != nil || !reflect.DeepEqual(d.Notes, want) {
		t.Errorf("notes %v (%v)", d.Notes, err)
	}
}

// Names in an export lead to the pictures.
func TestFolderExport(t *testing.T) {
	root := writeOwn(t, map[string]string{"x/a.png": "", "y/a.png": "", "c.csv": "image,caption,split\nx/a.png,A dog,train\ny/a.png,A cat,test\n"})
	d, err := Load(ownOptions(root, Captions{Path: "c.csv"}))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := d.Export(dir); err != nil {
		t.Fatal(err)
	}
	var got exportedCaptions
	text, err := os.ReadFile(filepath.Join(dir, "captions_test.json"))
	if err != nil || json.Unmarshal(text, &got) != nil || got.Images[0].File != "y/a.png" {
		t.Errorf("%s (%v)", text, err)
	}
}

// Ten captions are shown, from the first to the last.
func TestExamples(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("image,caption,split\nb.png,test,test\n")
	for i := range 28 {
		fmt.Fprintf(&rows, "a.png,caption %c%c,train\n", 'a'+i/26, 'a'+i%26)
	}
	root := writeOwn(t, map[string]string{"a.png": "", "b.png": "", "c.csv": rows.String()})
	d, err := Load(ownOptions(root, Captions{Path: "c.csv"}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range d.Info().Examples {
		got = append(got, strings.TrimPrefix(e.Caption, "caption "))
	}
	if want := "aa ad ag aj am ap as av ay bb"; strings.Join(got, " ") != want || d.Info().Examples[9].Image != "a.png" {
		t.Errorf("examples %v, want %s", got, want)
	}
	for _, n := range []int{1, 2, 9, 10, 11} {
		writeFile(t, filepath.Join(root, "c.csv"), "image,caption,split\nb.png,test,test\n"+distinctRows(n))
		d, err := Load(ownOptions(root, Captions{Path: "c.csv"}))
		if err != nil || len(d.Info().Examples) != min(n, 10) {
			t.Errorf("%d captions give %d examples (%v)", n, len(d.Info().Examples), err)
		}
	}
}

func distinctRows(n int) string {
	var rows strings.Builder
	for i := range max(n, 0) {
		fmt.Fprintf(&rows, "a.png,y%c,train\n", 'a'+i)
	}
	return rows.String()
}
