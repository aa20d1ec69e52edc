package data

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// parts names the hashes in which two contents differ.
func parts(a, b Content) []string {
	var differ []string
	if a.Captions != b.Captions {
		differ = append(differ, "captions")
	}
	if a.Splits != b.Splits {
		differ = append(differ, "splits")
	}
	if a.Pictures != b.Pictures {
		differ = append(differ, "pictures")
	}
	return differ
}

func contentOf(t *testing.T, d *Dataset) Content {
	t.Helper()
	c, err := d.Content()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Each change of a data set changes the hashes of what it changes, and no other.
func TestContentFollowsWhatIsThere(t *testing.T) {
	const train, dev = "Flickr_8k.trainImages.txt", "Flickr_8k.devImages.txt"
	edit := func(t *testing.T, path string, f func(string) string) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := f(string(text))
		if changed == string(text) {
			t.Fatalf("%s does not change", path)
		}
		writeFile(t, path, changed)
	}
	replace := func(from, to string) func(string) string {
		return func(text string) string { return strings.Replace(text, from, to, 1) }
	}
	for name, c := range map[string]struct {
		change func(t *testing.T, root string)
		want   []string
	}{
		"nothing": {func(*testing.T, string) {}, nil},
		"bytes of a picture": {func(t *testing.T, root string) {
			path := filepath.Join(root, "Images", "p2.png")
			edit(t, path, func(text string) string { return text + "behind its end" })
		}, []string{"pictures"}},
		"two pictures exchanged": {func(t *testing.T, root string) {
			a, b, c := filepath.Join(root, "Images", "p1.png"), filepath.Join(root, "Images", "p2.png"), filepath.Join(root, "Images", "x")
			for _, move := range [][2]string{{a, c}, {b, a}, {c, b}} {
				if err := os.Rename(move[0], move[1]); err != nil {
					t.Fatal(err)
				}
			}
		}, []string{"pictures"}},
		"a letter of a caption": {func(t *testing.T, root string) {
			edit(t, filepath.Join(root, "captions.txt"), replace("p3.png,\"A dog", "p3.png,\"A dot"))
		}, []string{"captions"}},
		"a caption less": {func(t *testing.T, root string) {
			edit(t, filepath.Join(root, "captions.txt"), replace("p3.png,\"A dog, number 0 of many .\"\n", ""))
		}, []string{"captions"}},
		"a caption to another image": {func(t *testing.T, root string) {
			edit(t, filepath.Join(root, "captions.txt"), replace("p3.png,\"A dog, number 0 of", "p2.png,\"A dog, number 0 of"))
		}, []string{"captions"}},
		"an image to another split": {func(t *testing.T, root string) {
			edit(t, filepath.Join(root, train), replace("p2.png\n", ""))
			edit(t, filepath.Join(root, dev), func(text string) string { return text + "p2.png\n" })
		}, []string{"splits"}},
		"an image out of all splits": {func(t *testing.T, root string) {
			edit(t, filepath.Join(root, train), replace("p2.png\n", ""))
		}, []string{"captions", "splits", "pictures"}},
		"other lines first": {func(t *testing.T, root string) {
			for _, file := range []string{"captions.txt", train} {
				edit(t, filepath.Join(root, file), func(text string) string {
					lines := strings.SplitAfter(strings.TrimSuffix(text, "\n")+"\n", "\n")
					lines = lines[:len(lines)-1]
					head := 0
					if file == "captions.txt" {
						head = 1
					}
					// Stable, so that an image's captions keep their order.
					slices.SortStableFunc(lines[head:], func(a, b string) int { return strings.Compare(b[:3], a[:3]) })
					return strings.Join(lines, "")
				})
			}
		}, []string{"splits"}},
		"an image in no split": {func(t *testing.T, root string) {
			writePNG(t, filepath.Join(root, "Images", "extra.png"), 9)
			appendTo(t, filepath.Join(root, "captions.txt"), "extra.png,A dog.\n")
		}, nil},
		"times of change": {func(t *testing.T, root string) {
			old := time.Now().Add(-time.Hour)
			if err := os.Chtimes(filepath.Join(root, "Images", "p2.png"), old, old); err != nil {
				t.Fatal(err)
			}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			root, elsewhere, dir := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "not", "there", "yet")
			writeFlickr(t, root, 6)
			writeFlickr(t, elsewhere, 6)
			before := contentOf(t, loadKept(t, root, dir))
			if got := contentOf(t, loadFlickr(t, elsewhere)); got != before {
				t.Fatalf("in another folder %+v, was %+v", got, before)
			}
			c.change(t, root)
			after := contentOf(t, loadKept(t, root, dir))
			if got := parts(before, after); !slices.Equal(got, c.want) {
				t.Errorf("changed are %v, want %v", got, c.want)
			}
			for range 2 {
				kept, read := loadKept(t, root, dir), loadFlickr(t, root)
				if got := contentOf(t, read); got != after || kept.Hash != read.Hash {
					t.Errorf("read anew %+v and hash %s, kept %+v and %s", got, read.Hash, after, kept.Hash)
				}
			}
		})
	}
}

