package metrics

import (
	_ "embed" // the list of function words
	"math"
	"strings"
)

// Parameters of METEOR 1.5 for English, tuned to rank translations (Denkowski
// & Lavie 2014, table 2): α weighs recall, β and γ shape the penalty for
// fragmentation, δ weighs content words against function words.
const (
	meteorAlpha = 0.85
	meteorBeta  = 0.20
	meteorGamma = 0.60
	meteorDelta = 0.75
)

// stage is a matcher, in the order in which METEOR asks them.
type stage uint8

const (
	stageExact stage = iota
	stageStem
	stageSynonym
	stageParaphrase
)

// stageWeights are the weights of matches in the score.
var stageWeights = [...]float64{stageExact: 1, stageStem: 0.6, stageSynonym: 0.8, stageParaphrase: 0.6}

// Meteor holds METEOR's data for English. It is read-only and may be used by
// several goroutines at once.
type Meteor struct {
	functionWords map[string]bool
	prefixes      map[string]prefixKind
	synonyms      *synonyms    // nil without the stage
	paraphrases   *paraphrases // nil without the stage
}

// key is the name of the metric that these data give.
func (m *Meteor) key() string {
	if m.synonyms == nil || m.paraphrases == nil {
		return ExactStemKey
	}
	return METEORKey
}

//go:embed exact_stem.words
var exactStemWords string

// exactStem is METEOR without its data: no synonyms, no paraphrases, and a list
// of function words of our own.
var exactStem = &Meteor{functionWords: stringSet(strings.Fields(exactStemWords))}

func stringSet(words []string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}

// CorpusMETEOR returns METEOR of a multiset of images from their summed
// statistics, as METEOR reports it for a whole test set; it is not the mean of
// the images' scores. No images give 0.
func CorpusMETEOR(images []ImageScore) float64 {
	var sum MeteorStats
	for i := range images {
		sum.add(&images[i].MeteorStats)
	}
	return sum.Score()
}

// add adds the statistics of one image. The single chunk of a perfect match is
// left out, so that it adds nothing to fragmentation.
func (s *MeteorStats) add(t *MeteorStats) {
	if !t.Perfect() {
		s.Chunks += t.Chunks
	}
	s.TestLength += t.TestLength
	s.RefLength += t.RefLength
	s.TestMatches += t.TestMatches
	s.RefMatches += t.RefMatches
	s.TestWeight += t.TestWeight
	s.RefWeight += t.RefWeight
	s.TestMatchWeight += t.TestMatchWeight
	s.RefMatchWeight += t.RefMatchWeight
}

// Perfect tells whether all words on both sides match in one piece.
func (s *MeteorStats) Perfect() bool {
	return s.Chunks == 1 && s.TestMatches == s.TestLength && s.RefMatches == s.RefLength
}

// Score returns METEOR: the harmonic mean of weighted precision and recall,
// less a penalty for the number of chunks among the matches.
func (s MeteorStats) Score() float64 {
	if s.TestMatchWeight == 0 || s.RefMatchWeight == 0 {
		return 0
	}
	precision := s.TestMatchWeight / s.TestWeight
	recall := s.RefMatchWeight / s.RefWeight
	mean := 1 / ((1-meteorAlpha)/precision + meteorAlpha/recall)
	fragmentation := 0.0
	if !s.Perfect() {
		fragmentation = float64(s.Chunks) / (float64(s.TestMatches+s.RefMatches) / 2)
	}
	return max(0, mean*(1-meteorGamma*math.Pow(fragmentation, meteorBeta)))
}
