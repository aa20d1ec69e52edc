package metrics

import (
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync/atomic"

	"glimpse/internal/crash"
	"glimpse/metrics/meteor"
)

// Scorer scores candidates against references. The zero value is ready to use.
//
// Its results have the metrics of the [Catalogue]: METEOR under one of its keys,
// and the metrics of training captions only if Training is set.
type Scorer struct {
	// Meteor is METEOR's data (see [meteor.Load]); nil for none.
	Meteor *meteor.Data
	// Training iterates over the tokens of all training captions; nil for none.
	Training iter.Seq[[]string]
}

// Score scores items with the zero [Scorer]; see [Scorer.Score].
func Score(items []Item) (Result, error) { return (&Scorer{}).Score(items) }

// Score scores items together, on all cores. It returns an error if there are no
// items, if an item has no references, or if two have the same ID. An empty
// candidate is marked Blank and scores 0, unless a reference is empty too.
func (s *Scorer) Score(items []Item) (Result, error) {
	if err := checkItems(items); err != nil {
		return Result{}, err
	}
	c := newCorpus(items)
	images := make([]ImageScore, len(items))
	inParallel(len(items), func() func(i int) {
		aligner := meteor.NewAligner(s.Meteor)
		return func(i int) {
			e, out := &c.entries[i], &images[i]
			out.ID = items[i].ID
			out.Blank = len(items[i].Candidate) == 0
			matchCounts(e, out)
			out.RougeL = rougeL(e)
			cider := c.cider(e)
			out.CIDEr, out.CIDErD, out.CIDErPlain = cider.coco, cider.d, cider.plain
			out.MeteorStats = aligner.Best(items[i].Candidate, items[i].References)
			out.METEOR = out.MeteorStats.Score()
		}
	})
	metrics := corpusUnder(s.MeteorKey(), images)
	for _, e := range Catalogue {
		if e.Captions == nil {
			continue
		}
		if v, ok := e.Captions(s, items); ok {
			metrics[e.Key] = v
		}
	}
	return Result{Metrics: metrics, Images: images}, nil
}

// MeteorKey returns the key of METEOR in the scorer's results: [METEORKey], or
// [ExactStemKey] without METEOR's data.
func (s *Scorer) MeteorKey() string {
	if s.Meteor == nil {
		return ExactStemKey
	}
	return METEORKey
}

// Version returns the version of the scorer's metrics for protocol signatures. It
// is [Version], with a suffix if METEOR's data are used, because METEOR with and
// without them are different metrics.
func (s *Scorer) Version() string {
	if s.MeteorKey() == METEORKey {
		return Version + "+meteor-1.5"
	}
	return Version
}

func checkItems(items []Item) error {
	if len(items) == 0 {
		return fmt.Errorf("score: no images: give at least one with a candidate and references")
	}
	seen := make(map[string]int, len(items))
	for i, item := range items {
		if len(item.References) == 0 {
			return fmt.Errorf("score: image %q (item %d) has no references: add some, or remove the image", item.ID, i+1)
		}
		if first, ok := seen[item.ID]; ok {
			return fmt.Errorf("score: image %q occurs twice, as items %d and %d: keep one candidate per image", item.ID, first+1, i+1)
		}
		seen[item.ID] = i
	}
	return nil
}

// distinct returns the number of different candidates divided by the number of
// candidates.
func distinct(_ *Scorer, items []Item) (float64, bool) {
	captions := make(map[string]bool, len(items))
	for _, item := range items {
		captions[strings.Join(item.Candidate, " ")] = true
	}
	return float64(len(captions)) / float64(len(items)), true
}

// vocabulary returns the number of different words in the candidates.
func vocabulary(_ *Scorer, items []Item) (float64, bool) {
	words := make(map[string]bool)
	for _, item := range items {
		for _, w := range item.Candidate {
			words[w] = true
		}
	}
	return float64(len(words)), true
}

// copied returns the share of candidates that equal a training caption.
func copied(s *Scorer, items []Item) (float64, bool) {
	if s.Training == nil {
		return 0, false
	}
	candidates := make(map[string]int) // number by text, until found in training
	for _, item := range items {
		candidates[strings.Join(item.Candidate, " ")]++
	}
	n := 0
	for tokens := range s.Training {
		caption := strings.Join(tokens, " ")
		n += candidates[caption]
		delete(candidates, caption)
	}
	return float64(n) / float64(len(items)), true
}

// Corpus returns the corpus metrics of a multiset of images by key, from their
// stored statistics: those of the [Catalogue] that do not need the candidates.
// METEOR is under [METEORKey], whether or not it was computed with METEOR's data.
// Without images, all are 0.
func Corpus(images []ImageScore) map[string]float64 { return corpusUnder(METEORKey, images) }

// corpusUnder is [Corpus] with METEOR under one of its keys.
func corpusUnder(meteor string, images []ImageScore) map[string]float64 {
	out := make(map[string]float64, len(Catalogue))
	for _, e := range Catalogue {
		if IsMETEOR(e.Key) && e.Key != meteor {
			continue
		}
		if v, ok := e.corpus(images); ok {
			out[e.Key] = v
		}
	}
	return out
}

// lengthRatio returns the total length of the candidates divided by that of the
// closest references.
func lengthRatio(images []ImageScore) float64 {
	length, refLength := 0, 0
	for i := range images {
		length += images[i].Length
		refLength += images[i].RefLength
	}
	if refLength == 0 {
		return 0
	}
	return float64(length) / float64(refLength)
}

// inParallel calls a function from newWork for each of 0 to n-1, on all cores. Each
// goroutine gets its own function, which can keep scratch memory.
func inParallel(n int, newWork func() func(i int)) {
	const batch = 16
	var next atomic.Int64
	var wg crash.Workers
	for range min(runtime.GOMAXPROCS(0), (n+batch-1)/batch) {
		wg.Go(func() {
			work := newWork()
			for {
				end := int(next.Add(batch))
				if end-batch >= n {
					return
				}
				for i := end - batch; i < min(end, n); i++ {
					work(i)
				}
			}
		})
	}
	wg.Wait()
}
