package models

import (
	"cmp"
	"math"
	"slices"

	"glimpse/data"
)

// extensions are the best next words of each row, width of them.
type extensions struct {
	width int
	logp  []float32
	word  []int64
}

// groups is how many groups the beams of an image form.
func (b *beamSearch) groups() int { return max(1, b.Groups) }

// candidates returns how many of the best next words of a beam to consider: as many as its group
// has beams, plus as many as may be forbidden or penalized by earlier groups.
func (b *beamSearch) candidates() int {
	most := b.Beam
	if b.NoRepeat > 0 {
		forbidden := 0
		for _, list := range b.beams {
			for _, beam := range list {
				forbidden = max(forbidden, len(beam.forbidden(b.NoRepeat)))
			}
		}
		most += forbidden
	}
	return most
}

// forbidden lists the words that would repeat a sequence of n words of an unfinished beam. Paulus
// et al. 2018 (arXiv 1705.04304) forbid them for n = 3.
func (b beam) forbidden(n int) []int64 {
	if n < 1 || len(b.words) < n || b.done {
		return nil
	}
	var words []int64
	last := b.words[len(b.words)-n+1:]
	for i := 0; i+n <= len(b.words); i++ {
		if slices.Equal(b.words[i:i+n-1], last) {
			words = append(words, b.words[i+n-1])
		}
	}
	return words
}

// candidate is a finished beam, or a beam extended by a word.
type candidate struct {
	parent *beam
	word   int64 // -1 for a beam that stays
	total  float64
	score  float64
}

// grow returns the best beams among an image's finished ones and the extensions of the others,
// group by group. While beams are chosen, a word has a penalty of Diversity for each beam of an
// earlier group that chose it in this step: diverse beam search with Hamming diversity
// (Vijayakumar et al. 2018, arXiv 1610.02424). The final score of a caption is only its
// probability.
func (b *beamSearch) grow(list []beam, next extensions) []beam {
	var grown []beam
	taken := map[int64]int{} // beams of earlier groups that took a word
	for g := range b.groups() {
		candidates := b.extend(list, g, next, taken)
		slices.SortStableFunc(candidates, func(x, y candidate) int { return cmp.Compare(y.score, x.score) })
		candidates = candidates[:min(b.Beam/b.groups(), len(candidates))]
		for _, c := range candidates {
			if c.word < 0 {
				grown = append(grown, *c.parent)
				continue
			}
			words := append(slices.Clone(c.parent.words), c.word)
			grown = append(grown, beam{words: words, total: c.total, done: c.word == data.EndID, row: c.parent.row, group: g})
		}
		for _, c := range candidates {
			taken[c.word]++
		}
	}
	return grown
}

// extend lists the candidates of a group.
func (b *beamSearch) extend(list []beam, group int, next extensions, taken map[int64]int) []candidate {
	var candidates []candidate
	for j := range list {
		parent := &list[j]
		if parent.group != group {
			continue
		}
		if parent.done || len(parent.words) >= b.MaxLength {
			candidates = append(candidates, candidate{parent, -1, parent.total, parent.score(b.LengthPenalty)})
			continue
		}
		forbidden := parent.forbidden(b.NoRepeat)
		for k := parent.row * next.width; k < (parent.row+1)*next.width; k++ {
			if next.logp[k] <= never/2 {
				continue // a special word: there were fewer than width others
			}
			word := next.word[k]
			if slices.Contains(forbidden, word) {
				continue
			}
			total := parent.total + float64(next.logp[k])
			score := (total - b.Diversity*float64(taken[word])) / math.Pow(float64(len(parent.words)+1), b.LengthPenalty)
			candidates = append(candidates, candidate{parent, word, total, score})
		}
	}
	return candidates
}
