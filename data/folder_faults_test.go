package data

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

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
