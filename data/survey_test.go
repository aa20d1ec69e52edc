package data

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder tells how it is to be read, and what was found is a data set.
func TestSurvey(t *testing.T) {
	pictures := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		pictures["pictures/"+name+".png"] = ""
	}
	rows := func(header, separator string, columns ...string) string {
		text := header + "\n"
		for i, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
			row := []string{name + ".png", "A picture of " + name}
			if len(columns) > 0 {
				row = append(row, columns[i%len(columns)])
			}
			text += strings.Join(row, separator) + "\n"
		}
		return text
	}
	drawn := Partition{Val: "1", Test: "2", Seed: 1} // of few
	for name, c := range map[string]struct {
		files map[string]string
		at    string
		want  Options
		said  string // a part of it
	}{
		"table": {map[string]string{"t.tsv": rows("Picture\tText", "\t"), "notes.txt": "nothing\n"}, "",
			Options{Split: "drawn", Captions: Captions{Path: "t.tsv", Image: "Picture", Caption: "Text"}, Partition: drawn},
			"t.tsv is a table: 10 captions of 10 pictures\npicture names are in \"Picture\", captions in \"Text\"\nrandom split"},
		"column": {map[string]string{"meta/t.csv": rows("file,caption,part", ",", "train", "train", "val", "test")}, "",
			Options{Split: "column", Captions: Captions{Path: "meta/t.csv", Image: "file", Caption: "caption", Split: "part"}},
			"the captions: 6 training, 2 validation, 2 test, 0 unused"},
		"column without test": {map[string]string{"t.csv": rows("file,caption,part", ",", "train", "val")}, "",
			Options{Split: "drawn", Captions: Captions{Path: "t.csv", Image: "file", Caption: "caption"}, Partition: drawn},
			"the captions lacks training or test pictures: 5 training, 5 validation, 0 test, 0 unused\nrandom split"},
		"column of other words": {map[string]string{"t.csv": rows("file,caption,part", ",", "train", "holdout", "test")}, "",
			Options{Split: "drawn", Captions: Captions{Path: "t.csv", Image: "file", Caption: "caption"}, Partition: drawn},
			`cannot use the split in the captions:`},
		"lists": {map[string]string{"t.csv": rows("file,caption", ","), "splits/Train.txt": "a\nb\nc\n", "splits/dev.txt": "d\n", "splits/test.txt": "e\nf\n"}, "",
			Options{Split: "lists", Captions: Captions{Path: "t.csv", Image: "file", Caption: "caption"},
				Partition: Partition{Train: "splits/Train.txt", Val: "splits/dev.txt", Test: "splits/test.txt"}},
			"splits/Train.txt, splits/dev.txt, splits/test.txt: 3 training, 1 validation, 2 test, 4 unused"},
		"JSON Lines": {map[string]string{"t.jsonl": `{"img": "a", "captions": ["x", "y"]}` + "\n" + `{"img": "b", "captions": "z"}`}, "",
			Options{Split: "drawn", Captions: Captions{Path: "t.jsonl", Image: "img", Caption: "captions"}, Partition: drawn}, "t.jsonl is JSON Lines: 3 captions of 2 pictures"},
		"Karpathy": {map[string]string{"x.json": `{"images": [{"filename": "a.png", "split": "train", "sentences": [{"raw": "x"}]}, {"filename": "b.png", "split": "test", "sentences": [{"raw": "x"}]}]}`}, "",
			Options{Split: "column", Captions: Captions{Path: "x.json"}}, "x.json is Karpathy JSON: 2 captions of 2 pictures\nsplit from the captions"},
		"COCO": {map[string]string{"x.json": `{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"image_id": 1, "caption": "x"}]}`}, "",
			Options{Split: "drawn", Captions: Captions{Path: "x.json"}, Partition: drawn}, "x.json is COCO JSON: 1 caption of 1 picture\nrandom split"},
		"one of two": {map[string]string{"t.csv": rows("file,caption", ","), "u.csv": rows("file,caption", ",")}, "u.csv",
			Options{Split: "drawn", Captions: Captions{Path: "u.csv", Image: "file", Caption: "caption"}, Partition: drawn}, "u.csv is"},
	} {
		files := maps.Clone(pictures)
		maps.Copy(files, c.files)
		root := writeOwn(t, files)
		got, said, err := Survey(filepath.Join(root, c.at), Options{MinCount: 1, Tokenize: plainWords})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Name != "folder" || got.Root != root || got.Split != c.want.Split || got.Captions != c.want.Captions || got.Partition != c.want.Partition {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		if !strings.Contains(strings.Join(said, "\n"), c.said) {
			t.Errorf("%s: said %q, want %q", name, said, c.said)
		}
		if _, err := Load(got); err != nil && !strings.Contains(err.Error(), "leaves none for training") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Captions may be a link within the folder, and packed.
func TestSurveyLink(t *testing.T) {
	root := writeOwn(t, map[string]string{"a.png": "", ".kept/c.csv": packed(t, "image,text\na,x\n")})
	if err := os.Symlink(filepath.Join(".kept", "c.csv"), filepath.Join(root, "captions.csv.gz")); err != nil {
		t.Fatal(err)
	}
	if o, said, err := Survey(root, Options{}); err != nil || o.Captions != (Captions{Path: "captions.csv.gz", Image: "image", Caption: "text"}) {
		t.Errorf("got %+v, said %q (%v)", o.Captions, said, err)
	}
}

// Where nothing is found, it is told what was looked for.
func TestSurveyRefused(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"contains 1 picture, but no captions file (.csv, .tsv":                                  {"a.png": ""},
		`t.csv:1: has no column for the picture with a recognised name (`:                       {"a.png": "", "t.csv": "name,caption\na.png,x\n"},
		`t.csv:1: "file" and "path" could both be the picture: set data.captions: {path: t.csv`: {"a.png": "", "t.csv": "file,path,caption\na.png,a.png,x\n"},
		`t.csv:2: picture "b.png" was not found in the data set folder`:                         {"a.png": "", "t.csv": "file,caption\nb.png,x\n"},
		`t.csv and u.csv both contain captions: choose one, e.g. `:                              {"a.png": "", "t.csv": "file,caption\na.png,x\n", "u.csv": "file,caption\na.png,y\n"},
	} {
		_, _, err := Survey(writeOwn(t, files), Options{Tokenize: plainWords})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, _, err := Survey(filepath.Join(t.TempDir(), "none"), Options{}); err == nil {
		t.Error("a folder that is not there is surveyed")
	}
}
