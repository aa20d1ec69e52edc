package metrics

import "math"

// The small constants that coco-caption's BLEU adds so that an empty candidate
// scores 0 and nothing is divided by zero. They are kept because they determine
// the score of a corpus without a matching n-gram.
const (
	bleuTiny  = 1e-15
	bleuSmall = 1e-9
)

// CorpusBLEU returns BLEU-1 to BLEU-4 of a multiset of images, as fractions of 1,
// from their stored counts: the geometric mean of clipped n-gram precisions over
// the whole corpus, times the brevity penalty against the closest reference
// lengths (Papineni et al. 2002, "BLEU: a method for automatic evaluation of
// machine translation", ACL, doi:10.3115/1073083.1073135). Without images, all
// are 0.
func CorpusBLEU(images []ImageScore) [MaxOrder]float64 {
	var c BLEUCounts
	for i := range images {
		c.Add(&images[i])
	}
	return c.bleu()
}

// SentenceBLEU returns BLEU-1 to BLEU-4 of one image without smoothing, as
// coco-caption reports it per image.
func SentenceBLEU(image ImageScore) [MaxOrder]float64 {
	var c BLEUCounts
	c.Add(&image)
	return c.bleu()
}

// BLEUCounts are the sums over images from which corpus BLEU is computed. They are
// whole numbers. Index n of an array is for (n+1)-grams.
type BLEUCounts struct {
	Match, Guess      [MaxOrder]float64 // matching n-grams, and all n-grams of the candidates
	Length, RefLength float64           // tokens of the candidates, and of the references closest in length
}

// Add adds the counts of an image.
func (c *BLEUCounts) Add(s *ImageScore) {
	for n := range MaxOrder {
		c.Match[n] += float64(s.Match[n])
		c.Guess[n] += float64(max(0, s.Length-n))
	}
	c.Length += float64(s.Length)
	c.RefLength += float64(s.RefLength)
}

func (c *BLEUCounts) bleu() [MaxOrder]float64 {
	var out [MaxOrder]float64
	for n := range out {
		out[n] = c.Score(n + 1)
	}
	return out
}

// Score returns BLEU of an order from 1 to [MaxOrder], as a fraction of 1.
func (c *BLEUCounts) Score(order int) float64 {
	product := 1.0
	for n := range order {
		product *= (c.Match[n] + bleuTiny) / (c.Guess[n] + bleuSmall)
	}
	score := math.Pow(product, 1/float64(order))
	if ratio := (c.Length + bleuTiny) / (c.RefLength + bleuSmall); ratio < 1 {
		score *= math.Exp(1 - 1/ratio)
	}
	return score
}

// CountMatches returns the counts that BLEU needs for each item, in order: Match,
// Length and RefLength, with the item's ID. Unlike [Score], it accepts items
// without an ID and several items of one image.
func CountMatches(items []Item) []ImageScore {
	c := newCorpus(items)
	images := make([]ImageScore, len(items))
	for i := range items {
		images[i].ID = items[i].ID
		matchCounts(&c.entries[i], &images[i])
	}
	return images
}

// matchCounts fills in the n-gram matches and lengths of one image.
func matchCounts(e *entry, s *ImageScore) {
	s.Length = len(e.candidate.words)
	s.RefLength = closestLength(e)
	for n := range MaxOrder {
		for _, g := range e.candidate.grams[n] {
			most := int32(0)
			for k := range e.references {
				most = max(most, countOf(e.references[k].grams[n], g.id))
			}
			s.Match[n] += int(min(g.count, most))
		}
	}
}

// countOf returns the count of an n-gram in a sorted list.
func countOf(grams []gram, id uint32) int32 {
	for _, g := range grams {
		if g.id >= id {
			if g.id == id {
				return g.count
			}
			break
		}
	}
	return 0
}

// closestLength returns the length of the reference whose length is closest to the
// candidate's; the shorter one in a tie.
func closestLength(e *entry) int {
	length := len(e.candidate.words)
	best := -1
	for k := range e.references {
		n := len(e.references[k].words)
		d, bestD := abs(n-length), abs(best-length)
		if best < 0 || d < bestD || d == bestD && n < best {
			best = n
		}
	}
	return best
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
