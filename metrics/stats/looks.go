package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/interp"
)

// The α-spending functions, for Looks.Spending.
const (
	OBrienFleming = "obrien-fleming"
	Pocock        = "pocock"
)

// SpendingTitle returns the usual name of an α-spending function.
func SpendingTitle(spending string) string {
	switch spending {
	case OBrienFleming:
		return "O’Brien–Fleming"
	case Pocock:
		return "Pocock"
	}
	return spending
}

// defaultFutility is the conditional power below which a contrast is futile.
const defaultFutility = 0.1

// Looks are the interim analyses of a study that adds seeds. A contrast that is
// decided at a look gets no more seeds, and the probability of a wrong verdict
// is at most α over all looks together (Lan & DeMets 1983, "Discrete sequential
// boundaries for clinical trials", Biometrika 70:659–663).
type Looks struct {
	// Seeds is the number of runs per arm at each look, ascending. There must be
	// at least two looks, the first at two runs or more.
	Seeds []int `json:"seeds"`
	// Spending is the α-spending function: how much of α is spent up to a look
	// with a share t of the last look's seeds. Each side of a two-sided test
	// spends its half, a = α/2. The functions are "obrien-fleming",
	// 2 − 2Φ(z(a/2)/√t), which is the default, and "pocock", a·ln(1 + (e − 1)t).
	Spending string `json:"spending"`
	// Futility is the conditional power below which a contrast gets no more
	// seeds. Conditional power is computed for the last look, assuming that the
	// true difference is the larger of the observed one and the minimum effect
	// (Jennison & Turnbull 2000, "Group sequential methods", chapter 10). The
	// rule is non-binding: it never rejects, and the levels are not raised for
	// it. 0 means 0.1; a negative number turns futility off.
	Futility float64 `json:"futility"`
}

// withDefaults fills in defaults and checks the looks.
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

// fractions returns each look's share of the last look's seeds.
func (l Looks) fractions() []float64 {
	t := make([]float64, len(l.Seeds))
	for k, n := range l.Seeds {
		t[k] = float64(n) / float64(l.Seeds[len(l.Seeds)-1])
	}
	return t
}

// Levels returns the nominal two-sided level of each look. Tests at these levels
// reject a true null hypothesis at some look with probability alpha, which must
// be between 0 and 1. For one-sided tests at level a, halve Levels(2a). Levels
// does not check the looks: they must be valid, as described at their fields.
func (l Looks) Levels(alpha float64) []float64 {
	levels := l.boundaries(alpha)
	for k, z := range levels {
		levels[k] = 2 * upperTail(z)
	}
	return levels
}

// boundaries returns the |z| that corresponds to each level.
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

// schedule holds the looks of an analysis with their nominal levels.
type schedule struct {
	Looks
	levels []float64 // for α
	strict []float64 // for α divided by the number of contrasts, Holm's first step
	// wide and strictWide are the same for 2α, for one-sided tests.
	wide, strictWide []float64
	curves           []levelCurve // one per look
}

// levelCurve maps the z of a look's nominal level to the z of the overall level,
// for z between least and largest.
type levelCurve struct {
	least, largest float64
	overallLargest float64
	interp.NotAKnotCubic
}

// The range of overall levels within which sequential p-values are computed, and
// the number of points of each curve. The relative error of interpolation is
// below 1e-6 for sequential p-values under 0.2.
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

// newLevelCurve fits the points at which z is finite and ascending. For a first
// look with very few seeds, there may be none.
func newLevelCurve(z, overall []float64) levelCurve {
	end := len(z)
	for end > 0 && !(z[end-1] < unlikely) {
		end--
	}
	start := max(0, end-1)
	for start > 0 && z[start-1] < z[start] {
		start--
	}
	const fewest = 4 // a cubic needs 4 points
	if end-start < fewest {
		return levelCurve{least: math.Inf(1)}
	}
	c := levelCurve{least: z[start], largest: z[end-1], overallLargest: overall[end-1]}
	if err := c.Fit(z[start:end], overall[start:end]); err != nil {
		return levelCurve{least: math.Inf(1)} // no test at this look
	}
	return c
}

// unlikely is larger than the z of any p-value of a test.
const unlikely = 37

// overall returns the sequential p-value for a nominal two-sided p at look k
// alone: the smallest overall α at which that look would have rejected (Liu &
// Anderson 2008, "On adaptive extensions of group sequential trials for clinical
// investigations", JASA 103:1621–1630). The sequential p-value over several
// looks is the smallest of theirs.
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
