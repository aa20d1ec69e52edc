package data

import (
	"bytes"
	"compress/gzip"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// writeOwn makes a folder: a picture for each name that ends in .png, in a shade of its own unless
// one is given, and text.
func writeOwn(t testing.TB, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for i, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(root, name)
		switch text := files[name]; {
		case !strings.HasSuffix(name, ".png"):
			writeFile(t, path, text)
		case text != "":
			writePNG(t, path, text[0])
		default:
			writePNG(t, path, uint8(i))
		}
	}
	return root
}

// ownOptions reads a folder with a column of splits, unless told otherwise.
func ownOptions(root string, captions Captions) Options {
	return Options{Name: "folder", Root: root, Split: "column", Captions: captions, MinCount: 1, Tokenize: plainWords}
}

// splitIDs are the ids of the images of each split.
func splitIDs(d *Dataset) map[string]string {
	ids := map[string]string{}
	for split, members := range d.Splits {
		var names []string
		for _, i := range members {
			names = append(names, d.Images[i].ID)
		}
		ids[split] = strings.Join(names, " ")
	}
	return ids
}

func packed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const ownCSV = `image,caption,split
a.png,"A dog, running.",train
a.png,Its tail,train
b.png,A "cat".,val
c.png,A bird,test
`

// Whatever the captions are written in, they are the same data set.
func TestFolderFormats(t *testing.T) {
	csv := strings.Replace(ownCSV, `A "cat".`, `"A ""cat""."`, 1)
	formats := map[string]string{
		"captions.csv":    csv,
		"no-ending":       csv,
		"windows.csv":     "\ufeff" + strings.ReplaceAll(csv, "\n", "\r\n"),
		"packed.csv.gz":   packed(t, csv),
		"semicolons.csv":  "File;Text;Part\na.png;A dog, running.;TRAIN\na.png;Its tail;\n\nb.png;\"A \"\"cat\"\".\";dev\n  \nc.png;A bird;testing\n",
		"captions.tsv":    "filename\tsentence\tsubset\na.png\tA dog, running.\ttraining\na.png\tIts tail\ttrain\nb.png\tA \"cat\".\tvalid\nc.png\tA bird\ttest\n",
		"quoted.tsv":      "\"filename\"\t\"sentence\"\t\"split\"\na.png\t\"A dog, running.\"\trestval\na.png\tIts tail\ttrain\nb.png\t\"A \"\"cat\"\".\"\tvalidation\nc.png\tA bird\ttest\n",
		"captions.jsonl":  `{"image": "a.png", "caption": ["A dog,\nrunning.", "Its tail"], "split": "train"}` + "\n" + `{"image": "b.png", "caption": "A \"cat\".", "split": "val", "more": {"x": 1}}` + "\n\n" + `{"image": "c.png", "caption": "A bird", "split": "test"}`,
		"array.json":      `[{"path": "./a.png", "captions": ["A dog, running.", "Its tail"], "set": "train"}, {"path": "b.png", "captions": ["A \"cat\"."], "set": "val"}, {"path": "c.png", "captions": ["A bird"], "set": "test"}]`,
		"dataset.json":    `{"images": [{"filename": "a.png", "split": "restval", "sentences": [{"raw": "A dog, running."}, {"raw": "Its tail"}]}, {"filename": "b.png", "split": "val", "sentences": [{"raw": "A \"cat\"."}]}, {"filename": "c.png", "split": "test", "sentences": [{"raw": "A bird"}]}]}`,
		"deep/below.csv":  csv,
		"deep/below2.csv": strings.ReplaceAll(strings.ReplaceAll(csv, "a.png", `pictures\a.png`), "b.png", "pictures/b"),
	}
	files := map[string]string{"deep/pictures/a.png": "1", "deep/pictures/b.png": "2", "deep/pictures/c.png": "3"}
	maps.Copy(files, formats)
	root := writeOwn(t, files)
	var want *Dataset
	for _, name := range slices.Sorted(maps.Keys(formats)) {
		d, err := Load(ownOptions(root, Captions{Path: name}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want == nil {
			want = d
		}
		var captions []string
		for _, image := range d.Images {
			captions = append(captions, strings.Join(image.Captions(), "|"))
		}
		if got := strings.Join(captions, "||"); got != `A dog, running.|Its tail||A "cat".||A bird` {
			t.Errorf("%s: captions %s", name, got)
		}
		if !reflect.DeepEqual(d.Splits, want.Splits) || !strings.HasSuffix(d.Images[1].Path, filepath.Join("deep", "pictures", "b.png")) || len(d.Notes) > 0 {
			t.Errorf("%s: splits %v, picture %s, notes %v", name, d.Splits, d.Images[1].Path, d.Notes)
		}
		if name != "deep/below2.csv" && d.Hash != want.Hash { // where the names are others
			t.Errorf("%s is another data set: %v", name, splitIDs(d))
		}
	}
}

// COCO's captions have no split: it is drawn, or listed.
func TestFolderCOCO(t *testing.T) {
	files := map[string]string{"captions.json": `{"info": {}, "images": [{"id": 7, "file_name": "a.png"}, {"id": "x", "file_name": "b.png"}, {"id": 9, "file_name": "none.png"}],
"annotations": [{"image_id": "x", "caption": "A cat\u2028sits"}, {"image_id": 7.0, "caption": "A dog"}]}`,
		"lists/a": "a.png\n", "lists/b": "\n  b\n", "a.png": "", "b.png": "", "c.png": ""}
	o := ownOptions(writeOwn(t, files), Captions{Path: "captions.json"})
	_, err := Load(o)
	if err == nil || !strings.Contains(err.Error(), "have no split: set data.split: {val: 10%, test: 10%, seed: 1}") {
		t.Error(err)
	}
	o.Split, o.Partition = "lists", Partition{Train: "lists/a", Test: "lists/b"}
	d, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	if ids := splitIDs(d); ids["train"] != "a.png" || ids["test"] != "b.png" || ids["val"] != "" || d.Images[0].Captions()[0] != "A cat sits" {
		t.Errorf("splits %v, captions %q", ids, d.Images[0].Captions())
	}
	if want := []Note{{o.Root, 0, "picture has no caption: left out", 1}}; !reflect.DeepEqual(d.Notes, want) {
		t.Errorf("notes %v, want %v", d.Notes, want)
	}
}

// A name means the one picture that it can mean.
func TestFolderNames(t *testing.T) {
	root := writeOwn(t, map[string]string{
		"top.png": "", "one/same.png": "", "two/same.png": "", "one/only.png": "", "one/deep/far.png": "", "captions/near.png": "",
		"two.dots.png": "", "one/.hidden.png": "", ".trash/gone.png": "", "both.png": "", "captions/both.png": "", "twin.png": "", "dir.png/in.png": "",
	})
	copyFile(t, filepath.Join(root, "top.png"), filepath.Join(root, "twin.jpg"))
	copyFile(t, filepath.Join(root, "top.png"), filepath.Join(root, "one", "no-ending"))
	tree, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	for written, want := range map[string]string{
		"top.png":                 "top.png",
		" ./one/../top.png ":      "top.png",
		"top":                     "top.png",
		"one/same.png":            "one/same.png",
		`one\same`:                "one/same.png",
		"same.png":                "is ambiguous: one/same.png or two/same.png; write the path relative to the data set folder",
		"same":                    "is ambiguous: one/same.png or two/same.png; write the path relative to the data set folder",
		"only.png":                "one/only.png",
		"deep/far.png":            "one/deep/far.png",
		"eep/far.png":             "was not found in the data set folder",
		"near.png":                "captions/near.png",
		"both.png":                "is ambiguous: both.png or captions/both.png; write the path relative to the data set folder",
		"captions/both.png":       "captions/both.png",
		"two.dots":                "two.dots.png",
		"twin":                    "is ambiguous: twin.jpg or twin.png; write the path relative to the data set folder",
		"one/no-ending":           "one/no-ending",
		"no-ending":               "was not found in the data set folder",
		".hidden.png":             "was not found in the data set folder",
		"gone.png":                "was not found in the data set folder",
		"TOP.png":                 "was not found in the data set folder",
		"dir.png":                 "was not found in the data set folder",
		"../top.png":              "is outside the data set folder; write names relative to it",
		"/etc/passwd":             "is an absolute path; write names relative to the data set folder",
		"":                        "is empty; expected a file name",
		".":                       "is empty; expected a file name",
		"a\x1b[2J":                "contains a control character",
		strings.Repeat("x", 2000): "is a name of 2000 bytes; the limit is 1024: wrong file format?",
	} {
		got, err := cleanName(written)
		if err == nil {
			got, err = tree.find("captions", got)
		}
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.40q is %q, want %q", written, got, want)
		}
	}
}

// Links are followed within the folder, each folder once.
func TestFolderLinks(t *testing.T) {
	root := writeOwn(t, map[string]string{
		"real/a.png": "", "real/b.png": "", "out.csv": "image,caption,split\nz.png,A dog,train\n",
		"captions.csv": "image,caption,split\nlink/a.png,A dog,train\nreal/b.png,A dog,val\nnicknamed.png,A cat,train\nz.png,A cat,test\n"})
	elsewhere := t.TempDir()
	writePNG(t, filepath.Join(elsewhere, "z.png"), 9)
	for link, target := range map[string]string{
		"link": "real", "real/circle": "..", "nicknamed.png": "real/b.png", "nowhere.png": "gone.png", "away": elsewhere,
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Load(ownOptions(root, Captions{Path: "captions.csv"}))
	want := filepath.Join(root, "captions.csv") + ":4: image \"real/b.png\" is in split train here, but in val above; an image belongs to one split\n" +
		filepath.Join(root, "captions.csv") + ":5: picture \"z.png\" was not found in the data set folder (away is a link to outside it, which is not followed)"
	if err == nil || err.Error() != "data set folder: "+want {
		t.Errorf("got %v, want %s", err, want)
	}
	writeFile(t, filepath.Join(root, "captions.csv"), "image,caption,split\na.png,A dog,train\nnicknamed.png,A cat,test\naway/z.png,A dog,train\n")
	if _, err = Load(ownOptions(root, Captions{Path: "captions.csv"})); err == nil || !strings.HasSuffix(err.Error(), `:4: picture "away/z.png" is a link to outside the data set folder`) {
		t.Error(err)
	}
	writeFile(t, filepath.Join(root, "captions.csv"), "image,caption,split\na.png,A dog,train\nnicknamed.png,A cat,test\n")
	d, err := Load(ownOptions(root, Captions{Path: "captions.csv"}))
	if err != nil {
		t.Fatal(err)
	}
	if ids := splitIDs(d); ids["train"] != "a.png" || ids["test"] != "nicknamed.png" {
		t.Error(ids)
	}
	if want := []Note{{root, 0, "link to outside the data set folder: ignored", 1}}; !reflect.DeepEqual(d.Notes, want) {
		t.Errorf("notes %v", d.Notes)
	}
	// The root may be a link, captions may not lead out by one.
	alias := filepath.Join(t.TempDir(), "alias")
	if err := os.Symlink(root, alias); err != nil {
		t.Fatal(err)
	}
	if other, err := Load(ownOptions(alias, Captions{Path: "captions.csv"})); err != nil || other.Hash != d.Hash {
		t.Error(err)
	}
	writeFile(t, filepath.Join(elsewhere, "out.csv"), ownCSV)
	if err := os.Symlink(filepath.Join(elsewhere, "out.csv"), filepath.Join(root, "linked.csv")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"linked.csv", "away/out.csv", "../out.csv"} {
		if _, err := Load(ownOptions(root, Captions{Path: path})); err == nil || !strings.Contains(err.Error(), "outside the data set folder") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
