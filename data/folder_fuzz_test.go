package data

import (
	"os"
	"path/filepath"
	"testing"
)

// fuzzOwn gives what reads a folder of a few pictures, for each text anew.
func fuzzOwn(f *testing.F) func(o Options) *own {
	root := writeOwn(f, map[string]string{"a.png": "", "b.png": "", "p/c.png": "", "p/a.png": ""})
	tree, err := readTree(root)
	if err != nil {
		f.Fatal(err)
	}
	return func(o Options) *own {
		own := newOwn(o)
		own.o.Root, own.file, own.folder, own.tree = root, "f", "p", tree
		return own
	}
}

// checkOwn says what no reader of a folder may let through.
func checkOwn(t *testing.T, f *own, err error) {
	t.Helper()
	if err != nil {
		f.faults.add(err)
	}
	for _, fault := range f.faults.first {
		checkCorpus(t, f.corpus, fault)
	}
	checkCorpus(t, f.corpus, nil)
	for _, e := range f.images {
		if info, err := os.Stat(filepath.Join(f.tree.root, e.name)); err != nil || !info.Mode().IsRegular() {
			t.Errorf("image %q is at %q: %v", e.id, e.name, err)
		}
	}
}

// Whatever a file of captions holds, it is refused or its images are pictures of the folder.
func FuzzFolder(f *testing.F) {
	own := fuzzOwn(f)
	for _, text := range []string{
		ownCSV, "file\tcaption\na.png\t\"A \"\"dog\"\"\"\n", "File;Text;Part\na.png;x;dev\n", "image,caption\nc,x\n../a.png,y\n",
		`{"image": "a", "caption": ["x", "y"], "split": "dev"}` + "\n" + `{"image": 7, "caption": "z"}`, `[{"path": "p\\c.png", "text": "x"}]`,
		karpathyFile, cocoFile(1, 2), `{"images":[{"id":1,"file_name":"a.png"}],"annotations":[{"image_id":1,"caption":"x"}]}`,
		`{"images": [{"filename": "a.png", "split": "val", "sentences": [{"raw": "x\ny"}]}]}`, "[[[[", "{",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := cleanText("f", []byte(s))
		if err != nil {
			return
		}
		for _, o := range []Options{{Split: "column"}, {Split: "drawn"}, {Split: "column", Captions: Captions{Image: "a", Caption: "b", Split: "c"}}} {
			f := own(o)
			err := f.parse(text)
			f.dropRepeats()
			f.noteUnused()
			checkOwn(t, f, err)
		}
	})
}

// Whatever a list holds, it is refused or names pictures of the folder.
func FuzzList(f *testing.F) {
	own := fuzzOwn(f)
	list := filepath.Join(own(Options{}).o.Root, "list")
	f.Add("b.png\nc\n")
	f.Add("./b.png\r\n\r\np\\c.png\n../a.png\n")
	f.Fuzz(func(t *testing.T, s string) {
		if err := os.WriteFile(list, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		f := own(Options{Split: "lists", Partition: Partition{Train: "list", Test: "list"}})
		if err := f.parse([]byte("image,caption\nb,x\nc,y\na.png,z\n")); err != nil {
			t.Fatal(err)
		}
		f.splitByLists()
		checkOwn(t, f, nil)
	})
}

// Whatever a name is, it means a file of the folder or nothing.
func FuzzName(f *testing.F) {
	own := fuzzOwn(f)
	for _, name := range []string{"a.png", "c", "p/a", `p\a.png`, "../x", "/a.png", "./p//c.png", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tree := own(Options{}).tree
		name, err := cleanName(s)
		if err != nil {
			return
		}
		file, err := tree.find("p", name)
		if err != nil {
			return
		}
		if real := tree.real[file]; !filepath.IsLocal(file) || !filepath.IsLocal(real) {
			t.Errorf("%q means %q, which is %q", s, file, real)
		}
	})
}

// Whatever a share is, it takes no more than there is, or is refused when drawn.
func FuzzDrawn(f *testing.F) {
	for _, text := range []string{"10%", "7", "0.5%", "-1", "1e9", "NaN%", "0x10", "99.999%"} {
		f.Add(text, 60)
	}
	f.Fuzz(func(t *testing.T, text string, n int) {
		n = max(0, min(n, 1<<31))
		got, err := drawn(text, n)
		if err == nil && (got < 0 || got > max(n, 1) && text[len(text)-1] == '%') {
			t.Errorf("%q of %d is %d", text, n, got)
		}
	})
}
