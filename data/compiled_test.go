package data

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// compiledIn is the compiled data set in a folder.
func compiledIn(t *testing.T, dir string) string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.dataset"))
	if len(files) != 1 {
		t.Fatalf("compiled are %v", files)
	}
	return files[0]
}

// sameData checks that two data sets are the same to whoever uses them.
func sameData(t *testing.T, got, want *Dataset) {
	t.Helper()
	if got.Hash != want.Hash || got.Vocabulary.Hash() != want.Vocabulary.Hash() || !reflect.DeepEqual(got.Splits, want.Splits) ||
		!reflect.DeepEqual(got.Notes, want.Notes) || !reflect.DeepEqual(got.Info(), want.Info()) || len(got.Images) != len(want.Images) {
		t.Fatalf("got %+v, notes %v\nwant %+v, notes %v", got.Info(), got.Notes, want.Info(), want.Notes)
	}
	for i := range got.Images {
		a, b := got.Images[i], want.Images[i]
		if a.ID != b.ID || a.Path != b.Path || !reflect.DeepEqual(a.Captions(), b.Captions()) || !reflect.DeepEqual(a.Tokens(), b.Tokens()) {
			t.Fatalf("image %d is %s %s %q %q, want %s %s %q %q", i, a.ID, a.Path, a.Captions(), a.Tokens(), b.ID, b.Path, b.Captions(), b.Tokens())
		}
	}
	if !reflect.DeepEqual(got.Epoch("train", 2, 3, 4), want.Epoch("train", 2, 3, 4)) {
		t.Error("their epochs differ")
	}
}

// A data set is the same whether it is read, compiled, or found compiled, and however its folder is named.
func TestCompiledIsTheSame(t *testing.T) {
	root := t.TempDir()
	writeFlickr(t, root, 6)
	appendTo(t, filepath.Join(root, "captions.txt"), "p0.png,!!!\nno,picture\nextra.png,In no split.\nextra.png,\nlost.png,Neither\n")
	writePNG(t, filepath.Join(root, "Images", "extra.png"), 9)
	coco := t.TempDir()
	writeCOCO(t, coco)
	karpathy := filepath.Join(t.TempDir(), "below")
	writeKarpathy(t, karpathy)
	if err := os.Rename(filepath.Join(karpathy, "dataset_tiny.json"), filepath.Join(karpathy, "..", "dataset_tiny.json")); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{
		{Name: "flickr8k", Split: "official", Root: root}, {Name: "coco", Split: "official", Root: coco}, {Name: "coco", Split: "karpathy", Root: karpathy},
	} {
		o.MinCount, o.Tokenize = 1, plainWords
		want, err := Load(o)
		if err != nil {
			t.Fatal(err)
		}
		o.Tokenizer, o.Cache.Dir = "plain", t.TempDir()
		for range 3 {
			got, err := Load(o)
			if err != nil {
				t.Fatal(err)
			}
			sameData(t, got, want)
		}
		t.Chdir(o.Root)
		o.Root = "."
		if want, err = Load(Options{Name: o.Name, Split: o.Split, Root: ".", MinCount: 1, Tokenize: plainWords}); err != nil {
			t.Fatal(err)
		}
		got, err := Load(o)
		if err != nil {
			t.Fatal(err)
		}
		sameData(t, got, want)
		compiledIn(t, o.Cache.Dir)
	}
}

