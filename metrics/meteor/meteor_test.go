package meteor

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestNormalize(t *testing.T) {
	prefixes := map[string]prefixKind{"Mr": prefixAlways, "No": prefixBeforeNumber}
	tests := []struct{ text, want string }{
		{"a dog runs", "a dog runs"},
		{"a t-shirt and a-b-c", "a t shirt and a b-c"},
		{"he does n't say 's", "he does n 't say ' s"},
		{"don't 1990's", "don 't 1990 's"},
		{"-lrb- x -rrb- & y", "-lrb- x -rrb- & y"},
		{"1,000 dogs, cats", "1,000 dogs , cats"},
		{"in the U.S. today", "in the us today"},
		{"Mr. Jones. The end.", "mr. jones . the end ."},
		{"No. 5 or No. Five etc. and", "no. 5 or no . five etc. and"},
		{"wait... what.. x", "wait ... what .. x"},
		{"5\u00A01/2 caf\u00E9", "5 1 / 2 caf\u00E9"},
		{"\u2018one\u2019 \u201Ctwo\u201D `x` ''y''", `' one ' " two " ' x ' " y "`},
	}
	for _, tt := range tests {
		if got := strings.Join(normalize(strings.Split(tt.text, " "), prefixes), " "); got != tt.want {
			t.Errorf("normalize(%q)\n got %q\nwant %q", tt.text, got, tt.want)
		}
	}
}

func TestScore(t *testing.T) {
	a := NewAligner(nil)
	tests := []struct {
		candidate, reference string
		want                 Stats
	}{
		// All words match in one piece: nothing is taken off.
		{"dogs run fast", "dogs run fast", Stats{3, 3, 3, 3, 1, 2.25, 2.25, 2.25, 2.25}},
		// A stem counts 0.6; "the" is a function word and weighs 0.25.
		{"the dogs", "the dog", Stats{2, 2, 2, 2, 1, 1, 1, 0.25 + 0.6*0.75, 0.25 + 0.6*0.75}},
		// Two pieces, in the other order.
		{"red boat blue house", "blue house red boat", Stats{4, 4, 4, 4, 2, 3, 3, 3, 3}},
		{"", "a dog", Stats{RefLength: 2, RefWeight: 1}},
		{"a dog", "", Stats{TestLength: 2, TestWeight: 1}},
	}
	for _, tt := range tests {
		got := a.align(a.look(strings.Fields(tt.candidate)), a.look(strings.Fields(tt.reference)))
		if math.Abs(got.TestMatchWeight-tt.want.TestMatchWeight) < 1e-12 {
			got.TestMatchWeight, got.RefMatchWeight = tt.want.TestMatchWeight, tt.want.RefMatchWeight
		}
		if got != tt.want {
			t.Errorf("%q, %q:\n got %+v\nwant %+v", tt.candidate, tt.reference, got, tt.want)
		}
	}
	two := Stats{4, 4, 4, 4, 2, 3, 3, 3, 3}
	if got, want := two.Score(), 1-0.6*math.Pow(2.0/4, 0.2); math.Abs(got-want) > 1e-12 {
		t.Errorf("score %v, want %v", got, want)
	}
}

