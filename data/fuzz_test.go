package data

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkCorpus says what no parser may let through.
func checkCorpus(t *testing.T, c *corpus, err error) {
	t.Helper()
	if err != nil {
		if fault := (Error{}); !errors.As(err, &fault) || fault.Line < 0 || fault.Msg == "" {
			t.Errorf("%v names no place", err)
		}
		return
	}
	for _, e := range c.images {
		if !filepath.IsLocal(e.name) || e.id == "" {
			t.Errorf("image %+v", e)
		}
		for _, r := range e.captions {
			if r.text != strings.TrimSpace(r.text) || r.text == "" || len(r.text) > maxCaption || r.line < 1 {
				t.Errorf("caption %+v", r)
			}
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("image,caption\na.jpg,A dog.\na.jpg,\"A dog, running.\"\n")
	f.Add("\ufeffimage,caption\r\na.jpg,\"A \"\"dog\"\"\"\r\n")
	f.Add("image,caption\na.jpg,\"A dog\n\n../b.jpg,x\n")
	f.Add("image_name,comment_number,comment\na.jpg,0,\"Dogs , here\"\na.jpg, 4   A dog .,\n")
	f.Fuzz(func(t *testing.T, s string) {
		c := new(corpus)
		text, err := cleanText("f", []byte(s))
		if err == nil {
			err = c.parseCSV("f", text)
			c.dropRepeats()
		}
		checkCorpus(t, c, err)
	})
}

func FuzzTokens(f *testing.F) {
	f.Add("a.jpg#0\tA dog .\na.jpg#1\tA cat .\n")
	f.Add(absentPicture + ".1#0\tpeople\n#\t\n")
	f.Add("a.jpg#0\tA\r\na.jpg#0\tA\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		c := new(corpus)
		text, err := cleanText("f", []byte(s))
		if err == nil {
			err = c.parseTokens("f", text)
		}
		checkCorpus(t, c, err)
	})
}

func FuzzPiped(f *testing.F) {
	f.Add("image_name| comment_number| comment\na.jpg| 0| A dog , here .\na.jpg| 4   A dog runs .\n")
	f.Add("image_name|comment_number|comment\r\n\r\n../a.jpg||\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		c := new(corpus)
		text, err := cleanText("f", []byte(s))
		if err == nil {
			err = c.parsePiped("f", text)
		}
		checkCorpus(t, c, err)
	})
}

// Whatever the head of a file of captions, it is of a data set that has a reader, or of none.
func FuzzFamily(f *testing.F) {
	f.Add(rows("image,caption\n", `NAME,"TEXT"`, eightNames))
	f.Add(rows("image_name| comment_number| comment\n", "NAME| K| TEXT", thirtyNames))
	f.Add(cocoOf(newNames, 0))
	f.Add(karpathyOfFive(oldNames, true))
	f.Fuzz(func(t *testing.T, head string) {
		if found := familyIn(head); (found.title == "") != (titles[found.set] == "") {
			t.Errorf("%+v", found)
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add(karpathyFile)
	f.Add(cocoFile(1, 2))
	f.Add(`{"images":[{"id":1,"file_name":"a/b.jpg"}],"annotations":[{"image_id":1,"caption":"x"}]`)
	f.Add(`{"images":[[[[[[`)
	f.Fuzz(func(t *testing.T, s string) {
		text, err := cleanText("f", []byte(s))
		if err != nil {
			return
		}
		c := new(corpus)
		checkCorpus(t, c, c.parseKarpathy("f", text))
		c = new(corpus)
		checkCorpus(t, c, c.parseCOCO("captions_f.json", text, "train"))
	})
}

// keptFile loads a small data set and gives the file of its cache that matches, without its checksum.
func keptFile(f *testing.F, root, pattern string) []byte {
	f.Helper()
	dir := f.TempDir()
	d := loadKept(f, root, dir)
	d.keepPictures(d.paths(), d.pictures.known, time.Now().Add(time.Hour))
	files, _ := filepath.Glob(filepath.Join(dir, pattern))
	if len(files) != 1 {
		f.Fatalf("%s: %v", pattern, files)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		f.Fatal(err)
	}
	return text[:len(text)-sha256.Size]
}

// summed adds the checksum to the body of a flat file, so that what it holds is looked at.
func summed(body []byte) []byte {
	sum := sha256.Sum256(body)
	return append(slices.Clip(body), sum[:]...)
}

// Whatever a compiled data set holds, it is refused or can be used.
func FuzzCompiled(f *testing.F) {
	root := f.TempDir()
	writeFlickr(f, root, 4)
	f.Add(keptFile(f, root, "*.dataset"))
	f.Add([]byte(compiledMagic))
	f.Fuzz(func(t *testing.T, body []byte) {
		k := new(compiled)
		blocks, err := parseFlat(summed(body), compiledMagic, &k.head)
		if err != nil || !k.use(blocks) {
			return
		}
		d := &Dataset{Options: Options{Name: "flickr8k", Split: "official", Root: root, MinCount: 1}}
		if d.take(k) != nil || d.finish() != nil {
			return
		}
		d.Info()
		d.Epoch("train", 2, 1, 1)
		for _, image := range d.Images {
			image.Captions()
		}
	})
}

// Whatever a table of pictures holds, it is refused or can be searched.
func FuzzHashes(f *testing.F) {
	root := f.TempDir()
	writeFlickr(f, root, 4)
	f.Add(keptFile(f, root, "*.table"))
	f.Add([]byte(pictureMagic))
	f.Fuzz(func(t *testing.T, body []byte) {
		if blocks, err := parseFlat(summed(body), pictureMagic, new(struct{})); err == nil {
			if t, ok := pictureTableOf(blocks); ok {
				(pictureTables{t}).find("Images/p1.png")
			}
		}
	})
}
