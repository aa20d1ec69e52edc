package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// side is one arm of a linear combination of arm means: the scores of its replicates and its
// sign. Where it was resampled, its replicates are columns of a resample, from
// the first on, and they were drawn at other places there, which they are
// for the first runs of a unit.
type side struct {
	scores       []float64
	sign         float64
	of           *resample
	first, place int
}

func (s side) n() float64 { return float64(len(s.scores)) }

// on returns the scores of the replicates on one draw of images.
func (s side) on(metric, draw int) []float64 {
	return s.of.on(metric, draw)[s.first : s.first+len(s.scores)]
}

// estimate is a combination of arm means with its uncertainty, in scores.
type estimate struct {
	Value, Low, High float64
	// SE² = SeedSE² + ImageSE²: what other seeds, and other images with
	// endlessly many seeds, would change.
	SE, SeedSE, ImageSE float64
	DF                  float64
	P                   float64 // of the t test that the interval stands for
	parts               parts
	// PercentileLow and PercentileHigh bound the middle of the crossed draws.
	PercentileLow, PercentileHigh float64
}

// newInterval puts an interval of level 1 − alpha around Σ sign · mean of the
// sides, which were resampled together, by the method of the package comment. An arm of
// one run adds nothing to the seeds' part: the caller warns.
func newInterval(metric, images int, sides []side, alpha float64) estimate {
	draws := sides[0].of.draws
	byImages := make([]float64, draws)
	rest := 0.0
	for d := range draws {
		for _, a := range sides {
			row := a.on(metric, d)
			byImages[d] += a.sign * mean1(row)
			if a.n() > 1 {
				rest += varianceOfDifferences(row, a.scores) / a.n()
			}
		}
	}
	// A draw of n images with replacement has (n−1)/n of their variance.
	unshrink := float64(images) / float64(images-1)
	byImage := max(0, unshrink*(variance(byImages)-rest/float64(draws)))
	e := newEstimate(sides, byImage, images)
	e.Low, e.High = e.around(alpha)
	return e
}

// percentiles bound the middle 1 − alpha of the crossed draws of Σ sign · mean of the sides.
func percentiles(metric int, sides []side, alpha float64) (low, high float64) {
	crossed := make([]float64, sides[0].of.draws)
	for d := range crossed {
		for _, a := range sides {
			times, sum := a.of.at(d)[a.place:], 0.0
			for r, v := range a.on(metric, d) {
				sum += float64(times[r]) * v
			}
			crossed[d] += a.sign * sum / a.n()
		}
	}
	slices.Sort(crossed)
	return quantile(crossed, alpha/2), quantile(crossed, 1-alpha/2)
}

// newEstimate puts together the spread of the sides' scores and the variance
// that comes from the images.
func newEstimate(sides []side, byImage float64, images int) estimate {
	var e estimate
	seeds, seedsDF := 0.0, 0.0
	for _, a := range sides {
		e.Value += a.sign * mean1(a.scores)
		if a.n() > 1 {
			part := variance(a.scores) / a.n()
			e.parts = append(e.parts, varianceOf{part, a.n() - 1, part * a.n()})
			seeds += part
			seedsDF += part * part / (a.n() - 1)
		}
	}
	if math.Abs(e.Value) < rounding {
		e.Value = 0
	}
	total := seeds + byImage
	e.SE, e.SeedSE, e.ImageSE = math.Sqrt(total), math.Sqrt(seeds), math.Sqrt(byImage)
	e.DF = satterthwaite(total, seedsDF, byImage, images)
	e.P = tTest(e.Value, e.SE, e.DF)
	e.parts = append(e.parts, varianceOf{byImage, float64(images - 1), 0})
	return e
}

// around is the interval of level 1 − alpha.
func (e estimate) around(alpha float64) (low, high float64) {
	half := tQuantile(1-alpha/2, e.DF) * e.SE
	return e.Value - half, e.Value + half
}

// satterthwaite returns the degrees of freedom of total = seeds + byImage,
// given Σ part²/df of the seeds' parts.
func satterthwaite(total, seedsDF, byImage float64, images int) float64 {
	imagesDF := float64(images - 1)
	if total == 0 {
		return imagesDF
	}
	return total * total / (seedsDF + byImage*byImage/imagesDF)
}

// tQuantile is the quantile of Student's t; df need not be whole.
func tQuantile(p, df float64) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(p)
}

// tTest is the two-sided p of a value with a standard error. Without any error
// a value other than 0 is certain.
func tTest(value, se, df float64) float64 {
	switch {
	case value == 0:
		return 1
	case se == 0:
		return 0
	}
	return 2 * distuv.StudentsT{Sigma: 1, Nu: df}.CDF(-math.Abs(value)/se)
}

// quantile returns the p-quantile of sorted values, between order statistics
// by (n+1)p (Hyndman & Fan 1996, type 6), the choice for percentile intervals
// of Davison & Hinkley 1997, section 5.2.
func quantile(sorted []float64, p float64) float64 {
	at := p*float64(len(sorted)+1) - 1
	lo := int(math.Floor(at))
	if lo < 0 {
		return sorted[0]
	}
	if lo >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[lo] + (at-float64(lo))*(sorted[lo+1]-sorted[lo])
}

func mean1(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// variance is the unbiased sample variance, 0 of fewer than two values.
func variance(x []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	m, sum := mean1(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(x)-1)
}

// varianceOfDifferences is the sample variance of x − y, element by element.
func varianceOfDifferences(x, y []float64) float64 {
	m, sum := 0.0, 0.0
	for i := range x {
		m += x[i] - y[i]
	}
	m /= float64(len(x))
	for i := range x {
		sum += (x[i] - y[i] - m) * (x[i] - y[i] - m)
	}
	return sum / float64(len(x)-1)
}
