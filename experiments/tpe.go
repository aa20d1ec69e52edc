package experiments

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// The tree-structured Parzen estimator of Bergstra et al. 2011, "Algorithms for Hyper-Parameter
// Optimization", section 4: the points tried are split into the best quarter and the rest, and a
// density is fitted to each, axis by axis. Of some draws from the density of the good points it
// takes the one with the highest ratio of the good to the bad density.
const (
	goodShare  = 0.25
	candidates = 24
)

// goodAndBad splits points by their values, best first; of equal ones the earlier is better.
func goodAndBad(points []point, values []float64) (good, bad []point) {
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case values[i] > values[j]:
			return -1
		case values[i] < values[j]:
			return 1
		}
		return 0
	})
	n := int(math.Ceil(goodShare * float64(len(points))))
	for rank, i := range order {
		if rank < n {
			good = append(good, points[i])
		} else {
			bad = append(bad, points[i])
		}
	}
	return good, bad
}

// suggest draws a value of an axis.
func (a *Axis) suggest(random *rand.Rand, good, bad []point) string {
	likely, unlikely := a.density(good), a.density(bad)
	best, ratio := 0.0, math.Inf(-1)
	for range candidates {
		u := likely.draw(random)
		if r := math.Log(likely.at(u)) - math.Log(unlikely.at(u)); r > ratio {
			best, ratio = u, r
		}
	}
	return a.at(best)
}

// density is a density over the positions in [0, 1) of a range.
type density interface {
	draw(random *rand.Rand) float64
	at(u float64) float64
}

// density fits a density to the values of points on the axis.
func (a *Axis) density(points []point) density {
	if a.Draw == "choice" {
		weights := make(shares, len(a.Values))
		for i := range weights {
			weights[i] = 1 // every choice starts with a count of one
		}
		for _, p := range points {
			weights[slices.Index(a.Values, p[a.Path])]++
		}
		return weights
	}
	places := make([]float64, len(points))
	for i, p := range points {
		places[i] = a.place(p[a.Path])
	}
	return newParzen(places)
}

// place returns the position of a number in a range: the inverse of at.
func (a *Axis) place(text string) float64 {
	x, _ := strconv.ParseFloat(text, 64)
	low, high := a.Low, a.High
	switch a.Draw {
	case "log":
		x, low, high = math.Log(x), math.Log(low), math.Log(high)
	case "int":
		x, high = x+0.5, high+1 // the middle of its share
	}
	if high <= low {
		return 0.5
	}
	return min(1, max(0, (x-low)/(high-low)))
}

// shares are the weights of choices, each of which has an equal part of [0, 1).
type shares []float64

func (w shares) total() float64 {
	sum := 0.0
	for _, x := range w {
		sum += x
	}
	return sum
}

func (w shares) draw(random *rand.Rand) float64 {
	left, i := random.Float64()*w.total(), 0
	for i < len(w)-1 && left >= w[i] {
		left -= w[i]
		i++
	}
	return (float64(i) + 0.5) / float64(len(w))
}

func (w shares) at(u float64) float64 {
	return w[min(len(w)-1, int(u*float64(len(w))))] / w.total()
}

// parzen is a mixture, in equal parts, of the uniform density and a normal density at each
// position seen, truncated at the ends. The width of a normal is the distance to its farther
// neighbour, within bounds that narrow as more positions are seen.
type parzen struct{ means, widths []float64 }

func newParzen(places []float64) parzen {
	means := slices.Sorted(slices.Values(places))
	widths := make([]float64, len(means))
	narrowest := 1 / float64(min(100, len(means)+1))
	for i := range means {
		left, right := 0.0, 1.0
		if i > 0 {
			left = means[i-1]
		}
		if i < len(means)-1 {
			right = means[i+1]
		}
		widths[i] = min(1, max(narrowest, means[i]-left, right-means[i]))
	}
	return parzen{means, widths}
}

func (p parzen) draw(random *rand.Rand) float64 {
	i := random.IntN(len(p.means) + 1)
	if i == len(p.means) {
		return random.Float64()
	}
	for range 100 {
		if u := p.means[i] + p.widths[i]*random.NormFloat64(); u >= 0 && u < 1 {
			return u
		}
	}
	return random.Float64()
}

func (p parzen) at(u float64) float64 {
	sum := 1.0 // the uniform part
	for i, m := range p.means {
		inside := cumulative((1-m)/p.widths[i]) - cumulative(-m/p.widths[i])
		z := (u - m) / p.widths[i]
		sum += math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) / p.widths[i] / inside
	}
	return sum / float64(len(p.means)+1)
}

// cumulative is the standard normal distribution function.
func cumulative(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
