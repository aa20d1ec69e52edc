package stats

import (
	"slices"

	"glimpse/metrics"
	"glimpse/metrics/meteor"
)

// column is an additive per-image quantity. Every corpus metric is a function of
// the columns' sums over a multiset of images. Counts come first, then the
// metrics that are means over images.
type column int

const (
	colMatch  column = 0                           // 4 columns: matching n-grams
	colGuess         = colMatch + metrics.MaxOrder // 4 columns: n-grams of the candidate
	colRefLen        = colGuess + metrics.MaxOrder // closest reference length
	colCounts        = colRefLen + 1               // 9 columns: METEOR's counts
	colMeans         = colCounts + 9               // one column per mean
)

var countNames = [colMeans]string{
	"matches of 1-grams", "matches of 2-grams", "matches of 3-grams", "matches of 4-grams",
	"1-grams", "2-grams", "3-grams", "4-grams",
	"ref_length",
	"meteor_stats.test_length", "meteor_stats.ref_length", "meteor_stats.test_matches", "meteor_stats.ref_matches",
	"meteor_stats.chunks", "meteor_stats.test_weight", "meteor_stats.ref_weight",
	"meteor_stats.test_match_weight", "meteor_stats.ref_match_weight",
}

// quantity computes a column's value for an image.
type quantity struct {
	name string
	of   func(*metrics.ImageScore) float64
}

// quantities returns the quantities of all columns, by column.
func quantities() []quantity {
	var all []quantity
	for c := range colMeans {
		all = append(all, quantity{countNames[c], func(s *metrics.ImageScore) float64 { return countOf(s, c) }})
	}
	for _, e := range means() {
		all = append(all, quantity{e.Key, e.Image})
	}
	return all
}

// means returns the tested metrics that are means over images. METEOR is one of
// them, for runs without METEOR's counts.
func means() []metrics.Entry {
	var list []metrics.Entry
	for _, key := range metrics.Tested(metrics.METEORKey) {
		if e, _ := metrics.Find(key); e.Corpus == nil || metrics.IsMETEOR(key) {
			list = append(list, e)
		}
	}
	return list
}

// countOf returns the count of an image in column c.
func countOf(s *metrics.ImageScore, c column) float64 {
	switch {
	case c < colGuess:
		return float64(s.Match[c-colMatch])
	case c < colRefLen:
		return float64(max(0, s.Length-int(c-colGuess)))
	case c == colRefLen:
		return float64(s.RefLength)
	default:
		return countsOf(&s.MeteorStats)[c-colCounts]
	}
}

// countsOf returns the nine quantities that [metrics.CorpusMETEOR] sums. As
// there, a perfect match counts 0 chunks instead of 1.
func countsOf(s *meteor.Stats) [colMeans - colCounts]float64 {
	chunks := s.Chunks
	if s.Perfect() {
		chunks = 0
	}
	return [colMeans - colCounts]float64{
		float64(s.TestLength), float64(s.RefLength), float64(s.TestMatches), float64(s.RefMatches),
		float64(chunks), s.TestWeight, s.RefWeight, s.TestMatchWeight, s.RefMatchWeight,
	}
}

// measure is a corpus metric as a function of the sums of its columns and of the
// number of images.
type measure struct {
	columns []column
	value   func(sums []float64, images float64) float64
}

// DefaultMetrics returns the keys of the metrics that are analysed by default:
// all tested metrics, with METEOR under [metrics.METEORKey]. If METEOR was
// computed without its data, use [metrics.ExactStemKey] instead.
func DefaultMetrics() []string { return metrics.Tested(metrics.METEORKey) }

// measureOf returns the measure of a key, and whether there is one.
func measureOf(key string) (measure, bool) {
	if order := metrics.BLEUOrder(key); order > 0 {
		return bleu(order), true
	}
	if metrics.IsMETEOR(key) {
		return corpusMETEOR(), true
	}
	return mean(key)
}

// measureIn returns the measure of a valid key for these runs. METEOR is the
// mean over images if any run lacks the counts of the corpus score.
func measureIn(runs []Run, key string) measure {
	if metrics.IsMETEOR(key) && !haveCounts(runs) {
		m, _ := mean(metrics.METEORKey)
		return m
	}
	m, _ := measureOf(key)
	return m
}

// haveCounts reports whether every run has METEOR's counts.
func haveCounts(runs []Run) bool {
	for _, r := range runs {
		if !r.kept.counted {
			return false
		}
	}
	return true
}

// mean returns the measure of a metric that is a mean over images.
func mean(key string) (measure, bool) {
	at := slices.IndexFunc(means(), func(e metrics.Entry) bool { return e.Key == key })
	if at < 0 {
		return measure{}, false
	}
	c := colMeans + column(at)
	return measure{
		columns: []column{c},
		value:   func(sums []float64, images float64) float64 { return sums[c] / images },
	}, true
}

// bleu is corpus BLEU of an order, by [metrics.BLEUCounts.Score] from the sums.
// It is 0 if no n-gram of that order matches. The reference implementation then
// returns a small constant that depends only on lengths, so two captioners that
// match nothing would seem to differ.
func bleu(order int) measure {
	cols := []column{colGuess, colRefLen} // the 1-grams of the candidate are its length
	for n := range order {
		cols = append(cols, colMatch+column(n))
		if n > 0 {
			cols = append(cols, colGuess+column(n))
		}
	}
	return measure{columns: cols, value: func(sums []float64, _ float64) float64 {
		c := metrics.BLEUCounts{Length: sums[colGuess], RefLength: sums[colRefLen]}
		copy(c.Match[:], sums[colMatch:colGuess])
		if c.Match[order-1] == 0 {
			return 0
		}
		copy(c.Guess[:], sums[colGuess:colRefLen])
		return c.Score(order)
	}}
}

// corpusMETEOR is corpus METEOR, by [meteor.Stats.Score] from the sums.
func corpusMETEOR() measure {
	var cols []column
	for c := colCounts; c < colMeans; c++ {
		cols = append(cols, c)
	}
	return measure{columns: cols, value: func(sums []float64, _ float64) float64 {
		s := sums[colCounts:colMeans]
		return meteor.Stats{
			TestLength: int(s[0]), RefLength: int(s[1]), TestMatches: int(s[2]), RefMatches: int(s[3]), Chunks: int(s[4]),
			TestWeight: s[5], RefWeight: s[6], TestMatchWeight: s[7], RefMatchWeight: s[8],
		}.Score()
	}}
}
