package stats

import (
	"fmt"
	"math"
	"slices"
)

// Pair is the comparison of two runs in one metric. Scores are fractions of 1.
type Pair struct {
	Contrast
	Metric     string  `json:"metric"`
	ScoreB     float64 `json:"score_b"`
	ScoreA     float64 `json:"score_a"`
	Difference float64 `json:"difference"`
	// Low and High are percentiles of the paired bootstrap over images, of level
	// 1 − α (Koehn 2004).
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// PBootstrap is the p-value of the paired bootstrap shifted to the null: the
	// share of draws whose difference is at least as far from the observed one as
	// the observed one is from 0. PRandomization is the p-value of approximate
	// randomization: the share of random exchanges of the two runs' captions,
	// image by image, that give at least as large a difference (Riezler & Maxwell
	// 2005). Both are two-sided and count the observation itself.
	PBootstrap     float64 `json:"p_bootstrap"`
	PRandomization float64 `json:"p_randomization"`
	// PHolm is PRandomization adjusted over the pairs of one metric.
	PHolm float64 `json:"p_holm"`
}

// PairAnalysis is the outcome of [Pairwise].
type PairAnalysis struct {
	Options  Options     `json:"options"`
	Images   int         `json:"images"`
	Methods  PairMethods `json:"methods"`
	Pairs    []Pair      `json:"pairs"` // by metric, then pair
	Warnings []string    `json:"warnings,omitempty"`
}

// PairMethods describes the methods of a [Pairwise] analysis in words, for
// reports to print.
type PairMethods struct {
	Interval   string `json:"interval"`
	Test       string `json:"test"`
	Adjustment string `json:"adjustment"`
	Assumption string `json:"assumption"`
}

// Pairwise compares single runs over their images. Each arm must have exactly one
// run, and there must be at least two arms. For each pair, the difference is the
// later arm minus the earlier. Pairwise shows whether two trained captioners
// differ on images like these. It cannot show whether they would differ with
// other seeds, and its first warning says so. It returns an error for options or
// runs that [Compare] would reject.
func Pairwise(arms []Arm, o Options) (PairAnalysis, error) {
	o, err := o.withDefaults()
	if err != nil {
		return PairAnalysis{}, err
	}
	if arms, err = reduceArms(arms, o.Metrics); err != nil {
		return PairAnalysis{}, err
	}
	if err := checkArms(arms); err != nil {
		return PairAnalysis{}, err
	}
	if len(arms) < 2 {
		return PairAnalysis{}, fmt.Errorf("stats: only one run (%s): give at least two to compare", arms[0].Name)
	}
	runs := make([]Run, len(arms))
	for i, a := range arms {
		if len(a.Runs) != 1 {
			return PairAnalysis{}, fmt.Errorf("stats: %s has %d runs: pairs are made of single runs", a.Name, len(a.Runs))
		}
		runs[i] = a.Runs[0]
	}
	t := newTable(runs, o.Metrics)
	out := PairAnalysis{Options: o, Images: t.images,
		Methods: PairMethods{
			Interval:   "percentiles of the paired bootstrap over images",
			Test:       "two-sided approximate randomization over images, and the paired bootstrap shifted to the null",
			Adjustment: "Holm over the pairs of one metric",
			Assumption: "images are a random sample; the runs are fixed",
		},
		Warnings: []string{"tests over images ignore the variance of training: another seed may reverse the difference"}}
	if t.images < fewImages {
		out.Warnings = append(out.Warnings, fmt.Sprintf("only %d images: intervals are rough below %d", t.images, fewImages))
	}
	out.Warnings = append(out.Warnings, metricWarnings(o.Metrics, arms)...)
	sums, observed := t.observed()
	drawn := (&bootstrap{t, o.Draws, o.Seed}).scores([]unit{{end: len(runs)}})[0]
	swapped := t.swap(sums, o.Draws, o.Seed)
	for m, key := range o.Metrics {
		first := len(out.Pairs)
		var p []float64
		k := 0
		for b := range arms {
			for a := range b {
				pair := Pair{Contrast: Contrast{B: arms[b].Name, A: arms[a].Name}, Metric: key,
					ScoreB: observed[b][m], ScoreA: observed[a][m], Difference: observed[b][m] - observed[a][m]}
				pair.overImages(drawn, m, a, b, o.Alpha)
				pair.PRandomization = shareAsLarge(swapped[m][k], math.Abs(pair.Difference))
				p = append(p, pair.PRandomization)
				out.Pairs = append(out.Pairs, pair)
				k++
			}
		}
		for i, adjusted := range Holm(p) {
			out.Pairs[first+i].PHolm = adjusted
		}
	}
	return out, nil
}

// overImages fills in the interval and the p-value of the paired bootstrap.
func (p *Pair) overImages(s *resample, metric, a, b int, alpha float64) {
	differences := make([]float64, s.draws)
	moved := make([]float64, s.draws)
	for d := range differences {
		row := s.on(metric, d)
		differences[d] = row[b] - row[a]
		moved[d] = differences[d] - p.Difference
	}
	p.PBootstrap = shareAsLarge(moved, math.Abs(p.Difference))
	slices.Sort(differences)
	p.Low, p.High = quantile(differences, alpha/2), quantile(differences, 1-alpha/2)
}

// rounding is the difference up to which scores count as equal. Sums of 10⁴
// values below 10 can differ by that much if added in another order.
const rounding = 1e-12

// shareAsLarge is the share of values that are at least limit in absolute value,
// allowing for rounding. The observation itself counts as one more such value.
func shareAsLarge(values []float64, limit float64) float64 {
	count := 1
	for _, v := range values {
		if math.Abs(v) >= limit-rounding {
			count++
		}
	}
	return float64(count) / float64(len(values)+1)
}

// swap exchanges the captions of each pair of runs on random images, each image
// with probability ½, and returns the differences of their scores,
// [metric][pair][shuffle]. With T(r) the sums of run r over the exchanged images,
// the sums of the two runs become S(a) − T(a) + T(b) and S(b) − T(b) + T(a), so
// one projection serves all pairs.
func (t *table) swap(sums [][]float64, shuffles int, seed int64) [][][]float64 {
	runs := len(t.columns)
	out := make([][][]float64, len(t.metrics))
	for m := range out {
		out[m] = make([][]float64, runs*(runs-1)/2)
		for k := range out[m] {
			out[m][k] = make([]float64, shuffles)
		}
	}
	fill := func(d int, weights []float64) {
		g := stream(seed, useSwaps, uint64(d))
		var word uint64
		for i := range weights {
			if i%64 == 0 {
				word = g.Uint64()
			}
			weights[i] = float64(word & 1)
			word >>= 1
		}
	}
	t.project(t.columns, shuffles, fill, func(d int, moved [][]float64) {
		width := len(t.needed)
		sumA, sumB := make([]float64, width), make([]float64, width)
		scoreA, scoreB := make([]float64, len(t.metrics)), make([]float64, len(t.metrics))
		all := make([]float64, t.width)
		k := 0
		for b := range runs {
			for a := range b {
				for c := range width {
					sumA[c] = sums[a][c] - moved[a][c] + moved[b][c]
					sumB[c] = sums[b][c] - moved[b][c] + moved[a][c]
				}
				t.scores(sumA, all, scoreA)
				t.scores(sumB, all, scoreB)
				for m := range out {
					out[m][k][d] = scoreB[m] - scoreA[m]
				}
				k++
			}
		}
	})
	return out
}
