package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each case changes a good data set and says what Load must answer.
func TestFlickrFaults(t *testing.T) {
	const csvHead = "image,caption\n"
	edit := func(name, from, to string) func(t *testing.T, root string) {
		return func(t *testing.T, root string) {
			b, err := os.ReadFile(filepath.Join(root, name))
			if err != nil || !strings.Contains(string(b), from) {
				t.Fatalf("%s does not hold %q: %v", name, from, err)
			}
			writeFile(t, filepath.Join(root, name), strings.Replace(string(b), from, to, 1))
		}
	}
	replace := func(name, text string) func(t *testing.T, root string) {
		return func(t *testing.T, root string) { writeFile(t, filepath.Join(root, name), text) }
	}
	remove := func(names ...string) func(t *testing.T, root string) {
		return func(t *testing.T, root string) {
			for _, name := range names {
				if err := os.Remove(filepath.Join(root, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	const train, dev = "Flickr_8k.trainImages.txt", "Flickr_8k.devImages.txt"
	for _, c := range []struct {
		name   string
		change func(t *testing.T, root string)
		want   string
	}{
		{"no captions", remove("captions.txt"), "no captions.txt or Flickr8k.token.txt here; unpack Flickr8k here, or set data.root to its folder"},
		{"empty captions", replace("captions.txt", ""), "captions.txt: contains no captions"},
		{"header only", replace("captions.txt", csvHead), "captions.txt: contains no captions"},
		{"no header", replace("captions.txt", "p0.png,A dog.\n"), `captions.txt:1: the first line is not "image,caption"`},
		{"unquoted comma", replace("captions.txt", csvHead+"p0.png,A dog, running.\n"), "captions.txt:2: 3 fields, expected 2 (image,caption); quote captions that contain commas"},
		{"one field", replace("captions.txt", csvHead+"\np0.png\n"), "captions.txt:3: 1 field, expected 2"},
		{"bare quote", replace("captions.txt", csvHead+"p0.png,A \"dog\".\n"), "captions.txt:2: quotation mark inside an unquoted field"},
		{"open quote", replace("captions.txt", csvHead+"p0.png,\"A dog.\np1.png,A cat.\n"), "captions.txt:2: unbalanced quotation marks"},
		{"quote over lines", replace("captions.txt", csvHead+"p0.png,\"A dog.\np1.png,A cat.\"\n"), "captions.txt:2: caption of \"p0.png\" spans several lines"},
		{"long caption", replace("captions.txt", csvHead+"p0.png,"+strings.Repeat("dog ", 2000)+"\n"), "captions.txt:2: caption of \"p0.png\" has 7999 bytes; the limit is 4096"},
		{"up and away", edit("captions.txt", "p1.png,", "../p1.png,"), `picture name "../p1.png" is a path`},
		{"backslash", edit("captions.txt", "p1.png,", `..\p1.png,`), `is a path`},
		{"absolute", edit("captions.txt", "p1.png,", "/etc/passwd,"), `picture name "/etc/passwd" is a path`},
		{"two dots", edit("captions.txt", "p1.png,", "..,"), `picture name ".." is outside the picture folder`},
		{"no name", edit("captions.txt", "p1.png,", ","), `picture name "" is empty`},
		{"control", edit("captions.txt", "p1.png,", "p\x07.png,"), `captions.txt:7: picture name "p\a.png" contains a control character`},
		{"UTF-16", replace("captions.txt", "\xff\xfei\x00m\x00"), "captions.txt:1: is UTF-16; convert it to UTF-8"},
		{"latin 1", edit("captions.txt", "very many", "tr\xe8s many"), "captions.txt:3: byte 0xe8 is not UTF-8"},
		{"zero byte", edit("captions.txt", "very many", "\x00"), "captions.txt:3: contains a zero byte"},
		{"no list", remove(dev), "Flickr_8k.devImages.txt: is missing, but data.split official needs it; get it from Flickr8k_text.zip"},
		{"unknown in list", edit(train, "p2.png", "p99.png"), `Flickr_8k.trainImages.txt:3: "p99.png" has no caption in`},
		{"twice in list", edit(train, "p2.png", "p1.png"), `Flickr_8k.trainImages.txt:3: "p1.png" is already in Flickr_8k.trainImages.txt:2`},
		{"in two lists", edit(dev, "p4.png", "p1.png"), `Flickr_8k.devImages.txt:1: "p1.png" is already in Flickr_8k.trainImages.txt:2`},
		{"empty train", replace(train, ""), "split official has no train images"},
		{"picture gone", remove("Images/p3.png"), `captions.txt:17: picture "`},
		{"picture gone says", remove("Images/p3.png"), `p3.png" is missing; download the data again, or remove the images from their splits`},
		{"pictures gone", remove("Images/p1.png", "Images/p3.png", "Images/p5.png"), "3 images cannot be used:\n"},
		{"all gone", remove("Images/p0.png", "Images/p1.png", "Images/p2.png", "Images/p3.png", "Images/p4.png", "Images/p5.png"), "in none of the folders Images, images,"},
		{"empty picture", replace("Images/p3.png", ""), "p3.png\" is an empty file"},
		{"no picture", replace("Images/p3.png", "<html>404</html>"), "p3.png\" is an HTML page"},
		{"too many captions", func(t *testing.T, root string) {
			rows := csvHead
			for i := range maxCaptions + 1 {
				rows += fmt.Sprintf("p0.png,caption %d\n", i)
			}
			writeFile(t, filepath.Join(root, "captions.txt"), rows)
		}, `captions.txt:1002: image "p0.png" has more than 1000 captions`},
		{"all blank", replace("captions.txt", csvHead+"p0.png, \np1.png,...\n"), `Flickr_8k.trainImages.txt:1: "p0.png" has no caption in`},
		{"no words", func(t *testing.T, root string) {
			b, _ := os.ReadFile(filepath.Join(root, "captions.txt"))
			lines := strings.Split(string(b), "\n")
			for i := 6; i < 11; i++ {
				lines[i] = "p1.png,..."
			}
			writeFile(t, filepath.Join(root, "captions.txt"), strings.Join(lines, "\n"))
		}, `captions.txt:7: image "p1.png" is in split train and has no caption`},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			writeFlickr(t, root, 6)
			c.change(t, root)
			_, err := Load(Options{Name: "flickr8k", Split: "official", Root: root, MinCount: 1, Tokenize: plainWords})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			if fault := (Error{}); !errors.As(err, &fault) {
				t.Errorf("%v is no Error", err)
			}
		})
	}
}

// What is harmless is left out, told, and counted.
func TestFlickrNotes(t *testing.T) {
	root := t.TempDir()
	writeFlickr(t, root, 6)
	path := filepath.Join(root, "captions.txt")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clean := loadFlickr(t, root)
	text := "\ufeff" + string(b) +
		"p0.png, \np1.png,\"\"\n" + // empty
		"p0.png,!!!\n" + // no words
		"p2.png,\"A dog, number 0 of many .\"\np2.png,\"A dog, number 3 of very very very many .\"\n" + // sixth and seventh
		"notes.txt,A dog.\n" + // no picture
		"lost.jpg,A dog.\n" + // in no split and not there
		absentPicture + ",A train .\n"
	writeFile(t, path, strings.ReplaceAll(text, "\n", "\r\n"))
	writePNG(t, filepath.Join(root, "Images", "extra.png"), 9)
	appendTo(t, path, "extra.png,A dog.\r\n")
	d := loadFlickr(t, root)
	var got []string
	for _, n := range d.Notes {
		got = append(got, strings.TrimPrefix(n.String(), path))
	}
	want := []string{
		":32: caption is empty: left out (2)",
		":37: name has no picture extension (.jpg .jpeg .png .webp .gif .tif .tiff .bmp): row left out (1)",
		":39: row of 2258277193_586949ec62.jpg, which Flickr8k does not contain: left out (1)",
		":35: duplicate row: left out (2)",
		":34: caption has no words: left out (1)",
		":38: picture of an image in no split is missing or broken: left out (1)",
		":40: image is in no split: not used (1)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("notes:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d.Hash != clean.Hash || d.Vocabulary.Hash() != clean.Vocabulary.Hash() {
		t.Error("what is left out changed the hash or the vocabulary")
	}
	if len(d.Images) != 7 || d.Images[6].ID != "extra.png" || len(d.Splits["train"])+len(d.Splits["val"])+len(d.Splits["test"]) != 6 {
		t.Errorf("%d images, splits %v", len(d.Images), d.Splits)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, string(b)+text)
}

func TestTokenLayout(t *testing.T) {
	parse := func(text string) (*corpus, error) {
		c := new(corpus)
		return c, c.parseTokens("t", []byte(text))
	}
	c, err := parse("a.jpg#0\tA dog, here .\r\n\r\n2258277193_586949ec62.jpg.1#0\tpeople\n2258277193_586949ec62.jpg#1\tpeople\n" +
		"a.jpg#1\tA dog, here .\na.jpg#1\tA dog, here .\nb#x.png#0\tA cat .\nc.svg#0\tA cow .\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.images) != 2 || len(c.images[0].captions) != 2 || c.images[1].id != "b#x.png" || c.images[1].line != 7 {
		t.Errorf("images %+v", c.images)
	}
	want := []Note{
		{"t", 3, "row of 2258277193_586949ec62.jpg, which Flickr8k does not contain: left out", 2},
		{"t", 6, "duplicate row: left out", 1},
		{"t", 8, "name has no picture extension (.jpg .jpeg .png .webp .gif .tif .tiff .bmp): row left out", 1},
	}
	if !slices.Equal(c.notes.notes, want) {
		t.Errorf("notes %v", c.notes.notes)
	}
	for text, want := range map[string]string{
		"a.jpg#0 A dog":                        "t:1: no tab between NAME#K and the caption",
		"\na.jpg\tA dog":                       `t:2: "a.jpg" is not NAME#K with a number K`,
		"a.jpg#x\tA dog":                       `t:1: "a.jpg#x" is not NAME#K`,
		"a.jpg#0\tA\na.jpg#0\tB":               `t:2: caption #0 of "a.jpg" differs from the one on line 1`,
		"../a.jpg#0\tA":                        `t:1: picture name "../a.jpg" is a path`,
		strings.Repeat("x", 300) + ".jpg#0\tA": "t:1: picture name has 304 bytes; the limit is 255",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %s", text, err, want)
		}
	}
}

func TestSeedSplit(t *testing.T) {
	c := new(corpus)
	for i := range seedTrain + 2 {
		c.image("f", i+1, fmt.Sprint(i))
	}
	if err := c.splitBySeed("f"); err != nil {
		t.Fatal(err)
	}
	for i, e := range c.images {
		if want := map[bool]string{true: "train", false: "test"}[i < 7000]; e.split != want {
			t.Fatalf("image %d is in %q", i, e.split)
		}
	}
	c.images = c.images[:seedTrain]
	if err := c.splitBySeed("f"); err == nil || err.Error() != "f: has 7000 images, but data.split seed trains on the first 7000 and tests on the rest; use another split" {
		t.Error(err)
	}
}

func TestOptionsRefused(t *testing.T) {
	for want, o := range map[string]Options{
		`data.name "flickr": expected shapes, flickr8k, flickr30k, coco or folder`:      {Name: "flickr"},
		`data.split "seed": expected official or karpathy for coco`:                     {Name: "coco", Split: "seed", Root: "."},
		`data.split "": expected official or karpathy for flickr30k`:                    {Name: "flickr30k", Root: "."},
		`data.root is empty: set it, --data or $GLIMPSE_DATA to the folder of flickr8k`: {Name: "flickr8k", Split: "official"},
		`data.vocabulary "all": expected train or corpus`:                               {Name: "shapes", Split: "official", Vocabulary: "all"},
		`data.images 9: expected 10 to 1000000`:                                         {Name: "shapes", Split: "official", Images: 9},
		`none may be negative`:                                                          {Name: "shapes", Split: "official", MinCount: -1},
		`data options lack a tokenizer`:                                                 {Name: "shapes", Split: "official"},
		`no word occurs 1000 times in training: lower data.min_count`:                   {Name: "shapes", Split: "official", Images: 10, MinCount: 1000, Tokenize: plainWords},
	} {
		if _, err := Load(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// The real data set, when it is there.
func TestFlickr8k(t *testing.T) {
	root := os.Getenv("GLIMPSE_DATA")
	if _, err := os.Stat(filepath.Join(root, kaggleCaptions)); err != nil {
		t.Skipf("no Flickr8k at %s; set GLIMPSE_DATA", root)
	}
	load := func(root, split string) *Dataset {
		t.Helper()
		d, err := Load(Options{Name: "flickr8k", Root: root, Split: split, Tokenize: plainWords})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	// Counts from the corpus's own text files.
	official := load(root, "official")
	if n := [3]int{len(official.Splits["train"]), len(official.Splits["val"]), len(official.Splits["test"])}; n != [3]int{6000, 1000, 1000} {
		t.Errorf("official splits of %v", n)
	}
	if len(official.Notes) != 1 || official.Notes[0].Count != 91 {
		t.Errorf("official notes %v, want 91 images in no split", official.Notes)
	}
	captions := 0
	for _, img := range official.Images {
		captions += len(img.Captions())
	}
	if len(official.Images) != 8091 || captions != 40455 {
		t.Errorf("%d images, %d captions", len(official.Images), captions)
	}
	seed := load(root, "seed")
	if n := [3]int{len(seed.Splits["train"]), len(seed.Splits["val"]), len(seed.Splits["test"])}; n != [3]int{7000, 0, 1091} {
		t.Errorf("seed splits of %v", n)
	}
	// The other layout is the same data set.
	other := t.TempDir()
	for _, name := range []string{originalCaptions, flickr8k.lists[0].name, flickr8k.lists[1].name, flickr8k.lists[2].name} {
		copyFile(t, filepath.Join(root, name), filepath.Join(other, name))
	}
	images, err := filepath.Abs(filepath.Join(root, "Images"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(images, filepath.Join(other, "Flicker8k_Dataset")); err != nil {
		t.Fatal(err)
	}
	if d := load(other, "official"); d.Hash != official.Hash {
		t.Error("the two layouts give different data sets")
	} else if want := (Note{filepath.Join(other, originalCaptions), 6731, "row of 2258277193_586949ec62.jpg, which Flickr8k does not contain: left out", 5}); !slices.Contains(d.Notes, want) {
		t.Errorf("notes %v lack %v", d.Notes, want)
	}
}

func BenchmarkLoadFlickr8k(b *testing.B) {
	root := os.Getenv("GLIMPSE_DATA")
	if _, err := os.Stat(filepath.Join(root, kaggleCaptions)); err != nil {
		b.Skip("no Flickr8k: set GLIMPSE_DATA")
	}
	for b.Loop() {
		if _, err := Load(Options{Name: "flickr8k", Split: "official", Root: root, Tokenize: plainWords}); err != nil {
			b.Fatal(err)
		}
	}
}
