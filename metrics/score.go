package metrics

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// Scorer scores candidates against references. The zero value is ready to use.
//
// The metrics of its results, by key:
//
//	bleu1 … bleu4      corpus BLEU, closest reference length, brevity penalty
//	rouge_l            mean ROUGE-L, β = 1.2
//	cider              mean CIDEr as coco-caption computes it, 0 to 10
//	cider_d            mean CIDEr-D as its paper defines it, 0 to 10
//	cider_plain        mean CIDEr without the changes of CIDEr-D, 0 to 10
//	meteor             METEOR 1.5 over the corpus, where Meteor is set
//	meteor-exact-stem  METEOR from exact and stem matches alone, where it is not
//	length_ratio       candidates' length over the closest references' length
//	distinct           share of candidates that are different from one another
//	vocabulary         number of different words in the candidates
//	copied             share of candidates that are a training caption, where
//	                   Training is set
type Scorer struct {
	// Meteor holds METEOR's data (see [LoadMeteor]); nil for none.
	Meteor *Meteor
	// Training are the tokens of all training captions; nil for none.
	Training [][]string
}

// Score scores items with the zero [Scorer], on all cores.
func Score(items []Item) (Result, error) { return (&Scorer{}).Score(items) }

// Score scores items together, on all cores. It is an error if there are none,
// if one has no references, or if two have the same ID. An empty candidate
// scores 0 (where no reference is empty) and is marked Blank.
func (s *Scorer) Score(items []Item) (Result, error) {
	if err := checkItems(items); err != nil {
		return Result{}, err
	}
	meteor := s.meteor()
	c := newCorpus(items)
	images := make([]ImageScore, len(items))
	inParallel(len(items), func() func(i int) {
		aligner := meteor.newAligner()
		return func(i int) {
			e, out := &c.entries[i], &images[i]
			out.ID = items[i].ID
			out.Blank = len(items[i].Candidate) == 0
			matchCounts(e, out)
			out.RougeL = rougeL(e)
			cider := c.cider(e)
			out.CIDEr, out.CIDErD, out.CIDErPlain = cider.coco, cider.d, cider.plain
			out.MeteorStats = aligner.best(items[i].Candidate, items[i].References)
			out.METEOR = out.MeteorStats.Score()
		}
	})
	metrics := Corpus(images)
	if key := s.MeteorKey(); key != "meteor" {
		metrics[key] = metrics["meteor"]
		delete(metrics, "meteor")
	}
	s.describe(items, metrics)
	return Result{Metrics: metrics, Images: images}, nil
}

func (s *Scorer) meteor() *Meteor {
	if s.Meteor == nil {
		return exactStem
	}
	return s.Meteor
}

// MeteorKey is the name under which the scorer gives METEOR: "meteor", or
// "meteor-exact-stem" without METEOR's data.
func (s *Scorer) MeteorKey() string { return s.meteor().key() }

// Version names the scorer's metrics in protocol signatures: [Version], marked
// where METEOR's data are used, since METEOR with and without them are
// different metrics.
func (s *Scorer) Version() string {
	if s.MeteorKey() == "meteor" {
		return Version + "+meteor-1.5"
	}
	return Version
}

func checkItems(items []Item) error {
	if len(items) == 0 {
		return fmt.Errorf("score: no images; give at least one with a candidate and references")
	}
	seen := make(map[string]int, len(items))
	for i, item := range items {
		if len(item.References) == 0 {
			return fmt.Errorf("score: image %q (item %d) has no references; add some or leave it out", item.ID, i+1)
		}
		if first, ok := seen[item.ID]; ok {
			return fmt.Errorf("score: image %q is item %d and item %d; keep one candidate for each image", item.ID, first+1, i+1)
		}
		seen[item.ID] = i
	}
	return nil
}

// describe adds the metrics that look at the candidates alone.
func (s *Scorer) describe(items []Item, metrics map[string]float64) {
	words := make(map[string]bool)
	captions := make(map[string]bool, len(items))
	for _, item := range items {
		captions[strings.Join(item.Candidate, " ")] = true
		for _, w := range item.Candidate {
			words[w] = true
		}
	}
	metrics["distinct"] = float64(len(captions)) / float64(len(items))
	metrics["vocabulary"] = float64(len(words))
	if s.Training == nil {
		return
	}
	training := make(map[string]bool, len(s.Training))
	for _, tokens := range s.Training {
		training[strings.Join(tokens, " ")] = true
	}
	copied := 0
	for _, item := range items {
		if training[strings.Join(item.Candidate, " ")] {
			copied++
		}
	}
	metrics["copied"] = float64(copied) / float64(len(items))
}

// Corpus returns the corpus metrics of a multiset of images from their stored
// statistics, under the keys bleu1 to bleu4, rouge_l, cider, cider_d,
// cider_plain, meteor (whichever METEOR the images hold) and length_ratio. No
// images give zeros.
func Corpus(images []ImageScore) map[string]float64 {
	bleu := CorpusBLEU(images)
	out := map[string]float64{
		"bleu1": bleu[0], "bleu2": bleu[1], "bleu3": bleu[2], "bleu4": bleu[3],
		"rouge_l": 0, "cider": 0, "cider_d": 0, "cider_plain": 0, "meteor": CorpusMETEOR(images), "length_ratio": 0,
	}
	length, refLength := 0, 0
	for i := range images {
		s := &images[i]
		out["rouge_l"] += s.RougeL
		out["cider"] += s.CIDEr
		out["cider_d"] += s.CIDErD
		out["cider_plain"] += s.CIDErPlain
		length += s.Length
		refLength += s.RefLength
	}
	if len(images) > 0 {
		for _, key := range [...]string{"rouge_l", "cider", "cider_d", "cider_plain"} {
			out[key] /= float64(len(images))
		}
	}
	if refLength > 0 {
		out["length_ratio"] = float64(length) / float64(refLength)
	}
	return out
}

// inParallel calls work for 0 to n-1, on all cores. Each core gets a function
// of its own from newWork, so that it may keep scratch memory.
func inParallel(n int, newWork func() func(i int)) {
	const batch = 16
	var next atomic.Int64
	var wg sync.WaitGroup
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
