package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// reader holds the words of a run, one caption after another, so that statistics
// can be computed quickly for many weightings of its images.
type reader struct {
	words    []Word
	image    []int               // of each word
	position []int               // of each word in its caption
	byClass  map[string][]int    // indices of the words of each class; all words for ""
	types    [][]int             // indices of the words of each type with at least fewestRead
	ranked   map[string]*ranking // by series; " within" ranks among words at one position
}

func newReader(run ReadingRun) (*reader, error) {
	r := &reader{byClass: map[string][]int{}, ranked: map[string]*ranking{}}
	byType := map[string][]int{}
	for i, caption := range run.Captions {
		for at, word := range caption {
			if err := sameNumbers(word, run.Captions); err != nil {
				return nil, fmt.Errorf("image %d, word %d (%s): %w", i+1, at+1, word.Text, err)
			}
			n := len(r.words)
			r.words, r.image, r.position = append(r.words, word), append(r.image, i), append(r.position, at)
			r.byClass[""] = append(r.byClass[""], n)
			r.byClass[word.Class] = append(r.byClass[word.Class], n)
			byType[word.Text] = append(byType[word.Text], n)
		}
	}
	for _, list := range byType {
		if len(list) >= fewestRead {
			r.types = append(r.types, list)
		}
	}
	// Iteration over a map is random, and sums must be reproducible.
	slices.SortFunc(r.types, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	together := make([]int, len(r.words))
	for name, of := range series {
		r.ranked[name] = newRanking(r.values(of), together)
		r.ranked[name+" within"] = newRanking(r.values(of), r.position)
	}
	return r, nil
}

// sameNumbers returns an error unless a word has finite numbers where the first
// word of the captions has them, and NaN elsewhere.
func sameNumbers(word Word, captions [][]Word) error {
	first := captions[slices.IndexFunc(captions, func(c []Word) bool { return len(c) > 0 })][0]
	for name, of := range series {
		if v := of(&word); math.IsInf(v, 0) || math.IsNaN(v) != math.IsNaN(of(&first)) {
			return fmt.Errorf("its %s is %v, but that of the first word is %v", name, v, of(&first))
		}
	}
	return nil
}

func (r *reader) values(of func(*Word) float64) []float64 {
	values := make([]float64, len(r.words))
	for i := range r.words {
		values[i] = of(&r.words[i])
	}
	return values
}

// weights returns, for each word, the weight of its image.
func (r *reader) weights(images []float64) []float64 {
	w := make([]float64, len(r.words))
	for i, image := range r.image {
		w[i] = images[image]
	}
	return w
}

// mean is the weighted mean over some of the words; NaN if there are none.
func (r *reader) mean(of func(*Word) float64, words []int, w []float64) float64 {
	sum, total := 0.0, 0.0
	for _, i := range words {
		sum += w[i] * of(&r.words[i])
		total += w[i]
	}
	return sum / total
}

// readingStatistic is a statistic of weighted words.
type readingStatistic struct {
	name  string
	of    func(r *reader, w []float64) float64 // NaN if undefined
	shown func(float64) float64                // converts from the averaged to the reported scale
}

func readingStatistics(classes []string) []readingStatistic {
	var list []readingStatistic
	for name, of := range series {
		for _, class := range append([]string{""}, classes...) {
			average := func(r *reader, w []float64) float64 { return r.mean(of, r.byClass[class], w) }
			list = append(list, readingStatistic{name + class, average, asItIs})
		}
	}
	spearman := func(name, a, b string) readingStatistic {
		z := func(r *reader, w []float64) float64 { return fisher(correlation(r.ranked[a], r.ranked[b], w)) }
		return readingStatistic{name, z, math.Tanh}
	}
	return append(list,
		spearman("correlation", "beta", "gain"),
		spearman("within", "beta within", "gain within"),
		spearman("regions", "beta within", "regions_gain within"),
		spearman("other picture", "beta", "other_beta"),
		readingStatistic{"types", func(r *reader, w []float64) float64 { return fisher(typeCorrelation(r, w)) }, math.Tanh},
		readingStatistic{"difference", func(r *reader, w []float64) float64 { return r.difference(w, make([]int, len(w))) }, asItIs},
		readingStatistic{"difference within", func(r *reader, w []float64) float64 { return r.difference(w, r.position) }, asItIs},
		readingStatistic{"change", func(r *reader, w []float64) float64 {
			return r.mean(func(word *Word) float64 { return math.Abs(word.Beta - word.OtherBeta) }, r.byClass[""], w)
		}, asItIs},
	)
}

// fisher is Fisher's z of a correlation, whose distribution is nearly normal
// (Fisher 1921, Metron 1:3–32). For ±1, whose z is infinite, it is large but
// finite.
func fisher(rho float64) float64 { return math.Atanh(max(-1+1e-9, min(rho, 1-1e-9))) }

func asItIs(v float64) float64 { return v }

// typeCorrelation is Spearman's rank correlation, over types of words, of their
// mean β and mean gain.
func typeCorrelation(r *reader, w []float64) float64 {
	beta, gain := make([]float64, len(r.types)), make([]float64, len(r.types))
	for i, words := range r.types {
		beta[i], gain[i] = r.mean(series["beta"], words, w), r.mean(series["gain"], words, w)
	}
	together, alike := make([]int, len(beta)), slices.Repeat([]float64{1}, len(beta))
	return correlation(newRanking(beta, together), newRanking(gain, together), alike)
}

// difference is the mean β of function words minus that of visual words, within
// strata. Strata that have both are weighted as by least squares in a model with
// an effect for each stratum.
func (r *reader) difference(w []float64, stratum []int) float64 {
	type sums struct{ beta, weight [2]float64 }
	var strata []sums
	for i := range r.words {
		kind := r.words[i].Kind
		if kind == NeitherKind {
			continue
		}
		for len(strata) <= stratum[i] {
			strata = append(strata, sums{})
		}
		s := &strata[stratum[i]]
		s.beta[kind-FunctionWord] += w[i] * r.words[i].Beta
		s.weight[kind-FunctionWord] += w[i]
	}
	sum, total := 0.0, 0.0
	for _, s := range strata {
		if s.weight[0] > 0 && s.weight[1] > 0 {
			counts := s.weight[0] * s.weight[1] / (s.weight[0] + s.weight[1])
			sum += counts * (s.beta[0]/s.weight[0] - s.beta[1]/s.weight[1])
			total += counts
		}
	}
	return sum / total
}

// ranking is the order of values within strata.
type ranking struct {
	values  []float64
	stratum []int
	order   []int // indices of values, by stratum, then value
}

func newRanking(values []float64, stratum []int) *ranking {
	r := &ranking{values: values, stratum: stratum, order: make([]int, len(values))}
	for i := range r.order {
		r.order[i] = i
	}
	slices.SortFunc(r.order, func(a, b int) int {
		return cmp.Or(cmp.Compare(stratum[a], stratum[b]), cmp.Compare(values[a], values[b]), cmp.Compare(a, b))
	})
	return r
}

// ranks returns the weighted midranks within each stratum, from −½ to ½, so that
// their weighted mean is 0.
func (r *ranking) ranks(w []float64) []float64 {
	out := make([]float64, len(w))
	for first, end := 0, 0; first < len(r.order); first = end {
		stratum, total := r.stratum[r.order[first]], 0.0
		for ; end < len(r.order) && r.stratum[r.order[end]] == stratum; end++ {
			total += w[r.order[end]]
		}
		below := 0.0
		for i := first; i < end; {
			value, tied, j := r.values[r.order[i]], 0.0, i
			for ; j < end && r.values[r.order[j]] == value; j++ {
				tied += w[r.order[j]]
			}
			for ; i < j; i++ {
				out[r.order[i]] = (below+tied/2)/total - 0.5
			}
			below += tied
		}
	}
	return out
}

// correlation is the weighted Spearman rank correlation, within the strata of the
// rankings. Ranks are shares of a stratum, so each stratum counts by its weight.
// The result is NaN if there are no words, or if a ranking is all ties or of NaN.
func correlation(a, b *ranking, w []float64) float64 {
	if len(w) == 0 || math.IsNaN(a.values[0]) || math.IsNaN(b.values[0]) {
		return math.NaN()
	}
	x, y := a.ranks(w), b.ranks(w)
	var xy, xx, yy float64
	for i := range w {
		xy += w[i] * x[i] * y[i]
		xx += w[i] * x[i] * x[i]
		yy += w[i] * y[i] * y[i]
	}
	if xx == 0 || yy == 0 {
		return math.NaN()
	}
	return xy / math.Sqrt(xx*yy)
}
