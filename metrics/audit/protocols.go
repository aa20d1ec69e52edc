package audit

import (
	"math"
	"slices"
	"strings"

	"glimpse/metrics"
	"glimpse/metrics/ptb"
)

// bleu is BLEU-1 to BLEU-4.
type bleu = [metrics.MaxOrder]float64

// counting is BLEU of some images by one of the protocols' ways to count.
type counting func(images []metrics.ImageScore) bleu

// scoreUnder turns items into tokens by tokens, which may leave references out
// (an image without any is left out as well), and scores the images that remain.
func scoreUnder(items []Item, tokens func(Item) metrics.Item, of counting) (bleu, int) {
	var kept []metrics.Item
	for _, item := range items {
		if t := tokens(item); len(t.References) > 0 {
			kept = append(kept, t)
		}
	}
	if len(kept) == 0 {
		return bleu{}, 0
	}
	return of(metrics.CountMatches(kept)), len(kept)
}

func ptbTokens(item Item) metrics.Item {
	return metrics.Item{ID: item.ID, Candidate: item.CandidateTokens, References: item.ReferenceTokens}
}

// cocoBLEU is the protocol of Papineni et al. 2002 with several references and
// the closest reference length, as coco-caption has it (Chen et al. 2015).
func cocoBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, ptbTokens, metrics.CorpusBLEU)
}

// teacherForcedBLEU is cocoBLEU of items of which several are of one image.
func teacherForcedBLEU(items []Item) (bleu, int) {
	score, _ := cocoBLEU(items)
	images := make(map[string]bool)
	for _, item := range items {
		images[item.ID] = true
	}
	return score, len(images)
}

// sentenceMeanBLEU averages unsmoothed BLEU over images: coco-caption prints
// these values for each image, and scripts average them.
func sentenceMeanBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, ptbTokens, meanOf(metrics.SentenceBLEU))
}

// epsilonBLEU smooths by putting 0.1 for a count of 0 (Chen & Cherry 2014,
// method 1).
func epsilonBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, ptbTokens, meanOf(epsilonSentence))
}

func epsilonSentence(s metrics.ImageScore) bleu {
	return smoothed(s, func(_ int, match, guess float64) float64 {
		if match == 0 {
			match = 0.1
		}
		return match / guess
	})
}

// addOneBLEU smooths by adding 1 to both counts of each order but the first
// (Lin & Och 2004).
func addOneBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, ptbTokens, meanOf(func(s metrics.ImageScore) bleu {
		return smoothed(s, func(n int, match, guess float64) float64 {
			if n == 0 {
				return match / guess
			}
			return (match + 1) / (guess + 1)
		})
	}))
}

// smoothed is sentence BLEU with given precisions, by NLTK's conventions: 0
// without a matching word, at least one n-gram guessed.
func smoothed(s metrics.ImageScore, precision func(n int, match, guess float64) float64) bleu {
	var out bleu
	if s.Match[0] == 0 {
		return out
	}
	sum := 0.0
	for n := range metrics.MaxOrder {
		sum += math.Log(precision(n, float64(s.Match[n]), float64(max(1, s.Length-n))))
		out[n] = math.Exp(sum/float64(n+1)) * brevityPenalty(s.Length, s.RefLength)
	}
	return out
}

func brevityPenalty(length, refLength int) float64 {
	if length == 0 {
		return 0
	}
	return math.Exp(min(0, 1-float64(refLength)/float64(length)))
}

func meanOf(sentence func(metrics.ImageScore) bleu) counting {
	return func(images []metrics.ImageScore) (mean bleu) {
		for _, s := range images {
			for n, v := range sentence(s) {
				mean[n] += v / float64(len(images))
			}
		}
		return mean
	}
}

// noBrevityBLEU leaves out the brevity penalty: the geometric mean of the
// modified precisions alone.
func noBrevityBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, ptbTokens, func(images []metrics.ImageScore) bleu {
		free := slices.Clone(images)
		for i := range free {
			free[i] = withoutBrevity(free[i])
		}
		return metrics.CorpusBLEU(free)
	})
}

func withoutBrevity(s metrics.ImageScore) metrics.ImageScore {
	s.RefLength = 0
	return s
}

// firstReferenceBLEU scores against one reference instead of all.
func firstReferenceBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, func(item Item) metrics.Item {
		t := ptbTokens(item)
		t.References = t.References[:1]
		return t
	}, metrics.CorpusBLEU)
}

// bestReferenceBLEU scores each caption against the reference that gives it the
// highest sum of sentence BLEU-1 to BLEU-4.
func bestReferenceBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, func(item Item) metrics.Item {
		t := ptbTokens(item)
		alone := make([]metrics.Item, len(t.References))
		for k, r := range t.References {
			alone[k] = metrics.Item{Candidate: t.Candidate, References: [][]string{r}}
		}
		best, bestSum := 0, -1.0
		for k, s := range metrics.CountMatches(alone) {
			sum := 0.0
			for _, v := range metrics.SentenceBLEU(s) {
				sum += v
			}
			if sum > bestSum {
				best, bestSum = k, sum
			}
		}
		t.References = t.References[best : best+1]
		return t
	}, metrics.CorpusBLEU)
}

// markersBLEU counts the markers of beginning and end, which scripts add for
// training and forget to take off.
func markersBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, func(item Item) metrics.Item { return withMarkers(ptbTokens(item)) }, metrics.CorpusBLEU)
}

