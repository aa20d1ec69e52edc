package metrics

import "math"

// The small constants that coco-caption's BLEU adds so that an empty
// candidate gives 0 and no division is by zero. They are kept because they
// decide the value of a corpus without a single matching n-gram.
const (
	bleuTiny  = 1e-15
	bleuSmall = 1e-9
)

// CorpusBLEU returns BLEU-1 to BLEU-4 of a multiset of images from their
// stored counts: clipped n-gram precisions over the whole corpus, their
// geometric mean, and the brevity penalty against the closest reference
// lengths (Papineni et al. 2002). No images give zeros.
func CorpusBLEU(images []ImageScore) [MaxOrder]float64 {
	var c BLEUCounts
	for i := range images {
		c.Add(&images[i])
	}
	return c.bleu()
}

// SentenceBLEU returns BLEU-1 to BLEU-4 of one image, unsmoothed, as
// coco-caption reports it for each image.
func SentenceBLEU(image ImageScore) [MaxOrder]float64 {
	var c BLEUCounts
	c.Add(&image)
	return c.bleu()
}

// BLEUCounts are the sums over images that corpus BLEU is made of: matching
// n-grams, n-grams of the candidates, and the lengths of candidates and of the
// references closest to them. They are whole numbers.
type BLEUCounts struct {
	Match, Guess      [MaxOrder]float64
	Length, RefLength float64
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

// Score returns BLEU of an order from 1 to MaxOrder.
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

// CountMatches returns what BLEU is made of for each of the items, in their order, and nothing
// else: Match, Length and RefLength. Unlike [Score] it takes items without an ID, and several of
// one image.
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

// countOf returns how often an n-gram is in a sorted list.
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

// closestLength returns the length of the reference closest to the candidate's,
// the shorter one of a tie.
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
