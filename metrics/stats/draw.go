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

// stream returns a generator of its own for each use and number, so that no
// draw depends on which goroutine made the one before.
func stream(seed int64, use, number uint64) *rand.PCG {
	a := mix(uint64(seed) ^ mix(use))
	b := mix(a ^ mix(number+1))
	return rand.NewPCG(b, mix(b))
}

// The uses of random numbers, each with streams of its own.
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

// below returns a number from 0 to n−1. It is written out because rand.IntN
// may change from one Go release to the next, and reports have to repeat; the
// bias of at most n/2⁶⁴ is beyond notice.
func below(g *rand.PCG, n int) int {
	hi, _ := bits.Mul64(g.Uint64(), uint64(n))
	return int(hi)
}

// table holds the columns of all runs: columns[run][k][image], for the k-th
// of the columns that the metrics asked for need.
type table struct {
	images  int
	width   int // number of all columns
	needed  []column
	metrics []measure
	columns [][][]float64
}

// newTable is the table of runs that were reduced for these metrics.
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

// scores fills out[metric] from the column sums of one run. all is scratch of the table's width.
func (t *table) scores(sums, all, out []float64) {
	for k, c := range t.needed {
		all[c] = sums[k]
	}
	for m, f := range t.metrics {
		out[m] = f.value(all, float64(t.images))
	}
}

// observed returns the sums [run][column] and the scores [run][metric] of the
// images as they are.
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

// lanes is the number of draws that one pass over the columns serves.
const lanes = 4

// project makes `draws` weightings of the images, each by fill, which gets the
// draw's number and its zeroed weights, and hands use the weighted sums of the
// columns given, sums[run][column]. fill and use are called from several
// goroutines, once a draw; every sum adds up its images in their order.
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

// dot4 returns the dot products of four weightings with one column; reading
// the column once for four is what makes the draws fast.
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

// resample is the outcome of the crossed bootstrap for the replicates of a unit: their
// score on every draw of images, and how often each was drawn in its unit.
type resample struct {
	draws, runs int
	score       []float64 // [metric][draw][run]
	*drawn                // nil if nobody asks
}

// drawn is how often each replicate was drawn, and each of the heads'.
type drawn struct {
	heads  []head
	places int      // at least as many as replicates
	times  []uint16 // [draw][place]
}

// newResample has room for the scores of so many replicates.
func newResample(metrics, draws, runs int) *resample {
	return &resample{draws: draws, runs: runs, score: make([]float64, metrics*draws*runs)}
}

// newDrawn has room for the draws of so many replicates.
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

// at is how often each place was drawn.
func (s *drawn) at(draw int) []uint16 { return s.times[draw*s.places : (draw+1)*s.places] }

// head is the first n replicates of a unit, as a look has them, drawn apart from
// the whole unit and from all else: what a look found does not change when more
// runs come, nor with those of other units.
type head struct {
	n      int
	stream uint64
	first  int // its first place
}

func newHead(u unit, n int) head {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s %d", u.name, n)
	return head{n: n, stream: hash.Sum64()}
}

// bootstrap draws images, the same for all runs, and replicates within each unit.
type bootstrap struct {
	*table
	draws int
	seed  int64
}

// drawImages weighs the images of a draw, and gives the generator that its replicates are drawn by.
func (b *bootstrap) drawImages(d int, weights []float64) *rand.PCG {
	g := stream(b.seed, useImages, uint64(d))
	for range weights {
		weights[below(g, len(weights))]++
	}
	return g
}

// scores draws images for some of the units, which have runs of their own. Others may come later: the
// scores of all need not be in memory together.
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

// replicates draws the replicates of all units, in their order. It keeps those of units that are wanted,
// with the heads of each, if any.
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
