package meteor

import (
	"slices"
	"sort"
	"strings"
)

// synonyms knows the sets of synonyms (WordNet 3 synsets) of each word.
type synonyms struct {
	words stringTable
	from  u32s // by word: where its synsets begin in sets
	sets  u32s
	bases map[string][]string // irregular form → base forms
}

// lookup returns the synsets of a word and of its base form, in order.
func (s *synonyms) lookup(word string) []uint32 {
	out := s.appendSets(nil, word)
	if bases, ok := s.bases[word]; ok {
		for _, base := range bases {
			out = s.appendSets(out, base)
		}
	} else {
		out = s.appendSets(out, s.base(word))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *synonyms) appendSets(sets []uint32, word string) []uint32 {
	if id, ok := s.words.find(word); ok {
		for k := s.from.at(id); k < s.from.at(id+1); k++ {
			sets = append(sets, s.sets.at(int(k)))
		}
	}
	return sets
}

// endings are WordNet's rules of detachment for regular forms (morph(7WN)):
// nouns, verbs and adjectives.
var endings = [...]struct{ ending, with string }{
	{"s", ""}, {"ses", "s"}, {"xes", "x"}, {"zes", "z"}, {"ches", "ch"}, {"shes", "sh"}, {"men", "man"}, {"ies", "y"},
	{"s", ""}, {"ies", "y"}, {"es", "e"}, {"es", ""}, {"ed", "e"}, {"ed", ""}, {"ing", "e"}, {"ing", ""},
	{"er", ""}, {"est", ""}, {"er", "e"}, {"est", "e"},
}

// base returns the base form of a regular form, or "" if no rule gives a word
// that there is.
func (s *synonyms) base(word string) string {
	if len(word) <= 2 || strings.HasSuffix(word, "ss") {
		return word
	}
	for _, e := range endings {
		if stem, ok := strings.CutSuffix(word, e.ending); ok {
			if _, known := s.words.find(stem + e.with); known {
				return stem + e.with
			}
		}
	}
	return ""
}

// shareSynset reports whether two sorted lists have a number in common.
func shareSynset(a, b []uint32) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			return true
		}
	}
	return false
}

// paraphrases knows which phrases may stand for which. Phrases are sorted by
// the numbers of their words, so that those that begin alike are together.
type paraphrases struct {
	words     stringTable
	first     u32s // by word: the first phrase that begins with it
	second    u16s // by phrase: 1 + its second word, or 0
	restFrom  u32s // by phrase: where its further words begin in rest
	rest      u16s
	entryFrom u32s // by phrase: where its paraphrases begin in entries
	entries   u16s // for each paraphrase the number of words, then the words
}

// word returns the number of a word, or unknownWord.
func (p *paraphrases) word(w string) uint16 {
	if id, ok := p.words.find(w); ok {
		return uint16(id)
	}
	return unknownWord
}

// phrase is a phrase of a sentence that has paraphrases: those in entries from
// from to to.
type phrase struct{ start, length, from, to int }

// find returns the phrases of a sentence that have paraphrases, in order of
// where they begin, shorter ones first.
func (p *paraphrases) find(words []*wordInfo) []phrase {
	var out []phrase
	for start, w := range words {
		if w.paraphrase == unknownWord {
			continue
		}
		// The phrases from lo to hi begin as the sentence does at start, with
		// length words so far; one of just these words is the first.
		lo, hi := int(p.first.at(int(w.paraphrase))), int(p.first.at(int(w.paraphrase)+1))
		for length := 1; lo < hi; length++ {
			if p.length(lo) == length {
				out = append(out, phrase{start, length, int(p.entryFrom.at(lo)), int(p.entryFrom.at(lo + 1))})
				lo++
			}
			if start+length == len(words) || words[start+length].paraphrase == unknownWord {
				break
			}
			lo, hi = p.narrow(lo, hi, length, words[start+length].paraphrase)
		}
	}
	return out
}

// length returns the number of words of a phrase.
func (p *paraphrases) length(i int) int {
	if p.second.at(i) == 0 {
		return 1
	}
	return 2 + int(p.restFrom.at(i+1)-p.restFrom.at(i))
}

// narrow returns those of the phrases from lo to hi whose word at k is id. All
// of them have a word at k.
func (p *paraphrases) narrow(lo, hi, k int, id uint16) (int, int) {
	at := func(i int) uint16 {
		if k == 1 {
			return p.second.at(i) - 1
		}
		return p.rest.at(int(p.restFrom.at(i)) + k - 2)
	}
	from := lo + sort.Search(hi-lo, func(i int) bool { return at(lo+i) >= id })
	to := from
	for step := 1; to < hi && at(to) == id; step *= 2 {
		// Ranges are mostly short: widen from the start, then search within.
		end := min(to+step, hi)
		to += sort.Search(end-to, func(i int) bool { return at(to+i) > id })
		if to < end {
			break
		}
	}
	return from, to
}
