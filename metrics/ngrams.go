package metrics

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"glimpse/internal/crash"
)

// gram is an n-gram of one caption: its number in the corpus, and its count in the
// caption.
type gram struct {
	id    uint32
	count int32
}

// caption is one caption, with words and n-grams as their numbers in a corpus.
type caption struct {
	// words are what BLEU and CIDEr count. For them, coco-caption splits tokens
	// again at any white space, so a token with a no-break space is two words.
	words []uint32
	// tokens are what ROUGE-L compares. For it, coco-caption splits at spaces only,
	// so an empty caption has one empty token.
	tokens []uint32
	// grams are the different n-grams of each order, sorted by number.
	grams [MaxOrder][]gram
}

// entry is one image: its candidate and its references.
type entry struct {
	candidate  caption
	references []caption
}

// corpus holds the captions of the images that are scored together, with words and
// n-grams as numbers.
type corpus struct {
	entries []entry
	words   map[string]uint32
	tables  gramTables
	// idf is log(images) - log(images whose references have the n-gram), by order
	// and number. An n-gram that only candidates have counts as if it were in the
	// references of one image.
	idf [MaxOrder][]float64
}

// newCorpus numbers all words and n-grams of the items, and computes the inverse
// document frequencies.
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
	c.tables = numberGrams(all)
	c.weigh([MaxOrder]int{len(c.words), c.tables[0].count, c.tables[1].count, c.tables[2].count})
	return c
}

// number returns a caption with its tokens and words as numbers, without n-grams.
func (c *corpus) number(tokens []string) caption { return number(tokens, c.id) }

// number is corpus.number with a given function for numbering words.
func number(tokens []string, id func(word string) uint32) caption {
	if len(tokens) == 0 {
		return caption{tokens: []uint32{id("")}}
	}
	ids := make([]uint32, len(tokens))
	plain := true
	for i, t := range tokens {
		ids[i] = id(t)
		plain = plain && t != "" && strings.IndexFunc(t, unicode.IsSpace) < 0
	}
	if plain {
		return caption{words: ids, tokens: ids}
	}
	words := make([]uint32, 0, len(tokens))
	for _, w := range strings.Fields(strings.Join(tokens, " ")) {
		words = append(words, id(w))
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

// gramTables number bigrams, trigrams and 4-grams as pairs: of two words, of a
// bigram and a word, and of two bigrams.
type gramTables [MaxOrder - 1]*pairTable

// numberGrams fills in the n-grams of all captions. Once bigrams are numbered, the
// other orders are numbered in parallel.
func numberGrams(all []*caption) gramTables {
	tables := gramTables{newPairTable(), newPairTable(), newPairTable()}
	pairs, trigrams, fourgrams := tables[0], tables[1], tables[2]
	bigrams := make([][]uint32, len(all))
	for i, c := range all {
		bigrams[i] = make([]uint32, max(0, len(c.words)-1))
		for k := range bigrams[i] {
			bigrams[i][k] = pairs.id(c.words[k], c.words[k+1])
		}
	}

	var wg crash.Workers
	wg.Go(func() {
		var scratch []uint32
		for i, c := range all {
			scratch = append(scratch[:0], c.words...)
			c.grams[0] = countGrams(scratch)
			scratch = append(scratch[:0], bigrams[i]...)
			c.grams[1] = countGrams(scratch)
		}
	})
	wg.Go(func() {
		var scratch []uint32
		for i, c := range all {
			scratch = scratch[:0]
			for k := 0; k+1 < len(bigrams[i]); k++ {
				scratch = append(scratch, trigrams.id(bigrams[i][k], c.words[k+2]))
			}
			c.grams[2] = countGrams(scratch)
		}
	})
	wg.Go(func() {
		var scratch []uint32
		for i, c := range all {
			scratch = scratch[:0]
			for k := 0; k+2 < len(bigrams[i]); k++ {
				scratch = append(scratch, fourgrams.id(bigrams[i][k], bigrams[i][k+2]))
			}
			c.grams[3] = countGrams(scratch)
		}
	})
	wg.Wait()
	return tables
}

// pairTable numbers pairs of numbers in order of appearance. It is a hash table
// with linear probing, because a Go map takes twice as long here.
type pairTable struct {
	slots []pairSlot // a power of 2 of them
	count int
}

type pairSlot struct {
	key uint64
	id  uint32 // 1 + the pair's number; 0 if the slot is free
}

func newPairTable() *pairTable { return &pairTable{slots: make([]pairSlot, 1<<10)} }

func (t *pairTable) id(a, b uint32) uint32 {
	key := pairKey(a, b)
	slot := t.find(key)
	if slot.id == 0 {
		if 2*t.count >= len(t.slots) {
			t.grow()
			slot = t.find(key)
		}
		t.count++
		*slot = pairSlot{key, uint32(t.count)}
	}
	return slot.id - 1
}

func pairKey(a, b uint32) uint64 { return uint64(a)<<32 | uint64(b) }

// find returns the slot of a key, or the free slot for it if there is none.
func (t *pairTable) find(key uint64) *pairSlot {
	mask := uint64(len(t.slots) - 1)
	hash := key * 0x9E3779B97F4A7C15 // 2⁶⁴ over the golden ratio (Knuth 6.4)
	for i := (hash ^ hash>>32) & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.id == 0 || s.key == key {
			return s
		}
	}
}

func (t *pairTable) grow() {
	old := t.slots
	t.slots = make([]pairSlot, 2*len(old))
	for _, s := range old {
		if s.id != 0 {
			*t.find(s.key) = s
		}
	}
}

// countGrams counts equal numbers. It sorts ids in place.
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
