package data

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
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

// What is wrong is told with its place, many faults together.
func TestFolderFaults(t *testing.T) {
	const pictures = "a.png b.png c.png"
	long := strings.Repeat("x ", 3000)
	many := "image,caption,split\n"
	for i := range 15 {
		many += fmt.Sprintf("lost%d.png,A dog,train\nlost%d.png,A cat,train\n", i, i)
	}
	for name, c := range map[string]struct {
		text string
		of   Captions
		want []string // parts of the message
	}{
		"no picture column":   {"name,caption,split\na.png,x,train\n", Captions{}, []string{":1: has no column for the picture with a recognised name (image, images,", "found: name, caption, split); set data.captions: {path: c, image: NAME}"}},
		"no header":           {"a.png,A dog\nb.png,A cat\n", Captions{}, []string{":1: has no column for the picture", "; the first line must name the columns"}},
		"two picture columns": {"image,File,caption,split\n1,a.png,x,train\n", Captions{}, []string{`:1: "image" and "File" could both be the picture: set data.captions: {path: c, image: NAME}`}},
		"column of a case":    {"image,caption,split\n", Captions{Image: "Image"}, []string{`:1: has no column "Image", which data.captions.image is set to (found: image, caption, split)`}},
		"column twice":        {"image,image,caption\n", Captions{Image: "image"}, []string{`:1: "image" and "image" could both be the picture`}},
		"no split":            {"image,caption\na.png,x\n", Captions{}, []string{`:1: has no column for the split (found: image, caption); set data.captions: {path: c, split: NAME}, or data.split: {val: 10%`}},
		"many":                {many, Captions{}, []string{`:2: picture "lost0.png" was not found in the data set folder`, `:20: picture "lost9.png"`, "\nand 5 more"}},
		"rows": {"image,caption,split\na.png,x\nb.png,A dog,training set\nc.png," + long + ",test\na.png,\"two\nlines\",train\n", Captions{}, []string{
			":2: 2 fields, expected 3 as on the first line; quote captions that contain commas",
			`:3: unknown split "training set": use train, training,`,
			`:4: caption of "c.png" has 5999 bytes; the limit is 4096`,
			`:5: caption of "a.png" spans several lines`}},
		"one field":   {"image,caption,split\na.png\n", Captions{}, []string{":2: 1 field, expected 3 as on the first line; quote captions that contain commas"}},
		"tabs":        {"image\tcaption\tsplit\na.png\tx\nb.png\ty\n", Captions{}, []string{":2: 2 fields, expected 3 as on the first line\n"}},
		"semicolons":  {"image;caption;split\na.png;x\nb.png;y\n", Captions{}, []string{":2: 2 fields, expected 3 as on the first line\n"}},
		"quotes":      {"image,caption,split\na.png,\"x,train\n", Captions{}, []string{":2: unbalanced quotation marks"}},
		"bare quote":  {"image,caption,split\na.png,x \"y\" z,train\n", Captions{}, []string{":2: quotation mark inside an unquoted field"}},
		"no test":     {"image,caption,split\na.png,x,train\nb.png,y,val\n", Captions{}, []string{"split column has no test images"}},
		"nothing":     {"image,caption,split\n", Captions{}, []string{": contains no captions"}},
		"empty":       {"", Captions{}, []string{": contains no captions"}},
		"not text":    {"image,caption\n\x00", Captions{}, []string{":2: contains a zero byte"}},
		"cut off":     {"\x1f\x8b\x08", Captions{}, []string{": cannot be unpacked: unexpected EOF; download it again"}},
		"keys":        {`{"img": "a.png", "txt": "x"}`, Captions{}, []string{`:1: entry 1 (byte 0): has no key for the caption with a recognised name (caption,`, "found: img, txt)"}},
		"named key":   {`{"img": "a.png", "txt": "x"}`, Captions{Caption: "txt", Split: "s"}, []string{`has no key "s", which data.captions.split is set to`}},
		"doubled key": {`{"image": "a.png", "image": "b.png"}`, Captions{}, []string{`:1: entry 1 (byte 0)`, `the key "image" comes twice`}},
		"entries": {`{"image": "a.png", "caption": "x", "split": "train"}
{"file": "b.png", "caption": "x", "split": "val"}
{"image": 1.5, "caption": "x", "split": "val"}
{"image": "b.png", "caption": {"raw": "x"}, "split": "val"}
{"image": "b.png", "caption": ["x", 3], "split": "val"}
{"image": "b.png", "split": "val"}
{"image": "b.png", "caption": "x", "split": 3}
7
{"image": "d.png", "caption": "x"}
{"image": "b.png", "caption": null}`, Captions{}, []string{
			":2: entry 2 (byte 53): has no picture under the key that the first entry uses",
			":3: entry 3 (byte 103): the picture name is 1.5, expected a string or a whole number",
			`:4: entry 4 (byte 150): the caption is {"raw": "x"}, expected a string or a list of strings`,
			`:5: entry 5 (byte 210): the caption is ["x", 3], expected a string or a list of strings`,
			":6: entry 6 (byte 266): has no caption under the key that the first entry uses",
			":7: entry 7 (byte 301): the split is 3, expected a string",
			":8: entry 8 (byte 348): is a number, not an object",
			`:9: entry 9 (byte 350): picture "d.png" was not found`,
			":10: entry 10 (byte 385): the caption is null, expected a string or a list of strings"}},
		"cut JSON":         {`{"image": "a.png", "caption": "x", "split": "train"}` + "\n" + `{"image": "b.p`, Captions{}, []string{":2: JSON ends too early"}},
		"Karpathy's split": {`{"images": [{"filename": "a.png", "split": "dev", "sentences": []}]}`, Captions{}, []string{`split "dev", expected train, restval, val or test`}},
	} {
		files := map[string]string{"c": c.text}
		for _, picture := range strings.Fields(pictures) {
			files[picture] = ""
		}
		o := ownOptions(writeOwn(t, files), c.of)
		o.Captions.Path = "c"
		_, err := Load(o)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", name, err, want)
			}
		}
	}
	root := writeOwn(t, map[string]string{"a.png": ""})
	if _, err := Load(ownOptions(root, Captions{Path: "lost.csv"})); err == nil || !strings.Contains(err.Error(), "lost.csv: is missing; paths of captions") {
		t.Error(err)
	}
	if _, err := Load(ownOptions(filepath.Join(root, "lost"), Captions{Path: "c"})); err == nil || !strings.Contains(err.Error(), "lost: does not exist; set data.root, --data or $GLIMPSE_DATA") {
		t.Error(err)
	}
}

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

// A picture under two names in two splits is told of.
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