func withMarkers(item metrics.Item) metrics.Item {
	wrap := func(tokens []string) []string { return slices.Concat([]string{"<s>"}, tokens, []string{"</s>"}) }
	out := metrics.Item{ID: item.ID, Candidate: wrap(item.Candidate)}
	for _, r := range item.References {
		out.References = append(out.References, wrap(r))
	}
	return out
}

// noCommaBLEU leaves out references with a comma: a script that splits the CSV
// of captions at commas drops rows with more than two fields.
func noCommaBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, withoutCommas(ptbTokens), metrics.CorpusBLEU)
}

// withoutCommas drops references with a comma before tokens sees the item.
func withoutCommas(tokens func(Item) metrics.Item) func(Item) metrics.Item {
	return func(item Item) metrics.Item {
		kept := item
		kept.References, kept.ReferenceTokens = nil, nil
		for k, text := range item.References {
			if !strings.Contains(text, ",") {
				kept.References = append(kept.References, text)
				kept.ReferenceTokens = append(kept.ReferenceTokens, item.ReferenceTokens[k])
			}
		}
		return tokens(kept)
	}
}

// cutReferencesBLEU cuts references at the first comma, as a script does that
// takes the second field of a CSV row split at commas.
func cutReferencesBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, func(item Item) metrics.Item {
		t := metrics.Item{ID: item.ID, Candidate: item.CandidateTokens}
		for _, text := range item.References {
			head, _, _ := strings.Cut(text, ",")
			t.References = append(t.References, ptb.Tokenize(head))
		}
		return t
	}, metrics.CorpusBLEU)
}

// kerasTokensBLEU splits text as keras.preprocessing.text.Tokenizer does.
func kerasTokensBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, kerasItem, metrics.CorpusBLEU)
}

// kerasFilter turns the Tokenizer's default filters into spaces. It leaves the
// apostrophe alone.
func kerasFilter(r rune) rune {
	if strings.ContainsRune("!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n", r) {
		return ' '
	}
	return r
}

func kerasTokens(text string) []string {
	return strings.FieldsFunc(strings.Map(kerasFilter, strings.ToLower(text)), func(r rune) bool { return r == ' ' })
}

func kerasItem(item Item) metrics.Item {
	t := metrics.Item{ID: item.ID, Candidate: kerasTokens(item.Candidate)}
	for _, text := range item.References {
		t.References = append(t.References, kerasTokens(text))
	}
	return t
}

// seedParsingBLEU reads captions as the Keras system's script does: rows split
// at commas, the Keras Tokenizer's words, markers left on.
func seedParsingBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, withoutCommas(func(item Item) metrics.Item { return withMarkers(kerasItem(item)) }), metrics.CorpusBLEU)
}

// defaultWeightsBLEU returns BLEU-4 for each order: NLTK's functions compute it when they are not
// given weights, whatever the result is then called.
func defaultWeightsBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, ptbTokens, func(images []metrics.ImageScore) bleu {
		b := metrics.CorpusBLEU(images)[metrics.MaxOrder-1]
		return bleu{b, b, b, b}
	})
}

// tutorialWeightsBLEU returns BLEU-3 with the weights (0.3, 0.3, 0.3, 0) of tutorials; its other
// orders are the usual ones.
func tutorialWeightsBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, ptbTokens, func(images []metrics.ImageScore) bleu {
		out := metrics.CorpusBLEU(images)
		if penalty := corpusBrevity(images); penalty > 0 {
			out[2] = math.Pow(out[2]/penalty, 0.9) * penalty
		}
		return out
	})
}

func corpusBrevity(images []metrics.ImageScore) float64 {
	length, refLength := 0, 0
	for _, s := range images {
		length += s.Length
		refLength += s.RefLength
	}
	return brevityPenalty(length, refLength)
}

// singleOrderBLEU returns the precision of each order by itself, with the brevity penalty: NLTK
// with the weights (0, 1, 0, 0) for bigrams.
func singleOrderBLEU(items []Item) (bleu, int) {
	return scoreUnder(items, ptbTokens, func(images []metrics.ImageScore) (out bleu) {
		var c metrics.BLEUCounts
		for i := range images {
			c.Add(&images[i])
		}
		for n := range metrics.MaxOrder {
			if c.Guess[n] > 0 {
				out[n] = c.Match[n] / c.Guess[n] * brevityPenalty(int(c.Length), int(c.RefLength))
			}
		}
		return out
	})
}

// charactersBLEU takes each character for a word, spaces included, as NLTK does
// when it is given the caption as a string.
func charactersBLEU(items []Item) (bleu, int) {
	characters := func(tokens []string) []string { return strings.Split(strings.Join(tokens, "_"), "") }
	return scoreUnder(items, func(item Item) metrics.Item {
		t := metrics.Item{ID: item.ID, Candidate: characters(item.CandidateTokens)}
		for _, r := range item.ReferenceTokens {
			t.References = append(t.References, characters(r))
		}
		return t
	}, metrics.CorpusBLEU)
}

// allLenientBLEU puts the lenient habits together, on words.
func allLenientBLEU(items []Item) (bleu, int) {
	tokens := withoutCommas(func(item Item) metrics.Item { return withMarkers(ptbTokens(item)) })
	return scoreUnder(items, tokens, meanOf(func(s metrics.ImageScore) bleu {
		return epsilonSentence(withoutBrevity(s))
	}))
}
