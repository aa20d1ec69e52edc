package stats

import (
	"fmt"
	"hash/fnv"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"

	"glimpse/internal/crash"
)

// stream returns a separate generator for each use and number, so that no draw
// depends on the order in which goroutines run.
func stream(seed int64, use, number uint64) *rand.PCG {
	a := mix(uint64(seed) ^ mix(use))
	b := mix(a ^ mix(number+1))
	return rand.NewPCG(b, mix(b))
}

// The uses of random numbers, each with its own streams.
const (
	useImages uint64 = iota + 1
	useSwaps
	useSplits
	usePower
	useReadings
	useHeads
	useTrials
)

// mix is the finalizer of SplitMix64 (Steele, Lea & Flood 2014), which turns
// neighbouring numbers into unrelated ones.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below returns a random number from 0 to n−1. It does not use rand.IntN, which
// may change with a Go release, because reports must be reproducible. Its bias of
// at most n/2⁶⁴ is negligible.
func below(g *rand.PCG, n int) int {
	hi, _ := bits.Mul64(g.Uint64(), uint64(n))
	return int(hi)
}

// table holds the columns that the requested metrics need, for all runs.
type table struct {
	images  int
	width   int           // number of all columns, needed or not
	needed  []column      // ascending
	metrics []measure     // in the order requested
	columns [][][]float64 // [run][index in needed][image]
}

// newTable returns the table of runs that were reduced for these metrics.
func newTable(runs []Run, keys []string) *table {
	t := &table{images: runs[0].images(), width: len(quantities())}
	for _, key := range keys {
		m := measureIn(runs, key)
		t.metrics = append(t.metrics, m)
		t.needed = append(t.needed, m.columns...)
	}
	slices.Sort(t.needed)
	t.needed = slices.Compact(t.needed)
	for _, r := range runs {
		cols := make([][]float64, len(t.needed))
		for k, c := range t.needed {
			cols[k] = r.kept.columns[c]
		}
		t.columns = append(t.columns, cols)
	}
	return t
}

// scores fills out[metric] from the column sums of one run. all is scratch space
// of the table's width.
func (t *table) scores(sums, all, out []float64) {
	for k, c := range t.needed {
		all[c] = sums[k]
	}
	for m, f := range t.metrics {
		out[m] = f.value(all, float64(t.images))
	}
}

// observed returns the column sums [run][column] and the scores [run][metric] on
// the actual images.
func (t *table) observed() (sums, scores [][]float64) {
	all := make([]float64, t.width)
	for _, cols := range t.columns {
		run := make([]float64, len(cols))
		for k, col := range cols {
			for _, v := range col {
				run[k] += v
			}
		}
		out := make([]float64, len(t.metrics))
		t.scores(run, all, out)
		sums, scores = append(sums, run), append(scores, out)
	}
	return sums, scores
}

// lanes is the number of draws computed in one pass over the columns.
const lanes = 4

// project computes weighted column sums for a number of draws. For each draw,
// fill sets the weights of the images, which start at 0, and use gets the
// weighted sums of the given columns, sums[run][column]. Both are called once per
// draw, from several goroutines. Every sum adds the images in their order.
func (t *table) project(columns [][][]float64, draws int, fill func(draw int, weights []float64), use func(draw int, sums [][]float64)) {
	var next atomic.Int64
	var wg crash.Workers
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			weights := make([][]float64, lanes)
			sums := make([][][]float64, lanes)
			for l := range lanes {
				weights[l] = make([]float64, t.images)
				sums[l] = make([][]float64, len(columns))
				for r := range sums[l] {
					sums[l][r] = make([]float64, len(t.needed))
				}
			}
			for {
				first := int(next.Add(lanes)) - lanes
				if first >= draws {
					return
				}
				last := min(first+lanes, draws)
				for d := first; d < last; d++ {
					clear(weights[d-first])
					fill(d, weights[d-first])
				}
				for r, cols := range columns {
					for k, col := range cols {
						s := dot4(weights, col)
						for l := range s {
							sums[l][r][k] = s[l]
						}
					}
				}
				for d := first; d < last; d++ {
					use(d, sums[d-first])
				}
			}
		})
	}
	wg.Wait()
}

// inParallel calls f once for each of n draws, from several goroutines.
func inParallel(n int, f func(draw int)) {
	var next atomic.Int64
	var wg crash.Workers
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for d := int(next.Add(1)) - 1; d < n; d = int(next.Add(1)) - 1 {
				f(d)
			}
		})
	}
	wg.Wait()
}

