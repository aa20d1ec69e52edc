package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/interp"
)

// The ways to spend α over looks.
const (
	OBrienFleming = "obrien-fleming"
	Pocock        = "pocock"
)

// defaultFutility is the conditional power below which a contrast is given up.
const defaultFutility = 0.1

// Looks are the points at which a study that adds seeds is analysed. A contrast
// that is decided at a look gets no more seeds, and the probability of a wrong
// verdict stays at α over all looks together (Lan & DeMets 1983, "Discrete
// sequential boundaries for clinical trials", Biometrika 70:659–663).
type Looks struct {
	// Seeds are the runs an arm has at each look, ascending: at least two
	// looks, the first at two runs or more.
	Seeds []int `json:"seeds"`
	// Spending says how much of α is spent up to a look with a share t of the
	// last look's seeds. Each side of a two-sided test spends its half a = α/2
	// by "obrien-fleming", 2 − 2Φ(z(a/2)/√t), the default, or "pocock",
	// a·ln(1 + (e − 1)t).
	Spending string `json:"spending"`
	// Futility is the conditional power at the last look, under the larger of
	// the observed difference and the minimum effect, below which no seeds are
	// added (Jennison & Turnbull 2000, chapter 10). It is not binding: it never
	// rejects, and α is not made larger for it. 0 means 0.1; a negative number
	// switches it off.
	Futility float64 `json:"futility"`
}

// withDefaults checks looks and fills in what is not given.
func (l Looks) withDefaults() (Looks, error) {
	if l.Spending == "" {
		l.Spending = OBrienFleming
	}
	if l.Futility == 0 {
		l.Futility = defaultFutility
	}
	l.Seeds = slices.Clone(l.Seeds)
	switch {
	case len(l.Seeds) < 2:
		return l, fmt.Errorf("stats: looks at %v seeds: there must be at least two looks", l.Seeds)
	case l.Seeds[0] < fewestReplicates:
		return l, fmt.Errorf("stats: the first look is at %d seeds, but needs at least %d", l.Seeds[0], fewestReplicates)
	case l.Spending != OBrienFleming && l.Spending != Pocock:
		return l, fmt.Errorf("stats: unknown spending %q: use %s or %s", l.Spending, OBrienFleming, Pocock)
	case !(l.Futility < 1):
		return l, fmt.Errorf("stats: futility is %v, but must be a conditional power below 1, or negative for none", l.Futility)
	}
	for k := range l.Seeds[1:] {
		if l.Seeds[k+1] <= l.Seeds[k] {
			return l, fmt.Errorf("stats: looks at %v seeds: each look needs more seeds than the one before", l.Seeds)
		}
	}
	return l, nil
}

// fractions are the shares of the last look's seeds.
func (l Looks) fractions() []float64 {
	t := make([]float64, len(l.Seeds))
	for k, n := range l.Seeds {
		t[k] = float64(n) / float64(l.Seeds[len(l.Seeds)-1])
	}
	return t
}

// Levels returns the nominal two-sided level of each look: tests at these levels
// reject a true null at any look with probability alpha, between 0 and 1, over
// all looks together. For one-sided tests at a, halve the levels of 2a. The
// looks must be as [Options] takes them.
func (l Looks) Levels(alpha float64) []float64 {
	levels := l.boundaries(alpha)
	for k, z := range levels {
		levels[k] = 2 * upperTail(z)
	}
	return levels
}

// boundaries are the z of the levels.
func (l Looks) boundaries(alpha float64) []float64 {
	t := l.fractions()
	spent := make([]float64, len(t))
	for k := range t {
		side := alpha / 2
		if l.Spending == Pocock {
			spent[k] = side * math.Log(1+(math.E-1)*t[k])
		} else {
			spent[k] = 2 * upperTail(upperQuantile(side/2)/math.Sqrt(t[k]))
		}
	}
	return boundaries(t, spent)
}

// schedule is what the looks of an analysis are judged by.
type schedule struct {
	Looks
	levels []float64 // of α
	strict []float64 // of α over the number of contrasts, Holm's first step
	// Those of one-sided tests: of 2α, and of 2α over the number of contrasts.
	wide, strictWide []float64
	curves           []levelCurve
}

// levelCurve turns the z of a look's nominal level into that of the overall
// level, between the least and the largest z that it has.
type levelCurve struct {
	least, largest float64
	overallLargest float64
	interp.NotAKnotCubic
}

// The overall levels between which sequential p-values are told, and the number
// of points on their curves. Between points the error is below 1e-6 of a
// sequential p-value under 0.2.
const (
	largestOverall  = 0.98
	smallestOverall = 1e-12
	overallPoints   = 48
)

func newSchedule(l Looks, alpha float64, contrasts int) *schedule {
	share := alpha / float64(max(1, contrasts))
	s := &schedule{
		Looks:  l,
		levels: l.Levels(alpha), strict: l.Levels(share),
		wide: l.Levels(2 * alpha), strictWide: l.Levels(2 * share),
	}
	first, last := upperQuantile(largestOverall/2), upperQuantile(smallestOverall/2)
	overall := make([]float64, overallPoints)
	nominal := make([][]float64, len(l.Seeds))
	for i := range overall {
		overall[i] = first + (last-first)*float64(i)/(overallPoints-1)
		for k, z := range l.boundaries(2 * upperTail(overall[i])) {
			nominal[k] = append(nominal[k], z)
		}
	}
	for _, z := range nominal {
		s.curves = append(s.curves, newLevelCurve(z, overall))
	}
	return s
}

// newLevelCurve takes the points at which z still ascends and is a number, which
// it is not for a first look of very few seeds.
func newLevelCurve(z, overall []float64) levelCurve {
	end := len(z)
	for end > 0 && !(z[end-1] < unlikely) {
		end--
	}
	start := max(0, end-1)
	for start > 0 && z[start-1] < z[start] {
		start--
	}
	const fewest = 4 // points of a cubic
	if end-start < fewest {
		return levelCurve{least: math.Inf(1)}
	}
	c := levelCurve{least: z[start], largest: z[end-1], overallLargest: overall[end-1]}
	if err := c.Fit(z[start:end], overall[start:end]); err != nil {
		return levelCurve{least: math.Inf(1)} // no test at this look
	}
	return c
}

// unlikely is a z that no p of a test reaches.
const unlikely = 37

// overall is the sequential p-value of a nominal two-sided p at look k alone: the
// smallest overall α at which the look would have rejected (Liu & Anderson 2008,
// "On adaptive extensions of group sequential trials for clinical
// investigations", JASA 103:1621–1630). Over several looks the smallest counts.
func (s *schedule) overall(k int, p float64) float64 {
	if math.IsNaN(p) {
		return p
	}
	c := &s.curves[k]
	switch z := upperQuantile(p / 2); {
	case z <= c.least:
		return 1
	case z >= c.largest:
		return 2 * upperTail(c.overallLargest)
	default:
		return 2 * upperTail(c.Predict(z))
	}
}
