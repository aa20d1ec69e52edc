package metrics

import (
	"slices"
	"strings"
)

// synonyms knows the sets of synonyms (WordNet 3 synsets) of each word.
type synonyms struct {
	sets  map[string][]int32  // word → synsets
	bases map[string][]string // irregular form → base forms
}

func newSynonyms() *synonyms {
	return &synonyms{sets: make(map[string][]int32), bases: make(map[string][]string)}
}

// addWord adds a word. WordNet's entries of several words, joined by
// underscores, never match a single one and are left out.
func (s *synonyms) addWord(word string, sets []int32) {
	if !strings.Contains(word, "_") {
		s.sets[word] = sets
	}
}

func (s *synonyms) addForms(base string, forms []string) {
	for _, form := range forms {
		s.bases[form] = append(s.bases[form], base)
	}
}

// lookup returns the synsets of a word and of its base form, in order.
func (s *synonyms) lookup(word string) []int32 {
	out := slices.Clone(s.sets[word])
	if bases, ok := s.bases[word]; ok {
		for _, base := range bases {
			out = append(out, s.sets[base]...)
		}
	} else {
		out = append(out, s.sets[s.base(word)]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
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
			if _, known := s.sets[stem+e.with]; known {
				return stem + e.with
			}
		}
	}
	return ""
}

// shareSynset tells whether two sorted lists have a number in common.
func shareSynset(a, b []int32) bool {
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
