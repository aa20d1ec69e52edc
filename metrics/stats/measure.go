package stats

import (
	"math"

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
	numColumns        = colMETEOR + 1
)

var columnNames = [numColumns]string{
	"matches of 1-grams", "matches of 2-grams", "matches of 3-grams", "matches of 4-grams",
	"1-grams", "2-grams", "3-grams", "4-grams",
	"ref_length", "rouge_l", "cider", "cider_d", "meteor",
}

func (c column) String() string { return columnNames[c] }

// columnOf reads column c of one image.
func columnOf(s *metrics.ImageScore, c column) float64 {
	switch {
	case c < colGuess:
		return float64(s.Match[c-colMatch])
	case c < colRefLen:
		return float64(max(0, s.Length-int(c-colGuess)))
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

// measure is a corpus metric as a function of the sums of its columns.
type measure struct {
	columns []column
	value   func(sums *[numColumns]float64, images float64) float64
}

var measures = map[string]measure{
	"bleu1": bleu(1), "bleu2": bleu(2), "bleu3": bleu(3), "bleu4": bleu(4),
	"rouge_l": mean(colRouge), "cider": mean(colCIDEr), "cider_d": mean(colCIDErD),
	"meteor": mean(colMETEOR), "meteor-exact-stem": mean(colMETEOR),
}

// DefaultMetrics returns the keys that are analysed unless others are asked
// for. METEOR is here the mean over images, as the other means are; key
// "meteor-exact-stem" may be asked for in its place.
func DefaultMetrics() []string {
	return []string{"bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider", "cider_d", "meteor"}
}

func mean(c column) measure {
	return measure{
		columns: []column{c},
		value:   func(sums *[numColumns]float64, images float64) float64 { return sums[c] / images },
	}
}

// bleu is corpus BLEU of an order, from the sums that [metrics.CorpusBLEU]
// adds up and with its constants, which make a corpus without a match finite.
func bleu(order int) measure {
	const tiny, small = 1e-15, 1e-9
	cols := []column{colGuess, colRefLen} // the 1-grams of the candidate are its length
	for n := range order {
		cols = append(cols, colMatch+column(n))
		if n > 0 {
			cols = append(cols, colGuess+column(n))
		}
	}
	return measure{columns: cols, value: func(sums *[numColumns]float64, _ float64) float64 {
		length, refLen := sums[colGuess], sums[colRefLen]
		if length == 0 && refLen == 0 {
			return 0
		}
		product := 1.0
		for n := range column(order) {
			product *= (sums[colMatch+n] + tiny) / (sums[colGuess+n] + small)
		}
		score := math.Pow(product, 1/float64(order))
		if ratio := (length + tiny) / (refLen + small); ratio < 1 {
			score *= math.Exp(1 - 1/ratio)
		}
		return score
	}}
}
