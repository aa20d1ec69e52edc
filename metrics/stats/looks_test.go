package stats

import (
	"math"
	"strings"
	"testing"
)

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		name     string
		seeds    []int
		spending string
		alpha    float64
		z        []float64
	}{
		// Reboussin, DeMets, Kim & Lan 2000, "Computations for group
		// sequential boundaries using the Lan–DeMets spending function
		// method", Controlled Clinical Trials 21:190–207; R's ldbounds.
		{"four equal looks", []int{1, 2, 3, 4}, OBrienFleming, 0.05, []float64{4.3326, 2.9631, 2.3590, 2.0141}},
		{"five equal looks", []int{3, 6, 9, 12, 15}, OBrienFleming, 0.05, []float64{4.8769, 3.3569, 2.6803, 2.2898, 2.0310}},
		{"five equal looks", []int{3, 6, 9, 12, 15}, Pocock, 0.05, []float64{2.4380, 2.4268, 2.4101, 2.3966, 2.3859}},
		// The same integrals by the trapezoidal rule on 8,001 points, in numpy and
		// scipy. scipy.stats.multivariate_normal agrees within its own error.
		{"5, 8, 12, 16", []int{5, 8, 12, 16}, OBrienFleming, 0.05, []float64{3.8427312, 2.9668596, 2.3592023, 2.0141269}},
		{"5, 8, 12, 16 over three contrasts", []int{5, 8, 12, 16}, OBrienFleming, 0.05 / 3, []float64{4.5764434, 3.5538494, 2.8405188, 2.4275141}},
		{"5, 8, 12, 16", []int{5, 8, 12, 16}, Pocock, 0.05, []float64{2.2992558, 2.4042714, 2.3584082, 2.3490949}},
		{"5, 8, 12, 16 over three contrasts", []int{5, 8, 12, 16}, Pocock, 0.05 / 3, []float64{2.6891476, 2.8114108, 2.7773297, 2.7777574}},
	} {
		for k, level := range (Looks{Seeds: c.seeds, Spending: c.spending}).Levels(c.alpha) {
			near(t, c.name+", "+c.spending, upperQuantile(level/2), c.z[k], 1.5e-4)
			near(t, c.name+", "+c.spending+", level", level, 2*upperTail(c.z[k]), 1e-5)
		}
	}
}

// With a single look, all of α is spent there, whatever the spending function.
func TestLevelOfTheOnlyLook(t *testing.T) {
	near(t, "level", Looks{Seeds: []int{7}, Spending: Pocock}.Levels(0.03)[0], 0.03, 1e-12)
	near(t, "level", Looks{Seeds: []int{7}, Spending: OBrienFleming}.Levels(0.03)[0], 0.03, 1e-12)
}

// Levels increase with α, or sequential p-values would not be defined, and the
// sequential p-value of a nominal level is the α of that level.
func TestOverallInvertsLevels(t *testing.T) {
	for _, l := range []Looks{
		{Seeds: []int{5, 8, 12, 16}, Spending: OBrienFleming}, {Seeds: []int{5, 8, 12, 16}, Spending: Pocock},
		{Seeds: []int{2, 30}, Spending: OBrienFleming}, {Seeds: []int{15, 16}, Spending: OBrienFleming},
		{Seeds: []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, Spending: Pocock},
	} {
		s := newSchedule(l, 0.05, 3)
		before := make([]float64, len(l.Seeds))
		for _, alpha := range []float64{1e-9, 1e-6, 1e-4, 0.001, 0.0123, 0.05, 0.1, 0.3, 0.6, 0.9} {
			for k, level := range l.Levels(alpha) {
				if level <= before[k] {
					t.Errorf("%v: look %d has level %g at α %g, and %g at a smaller one", l, k+1, level, alpha, before[k])
				}
				before[k] = level
				if got := s.overall(k, level); math.Abs(got/alpha-1) > 1e-6 && alpha < 0.2 || math.Abs(got/alpha-1) > 0.01 {
					t.Errorf("%v: level %g of look %d is that of α %g, want %g", l, level, k+1, got, alpha)
				}
			}
		}
		for k := range l.Seeds {
			near(t, "overall of 1", s.overall(k, 1), 1, 0)
			if p := s.overall(k, 0); !(p >= 0 && p < 1e-11) {
				t.Errorf("overall of 0 at look %d of %v is %g", k+1, l, p)
			}
		}
	}
}

// A first look at a thousandth of the seeds spends less than the smallest float64,
// and never rejects.
func TestLookThatSpendsNothing(t *testing.T) {
	l := Looks{Seeds: []int{2, 4000}, Spending: OBrienFleming}
	s := newSchedule(l, 0.05, 1)
	near(t, "level", s.levels[0], 0, 1e-300)
	if p := s.overall(0, 1e-30); p < 0.05 {
		t.Errorf("p = 1e-30 at a look without any α is %g overall", p)
	}
	near(t, "level of the last", s.levels[1], 0.05, 1e-9)
}

func TestLooksAreChecked(t *testing.T) {
	for _, c := range []struct {
		l    Looks
		want string
	}{
		{Looks{}, "there must be at least two looks"},
		{Looks{Seeds: []int{5}}, "there must be at least two looks"},
		{Looks{Seeds: []int{1, 5}}, "the first look is at 1 seeds"},
		{Looks{Seeds: []int{5, 8, 8}}, "each look needs more seeds than the one before"},
		{Looks{Seeds: []int{5, 8}, Spending: "even"}, `unknown spending "even"`},
		{Looks{Seeds: []int{5, 8}, Futility: 1}, "futility is 1"},
		{Looks{Seeds: []int{5, 8}, Futility: math.NaN()}, "futility is NaN"},
	} {
		if _, err := c.l.withDefaults(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one with %q", c.l, err, c.want)
		}
	}
	got, err := Looks{Seeds: []int{5, 8}}.withDefaults()
	if err != nil || got.Spending != OBrienFleming || got.Futility != 0.1 {
		t.Errorf("defaults %+v, %v", got, err)
	}
}