// What was compiled counts as long as every file that it was read from is as it was.
func TestCompiledIsReadAnew(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, root string, o *Options){
		"captions of the same length and times": func(t *testing.T, root string, _ *Options) {
			path := filepath.Join(root, "captions.txt")
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, path, strings.Replace(string(text), "dog", "cow", 1))
			if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
		"a split": func(t *testing.T, root string, _ *Options) {
			writeFile(t, filepath.Join(root, "Flickr_8k.trainImages.txt"), "p0.png\np1.png\n")
		},
		"the captions' layout": func(t *testing.T, root string, _ *Options) {
			if err := os.Remove(filepath.Join(root, "captions.txt")); err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for i := range 6 {
				fmt.Fprintf(&text, "p%d.png#0\tA cat .\n", i)
			}
			writeFile(t, filepath.Join(root, "Flickr8k.token.txt"), text.String())
		},
		"the tokenizer": func(_ *testing.T, _ string, o *Options) { o.Tokenizer, o.Tokenize = "fields", strings.Fields },
		"the pictures' folder": func(t *testing.T, root string, _ *Options) {
			if err := os.Rename(filepath.Join(root, "Images"), filepath.Join(root, "images")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			root, dir := t.TempDir(), t.TempDir()
			writeFlickr(t, root, 6)
			before := loadKept(t, root, dir)
			o := keptOptions(root, dir)
			change(t, root, &o)
			uncached := o
			uncached.Cache = Cache{}
			want, err := Load(uncached)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got, err := Load(o)
				if err != nil {
					t.Fatal(err)
				}
				sameData(t, got, want)
			}
			sameData(t, before, before) // what is mapped stays as it was
		})
	}
	// The split karpathy looks for files by a pattern: a second one is as wrong as without a cache.
	root, dir := t.TempDir(), t.TempDir()
	o := Options{Name: "coco", Split: "karpathy", Root: root, MinCount: 1, Tokenize: plainWords, Tokenizer: "plain", Cache: Cache{Dir: dir}}
	writeKarpathy(t, root)
	if _, err := Load(o); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(root, "dataset_y.json"), karpathyFile)
	if _, err := Load(o); err == nil || !strings.Contains(err.Error(), "conflicts with") {
		t.Errorf("a second file: %v", err)
	}
}

// replaceFile puts another file in place of one that may be mapped.
func replaceFile(t *testing.T, path, text string) {
	t.Helper()
	writeFile(t, path+".new", text)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// Whatever byte of a compiled data set is damaged, it is made again, and this is said.
func TestCompiledDamage(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	writeFlickr(t, root, 4)
	want := loadKept(t, root, dir)
	path := compiledIn(t, dir)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string]string{"cut": string(whole[:len(whole)-1]), "empty": "", "more": string(whole) + "x"}
	for at := 0; at < len(whole); at += 7 {
		text := []byte(string(whole))
		text[at] ^= 0x20
		damaged[fmt.Sprint("byte ", at)] = string(text)
	}
	load := func(what string, remarks ...string) {
		t.Helper()
		var got []string
		o := keptOptions(root, dir)
		o.Cache.Remark = func(remark string) { got = append(got, remark) }
		d, err := Load(o)
		if err != nil {
			t.Fatal(err)
		}
		sameData(t, d, want)
		if len(got) != len(remarks) {
			t.Fatalf("%s: remarks %q, want %q", what, got, remarks)
		}
		for i := range got {
			if !strings.HasPrefix(got[i], path+": ") || !strings.Contains(got[i], remarks[i]) {
				t.Errorf("%s: remark %q, want %q", what, got[i], remarks[i])
			}
		}
	}
	for name, text := range damaged {
		replaceFile(t, path, text)
		load(name, "rebuilding it")
		load(name + ", mended")
	}
	replaceFile(t, path, string(summed([]byte("glimpse data set 2\n"))))
	load("another version")
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o755)); err != nil {
		t.Fatal(err)
	}
	load("a folder in its place", "rebuilding it", "cannot store the compiled data set") // and is used all the same
}

