package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The limit of a study is where its permutation test starts to reject: just above
// it, the test rejects, and just below it, it does not.
func TestLimitIsWhereTheTestTurns(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 1))
	for _, size := range [][2]int{{4, 4}, {5, 5}, {4, 6}, {7, 3}} {
		s := newSplits(size[0], size[1])
		allowed := int(math.Ceil(0.05*float64(len(s.groups)))) - 1
		limits := make([]float64, len(s.groups))
		for range 50 {
			scores := make([]float64, size[0]+size[1])
			for i := range scores {
				scores[i] = g.NormFloat64()
			}
			limit := s.limit(scores, limits, allowed)
			if limit < mean1(scores[:size[0]])-mean1(scores[size[0]:]) {
				continue // the observed difference itself would be negative
			}
			for _, hair := range []float64{-1e-6, 1e-6} {
				b := slices.Clone(scores[size[0]:])
				for i := range b {
					b[i] += limit + hair
				}
				p := permute(scores[:size[0]], b, mostSplits, 1).p
				if (p < 0.05) != (hair > 0) {
					t.Errorf("%v: p = %v at limit %+g", size, p, hair)
				}
			}
		}
	}
}

func TestKthLargest(t *testing.T) {
	x := []float64{3, 1, math.Inf(1), 4, 1, 5, 9, 2, 6}
	for k, want := range []float64{math.Inf(1), 9, 6, 5, 4, 3, 2, 1, 1} {
		if got := kthLargest(x, k+1); got != want {
			t.Errorf("%d-th largest %v, want %v", k+1, got, want)
		}
	}
	if got := kthLargest(x, 10); !math.IsInf(got, -1) {
		t.Errorf("10th of 9 is %v", got)
	}
}

// With many seeds and no image noise, the rule is close to the two-sample z test,
// whose detectable effect at 80 % power is (1.960 + 0.842)·σ·√(2/n).
func TestDetectableNearTheory(t *testing.T) {
	d := design{nA: 30, nB: 30, sdA: 1, sdB: 1, images: 1000, contrasts: 1, rule: rule{alpha: 0.05}}
	got := d.detectable(d.studies(1), 0.8)
	want := (1.960 + 0.842) * math.Sqrt(2.0/30)
	near(t, "detectable effect / theory", *got/want, 1, 0.06)

	d.rule.minimum = 5 // far above the noise, so it alone decides
	near(t, "above a minimum", *d.detectable(d.studies(1), 0.5), 5, 0.05)
}

func TestPlan(t *testing.T) {
	contrasts := []Contrast{{"soft", "none"}, {"adaptive", "soft"}, {"adaptive", "none"}}
	plan := func(seeds int, o Options) Outlook {
		t.Helper()
		p, err := Plan([]PlannedArm{{"none", seeds}, {"soft", seeds}, {"adaptive", seeds}}, contrasts, Flickr8kCIDEr, o)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	few := plan(3, Options{})
	near(t, "smallest p of 3 seeds", few.Results[0].SmallestPUnadjusted, 0.1, 1e-12)
	near(t, "over three contrasts", few.Results[0].SmallestP, 0.3, 1e-12)
	if few.Results[0].DetectableEffect != nil {
		t.Errorf("3 seeds detect %v points", *few.Results[0].DetectableEffect)
	}
	if len(few.Warnings) != 6 || !strings.Contains(few.Warnings[3], "add seeds") {
		t.Errorf("warnings of 3 seeds: %q", few.Warnings)
	}
	five, ten := plan(5, Options{MinimumEffect: 1}), plan(10, Options{MinimumEffect: 1})
	if len(five.Warnings) != 0 {
		t.Errorf("warnings of 5 seeds: %q", five.Warnings)
	}
	if a, b := *five.Results[0].DetectableEffect, *ten.Results[0].DetectableEffect; !(1 < b && b < a && a < 5) {
		t.Errorf("5 seeds detect %v points, 10 seeds %v", a, b)
	}
	curve := five.Results[0].Curve
	if !slices.IsSortedFunc(curve, func(x, y PowerPoint) int { return int(math.Copysign(1, x.Power-y.Power)) }) || curve[0].Power > 0.05 || curve[len(curve)-1].Power < 0.99 {
		t.Errorf("power curve %v", curve)
	}
	for _, c := range []struct {
		arms []PlannedArm
		n    Noise
		want string
	}{
		{[]PlannedArm{{"none", 0}}, Flickr8kCIDEr, "planned with 0 seeds"},
		{[]PlannedArm{{"none", 5}}, Noise{SeedSD: math.NaN(), Images: 100}, "cannot plan"},
		{[]PlannedArm{{"none", 5}}, Flickr8kCIDEr, `no arm "soft"`},
	} {
		if _, err := Plan(c.arms, contrasts, c.n, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func TestNoiseOf(t *testing.T) {
	// By hand: an SE of 0.01 from 5 against 5 runs is 1.5811 points per run, and an
	// SE of 0.004 from 400 images is 8 points per image.
	n := NoiseOf(&Result{NA: 5, NB: 5, SeedSE: 0.01, ImageSE: 0.004}, 400)
	near(t, "seed SD", n.SeedSD, 1.58114, 1e-5)
	near(t, "image SD", n.ImageSD, 8, 1e-9)
}
