package meteor

import (
	"cmp"
	"encoding/binary"
)

// The checks of packed data: what the aligner takes for granted when it looks
// something up. A checksum tells damage, not intent.

// check reports whether the strings' bounds are within the text, in order.
func (t stringTable) check() bool {
	return t.from.len() > 0 && ascends(t.from, len(t.text))
}

// ascends reports whether numbers never fall and end at last.
func ascends(from u32s, last int) bool {
	before := uint32(0)
	for ; len(from) >= 4; from = from[4:] {
		now := binary.LittleEndian.Uint32(from)
		if now < before {
			return false
		}
		before = now
	}
	return int(before) == last
}

func (s *synonyms) check() bool {
	return s.words.check() && s.from.len() == s.words.from.len() && ascends(s.from, s.sets.len())
}

// check leaves entries, most of the data, to those who read one.
func (p *paraphrases) check() bool {
	words, phrases := p.words.from.len()-1, p.second.len()
	if !p.words.check() || words > unknownWord ||
		p.first.len() != words+1 || !ascends(p.first, phrases) ||
		p.restFrom.len() != phrases+1 || !ascends(p.restFrom, p.rest.len()) ||
		p.entryFrom.len() != phrases+1 || !ascends(p.entryFrom, p.entries.len()) {
		return false
	}
	for w := range words {
		if !p.checkGroup(int(p.first.at(w)), int(p.first.at(w+1))) {
			return false
		}
	}
	return true
}

// checkGroup reports whether the phrases from lo to hi, which begin with one word, are sorted by
// the others and all different.
func (p *paraphrases) checkGroup(lo, hi int) bool {
	before := -1
	for i := lo; i < hi; i++ {
		second := int(p.second.at(i))
		switch {
		case second < before, second == 0 && (i > lo || p.restFrom.at(i) != p.restFrom.at(i+1)):
			return false
		case second == before && p.compareRest(i-1, i) >= 0:
			return false
		}
		before = second
	}
	return true
}

// compareRest orders two phrases by their words after the second.
func (p *paraphrases) compareRest(a, b int) int {
	for x, y := p.restFrom.at(a), p.restFrom.at(b); ; x, y = x+1, y+1 {
		switch endA, endB := x == p.restFrom.at(a+1), y == p.restFrom.at(b+1); {
		case endA && endB:
			return 0
		case endA:
			return -1
		case endB:
			return 1
		}
		if v, w := p.rest.at(int(x)), p.rest.at(int(y)); v != w {
			return cmp.Compare(v, w)
		}
	}
}
