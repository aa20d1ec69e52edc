package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var fourArms = []PlannedArm{{"none", 16}, {"soft", 16}, {"hard", 16}, {"adaptive", 16}}
var fourContrasts = []Contrast{{"soft", "none"}, {"hard", "none"}, {"adaptive", "none"}, {"adaptive", "soft"}}

func planned(t *testing.T, arms []PlannedArm, contrasts []Contrast, o Options) Outlook {
	t.Helper()
	p, err := Plan(arms, contrasts, Flickr8kCIDEr, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanWithLooks(t *testing.T) {
	o := Options{MinimumEffect: 1, Looks: fourLooks}
	p := planned(t, fourArms, fourContrasts, o)
	strict := p.Options.Looks.Levels(0.05 / 4)
	r := p.Results[0]
	if len(r.Looks) != 4 {
		t.Fatalf("looks %+v", r.Looks)
	}
	for k, want := range []struct {
		p         float64
		reachable bool
	}{{2.0 / 252, false}, {2.0 / 12870, true}, {2.0 / 2704156, true}, {2.0 / 601080390, true}} { // C(2n, n)
		l := r.Looks[k]
		near(t, "level", l.Level, strict[k], 1e-15)
		near(t, "smallest p", l.SmallestP/want.p, 1, 1e-9)
		if l.Reachable != want.reachable {
			t.Errorf("%+v", l)
		}
	}
	if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "the look at 5 seeds cannot find a difference: the smallest p of 5 against 5 runs is 0.0079, and its level over 4 contrast(s)") {
		t.Errorf("warnings %q", p.Warnings)
	}
	if len(p.Trials) != 3 {
		t.Fatalf("trials %+v", p.Trials)
	}
	for i, e := range p.Trials {
		if e.Effect != float64(i) || e.Mean < 20 || e.Mean > float64(e.Largest) || e.Largest > 64 {
			t.Errorf("%+v", e)
		}
	}
	if p.Trials[2].Mean >= p.Trials[1].Mean {
		t.Errorf("an effect of 2 points takes %v runs, and one of 1 point %v", p.Trials[2].Mean, p.Trials[1].Mean)
	}
	if curve := r.Curve; curve[0].Power > 0.0125+0.01 || curve[len(curve)-1].Power < 0.99 {
		t.Errorf("power %v", curve)
	}
	short := planned(t, []PlannedArm{{"none", 16}, {"soft", 9}}, fourContrasts[:1], o)
	if w := strings.Join(short.Warnings, "\n"); !strings.Contains(w, "arm soft has 9 seeds: it never reaches the look at 16") || len(short.Results[0].Looks) != 2 {
		t.Errorf("warnings %q, looks %+v", w, short.Results[0].Looks)
	}
	if one := planned(t, fourArms, fourContrasts, Options{MinimumEffect: 1}); one.Trials != nil || one.Results[0].Looks != nil {
		t.Errorf("without looks: %+v", one)
	}
}

// The power of a plan with looks must equal the power of studies that the rule
// itself judges.
func TestPlannedPowerIsThatOfTheRule(t *testing.T) {
	o := Options{MinimumEffect: 1, Looks: fourLooks}
	p := planned(t, fourArms[:2], fourContrasts[:1], o)
	rule := rule{alpha: 0.05, minimum: 1, schedule: newSchedule(*p.Options.Looks, 0.05, 1)}
	g := rand.New(rand.NewPCG(4, 4))
	imageSE := p.Noise.ImageSD / math.Sqrt(float64(p.Noise.Images))
	const n = 1500
	for _, at := range p.Results[0].Curve[:6] {
		found := 0
		for range n {
			row := make([]float64, 32)
			shift := at.Effect + imageSE*g.NormFloat64()
			for r := range row {
				row[r] = p.Noise.SeedSD * g.NormFloat64()
				if r >= 16 {
					row[r] += shift
				}
			}
			c := newCourse(func(k int) (evidence, bool) {
				e := ofScores(row, 0, 16, rule.Seeds[k], imageSE*imageSE, p.Noise.Images)
				e.permutation = permute(e.a, e.b, 1000, int64(k))
				return e, true
			})
			rule.follow([]*course{c})
			if c.verdict == Supported {
				found++
			}
		}
		// At most three standard errors of the difference of two shares.
		near(t, "power", float64(found)/n, at.Power, 3*math.Sqrt(0.25/n+0.25/powerStudies))
	}
}

// A mean over two cells has half the variance of one cell, and so has the image
// part of a difference of two such means. So a plan of such means with twice the
// variance equals a plan of cells.
func TestPlanOfComposites(t *testing.T) {
	arms := []PlannedArm{{"a1", 6}, {"a2", 6}, {"b1", 6}, {"b2", 6}}
	o := Options{MinimumEffect: 1, Composites: []Composite{half("A", "a1", "a2"), half("B", "b1", "b2"),
		{"at 1", []Term{{"b1", 1}, {"a1", -1}}}, {"at 2", []Term{{"b2", 1}, {"a2", -1}}}}}
	main := planned(t, arms, []Contrast{ba}, o).Results[0]
	cells := planned(t, arms, []Contrast{{"b1", "a1"}}, o).Results[0]
	interaction := planned(t, arms, []Contrast{{"at 2", "at 1"}}, o).Results[0]
	scaled := func(factor float64) ContrastOutlook {
		n := Flickr8kCIDEr
		n.SeedSD *= factor
		n.ImageSD *= factor
		p, err := Plan(arms, []Contrast{{"b1", "a1"}}, n, o)
		if err != nil {
			t.Fatal(err)
		}
		return p.Results[0]
	}
	near(t, "main effect", *main.DetectableEffect, *scaled(math.Sqrt(0.5)).DetectableEffect, 1e-9)
	near(t, "interaction", *interaction.DetectableEffect, *scaled(math.Sqrt2).DetectableEffect, 1e-9)
	if !(*main.DetectableEffect < *cells.DetectableEffect && *cells.DetectableEffect < *interaction.DetectableEffect) || main.NA != 6 {
		t.Errorf("main %v, cells %v, interaction %v", *main.DetectableEffect, *cells.DetectableEffect, *interaction.DetectableEffect)
	}
	arms[3].Seeds = 5
	if _, err := Plan(arms, []Contrast{ba}, Flickr8kCIDEr, o); err == nil || !strings.Contains(err.Error(), "arm b2 has no run of seed 6") {
		t.Errorf("unequal cells: %v", err)
	}
}

// The arms of the baseline are not better than others. If it has all arms, nothing
// differs, whatever the effect.
func TestBaselineOfTrials(t *testing.T) {
	arms := []PlannedArm{{"a1", 16}, {"a2", 16}, {"b1", 16}, {"b2", 16}}
	o := Options{MinimumEffect: 2, Looks: fourLooks, Composites: []Composite{half("A", "a1", "a2"), half("B", "b1", "b2"),
		{"all", []Term{{"a1", 1}, {"a2", 1}, {"b1", 1}, {"b2", 1}}}}}
	trials := func(baseline string) []ExpectedTrials {
		o.Baseline = baseline
		return planned(t, arms, []Contrast{ba}, o).Trials
	}
	byDefault, named, all := trials(""), trials("A"), trials("all")
	for i := range all {
		if byDefault[i] != named[i] {
			t.Errorf("default baseline %+v, named %+v", byDefault[i], named[i])
		}
		if all[i].Mean != all[0].Mean {
			t.Errorf("no arm is better, and %+v", all[i])
		}
	}
	if named[2].Mean == all[2].Mean {
		t.Errorf("an effect of 4 points %+v, none %+v", named[2], all[2])
	}
	o.Baseline = "C"
	if _, err := Plan(arms, []Contrast{ba}, Flickr8kCIDEr, o); err == nil || !strings.Contains(err.Error(), `no arm or composite "C"`) {
		t.Errorf("unknown baseline: %v", err)
	}
}

func BenchmarkPlanWithLooks(b *testing.B) {
	for b.Loop() {
		if _, err := Plan(fourArms, fourContrasts, Flickr8kCIDEr, Options{MinimumEffect: 1, Looks: fourLooks}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestPowerOfAPlan checks for which effects a plan shows the power, and how the
// power is read from a curve.
func TestPowerOfAPlan(t *testing.T) {
	for _, c := range []struct {
		minimum float64
		want    []float64
	}{{1, []float64{1, 2, 3}}, {0, []float64{0.5, 1, 1.5}}, {0.7, []float64{0.5, 1, 1.5}}} {
		o := Outlook{Options: Options{MinimumEffect: c.minimum}}
		if got := o.Effects(); !slices.Equal(got, c.want) {
			t.Errorf("effects from a minimum of %g: %v, want %v", c.minimum, got, c.want)
		}
	}
	found := []PowerPoint{{0, 0.01}, {0.5, 0.456}, {1, 1}}
	for _, c := range []struct {
		curve  []PowerPoint
		effect float64
		want   float64
		known  bool
	}{{found, 0.5, 0.456, true}, {found, 2, 1, true}, {found[:2], 2, 0, false}, {nil, 1, 0, false}} {
		r := ContrastOutlook{Curve: c.curve}
		if got, known := r.PowerAt(c.effect); known != c.known || known && got != c.want {
			t.Errorf("power at %g: %g, %v, want %g, %v", c.effect, got, known, c.want, c.known)
		}
	}
}