// The order of images decides what is trained: reversed in the file, it is another
// split of the same images.
func TestContentFollowsTheOrderOfImages(t *testing.T) {
	root := t.TempDir()
	writeCOCO(t, root)
	load := func() *Dataset {
		d, err := Load(Options{Name: "coco", Split: "official", Root: root, MinCount: 1, Tokenize: plainWords})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	before := load()
	file := filepath.Join(root, "annotations", "captions_train2017.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Images      []json.RawMessage `json:"images"`
		Annotations json.RawMessage   `json:"annotations"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(all.Images)
	reversed, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, string(reversed))
	after := load()
	if before.Hash == after.Hash {
		t.Fatal("the file's images kept their order")
	}
	if got := parts(contentOf(t, before), contentOf(t, after)); !slices.Equal(got, []string{"splits"}) {
		t.Errorf("images reversed change %v, want the splits", got)
	}
}

// What is kept of hashes is read again, and never lands in the working directory.
func TestContentKeepsHashesInItsFolder(t *testing.T) {
	root, dir, here := t.TempDir(), filepath.Join(t.TempDir(), "features"), t.TempDir()
	writeFlickr(t, root, 6)
	t.Chdir(here)
	contentOf(t, loadFlickr(t, root))
	if files, _ := filepath.Glob(filepath.Join(here, "*")); len(files) != 0 {
		t.Errorf("without a folder it wrote %v", files)
	}
	d := loadKept(t, root, dir)
	contentOf(t, d)
	if files, _ := filepath.Glob(filepath.Join(dir, "pictures-*")); len(files) != 1 {
		t.Errorf("kept %v", files)
	}
	if err := os.Remove(d.Images[2].Path); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Content(); err == nil || !strings.Contains(err.Error(), "p2.png") {
		t.Errorf("a picture that is gone: %v", err)
	}
}

// Trials are identified by these hashes: they may not change, nor differ
// between machines. Run with GOAMD64=v3 as well, where products are fused.
func TestContentOfShapesIsFixed(t *testing.T) {
	d := smallShapes(t, 100)
	want := Content{Captions: "6711bb976bf6d31f", Splits: "9936aa3ecc6c23cc", Pictures: "d877b0f4a9be7ae5"}
	if got := contentOf(t, d); got != want {
		t.Errorf("content is %+v, was %+v", got, want)
	}
	other, err := Load(Options{Name: "shapes", Split: "official", Images: 100, Seed: 2, MinCount: 1, Tokenize: plainWords})
	if err != nil {
		t.Fatal(err)
	}
	if got := parts(contentOf(t, other), want); !slices.Equal(got, []string{"captions", "pictures"}) {
		t.Errorf("another seed changes %v", got)
	}
	if got := parts(contentOf(t, smallShapes(t, 110)), want); len(got) != 3 {
		t.Errorf("more scenes change %v", got)
	}
}

// Every scene of a large set has pixels of its own at the size that is hashed.
func TestScenesDifferAsHashed(t *testing.T) {
	d := smallShapes(t, 3000)
	hashes, err := d.pictureHashes(paintedSize)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(sortedDistinct(hashes)); n != len(hashes) {
		t.Errorf("%d scenes have %d pictures", len(hashes), n)
	}
}

func TestFeatureHashIsThatOfTheCache(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	writeFlickr(t, root, 6)
	copyFile(t, filepath.Join(root, "Images", "p1.png"), filepath.Join(root, "Images", "p2.png")) // two of one picture
	for _, d := range []*Dataset{smallShapes(t, 10), loadFlickr(t, root)} {
		want := openSmall(t, dir, d).Hash()
		if got, err := FeatureHash(smallSpec, d); err != nil || got != want {
			t.Errorf("%s: %s, %v; the cache has %s", d.Name, got, err, want)
		}
	}
	if _, err := FeatureHash(FeatureSpec{}, smallShapes(t, 10)); err == nil {
		t.Error("a spec of nothing has a hash")
	}
}

func BenchmarkContentOfShapes(b *testing.B) {
	d := smallShapes(b, 3000)
	for b.Loop() {
		if _, err := d.Content(); err != nil {
			b.Fatal(err)
		}
	}
}
