package data

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Ids of the special words, the first four of every vocabulary.
const (
	PadID     = 0 // <pad>: fills a row of a batch after its caption
	StartID   = 1 // <s>: starts a caption
	EndID     = 2 // </s>: ends a caption
	UnknownID = 3 // <unk>: a word outside the vocabulary; never emitted
)

var specialWords = []string{"<pad>", "<s>", "</s>", "<unk>"}

// Vocabulary maps words to ids and back. NewVocabulary makes one; it is immutable.
type Vocabulary struct {
	Words []string // id to word; the first four are special

	index map[string]int64 // ordinary words only
	hash  string
}

// NewVocabulary returns a vocabulary of the four special words followed by words in the given
// order. An empty, repeated or special word is an error.
func NewVocabulary(words []string) (*Vocabulary, error) {
	v := &Vocabulary{Words: slices.Concat(specialWords, words), index: make(map[string]int64, len(words))}
	sum := sha256.New()
	for id, w := range v.Words {
		if id >= len(specialWords) {
			if _, twice := v.index[w]; twice || w == "" || slices.Contains(specialWords, w) {
				return nil, fmt.Errorf("vocabulary: word %d %q is empty, special or repeated", id, w)
			}
			v.index[w] = int64(id)
		}
		fmt.Fprintf(sum, "%d:", len(w))
		io.WriteString(sum, w)
	}
	v.hash = hex.EncodeToString(sum.Sum(nil))
	return v, nil
}

// countVocabulary returns the vocabulary of the words that occur at least minCount times in the
// captions of the given images: most frequent first, ties in byte order, so that it does not
// depend on the order of files.
func countVocabulary(images []Image, indices []int, minCount int) (*Vocabulary, error) {
	counts := make(map[*compiled][]int) // by the indices of words; the images of a corpus share one text
	for _, i := range indices {
		text := images[i].text
		if text != nil && counts[text] == nil {
			counts[text] = make([]int, len(text.words))
		}
		for c := range images[i].captions() {
			for w := range text.wordsOf(c) {
				counts[text][w]++
			}
		}
	}
	count := make(map[string]int)
	for text, of := range counts {
		for w, n := range of {
			count[text.words[w]] += n
		}
	}
	words := make([]string, 0, len(count))
	for w, n := range count {
		if n >= minCount && w != "" && !slices.Contains(specialWords, w) {
			words = append(words, w)
		}
	}
	slices.SortFunc(words, func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	return NewVocabulary(words)
}

// Len returns the number of words, including special ones.
func (v *Vocabulary) Len() int { return len(v.Words) }

// ID returns the id of a word; UnknownID if the vocabulary lacks it. In a caption, the spelling
// of a special word is an unknown word, not a special one.
func (v *Vocabulary) ID(word string) int64 {
	if id, ok := v.index[word]; ok {
		return id
	}
	return UnknownID
}

// Encode returns <s>, the ids of the first maxWords tokens (all of them if maxWords is 0 or
// less), and </s>.
func (v *Vocabulary) Encode(tokens []string, maxWords int) []int64 {
	ids := make([]int64, 0, encodedLength(len(tokens), maxWords))
	ids = append(ids, StartID)
	for _, w := range tokens[:cap(ids)-2] {
		ids = append(ids, v.ID(w))
	}
	return append(ids, EndID)
}

// encodedLength returns how many ids Encode returns for this many tokens.
func encodedLength(tokens, maxWords int) int {
	if maxWords > 0 {
		tokens = min(tokens, maxWords)
	}
	return tokens + 2
}

// Text returns the words of ids joined by spaces. It drops special words and ids outside the
// vocabulary.
func (v *Vocabulary) Text(ids []int64) string {
	words := make([]string, 0, len(ids))
	for _, id := range ids {
		if id >= int64(len(specialWords)) && id < int64(len(v.Words)) {
			words = append(words, v.Words[id])
		}
	}
	return strings.Join(words, " ")
}

// Hash returns the SHA-256, in hex, of the words in order: vocabularies with the same hash have
// the same ids for all words.
func (v *Vocabulary) Hash() string { return v.hash }