// copySmall copies the small data set, which the caller then spoils.
func copySmall(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "small"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoadErrors(t *testing.T) {
	gz := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(text))
		z.Close()
		return b.Bytes()
	}
	tests := []struct {
		name, file string
		content    []byte // nil takes the file away
		want       string
	}{
		{"no synsets", synsetsFile, nil, synsetsFile},
		{"no function words", functionWordsFile, nil, functionWordsFile},
		{"no paraphrases", paraphrasesFile, nil, "paraphrase-en.gz: no such file"},
		{"bad synset", synsetsFile, []byte("dog\n1 x\n"), `synonym/english.synsets:2: word "dog": synset "x" is not a number`},
		{"not gzip", paraphrasesFile, []byte("0.5\na phrase\nanother\n"), "data/paraphrase-en.gz: gzip: invalid header"},
		{"cut off", paraphrasesFile, gz(strings.Repeat("0.5\na\nb\n", 100))[:20], "data/paraphrase-en.gz: unexpected EOF"},
		{"incomplete", paraphrasesFile, gz("0.5\na\n"), "ends at line 2, within a paraphrase"},
		{"empty", paraphrasesFile, gz(""), "ends at line 0"},
		{"no words", paraphrasesFile, gz("0.5\na\n \n"), "line 3: the phrase is empty or too long"},
		{"unsorted", paraphrasesFile, gz("1\na\nb\n1\nb\na\n1\na\nc\n"), `the paraphrases of "a" are not adjacent`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := copySmall(t)
			path := filepath.Join(dir, filepath.FromSlash(tt.file))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if tt.content != nil {
				if err := os.WriteFile(path, tt.content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Load(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
			if tt.content == nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v does not wrap fs.ErrNotExist", err)
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such folder: got %v", err)
	}
	if _, err := Load(filepath.Join("testdata", "stems.json")); err == nil || !strings.Contains(err.Error(), "is not METEOR's jar") {
		t.Errorf("not a jar: got %v", err)
	}
}

// The data may be in a jar, named itself or by its folder.
func TestLoadJar(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, jarName))
	if err != nil {
		t.Fatal(err)
	}
	jar := zip.NewWriter(file)
	if err := jar.AddFS(os.DirFS(filepath.Join("testdata", "small"))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(jar.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join("testdata", "small", "data", "paraphrase-en.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, paraphrasesBesideJar), table, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, jarName)} {
		m, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if m.paraphrases.second.len() == 0 || len(m.synonyms.bases) == 0 {
			t.Errorf("%s: not all data are there", path)
		}
	}
}

// Packed data are the same, alone or in a folder; damage is noticed.
func TestPack(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, PackName)
	if err := Pack(filepath.Join("testdata", "small"), file); err != nil {
		t.Fatal(err)
	}
	want, err := Load(filepath.Join("testdata", "small"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, dir} {
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: not what was packed", path)
		}
	}
	if err := Pack(dir, file); err == nil {
		t.Error("packed data were packed again")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files beside the packed one", len(entries)-1)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"cut":     func(b []byte) []byte { return b[:len(b)-3] },
		"short":   func(b []byte) []byte { return b[:len(packMagic)] },
		"changed": func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"lengths": func(b []byte) []byte { b[len(packMagic)+6] = 0xFF; return b },
	} {
		if err := os.WriteFile(file, damage(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); !errors.Is(err, errDamaged) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSynonymBase(t *testing.T) {
	d := &rawData{synsets: make(map[string][]uint32), paraphrases: &paraphraseTable{}}
	for _, w := range []string{"dog", "box", "church", "woman", "city", "bake", "walk", "fine", "glass", "two_words"} {
		if err := d.addSynsets(w, "1 2"); err != nil {
			t.Fatal(err)
		}
	}
	m, err := openPack(d.pack())
	if err != nil {
		t.Fatal(err)
	}
	s := m.synonyms
	tests := map[string]string{
		"dogs": "dog", "boxes": "box", "churches": "church", "women": "woman", "cities": "city", "baked": "bake", "walking": "walk",
		"finest": "fine", "glass": "glass", "as": "as", "xyzs": "", "dog": "",
	}
	for word, want := range tests {
		if got := s.base(word); got != want {
			t.Errorf("base(%q) = %q, want %q", word, got, want)
		}
	}
	if _, ok := s.words.find("two_words"); ok {
		t.Error("an entry of two words was kept")
	}
	if got := s.lookup("dogs"); !reflect.DeepEqual(got, []uint32{1, 2}) {
		t.Errorf("synsets %v", got)
	}
}

// More words than fit one machine word of flags.
func TestLongCaptions(t *testing.T) {
	long := strings.Fields(strings.Repeat("one red dog and a blue cat ", 30))
	a := NewAligner(nil)
	other := append(append([]string{}, long[50:]...), long[:50]...)
	s := a.Best(long, [][]string{other})
	if s.TestMatches != len(long) || s.Score() <= 0 || s.Score() >= 1 {
		t.Errorf("%+v scores %v", s, s.Score())
	}
}
