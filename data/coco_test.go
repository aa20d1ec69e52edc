package data

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// karpathyFile is a small dataset_*.json, an image a line.
const karpathyFile = `{"dataset": "tiny", "other": {"images": [1]}, "images": [
{"filepath": "val2014", "filename": "a.png", "split": "train", "sentences": [{"raw": "A dog, here."}, {"raw": " "}, {"raw": "A cat."}]},
{"filepath": "val2014", "filename": "b.png", "split": "restval", "sentences": [{"raw": "A cow."}]},
{"filepath": "train2014", "filename": "c.png", "split": "val", "sentences": [{"raw": "A horse."}]},
{"filepath": "val2014", "filename": "d.png", "split": "test", "sentences": [{"raw": "A sheep."}]}
]}
`

func writeKarpathy(t *testing.T, root string) {
	t.Helper()
	writeFile(t, filepath.Join(root, "dataset_tiny.json"), karpathyFile)
	for i, name := range []string{"val2014/a.png", "val2014/b.png", "train2014/c.png", "val2014/d.png"} {
		writePNG(t, filepath.Join(root, "images", name), uint8(i))
	}
}

func TestKarpathy(t *testing.T) {
	root := t.TempDir()
	writeKarpathy(t, root)
	d, err := Load(Options{Name: "coco", Split: "karpathy", Root: root, MinCount: 1, Tokenize: plainWords})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Splits["train"], []int{0, 1}) || !slices.Equal(d.Splits["val"], []int{2}) || !slices.Equal(d.Splits["test"], []int{3}) {
		t.Errorf("splits %v", d.Splits)
	}
	if !slices.Equal(d.Images[0].Captions(), []string{"A dog, here.", "A cat."}) || d.Images[2].Path != filepath.Join(root, "images", "train2014", "c.png") {
		t.Errorf("images %+v", d.Images)
	}
	if want := (Note{filepath.Join(root, "dataset_tiny.json"), 2, "caption is empty: left out", 1}); !slices.Equal(d.Notes, []Note{want}) {
		t.Errorf("notes %v", d.Notes)
	}
	if _, err := d.Pixels(2, 8); err != nil {
		t.Error(err)
	}
}

// Captions of Flickr8k with the split of a dataset_*.json, in the root or above.
func TestFlickrKarpathy(t *testing.T) {
	above := t.TempDir()
	root := filepath.Join(above, "flickr8k")
	writeFlickr(t, root, 6)
	load := func() (*Dataset, error) {
		return Load(Options{Name: "flickr8k", Split: "karpathy", Root: root, MinCount: 1, Tokenize: plainWords})
	}
	if _, err := load(); err == nil || !strings.Contains(err.Error(), "no dataset_*.json here, but data.split karpathy needs it; get caption_datasets.zip") {
		t.Errorf("got %v", err)
	}
	image := func(i int, split string) string {
		return fmt.Sprintf(`{"filename": "p%d.png", "split": %q},`, i, split)
	}
	write := func(dir string, images ...string) {
		writeFile(t, filepath.Join(dir, "dataset_flickr8k.json"), "{\"images\": [\n"+strings.TrimSuffix(strings.Join(images, "\n"), ",")+"]}")
	}
	write(above, image(0, "test"), image(1, "val"), image(2, "train"), image(3, "train"))
	d, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Splits["train"], []int{2, 3}) || !slices.Equal(d.Splits["test"], []int{0}) || d.Notes[0].Count != 2 {
		t.Errorf("splits %v, notes %v", d.Splits, d.Notes)
	}
	write(root, image(0, "test"), image(0, "val"))
	if _, err := load(); err == nil || !strings.Contains(err.Error(), `dataset_flickr8k.json:3: images, entry 2 (byte 54): duplicate "p0.png"`) {
		t.Errorf("got %v", err)
	}
	write(root, image(77, "test"))
	if _, err := load(); err == nil || !strings.Contains(err.Error(), `dataset_flickr8k.json:2: images, entry 1 (byte 13): "p77.png" has no caption in`) {
		t.Errorf("got %v", err)
	}
	writeFile(t, filepath.Join(root, "dataset_other.json"), "{}") // which is not asked for
	if _, err := load(); err == nil || !strings.Contains(err.Error(), `"p77.png" has no caption in`) {
		t.Errorf("got %v", err)
	}
	if err := os.Rename(filepath.Join(root, "dataset_flickr8k.json"), filepath.Join(root, "dataset_mine.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := load(); err == nil || !strings.Contains(err.Error(), "dataset_other.json: conflicts with dataset_mine.json; keep only one of them") {
		t.Errorf("got %v", err)
	}
}

