package data

import (
	"slices"
	"strings"
	"testing"
)

func TestCountVocabulary(t *testing.T) {
	images := []Image{
		NewImage("", "", [][]string{strings.Fields("b a c a"), strings.Fields("c b z <unk> </s>")}),
		NewImage("", "", [][]string{strings.Fields("d d d d <unk>")}),
		NewImage("", "", [][]string{strings.Fields("a e")}),
	}
	for _, c := range []struct {
		indices []int
		min     int
		want    string
	}{
		{[]int{0, 2}, 2, "a b c"}, // equal counts in byte order
		{[]int{0, 1, 2}, 2, "d a b c"},
		{[]int{0}, 1, "a b c z"}, // special words never enter
		{[]int{0}, 9, ""},
		{nil, 1, ""},
	} {
		v, err := countVocabulary(images, c.indices, c.min)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(v.Words[4:], " "); got != c.want || !slices.Equal(v.Words[:4], specialWords) {
			t.Errorf("%v from %d on: %q, want %q", c.indices, c.min, got, c.want)
		}
	}
}

func TestVocabulary(t *testing.T) {
	v, err := NewVocabulary([]string{"dog", "runs"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := v.Encode(strings.Fields("dog <s> runs cat"), 0), []int64{StartID, 4, UnknownID, 5, UnknownID, EndID}; !slices.Equal(got, want) {
		t.Errorf("encoded %v, want %v", got, want)
	}
	if got, want := v.Encode(strings.Fields("dog dog runs"), 2), []int64{StartID, 4, 4, EndID}; !slices.Equal(got, want) {
		t.Errorf("cut to two words: %v, want %v", got, want)
	}
	if got := v.Text([]int64{1, 4, 3, 5, 2, 0, 0, 99, -1}); got != "dog runs" {
		t.Errorf("text %q", got)
	}
	if v.Len() != 6 || v.ID("runs") != 5 || v.ID("</s>") != UnknownID {
		t.Errorf("%d words, runs is %d", v.Len(), v.ID("runs"))
	}
	for _, words := range [][]string{{"a", "a"}, {""}, {"<unk>"}} {
		if _, err := NewVocabulary(words); err == nil {
			t.Errorf("%q is accepted", words)
		}
	}
	hashes := map[string]bool{v.Hash(): true}
	for _, words := range [][]string{{"runs", "dog"}, {"dogruns"}, {"dogr", "uns"}, {"dog", "runs", "x"}, {}} {
		w, err := NewVocabulary(words)
		if err != nil || hashes[w.Hash()] {
			t.Errorf("%q shares its hash: %v", words, err)
		}
		hashes[w.Hash()] = true
	}
}

// The vocabulary sees the training captions alone, unless it is asked for all.
func TestVocabularyOption(t *testing.T) {
	root := t.TempDir()
	writeFlickr(t, root, 6)
	appendTo(t, root+"/captions.txt", "p5.png,A zebra.\n")
	for vocabulary, want := range map[string]bool{"train": false, "corpus": true} {
		d, err := Load(Options{Name: "flickr8k", Split: "official", Root: root, MinCount: 1, Vocabulary: vocabulary, Tokenize: plainWords})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Vocabulary.ID("zebra"); (got != UnknownID) != want {
			t.Errorf("%s: zebra is %d", vocabulary, got)
		}
	}
}
