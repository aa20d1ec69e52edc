package meteor

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
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

// FuzzFiles reads METEOR's own files with any content. What is accepted
// packs, opens again, and scores.
func FuzzFiles(f *testing.F) {
	f.Add([]byte("the\na\n"), []byte("Dr\nNo #NUMERIC_ONLY#\n"), []byte("dog\n1 2\ncat\n3\n"), []byte("go\nwent gone\n"), []byte("0.5\na dog\nthe hound\n0.1\na dog\nit\n"))
	f.Add([]byte("\n"), []byte("\x00 \xff\n"), []byte("\n\n\n1"), []byte("\nwent\n"), []byte("x\na\na\n"))
	words := strings.Fields("the dog went to a dog")
	f.Fuzz(func(t *testing.T, function, prefixes, synsets, exceptions, table []byte) {
		paraphrases, err := readParaphrases(bytes.NewReader(gzipped(table)))
		if err != nil {
			return
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, paraphrasesBesideJar), gzipped(table), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := readFiles(fstest.MapFS{
			functionWordsFile: {Data: function}, prefixesFile: {Data: prefixes},
			synsetsFile: {Data: synsets}, exceptionsFile: {Data: exceptions},
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
		s := NewAligner(m).Best(words, [][]string{strings.Fields("a hound goes"), words})
		if s.TestMatches != len(words) {
			t.Errorf("a caption matches itself in %d of %d words", s.TestMatches, len(words))
		}
	})
}

// smallPack is packed data with something in each section.
func smallPack(t testing.TB) []byte {
	t.Helper()
	table, err := readParaphrases(bytes.NewReader(gzipped([]byte(
		"0.5\na\nthe\n0.5\na dog\nthe hound\n0.1\na dog barks\nit\n0.1\na dog barks loudly\nit is loud\n0.1\na cat\nit\n"))))
	if err != nil {
		t.Fatal(err)
	}
	d := &rawData{
		functionWords: []string{"a", "the"}, prefixes: map[string]prefixKind{"mr": prefixAlways},
		synsets: map[string][]uint32{"dog": {1, 2}, "hound": {2}}, bases: map[string][]string{"went": {"go"}}, paraphrases: table,
	}
	return d.pack()
}

// alignAll looks up whatever the small pack holds.
func alignAll(m *Data) {
	test := strings.Fields("mr. a dog barks loudly went the hound it is loud a cat")
	NewAligner(m).Best(test, [][]string{test, strings.Fields("the hound a dog it barks"), nil})
}

// TestHostilePack changes each byte of packed data, with a checksum that is
// right: what is opened can be used.
func TestHostilePack(t *testing.T) {
	good := smallPack(t)
	opened, refused := 0, 0
	for at := len(packMagic) + 4; at < len(good); at++ {
		for _, b := range []byte{0, 1, 2, 3, 0x7f, 0xff, '\n', ' ', good[at] + 1, good[at] - 1} {
			bad := bytes.Clone(good)
			bad[at] = b
			binary.LittleEndian.PutUint32(bad[len(packMagic):], packSum(bad))
			m, err := openPack(bad)
			if err != nil {
				refused++
				continue
			}
			opened++
			func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("byte %d as %#x: %v", at, b, p)
					}
				}()
				alignAll(m)
			}()
		}
	}
	if opened == 0 || refused == 0 {
		t.Errorf("%d packs were opened, %d refused", opened, refused)
	}
}

// FuzzPack opens packed data with any content and a checksum that is
// right: what is opened can be used.
func FuzzPack(f *testing.F) {
	good := smallPack(f)
	f.Add(good[len(packMagic)+4:])
	f.Add(good[len(packMagic)+4 : len(good)-1])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		data := append([]byte(packMagic+"sum:"), content...)
		binary.LittleEndian.PutUint32(data[len(packMagic):], packSum(data))
		if m, err := openPack(data); err == nil {
			alignAll(m)
		}
	})
}