// cocoFile gives a captions_*.json of images "first".. with one caption each.
func cocoFile(first, n int) string {
	var images, captions []string
	for i := first; i < first+n; i++ {
		images = append(images, fmt.Sprintf("\n{\"id\": %d, \"file_name\": \"%d.png\"}", i, i))
		captions = append(captions, fmt.Sprintf("\n{\"id\": %d, \"image_id\": %d, \"caption\": \"A dog number %d.\"}", 900+i, i, i))
	}
	return `{"info": {}, "annotations": [` + strings.Join(captions, ",") + `], "images": [` + strings.Join(images, ",") + "]}\n"
}

func writeCOCO(t *testing.T, root string) {
	t.Helper()
	writeFile(t, filepath.Join(root, "annotations", "captions_train2017.json"), cocoFile(10, 3))
	writeFile(t, filepath.Join(root, "annotations", "captions_val2017.json"), cocoFile(20, 5))
	for i := 10; i < 13; i++ {
		writePNG(t, filepath.Join(root, "train2017", fmt.Sprintf("%d.png", i)), uint8(i))
	}
	for i := 20; i < 25; i++ {
		writePNG(t, filepath.Join(root, "images", "val2017", fmt.Sprintf("%d.png", i)), uint8(i))
	}
}

func TestCOCOCaptions(t *testing.T) {
	root := t.TempDir()
	writeCOCO(t, root)
	d, err := Load(Options{Name: "coco", Split: "official", Root: root, MinCount: 1, Tokenize: plainWords})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Splits["train"], []int{0, 1, 2}) || !slices.Equal(d.Splits["val"], []int{3, 4, 5}) || !slices.Equal(d.Splits["test"], []int{6, 7}) {
		t.Errorf("splits %v", d.Splits)
	}
	if d.Images[0].Path != filepath.Join(root, "train2017", "10.png") || d.Images[7].Captions()[0] != "A dog number 24." {
		t.Errorf("images %+v", d.Images)
	}
	if len(d.Notes) != 1 || d.Notes[0].Count != 2 || !strings.Contains(d.Notes[0].Reason, "no captions_test*.json") {
		t.Errorf("notes %v", d.Notes)
	}
	writeFile(t, filepath.Join(root, "captions_test2017.json"), cocoFile(30, 1))
	writePNG(t, filepath.Join(root, "test2017", "30.png"), 1)
	d, err = Load(Options{Name: "coco", Split: "official", Root: root, MinCount: 1, Tokenize: plainWords})
	if err != nil || len(d.Splits["val"]) != 5 || len(d.Splits["test"]) != 1 || d.Notes != nil {
		t.Errorf("with a test file: splits %v, notes %v, %v", d.Splits, d.Notes, err)
	}
}

// TestCOCOOfBothYears holds that of the captions of both years in one folder, those are read whose pictures are there, and
// that the folder of pictures is remembered with the compiled data set.
func TestCOCOOfBothYears(t *testing.T) {
	both := cocoOld.with(cocoNew)
	for year, names := range map[string][]string{"2014": oldNames, "2017": newNames} {
		root := laidOut(t, both, year, names)
		o := Options{Name: "coco", Split: "official", Root: root, MinCount: 1, Tokenize: plainWords, Tokenizer: "plain", Cache: Cache{Dir: t.TempDir()}}
		for range 2 {
			d, err := Load(o)
			if err != nil || filepath.Base(d.Images[4].Path) != names[4] {
				t.Errorf("%s: %v", year, err)
			}
		}
		if l, found := Recognize(root); !found || l.Title != "COCO "+year || len(l.Files) != 2 || len(l.Missing) != 1 {
			t.Errorf("%+v", l)
		}
		other := map[string]string{"2014": "2017", "2017": "2014"}[year]
		writePNG(t, filepath.Join(root, "images", "val"+other, "x.png"), 1)
		if _, err := Load(o); err == nil || !strings.Contains(err.Error(), "or only one year's pictures") {
			t.Errorf("with pictures of both years: %v", err)
		}
	}
}

// TestCOCOCaptionOfSeveralLines reads what COCO's own captions_val2017.json holds one of.
func TestCOCOCaptionOfSeveralLines(t *testing.T) {
	root := t.TempDir()
	writeCOCO(t, root)
	path := filepath.Join(root, "annotations", "captions_train2017.json")
	text := strings.Replace(cocoFile(10, 3), `"A dog number 11."`, `"A dog\n number\t\u202811.\r\n", "Caption": "Not this.", "ID": 7`, 1)
	writeFile(t, path, strings.Replace(text, `"image_id": 12`, `"image_id": 12.0`, 1))
	d, err := Load(Options{Name: "coco", Split: "official", Root: root, MinCount: 1, Tokenize: plainWords})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Images[1].Captions(); !slices.Equal(got, []string{"A dog  number  11."}) {
		t.Errorf("%q", got)
	}
}

