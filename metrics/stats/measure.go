package stats

import (
	"slices"

	"glimpse/metrics"
)

// column is one additive quantity of an image: summed over any multiset of
// images, the columns decide every corpus metric.
type column int

const (
	colMatch   column = 0                           // 4 columns: matching n-grams
	colGuess          = colMatch + metrics.MaxOrder // 4 columns: n-grams of the candidate
	colRefLen         = colGuess + metrics.MaxOrder // closest reference length
	colRouge          = colRefLen + 1
	colCIDEr          = colRouge + 1
	colCIDErD         = colCIDEr + 1
	colMETEOR         = colCIDErD + 1
	colCounts         = colMETEOR + 1 // 9 columns: METEOR's counts
	numColumns        = colCounts + 9
)

var columnNames = [numColumns]string{
	"matches of 1-grams", "matches of 2-grams", "matches of 3-grams", "matches of 4-grams",
	"1-grams", "2-grams", "3-grams", "4-grams",
	"ref_length", "rouge_l", "cider", "cider_d", "meteor",
	"meteor_stats.test_length", "meteor_stats.ref_length", "meteor_stats.test_matches", "meteor_stats.ref_matches",
	"meteor_stats.chunks", "meteor_stats.test_weight", "meteor_stats.ref_weight",
	"meteor_stats.test_match_weight", "meteor_stats.ref_match_weight",
}

func (c column) String() string { return columnNames[c] }

// columnOf reads column c of one image.
func columnOf(s *metrics.ImageScore, c column) float64 {
	switch {
	case c < colGuess:
		return float64(s.Match[c-colMatch])
	case c < colRefLen:
		return float64(max(0, s.Length-int(c-colGuess)))
	case c >= colCounts:
		return countsOf(&s.MeteorStats)[c-colCounts]
	case c == colRefLen:
		return float64(s.RefLength)
	case c == colRouge:
		return s.RougeL
	case c == colCIDEr:
		return s.CIDEr
	case c == colCIDErD:
		return s.CIDErD
	default:
		return s.METEOR
	}
}

// countsOf are the nine quantities that [metrics.CorpusMETEOR] adds up. The
// one chunk of a caption that matches whole adds nothing, as there.
func countsOf(s *metrics.MeteorStats) [numColumns - colCounts]float64 {
	chunks := s.Chunks
	if s.Perfect() {
		chunks = 0
	}
	return [numColumns - colCounts]float64{
		float64(s.TestLength), float64(s.RefLength), float64(s.TestMatches), float64(s.RefMatches),
		float64(chunks), s.TestWeight, s.RefWeight, s.TestMatchWeight, s.RefMatchWeight,
	}
}

// measure is a corpus metric as a function of the sums of its columns.
type measure struct {
	columns []column
	value   func(sums *[numColumns]float64, images float64) float64
}

var measures = map[string]measure{
	"bleu1": bleu(1), "bleu2": bleu(2), "bleu3": bleu(3), "bleu4": bleu(4),
	"rouge_l": mean(colRouge), "cider": mean(colCIDEr), "cider_d": mean(colCIDErD),
	"meteor": meteor(), "meteor-exact-stem": meteor(),
}

// DefaultMetrics returns the keys that are analysed unless others are asked
// for. Where METEOR was computed without its data, ask for
// "meteor-exact-stem" in the place of "meteor".
func DefaultMetrics() []string {
	return []string{"bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider", "cider_d", "meteor"}
}

// measureOf is the measure of a key for these runs: METEOR is the mean over
// images where a run lacks the counts of the corpus score.
func measureOf(key string, runs []Run) measure {
	if isMETEOR(key) && !haveCounts(runs) {
		return mean(colMETEOR)
	}
	return measures[key]
}

func isMETEOR(key string) bool { return key == "meteor" || key == "meteor-exact-stem" }

// haveCounts says whether every run has METEOR's counts.
func haveCounts(runs []Run) bool {
	for _, r := range runs {
		counted := func(s metrics.ImageScore) bool { return s.MeteorStats.RefLength > 0 }
		if !slices.ContainsFunc(r.Images, counted) {
			return false
		}
	}
	return true
}

func mean(c column) measure {
	return measure{
		columns: []column{c},
		value:   func(sums *[numColumns]float64, images float64) float64 { return sums[c] / images },
	}
}

// bleu is corpus BLEU of an order, by [metrics.BLEUCounts.Score] from the sums.
// Without a matching n-gram it is 0: the small constant that the reference
// implementation gives then depends on lengths alone, and would make a
// difference of two captioners that match nothing.
func bleu(order int) measure {
	cols := []column{colGuess, colRefLen} // the 1-grams of the candidate are its length
	for n := range order {
		cols = append(cols, colMatch+column(n))
		if n > 0 {
			cols = append(cols, colGuess+column(n))
		}
	}
	return measure{columns: cols, value: func(sums *[numColumns]float64, _ float64) float64 {
		c := metrics.BLEUCounts{Length: sums[colGuess], RefLength: sums[colRefLen]}
		copy(c.Match[:], sums[colMatch:colGuess])
		if c.Match[order-1] == 0 { // nor is there a longer one
			return 0
		}
		copy(c.Guess[:], sums[colGuess:colRefLen])
		return c.Score(order)
	}}
}

// meteor is corpus METEOR, by [metrics.MeteorStats.Score] from the sums.
func meteor() measure {
	var cols []column
	for c := colCounts; c < numColumns; c++ {
		cols = append(cols, c)
	}
	return measure{columns: cols, value: func(sums *[numColumns]float64, _ float64) float64 {
		s := sums[colCounts:]
		return metrics.MeteorStats{
			TestLength: int(s[0]), RefLength: int(s[1]), TestMatches: int(s[2]), RefMatches: int(s[3]), Chunks: int(s[4]),
			TestWeight: s[5], RefWeight: s[6], TestMatchWeight: s[7], RefMatchWeight: s[8],
		}.Score()
	}}
}
