package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// side is one arm of a linear combination of arm means: the scores of its
// replicates, and its sign.
type side struct {
	scores []float64
	sign   float64
	of     *resample // nil if the side was not resampled
	first  int       // column of its first replicate in of.score
	place  int       // place of its first replicate in of.times
}

func (s side) n() float64 { return float64(len(s.scores)) }

// on returns the scores of the replicates on one draw of images.
func (s side) on(metric, draw int) []float64 {
	return s.of.on(metric, draw)[s.first : s.first+len(s.scores)]
}

// estimate is a linear combination of arm means with its uncertainty, in the
// unit of the scores.
type estimate struct {
	Value, Low, High float64
	// SE² = SeedSE² + ImageSE². SeedSE is the standard error due to seeds;
	// ImageSE is that due to images, as with infinitely many seeds.
	SE, SeedSE, ImageSE float64
	DF                  float64
	P                   float64 // of the interval's t test
	parts               parts
	// PercentileLow and PercentileHigh are the percentile interval of the crossed
	// bootstrap.
	PercentileLow, PercentileHigh float64
}

// newInterval estimates Σ sign · mean of the sides, with an interval of level
// 1 − alpha, by the method in the package comment. The sides must have been
// resampled together. An arm with one run adds nothing to the seed variance; the
// caller has to warn of it.
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

// percentiles returns the percentile interval, of level 1 − alpha, of the
// crossed draws of Σ sign · mean of the sides.
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

// newEstimate combines the variances of the sides' scores over seeds with
// byImage, the variance due to images.
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

// around returns the t interval of level 1 − alpha.
func (e estimate) around(alpha float64) (low, high float64) {
	half := tQuantile(1-alpha/2, e.DF) * e.SE
	return e.Value - half, e.Value + half
}

// satterthwaite returns the degrees of freedom of total = seeds + byImage.
// seedsDF is Σ part²/df over the seed parts.
func satterthwaite(total, seedsDF, byImage float64, images int) float64 {
	imagesDF := float64(images - 1)
	if total == 0 {
		return imagesDF
	}
	return total * total / (seedsDF + byImage*byImage/imagesDF)
}

// tQuantile is the quantile of Student's t; df need not be an integer.
func tQuantile(p, df float64) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(p)
}

// tTest is the two-sided p of a value with a standard error. If the standard
// error is 0, any value other than 0 has p = 0.
func tTest(value, se, df float64) float64 {
	switch {
	case value == 0:
		return 1
	case se == 0:
		return 0
	}
	return 2 * distuv.StudentsT{Sigma: 1, Nu: df}.CDF(-math.Abs(value)/se)
}

// quantile returns the p-quantile of sorted values, interpolated between order
// statistics at (n+1)p (Hyndman & Fan 1996, type 6), as Davison & Hinkley 1997,
// section 5.2, recommend for percentile intervals.
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

// variance is the unbiased sample variance; 0 for fewer than two values.
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

// varianceOfDifferences is the sample variance of the elements of x − y.
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
