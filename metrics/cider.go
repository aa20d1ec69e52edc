package metrics

import "math"

// ciderSigma is the standard deviation, in words, of CIDEr-D's Gaussian penalty on
// the difference in length (Vedantam, Zitnick & Parikh 2015, "CIDEr:
// consensus-based image description evaluation", arXiv 1411.5726, section 6;
// coco-caption's default).
const ciderSigma = 6.0

// weigh computes the inverse document frequencies of the corpus. A document is all
// references of one image.
func (c *corpus) weigh(sizes [MaxOrder]int) {
	logImages := math.Log(float64(len(c.entries)))
	for n := range MaxOrder {
		images := make([]int32, sizes[n])
		lastSeen := make([]int32, sizes[n])
		for i := range c.entries {
			for k := range c.entries[i].references {
				for _, g := range c.entries[i].references[k].grams[n] {
					if lastSeen[g.id] != int32(i+1) {
						lastSeen[g.id] = int32(i + 1)
						images[g.id]++
					}
				}
			}
		}
		c.idf[n] = make([]float64, sizes[n])
		for id, count := range images {
			c.idf[n][id] = logImages - math.Log(max(1, float64(count)))
		}
	}
}

// weight returns the inverse document frequency of an (n+1)-gram. An n-gram that
// is not in the corpus counts as if it were in the references of one image.
func (c *corpus) weight(n int, id uint32) float64 {
	if int(id) < len(c.idf[n]) {
		return c.idf[n][id]
	}
	return math.Log(float64(len(c.entries)))
}

// norms returns the length of the caption's TF-IDF vector for each order.
func (c *corpus) norms(s *caption) [MaxOrder]float64 {
	var out [MaxOrder]float64
	for n := range MaxOrder {
		sum := 0.0
		for _, g := range s.grams[n] {
			w := float64(g.count) * c.weight(n, g.id)
			sum += w * w
		}
		out[n] = math.Sqrt(sum)
	}
	return out
}

// ciderScores are the variants of CIDEr for one image. Each is 10 times the mean,
// over references and n-gram orders, of a similarity of TF-IDF vectors.
type ciderScores struct {
	// coco is what coco-caption, and so the literature, calls CIDEr: CIDEr-D with
	// lengths measured in bigrams.
	coco float64
	// d is CIDEr-D as in the paper: the counts of the candidate are clipped to
	// those of the reference, and a difference in length, in words, is penalised.
	d float64
	// plain is CIDEr as in the paper: the cosine similarity.
	plain float64
}

func (c *corpus) cider(e *entry) ciderScores {
	var out ciderScores
	norm := c.norms(&e.candidate)
	for k := range e.references {
		ref := &e.references[k]
		refNorm := c.norms(ref)
		clipped, cosine := 0.0, 0.0
		for n := range MaxOrder {
			if norm[n] == 0 || refNorm[n] == 0 {
				continue
			}
			dotClipped, dot := 0.0, 0.0
			overlap(e.candidate.grams[n], ref.grams[n], func(id uint32, inCandidate, inRef int32) {
				w := c.idf[n][id] * c.idf[n][id] * float64(inRef)
				dotClipped += w * float64(min(inCandidate, inRef))
				dot += w * float64(inCandidate)
			})
			clipped += dotClipped / (norm[n] * refNorm[n])
			cosine += dot / (norm[n] * refNorm[n])
		}
		words := len(e.candidate.words) - len(ref.words)
		bigrams := max(0, len(e.candidate.words)-1) - max(0, len(ref.words)-1)
		out.coco += clipped * lengthPenalty(bigrams)
		out.d += clipped * lengthPenalty(words)
		out.plain += cosine
	}
	scale := 10 / float64(MaxOrder*len(e.references))
	return ciderScores{out.coco * scale, out.d * scale, out.plain * scale}
}

func lengthPenalty(difference int) float64 {
	d := float64(difference)
	return math.Exp(-d * d / (2 * ciderSigma * ciderSigma))
}