func TestCOCOFaults(t *testing.T) {
	const train = "annotations/captions_train2017.json"
	for _, c := range []struct{ file, from, to, want string }{
		{train, `"id": 11,`, `"id": 10,`, "captions_train2017.json:6: images, entry 2 (byte 258): duplicate image id 10"},
		{train, `"11.png"`, `"10.png"`, `captions_train2017.json:6: images, entry 2 (byte 258): duplicate "10.png"; the first is at`},
		{train, `"11.png"`, `"../11.png"`, `captions_train2017.json:6: images, entry 2 (byte 258): picture name "../11.png" is outside the picture folder`},
		{train, `"11.png"`, `"a/../../11.png"`, `is outside the picture folder`},
		{train, `"id": 11, `, ``, `captions_train2017.json:6: images, entry 2 (byte 258): image "11.png" has no id`},
		{train, `"image_id": 11`, `"image_id": 77`, `captions_train2017.json:3: annotations, entry 2 (byte 90): caption of image id 77, which is not in "images"`},
		{train, `"image_id": 11`, `"image_id": 10`, `captions_train2017.json:6: image "11.png" is in split train and has no caption`},
		{train, `"caption": "A dog number 11."`, `"caption": 7`, `captions_train2017.json:3: annotations, entry 2 (byte 129) of image 11: "caption" is a number, not a string`},
		{train, `"image_id": 11,`, `"image_id": 11`, "captions_train2017.json:3: annotations, entry 2 (byte 90): not JSON at byte 117: invalid character"},
		{train, `"images"`, `"pictures"`, `"images" or "annotations" is missing: not a COCO captions file`},
		{train, `"images": [`, `"images": 3, "x": [`, `captions_train2017.json:4: "images" is not a JSON array`},
		{train, `"caption": "A dog number 11."`, `"Caption": "A dog."`, `captions_train2017.json:6: image "11.png" is in split train and has no caption`},
		{train, `"image_id": 11`, `"image_id": 12, "image_id": 11`, `captions_train2017.json:3: annotations, entry 2 (byte 90): the key "image_id" comes twice in one object at byte 118; keep one`},
		{train, `"image_id": 11`, `"image_id": 11.5`, `captions_train2017.json:3: annotations, entry 2 (byte 114) of image 11.5: its ID is 11.5, not a string or a whole number`},
		{train, "]}\n", "]}{}\n", `captions_train2017.json:7: there is more after the end of the JSON, at byte 328`},
		{train, "]}\n", "", "JSON ends too early; the file is cut off, get it again"},
		{train, "{", "[", "captions_train2017.json:1: the file is not a JSON object"},
		{"annotations/captions_val2017.json", "", "gone", "no captions_val*.json here or in the folder annotations"},
		{"annotations/captions_train2014.json", "", "both", "captions_train2017.json: conflicts with captions_train2014.json; keep only one of them, or only one year's pictures"},
	} {
		t.Run(c.want, func(t *testing.T) {
			root := t.TempDir()
			writeCOCO(t, root)
			path := filepath.Join(root, c.file)
			b, _ := os.ReadFile(path)
			switch {
			case c.to == "both":
				writeFile(t, path, "{}")
				writePNG(t, filepath.Join(root, "images", "train2014", "10.png"), 10)
			case c.to == "gone":
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			default:
				if !strings.Contains(string(b), c.from) {
					t.Fatalf("%s does not hold %q", b, c.from)
				}
				writeFile(t, path, strings.Replace(string(b), c.from, c.to, 1))
			}
			_, err := Load(Options{Name: "coco", Split: "official", Root: root, MinCount: 1, Tokenize: plainWords})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestKarpathyFaults(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{`"restval"`, `"dev"`, `dataset_tiny.json:3: images, entry 2 (byte 195): image "b.png" has split "dev", expected train, restval, val or test`},
		{`"b.png"`, `"a.png"`, `dataset_tiny.json:3: images, entry 2 (byte 195): duplicate "a.png"; the first is on line 2`},
		{`"b.png"`, `"x/b.png"`, `dataset_tiny.json:3: images, entry 2 (byte 195): picture name "x/b.png" is a path`},
		{`"filepath": "train2014"`, `"filepath": "../.."`, `dataset_tiny.json:4: images, entry 3 (byte 295): picture name "../../c.png" is outside the picture folder`},
		{`"b.png"`, `"z.png"`, `dataset_tiny.json:3: picture "`},
		{`"images": [` + "\n", `"pictures": [` + "\n", `"images" is missing: not a Karpathy dataset file`},
		{`"A cow."`, strings.Repeat("x", 10), "dataset_tiny.json:3: images, entry 2 (byte 195): not JSON at byte 282: invalid character 'x'"},
		{`"test"`, `"val"`, "split karpathy has no test images"},
	} {
		t.Run(c.want, func(t *testing.T) {
			root := t.TempDir()
			writeKarpathy(t, root)
			if !strings.Contains(karpathyFile, c.from) {
				t.Fatalf("the file does not hold %q", c.from)
			}
			writeFile(t, filepath.Join(root, "dataset_tiny.json"), strings.Replace(karpathyFile, c.from, c.to, 1))
			_, err := Load(Options{Name: "coco", Split: "karpathy", Root: root, MinCount: 1, Tokenize: plainWords})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}
