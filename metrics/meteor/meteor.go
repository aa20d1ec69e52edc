// Package meteor computes METEOR 1.5 for English (Denkowski & Lavie 2014).
//
// An [Aligner] aligns a candidate with its references and gives [Stats], counts
// that add up: their sum over images scores a corpus as METEOR does. [Load]
// reads METEOR's data from its jar, or from a file that [Pack] made once and
// that loads at once. Without data, exact words and stems alone are matched.
//
// It needs no Java; the fixtures under testdata, and those of package metrics,
// hold it to METEOR itself.
package meteor

import (
	_ "embed" // the list of function words
	"strings"
)

// Parameters of METEOR 1.5 for English, tuned to rank translations (Denkowski
// & Lavie 2014, table 2): α weighs recall, β and γ shape the penalty for
// fragmentation, δ weighs content words against function words.
const (
	alpha = 0.85
	beta  = 0.20
	gamma = 0.60
	delta = 0.75
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

// Data are METEOR's data for English (see [Load]). They are read-only and may be
// used by several goroutines at once.
type Data struct {
	functionWords map[string]bool
	prefixes      map[string]prefixKind
	synonyms      *synonyms    // nil without the stage
	paraphrases   *paraphrases // nil without the stage
}

//go:embed exact_stem.words
var exactStemWords string

// exactStem is METEOR without its data: no synonyms, no paraphrases, and a list
// of function words of our own.
var exactStem = &Data{functionWords: stringSet(strings.Fields(exactStemWords))}

func stringSet(words []string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}
