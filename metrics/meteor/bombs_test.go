package meteor

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestBombs unpacks small files to much: METEOR's own jar and table are refused at a stated size, whatever they claim.
func TestBombs(t *testing.T) {
	small := map[string]string{
		functionWordsFile: "the\na\n", prefixesFile: "Dr\n", synsetsFile: "dog\n1 2\n", exceptionsFile: "go\nwent\n",
	}
	const table = "0.5\na dog\nthe hound\n"
	for name, c := range map[string]struct {
		file, begin, again string // what is written again and again
		times              int
		want               string
	}{
		"function words":   {functionWordsFile, "", "ab\n", 1 << 20, functionWordsFile + ": more than 16 KB"},
		"prefixes":         {prefixesFile, "", "ab\n", 1 << 20, prefixesFile + ": more than 16 KB"},
		"exceptions":       {exceptionsFile, "", "go\nwent\n", 1 << 18, exceptionsFile + ": more than 1024 KB"},
		"a line":           {synsetsFile, "dog\n", "1 ", 1 << 20, synsetsFile + ":2: "},
		"a line of table":  {paraphrasesBesideJar, "0.5\n", "a ", 1 << 22, paraphrasesBesideJar + ": line 2: longer than 1024 bytes"},
		"a word of table":  {paraphrasesBesideJar, "0.5\n", "a", 1 << 22, paraphrasesBesideJar + ": line 2: longer than 1024 bytes"},
		"nothing too much": {functionWordsFile, "", "ab\n", 100, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var jar bytes.Buffer
			archive := zip.NewWriter(&jar)
			for file, content := range small {
				w, err := archive.Create(file)
				if err != nil {
					t.Fatal(err)
				}
				if file == c.file {
					content = c.begin + strings.Repeat(c.again, c.times)
				}
				if _, err := w.Write([]byte(content)); err != nil {
					t.Fatal(err)
				}
			}
			if err := archive.Close(); err != nil {
				t.Fatal(err)
			}
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			content := table
			if c.file == paraphrasesBesideJar {
				content = c.begin + strings.Repeat(c.again, c.times)
			}
			if _, err := z.Write([]byte(content)); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string][]byte{jarName: jar.Bytes(), paraphrasesBesideJar: packed.Bytes()} {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Load(dir)
			runtime.ReadMemStats(&after)
			if taken := after.TotalAlloc - before.TotalAlloc; taken > 64<<20 {
				t.Errorf("it takes %d MB", taken>>20)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A table may have so many phrases and words, however they are packed.
func TestTableLimits(t *testing.T) {
	full := &paraphraseReader{table: &paraphraseTable{
		words: map[string]uint16{"a": 0}, phrases: make([]paraphrased, mostPhrases), entries: make([]uint16, mostEntries),
	}, lines: 1}
	if err := full.line([]byte("a")); err == nil || !strings.Contains(err.Error(), "line 2: more than 2097152 phrases") {
		t.Errorf("phrases: %v", err)
	}
	if err := full.line([]byte("a")); err == nil || !strings.Contains(err.Error(), "line 3: more than 67108864 words of paraphrases") {
		t.Errorf("words: %v", err)
	}
}

// TestRepeatedWords aligns captions that say the same word again and again: each pair is a link, and each link forty paths.
func TestRepeatedWords(t *testing.T) {
	a := NewAligner(nil)
	words := strings.Fields(strings.Repeat("a ", 2000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := a.Best(words[:1000], [][]string{words})
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 256<<20 {
		t.Errorf("it takes %d MB", taken>>20)
	}
	if s.TestLength != 1000 || s.RefLength != 2000 || s.TestMatches < 100 {
		t.Errorf("statistics %+v", s)
	}
}

// TestForgottenChoices: what paths that were given up had chosen is never looked at again.
func TestForgottenChoices(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	caption := func() []string {
		words := make([]string, 5+random.IntN(25))
		for i := range words {
			words[i] = []string{"a", "the", "dog", "dogs", "runs"}[random.IntN(5)]
		}
		return words
	}
	usual := mostTaken
	t.Cleanup(func() { mostTaken = usual })
	keeps, forgets := NewAligner(nil), NewAligner(nil)
	for range 200 {
		test, ref := caption(), [][]string{caption()}
		mostTaken = usual
		want := keeps.Best(test, ref)
		mostTaken = 10
		if got := forgets.Best(test, ref); got != want {
			t.Fatalf("%v against %v: %+v, want %+v", test, ref, got, want)
		}
	}
}
