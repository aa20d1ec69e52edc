package meteor

import "slices"

// wordInfo is what METEOR needs to know of a word.
type wordInfo struct {
	id         int32 // the same for the same word, within one aligner
	stem       int32 // the same for the same stem
	function   bool
	synsets    []uint32
	paraphrase uint16 // number in the paraphrase table
}

// sentence is a caption with its words looked up.
type sentence struct {
	text    []string
	words   []*wordInfo
	phrases []phrase
}

// link is a possible match: length words of the reference from start, with
// testLength words of the candidate from testStart.
type link struct {
	stage                 stage
	start, length         int
	testStart, testLength int
}

// An Aligner aligns candidates with references. It remembers the words it has
// seen and keeps scratch memory, and so serves one goroutine.
type Aligner struct {
	data  *Data
	words map[string]*wordInfo
	stems map[string]int32

	often      []relation // of the commonest words, oftenWords for each
	relations  []relation // of each word of the reference to each of the candidate
	links      [][]link   // by start in the reference
	linked     int        // how many there are
	testCover  []int      // how many links cover each word
	refCover   []int
	inSentence []bool // by paraphrase number: is the word in the other sentence
	search     search
}

// NewAligner returns an aligner with METEOR's data; nil for exact words and
// stems alone.
func NewAligner(data *Data) *Aligner {
	if data == nil {
		data = exactStem
	}
	a := &Aligner{data: data, words: make(map[string]*wordInfo), stems: make(map[string]int32), often: make([]relation, oftenWords*oftenWords)}
	if data.paraphrases != nil {
		a.inSentence = make([]bool, unknownWord+1)
	}
	return a
}

// Best returns the statistics of a candidate, in tokens, against the reference
// that scores highest, the first one of equals; all 0 without references.
func (a *Aligner) Best(candidate []string, references [][]string) Stats {
	test := a.look(candidate)
	var best Stats
	bestScore := -1.0
	for _, r := range references {
		stats := a.align(test, a.look(r))
		if score := stats.Score(); score > bestScore {
			best, bestScore = stats, score
		}
	}
	return best
}

// look splits a caption into METEOR's words and looks them up.
func (a *Aligner) look(tokens []string) sentence {
	text := normalize(tokens, a.data.prefixes)
	s := sentence{text: text, words: make([]*wordInfo, len(text))}
	for i, w := range text {
		known, ok := a.words[w]
		if !ok {
			known = a.newWord(w)
			a.words[w] = known
		}
		s.words[i] = known
	}
	if a.data.paraphrases != nil {
		s.phrases = a.data.paraphrases.find(s.words)
	}
	return s
}

func (a *Aligner) newWord(word string) *wordInfo {
	st := stem(word)
	stemID, ok := a.stems[st]
	if !ok {
		stemID = int32(len(a.stems))
		a.stems[st] = stemID
	}
	w := &wordInfo{
		id:         int32(len(a.words)),
		stem:       stemID,
		function:   a.data.functionWords[word],
		paraphrase: unknownWord,
	}
	if a.data.synonyms != nil {
		w.synsets = a.data.synonyms.lookup(word)
	}
	if a.data.paraphrases != nil {
		w.paraphrase = a.data.paraphrases.word(word)
	}
	return w
}

// align finds the best alignment of a candidate and a reference, and counts.
func (a *Aligner) align(test, ref sentence) Stats {
	a.reset(len(test.words), len(ref.words))
	a.linkWords(test, ref)
	if a.data.paraphrases != nil && !slices.Equal(test.text, ref.text) {
		a.linkParaphrases(test, ref)
	}
	return count(test, ref, a.search.run(a.links, a.testCover, a.refCover))
}

func (a *Aligner) reset(test, ref int) {
	for len(a.links) < ref {
		a.links = append(a.links, nil)
	}
	a.links, a.linked = a.links[:ref], 0
	for i := range a.links {
		a.links[i] = a.links[i][:0]
	}
	a.testCover = append(a.testCover[:0], make([]int, test)...)
	a.refCover = append(a.refCover[:0], make([]int, ref)...)
}

// mostLinks bounds the links of two captions. Ones that are as long as a page stay below; only captions that repeat the same
// words hundreds of times come here, and would cost minutes and gigabytes each. Their further links are left out.
const mostLinks = 1 << 17

func (a *Aligner) add(l link) {
	if a.linked == mostLinks {
		return
	}
	a.linked++
	a.links[l.start] = append(a.links[l.start], l)
	for k := range l.length {
		a.refCover[l.start+k]++
	}
	for k := range l.testLength {
		a.testCover[l.testStart+k]++
	}
}

