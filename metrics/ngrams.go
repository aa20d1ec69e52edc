package metrics

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// gram is an n-gram of one caption: its number in the corpus and how often
// the caption has it.
type gram struct {
	id    uint32
	count int32
}

// caption is one caption in the numbers of a corpus.
type caption struct {
	// words are what BLEU and CIDEr count: coco-caption splits tokens again at
	// any white space there, so that a token with a no-break space is two.
	words []uint32
	// tokens are what ROUGE-L compares: coco-caption splits at spaces alone,
	// which makes one empty token of an empty caption.
	tokens []uint32
	// grams are the different n-grams of each order, by number.
	grams [MaxOrder][]gram
}

// entry is one image in the numbers of a corpus.
type entry struct {
	candidate  caption
	references []caption
}

// corpus holds the captions of the images that are scored together, with
// words and n-grams as numbers.
type corpus struct {
	entries []entry
	words   map[string]uint32
	// idf is log(images) - log(images whose references have the n-gram), by
	// order and number; an n-gram of candidates alone counts as if one had it.
	idf [MaxOrder][]float64
}

// newCorpus numbers all words and n-grams of the items and counts in how many
// images' references each n-gram is.
func newCorpus(items []Item) *corpus {
	c := &corpus{entries: make([]entry, len(items)), words: make(map[string]uint32)}
	var all []*caption
	for i, item := range items {
		e := &c.entries[i]
		e.candidate = c.number(item.Candidate)
		e.references = make([]caption, len(item.References))
		for k, r := range item.References {
			e.references[k] = c.number(r)
			all = append(all, &e.references[k])
		}
		all = append(all, &e.candidate)
	}
	sizes := numberGrams(all, len(c.words))
	c.weigh(sizes)
	return c
}

// number gives each token and word of a caption its number.
func (c *corpus) number(tokens []string) caption {
	if len(tokens) == 0 {
		return caption{tokens: []uint32{c.id("")}}
	}
	ids := make([]uint32, len(tokens))
	plain := true
	for i, t := range tokens {
		ids[i] = c.id(t)
		plain = plain && t != "" && strings.IndexFunc(t, unicode.IsSpace) < 0
	}
	if plain {
		return caption{words: ids, tokens: ids}
	}
	words := make([]uint32, 0, len(tokens))
	for _, w := range strings.Fields(strings.Join(tokens, " ")) {
		words = append(words, c.id(w))
	}
	return caption{words: words, tokens: ids}
}

func (c *corpus) id(word string) uint32 {
	id, ok := c.words[word]
	if !ok {
		id = uint32(len(c.words))
		c.words[word] = id
	}
	return id
}

// numberGrams fills in the n-grams of all captions and returns how many
// different ones of each order there are. A bigram is a pair of words, a
// trigram a bigram and a word, a 4-gram two bigrams, so that once bigrams have
// their numbers the other orders can be numbered side by side.
func numberGrams(all []*caption, words int) [MaxOrder]int {
	sizes := [MaxOrder]int{words}
	bigrams := make([][]uint32, len(all))
	pairs := make(map[uint64]uint32)
	for i, c := range all {
		bigrams[i] = make([]uint32, max(0, len(c.words)-1))
		for k := range bigrams[i] {
			bigrams[i][k] = pairID(pairs, c.words[k], c.words[k+1])
		}
	}
	sizes[1] = len(pairs)

	var wg sync.WaitGroup
	wg.Go(func() {
		var scratch []uint32
		for i, c := range all {
			scratch = append(scratch[:0], c.words...)
			c.grams[0] = countGrams(scratch)
			scratch = append(scratch[:0], bigrams[i]...)
			c.grams[1] = countGrams(scratch)
		}
	})
	for n, build := range map[int]func(ids map[uint64]uint32, c *caption, bigrams, out []uint32) []uint32{
		2: func(ids map[uint64]uint32, c *caption, bigrams, out []uint32) []uint32 {
			for k := 0; k+1 < len(bigrams); k++ {
				out = append(out, pairID(ids, bigrams[k], c.words[k+2]))
			}
			return out
		},
		3: func(ids map[uint64]uint32, c *caption, bigrams, out []uint32) []uint32 {
			for k := 0; k+2 < len(bigrams); k++ {
				out = append(out, pairID(ids, bigrams[k], bigrams[k+2]))
			}
			return out
		},
	} {
		wg.Go(func() {
			ids := make(map[uint64]uint32)
			var scratch []uint32
			for i, c := range all {
				scratch = build(ids, c, bigrams[i], scratch[:0])
				c.grams[n] = countGrams(scratch)
			}
			sizes[n] = len(ids)
		})
	}
	wg.Wait()
	return sizes
}

func pairID(ids map[uint64]uint32, a, b uint32) uint32 {
	key := uint64(a)<<32 | uint64(b)
	id, ok := ids[key]
	if !ok {
		id = uint32(len(ids))
		ids[key] = id
	}
	return id
}

// countGrams sorts numbers in place and counts equal ones.
func countGrams(ids []uint32) []gram {
	slices.Sort(ids)
	out := make([]gram, 0, len(ids))
	for _, id := range ids {
		if n := len(out); n > 0 && out[n-1].id == id {
			out[n-1].count++
		} else {
			out = append(out, gram{id, 1})
		}
	}
	return out
}

// overlap calls f with the counts of each n-gram that both lists have.
func overlap(a, b []gram, f func(id uint32, inA, inB int32)) {
	for len(a) > 0 && len(b) > 0 {
		switch cmp.Compare(a[0].id, b[0].id) {
		case -1:
			a = a[1:]
		case 1:
			b = b[1:]
		default:
			f(a[0].id, a[0].count, b[0].count)
			a, b = a[1:], b[1:]
		}
	}
}
