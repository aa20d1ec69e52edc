package metrics

import "slices"

// References are the reference captions of images, with their n-grams already
// counted, so that any number of candidates can be scored against them one by one,
// such as sampled captions for their rewards. It is safe for concurrent use.
type References struct{ corpus *corpus }

// NewReferences counts the n-grams of references, which are images × captions ×
// tokens. CIDEr's document frequencies are those of these references.
func NewReferences(images [][][]string) *References {
	items := make([]Item, len(images))
	for i, references := range images {
		items[i].References = references
	}
	return &References{newCorpus(items)}
}

// Score scores a candidate for the image with an index. It fills in only the fields
// for BLEU and CIDEr: Match, Length, RefLength, CIDEr, CIDErD and CIDErPlain. Their
// values equal those of [Score] for these images.
func (r *References) Score(image int, candidate []string) ImageScore {
	e := entry{candidate: r.count(candidate), references: r.corpus.entries[image].references}
	var s ImageScore
	matchCounts(&e, &s)
	cider := r.corpus.cider(&e)
	s.CIDEr, s.CIDErD, s.CIDErPlain = cider.coco, cider.d, cider.plain
	return s
}

// ScoreAll scores candidates[i] for the image with index images[i], for all i, on
// all cores. The slices must have the same length.
func (r *References) ScoreAll(images []int, candidates [][]string) []ImageScore {
	scores := make([]ImageScore, len(candidates))
	inParallel(len(candidates), func() func(i int) {
		return func(i int) { scores[i] = r.Score(images[i], candidates[i]) }
	})
	return scores
}

// count numbers a caption and its n-grams without adding to the corpus. Words and
// n-grams that are in no reference get numbers beyond those of the corpus.
func (r *References) count(tokens []string) caption {
	var unknown []string
	c := number(tokens, func(word string) uint32 {
		if id, known := r.corpus.words[word]; known {
			return id
		}
		at := slices.Index(unknown, word)
		if at < 0 {
			at, unknown = len(unknown), append(unknown, word)
		}
		return uint32(len(r.corpus.words) + at)
	})
	var pairs [MaxOrder - 1]lookup
	for n := range pairs {
		pairs[n].pairTable = r.corpus.tables[n]
	}
	bigrams, trigrams, fourgrams := &pairs[0], &pairs[1], &pairs[2]
	ids := make([][]uint32, MaxOrder)
	ids[0] = slices.Clone(c.words)
	for k := 0; k+1 < len(c.words); k++ {
		ids[1] = append(ids[1], bigrams.id(c.words[k], c.words[k+1]))
	}
	for k := 0; k+1 < len(ids[1]); k++ {
		ids[2] = append(ids[2], trigrams.id(ids[1][k], c.words[k+2]))
	}
	for k := 0; k+2 < len(ids[1]); k++ {
		ids[3] = append(ids[3], fourgrams.id(ids[1][k], ids[1][k+2]))
	}
	for n := range c.grams {
		c.grams[n] = countGrams(ids[n])
	}
	return c
}

// lookup numbers pairs by a table without changing it. Pairs that are not in the
// table are numbered after those that are.
type lookup struct {
	*pairTable
	unknown []uint64
}

func (l *lookup) id(a, b uint32) uint32 {
	key := pairKey(a, b)
	if slot := l.find(key); slot.id > 0 {
		return slot.id - 1
	}
	at := slices.Index(l.unknown, key)
	if at < 0 {
		at, l.unknown = len(l.unknown), append(l.unknown, key)
	}
	return uint32(l.count + at)
}
