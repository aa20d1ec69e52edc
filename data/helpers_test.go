package data

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// plainWords stands for the real tokenizer, which lives in another package.
func plainWords(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r == '<' || r == '>' || r == '/') })
}

// writeFile makes a file and its folders.
func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(b))
}

// writePNG makes a picture of 8×8 in one colour.
func writePNG(t testing.TB, path string, shade uint8) {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range img.Pix {
		img.Pix[i] = shade
	}
	img.SetGray(1, 2, color.Gray{255 - shade})
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// writeFlickr makes a data set of n pictures, p0.png …, five captions each, in
// the Kaggle layout, with the lists of the official split: the last tests, the
// one before validates, the rest train.
func writeFlickr(t testing.TB, root string, n int) {
	t.Helper()
	captions := "image,caption\n"
	lists := map[string]string{}
	for i := range n {
		name := fmt.Sprintf("p%d.png", i)
		writePNG(t, filepath.Join(root, "Images", name), uint8(i))
		for k := range 5 {
			captions += fmt.Sprintf("%s,\"A dog, number %d of %s .\"\n", name, k, strings.Repeat("very ", k)+"many")
		}
		list := "Flickr_8k.trainImages.txt"
		switch i {
		case n - 1:
			list = "Flickr_8k.testImages.txt"
		case n - 2:
			list = "Flickr_8k.devImages.txt"
		}
		lists[list] += name + "\n"
	}
	writeFile(t, filepath.Join(root, "captions.txt"), captions)
	for list, names := range lists {
		writeFile(t, filepath.Join(root, list), names)
	}
}

// loadFlickr loads the official split with every word in the vocabulary.
func loadFlickr(t testing.TB, root string) *Dataset {
	t.Helper()
	return loadKept(t, root, "")
}

// loadKept does so with a folder to keep it in.
func loadKept(t testing.TB, root, dir string) *Dataset {
	t.Helper()
	d, err := Load(keptOptions(root, dir))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func keptOptions(root, dir string) Options {
	return Options{Name: "flickr8k", Split: "official", Root: root, MinCount: 1, Tokenize: plainWords, Tokenizer: "plain", Cache: Cache{Dir: dir}}
}