// dot4 returns the dot products of four weight vectors with one column. It is
// fast because it reads the column once for all four.
func dot4(w [][]float64, x []float64) [lanes]float64 {
	n := len(x)
	w0, w1, w2, w3 := w[0][:n], w[1][:n], w[2][:n], w[3][:n]
	var s0, s1, s2, s3 float64
	for i, v := range x {
		s0 += w0[i] * v
		s1 += w1[i] * v
		s2 += w2[i] * v
		s3 += w3[i] * v
	}
	return [lanes]float64{s0, s1, s2, s3}
}

// resample is the crossed bootstrap of a unit: its replicates' scores on every
// draw of images, and how often each replicate was drawn.
type resample struct {
	draws, runs int
	score       []float64 // [metric][draw][run]
	*drawn                // nil if replicates were not drawn
}

// drawn is how often each replicate of a unit was drawn, for the whole unit and
// then for each of its heads.
type drawn struct {
	heads  []head
	places int      // the number of replicates plus the sizes of the heads
	times  []uint16 // [draw][place]
}

// newResample allocates the scores of a number of replicates.
func newResample(metrics, draws, runs int) *resample {
	return &resample{draws: draws, runs: runs, score: make([]float64, metrics*draws*runs)}
}

// newDrawn allocates the draws of a number of replicates and of their heads.
func newDrawn(draws, runs int, heads []head) *drawn {
	s := &drawn{heads: heads, places: runs}
	for i := range heads {
		heads[i].first = s.places
		s.places += heads[i].n
	}
	s.times = make([]uint16, draws*s.places)
	return s
}

// on returns the scores of all replicates on one draw of images.
func (s *resample) on(metric, draw int) []float64 {
	at := (metric*s.draws + draw) * s.runs
	return s.score[at : at+s.runs]
}

// at returns how often each place was drawn in one draw.
func (s *drawn) at(draw int) []uint16 { return s.times[draw*s.places : (draw+1)*s.places] }

// head is the first n replicates of a unit, as used by a look. Heads have their
// own random numbers, so that the result of a look does not change when this or
// another unit gets more runs.
type head struct {
	n      int
	stream uint64
	first  int // its first place in drawn.times
}

func newHead(u unit, n int) head {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s %d", u.name, n)
	return head{n: n, stream: hash.Sum64()}
}

// bootstrap resamples images, the same for all runs, and replicates within each
// unit.
type bootstrap struct {
	*table
	draws int
	seed  int64
}

// drawImages sets weights to how often each image is in a draw. It returns the
// generator with which to draw the replicates.
func (b *bootstrap) drawImages(d int, weights []float64) *rand.PCG {
	g := stream(b.seed, useImages, uint64(d))
	for range weights {
		weights[below(g, len(weights))]++
	}
	return g
}

// scores computes the scores of arms on all draws of images. It can be called for
// a few arms at a time, so that not all scores are in memory at once.
func (b *bootstrap) scores(units []unit) []*resample {
	out := make([]*resample, len(units))
	var columns [][][]float64
	for i, u := range units {
		out[i] = newResample(len(b.metrics), b.draws, u.n())
		columns = append(columns, b.columns[u.first:u.end]...)
	}
	draw := func(d int, weights []float64) { b.drawImages(d, weights) }
	b.project(columns, b.draws, draw, func(d int, sums [][]float64) {
		all, scores := make([]float64, b.width), make([]float64, len(b.metrics))
		for i := range units {
			for r := range out[i].runs {
				b.table.scores(sums[r], all, scores)
				for m, v := range scores {
					out[i].on(m, d)[r] = v
				}
			}
			sums = sums[out[i].runs:]
		}
	})
	return out
}

// replicates draws the replicates of all units, in their order. It keeps the
// draws of the units that wanted selects, along with those of the heads that
// wanted returns.
func (b *bootstrap) replicates(units []unit, wanted func(k int) ([]head, bool)) []*drawn {
	out := make([]*drawn, len(units))
	for k, u := range units {
		if heads, is := wanted(k); is {
			out[k] = newDrawn(b.draws, u.n(), heads)
		}
	}
	inParallel(b.draws, func(d int) {
		g := b.drawImages(d, make([]float64, b.images))
		for k, u := range units {
			if out[k] == nil {
				for range u.n() {
					below(g, u.n())
				}
				continue
			}
			times := out[k].at(d)
			for range u.n() {
				times[below(g, u.n())]++
			}
			for _, h := range out[k].heads {
				g := stream(b.seed, useHeads, h.stream+uint64(d))
				for range h.n {
					times[h.first+below(g, h.n)]++
				}
			}
		}
	})
	return out
}