// What the readers make of files is kept under the number in compiledMagic: readers that make something else of them need
// another one.
func TestCompiledVersion(t *testing.T) {
	flickr, tokens, coco, karpathy := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	writeFlickr(t, flickr, 6)
	appendTo(t, filepath.Join(flickr, "captions.txt"), "p0.png,\"Quoted, \"\"twice\"\" \"\np0.png,!!!\nno,picture\nextra.png,In no split.\nextra.png,\n")
	writePNG(t, filepath.Join(flickr, "Images", "extra.png"), 9)
	writeFlickr(t, tokens, 3)
	text := "p0.png#0\tA dog .\n\np0.png#0\tA dog .\np1.png#1\t A  cat .\r\np2.png#0\t\np2.png#1\tTwo\tdogs\u2028here\n" + absentPicture + ".1#0\tpeople\n"
	if err := os.Rename(filepath.Join(tokens, "captions.txt"), filepath.Join(tokens, "x.txt")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(tokens, "Flickr8k.token.txt"), text)
	writeCOCO(t, coco)
	writeFile(t, filepath.Join(coco, "annotations", "captions_train2017.json"), strings.Replace(cocoFile(10, 3), "A dog number 11.", `A dog\n \u00e9\t`, 1))
	writeKarpathy(t, karpathy)
	sum := sha256.New()
	for _, o := range []Options{
		{Name: "flickr8k", Split: "official", Root: flickr}, {Name: "flickr8k", Split: "official", Root: tokens}, {Name: "coco", Split: "official", Root: coco}, {Name: "coco", Split: "karpathy", Root: karpathy},
	} {
		o.MinCount, o.Tokenize = 1, plainWords
		d, err := Load(o)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(sum, d.Hash, d.Splits)
		for _, image := range d.Images {
			fmt.Fprintf(sum, "%s %s %q\n", image.ID, d.below(image.Path), image.Captions())
		}
		for _, note := range d.Notes {
			fmt.Fprintln(sum, filepath.Base(note.File), note.Line, note.Reason, note.Count)
		}
	}
	const magic, read = "glimpse data set 4\n", "02fecb259b8f622d"
	if got := fmt.Sprintf("%x", sum.Sum(nil)[:8]); compiledMagic != magic || got != read {
		t.Errorf("%q reads the hash %s, want %q and %s: raise its number if the readers have changed, then mend this test", compiledMagic, got, magic, read)
	}
}

// A folder of others is read, and never written.
func TestCompiledShared(t *testing.T) {
	root, shared, own := t.TempDir(), t.TempDir(), t.TempDir()
	writeFlickr(t, root, 6)
	want := loadKept(t, root, shared)
	o := keptOptions(root, own)
	o.Cache.Shared = shared
	got, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	sameData(t, got, want)
	if files, _ := filepath.Glob(filepath.Join(own, "*.dataset")); len(files) > 0 {
		t.Errorf("compiled again: %v", files)
	}
	before, err := os.ReadFile(compiledIn(t, shared))
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, filepath.Join(root, "captions.txt"), "p0.png,One more\n")
	if got, err = Load(o); err != nil {
		t.Fatal(err)
	}
	if got.Hash == want.Hash {
		t.Error("a caption more is not noticed")
	}
	compiledIn(t, own)
	if after, err := os.ReadFile(compiledIn(t, shared)); err != nil || string(after) != string(before) {
		t.Errorf("the shared folder was written to: %v", err)
	}
}

// compileVariable names root and cache to a process started to load them.
const compileVariable = "GLIMPSE_TEST_COMPILE"

func TestCompilingProcess(t *testing.T) {
	root, dir, ok := strings.Cut(os.Getenv(compileVariable), "\n")
	if !ok {
		t.Skip("runs as a process of other tests")
	}
	for range 20 {
		o := keptOptions(root, dir)
		o.Cache.Remark = func(remark string) { t.Fatal(remark) }
		if d, err := Load(o); err != nil || len(d.Images) != 6 {
			t.Fatalf("%v, %v", d, err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*.dataset"))
		for _, file := range files {
			_ = os.Remove(file) // another may have been faster
		}
	}
}

// Processes that make, use and remove one compiled data set at once all get the whole of it.
func TestCompiledBySeveralProcesses(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	writeFlickr(t, root, 6)
	var running []*exec.Cmd
	for range 3 {
		c := exec.Command(os.Args[0], "-test.run=^TestCompilingProcess$")
		c.Env = append(os.Environ(), compileVariable+"="+root+"\n"+dir)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, c)
	}
	for _, c := range running {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
}
