package stats

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// upperTail is 1 − Φ(z), without loss of precision for large z.
func upperTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// upperQuantile is the z with upperTail(z) = p, without loss of precision for
// small p.
func upperQuantile(p float64) float64 { return -distuv.UnitNormal.Quantile(p) }

// farthest is the z beyond which the density is neglected.
const farthest = 10

// boundaries returns the symmetric group-sequential boundary: the |z| at which
// each look rejects, such that under the null each side is first crossed at look
// k with probability spent[k] − spent[k−1]. The looks have information fractions
// t, ascending to 1, and statistics of the canonical joint normal distribution,
// Corr(Z_j, Z_k) = √(t_j/t_k) for j < k. The density of the studies that
// continue is carried from look to look by numerical integration (Armitage,
// McPherson & Rowe 1969, "Repeated significance tests on accumulating data",
// JRSS A 132:235–244; Jennison & Turnbull 2000, "Group sequential methods",
// chapter 19), here by Gauss–Legendre quadrature.
func boundaries(t, spent []float64) []float64 {
	z := make([]float64, len(t))
	var at, mass []float64 // nodes, and each one's share of the probability of continuing
	for k := range t {
		if k == 0 {
			z[0] = upperQuantile(spent[0])
		} else {
			z[k] = crossingPoint(at, mass, t[k-1], t[k], spent[k]-spent[k-1])
		}
		if k+1 == len(t) {
			break
		}
		end := min(z[k], farthest)
		nodes, weights := legendre(end, math.Sqrt((t[k+1]-t[k])/t[k]))
		next := make([]float64, len(nodes))
		for i, x := range nodes {
			if k == 0 {
				next[i] = weights[i] * distuv.UnitNormal.Prob(x)
				continue
			}
			step := math.Sqrt(t[k] - t[k-1])
			for j, y := range at {
				next[i] += mass[j] * math.Exp(-square((x*math.Sqrt(t[k])-y*math.Sqrt(t[k-1]))/step)/2)
			}
			next[i] *= weights[i] * math.Sqrt(t[k]) / (step * math.Sqrt(2*math.Pi))
		}
		at, mass = nodes, next
	}
	return z
}

func square(x float64) float64 { return x * x }

// legendre returns the nodes and weights of Gauss–Legendre quadrature from −end
// to end, with enough nodes for functions that vary on the given scale.
func legendre(end, scale float64) (nodes, weights []float64) {
	n := max(40, int(math.Ceil(6*end/scale)))
	nodes, weights = make([]float64, n), make([]float64, n)
	quad.Legendre{}.FixedLocations(nodes, weights, -end, end)
	return nodes, weights
}

// crossingPoint returns the z that a study exceeds at information fraction t
// with probability p, given the nodes and probability masses of the studies that
// continue after fraction s.
func crossingPoint(at, mass []float64, s, t, p float64) float64 {
	step := math.Sqrt(t - s)
	exceed := func(z float64) (probability, density float64) {
		for j, y := range at {
			u := (z*math.Sqrt(t) - y*math.Sqrt(s)) / step
			probability += mass[j] * upperTail(u)
			density += mass[j] * math.Exp(-u*u/2)
		}
		return probability, density * math.Sqrt(t) / (step * math.Sqrt(2*math.Pi))
	}
	// Newton's method on the logarithm of the probability, which falls like a
	// parabola, with bisection as a safeguard.
	low, high := 0.0, 40.0
	z := 2.0
	for range 100 {
		q, density := exceed(z)
		if q > p {
			low = z
		} else {
			high = z
		}
		next := z + math.Log(q/p)*q/density
		if !(next > low && next < high) {
			next = (low + high) / 2
		}
		if math.Abs(next-z) < 1e-12 {
			return next
		}
		z = next
	}
	return z
}
