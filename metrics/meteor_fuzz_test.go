package metrics

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// gzipped compresses text.
func gzipped(text []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(text)
	_ = w.Close()
	return out.Bytes()
}

// FuzzMeteorFiles reads METEOR's own files with any content. What is accepted
// packs, opens again, and scores.
func FuzzMeteorFiles(f *testing.F) {
	f.Add([]byte("the\na\n"), []byte("Dr\nNo #NUMERIC_ONLY#\n"), []byte("dog\n1 2\ncat\n3\n"), []byte("go\nwent gone\n"), []byte("0.5\na dog\nthe hound\n0.1\na dog\nit\n"))
	f.Add([]byte("\n"), []byte("\x00 \xff\n"), []byte("\n\n\n1"), []byte("\nwent\n"), []byte("x\na\na\n"))
	words := strings.Fields("the dog went to a dog")
	f.Fuzz(func(t *testing.T, function, prefixes, synsets, exceptions, table []byte) {
		paraphrases, err := readParaphrases(bytes.NewReader(gzipped(table)))
		if err != nil {
			return
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, meteorParaphrasesFlat), gzipped(table), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := readMeteorFiles(fstest.MapFS{
			meteorFunctionWords: {Data: function}, meteorPrefixes: {Data: prefixes},
			meteorSynsets: {Data: synsets}, meteorExceptions: {Data: exceptions},
		}, dir)
		if err != nil {
			return
		}
		if len(d.paraphrases.phrases) != len(paraphrases.phrases) {
			t.Fatalf("%d phrases, then %d", len(paraphrases.phrases), len(d.paraphrases.phrases))
		}
		m, err := openPack(d.pack())
		if err != nil {
			t.Fatal(err)
		}
		s := m.newAligner().best(words, [][]string{strings.Fields("a hound goes"), words})
		if s.TestMatches != len(words) {
			t.Errorf("a caption matches itself in %d of %d words", s.TestMatches, len(words))
		}
	})
}

// FuzzMeteorPack opens packed data with any content: damage shows.
func FuzzMeteorPack(f *testing.F) {
	d := &meteorData{synsets: map[string][]uint32{"dog": {1}}, paraphrases: &paraphraseTable{}}
	good := d.pack()
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte(packMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := openPack(data); err == nil && !bytes.Equal(data[len(packMagic):], good[len(packMagic):]) {
			t.Error("damage was not seen")
		}
	})
}