// linkWords links all pairs of single words that match, stage by stage. Equal
// captions are linked by equal words alone, which is enough and leaves the
// search less to err in.
func (a *Aligner) linkWords(test, ref sentence) {
	a.relations = a.relations[:0]
	all := relation(0)
	for _, r := range ref.words {
		for _, t := range test.words {
			rel := a.relate(t, r)
			a.relations = append(a.relations, rel)
			all |= rel
		}
	}
	if slices.Equal(test.text, ref.text) {
		all = 1 << stageExact
	}
	for s := stageExact; s <= stageSynonym; s++ {
		if all>>s&1 == 0 {
			continue
		}
		for k, rel := range a.relations {
			if rel>>s&1 == 1 {
				a.add(link{s, k / len(test.words), 1, k % len(test.words), 1})
			}
		}
	}
}

// relation has a bit for each stage in which two words match.
type relation uint8

// relationKnown marks a relation that was worked out before.
const relationKnown relation = 1 << 7

// oftenWords is for how many words, the first to be met and so mostly the
// commonest, relations are remembered.
const oftenWords = 1024

func (a *Aligner) relate(t, r *wordInfo) relation {
	if t.id == r.id {
		return 1 << stageExact
	}
	if t.id >= oftenWords || r.id >= oftenWords {
		return compare(t, r)
	}
	known := &a.often[t.id*oftenWords+r.id]
	if *known == 0 {
		*known = compare(t, r) | relationKnown
	}
	return *known
}

// compare works out the relation of two different words.
func compare(t, r *wordInfo) relation {
	var rel relation
	if t.stem == r.stem {
		rel |= 1 << stageStem
	}
	if shareSynset(t.synsets, r.synsets) {
		rel |= 1 << stageSynonym
	}
	return rel
}

// linkParaphrases links phrases of the reference with their paraphrases in the
// candidate, then phrases of the candidate with theirs in the reference.
func (a *Aligner) linkParaphrases(test, ref sentence) {
	a.eachParaphrase(ref, test, func(start, length, otherStart, otherLength int) {
		a.add(link{stageParaphrase, start, length, otherStart, otherLength})
	})
	a.eachParaphrase(test, ref, func(start, length, otherStart, otherLength int) {
		a.add(link{stageParaphrase, otherStart, otherLength, start, length})
	})
}

// eachParaphrase calls f for each phrase of one sentence and each place in
// another where one of its paraphrases stands.
func (a *Aligner) eachParaphrase(in, other sentence, f func(start, length, otherStart, otherLength int)) {
	for _, w := range other.words {
		a.inSentence[w.paraphrase] = true
	}
	a.inSentence[unknownWord] = false
	entries := a.data.paraphrases.entries
	for _, p := range in.phrases {
		for at := p.from; at < p.to; {
			length := int(entries.at(at))
			if length == 0 || at+1+length > p.to {
				break // the data are not METEOR's
			}
			words := entries[2*(at+1) : 2*(at+1+length)]
			at += 1 + length
			if !a.inSentence[words.at(0)] {
				continue
			}
			for start := 0; start+length <= len(other.words); start++ {
				if startsWith(other.words[start:], words) {
					f(p.start, p.length, start, length)
				}
			}
		}
	}
	for _, w := range other.words {
		a.inSentence[w.paraphrase] = false
	}
}

func startsWith(words []*wordInfo, phrase u16s) bool {
	for k := range phrase.len() {
		if words[k].paraphrase != phrase.at(k) {
			return false
		}
	}
	return true
}

// count sums up an alignment.
func count(test, ref sentence, alignment []link) Stats {
	s := Stats{
		TestLength: len(test.words), RefLength: len(ref.words),
		TestWeight: weightOf(test.words), RefWeight: weightOf(ref.words),
	}
	refEnd, testEnd := -1, -1
	for _, l := range alignment {
		s.TestMatches += l.testLength
		s.RefMatches += l.length
		s.TestMatchWeight += stageWeights[l.stage] * weightOf(test.words[l.testStart:l.testStart+l.testLength])
		s.RefMatchWeight += stageWeights[l.stage] * weightOf(ref.words[l.start:l.start+l.length])
		if l.start != refEnd || l.testStart != testEnd {
			s.Chunks++
		}
		refEnd, testEnd = l.start+l.length, l.testStart+l.testLength
	}
	return s
}

func weightOf(words []*wordInfo) float64 {
	sum := 0.0
	for _, w := range words {
		if w.function {
			sum += 1 - delta
		} else {
			sum += delta
		}
	}
	return sum
}
