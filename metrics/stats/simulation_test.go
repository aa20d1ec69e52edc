package stats

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"glimpse/metrics"
)

// For a longer run, in every world with 3, 5 and 10 seeds:
//
//	go test ./metrics/stats -run Simulation -v -studies 10000 -timeout 3h
var studies = flag.Int("studies", 1000, "number of simulated studies for each case of TestSimulation")

// world is a model of the variation of scores, in CIDEr points. Images differ in
// difficulty (skewed, as in CIDEr), arms in which images they find hard, seeds in
// their level, and captions in the rest.
type world struct {
	name                      string
	seeds, images, arms       int
	image, arm, seed, caption float64 // standard deviations
	heavy                     bool    // seeds from Student's t with 3 degrees of freedom
}

// worlds are like CIDEr on Flickr8k: standard deviations of 40 to 50 points between
// images, and of 0.6 to 1 point between the scores of seeds on 1,000 images, of which
// captions contribute caption/√1000. In some, arms find different images hard, so
// another test set would give another difference.
var worlds = []world{
	{name: "one distribution", image: 40, seed: 0.7, caption: 20},
	{name: "other images hard", image: 40, arm: 15, seed: 0.7, caption: 20},
	{name: "seeds only", image: 45, seed: 1, caption: 1},
	{name: "captions only", image: 40, caption: 25},
	{name: "images mostly", image: 40, arm: 25, seed: 0.5, caption: 20},
	{name: "erratic seeds", image: 40, arm: 10, seed: 0.8, caption: 15, heavy: true},
}

// empty returns the arms of a study without scores.
func (w world) empty() []Arm {
	out := make([]Arm, w.arms)
	for k := range out {
		out[k] = Arm{Name: fmt.Sprint("arm", k), Signature: "one"}
		for s := range w.seeds {
			images := make([]metrics.ImageScore, w.images)
			for i := range images {
				images[i].ID = strconv.Itoa(i)
			}
			out[k].Runs = append(out[k].Runs, Run{Seed: int64(s), Images: images})
		}
	}
	return out
}

// fill draws the scores of one study. Over all possible images, all arms are equal.
func (w world) fill(arms []Arm, g *rand.Rand) []Arm {
	base, own := make([]float64, w.images), make([]float64, w.images)
	for i := range base {
		base[i] = w.image * (g.ExpFloat64() - 1)
	}
	for _, a := range arms {
		for i := range own {
			own[i] = base[i] + w.arm*g.NormFloat64()
		}
		for _, r := range a.Runs {
			level := w.seed * g.NormFloat64()
			if w.heavy {
				x, y, z := g.NormFloat64(), g.NormFloat64(), g.NormFloat64()
				level /= math.Sqrt(x*x + y*y + z*z) // the variance of t(3) is 3
			}
			for i := range r.Images {
				// The offset keeps scores from being negative.
				v := 1000 + own[i] + level + w.caption*g.NormFloat64()
				r.Images[i].CIDEr = v / pointsPerScore
			}
		}
	}
	return arms
}

func compareFilled(arms []Arm, pairs [][2]int, o Options) *comparison {
	units, err := unitsOf(arms, nil, false)
	if err != nil {
		panic(err)
	}
	if arms, err = reduceArms(arms, o.Metrics); err != nil {
		panic(err)
	}
	c := newComparison(arms, units, pairs, o)
	c.resample(func(int) {})
	return c
}

// shifted returns the evidence that a study would have if B were better by effect.
func (e evidence) shifted(effect float64, seed int64) evidence {
	if effect == 0 {
		return e
	}
	e.b = slices.Clone(e.b)
	for i := range e.b {
		e.b[i] += effect
	}
	e.Value += effect
	e.P = tTest(e.Value, e.SE, e.DF)
	e.permutation = permute(e.a, e.b, mostSplits, seed)
	return e
}

// verdictOn returns the verdict on a single contrast with one look.
func (r rule) verdictOn(e evidence) Verdict {
	c := newCourse(func(int) (evidence, bool) { return e, true })
	r.follow([]*course{c})
	return c.verdict
}

// effects are the true differences, in points, at which power is measured.
var effects = []float64{0, 1, 1.5, 2, 3, 4, 5}

// rates are shares of many studies.
type rates struct {
	covered, percentile float64   // t and percentile intervals that contain the true difference
	width               float64   // mean width of the interval, in points
	wrong               float64   // verdicts without a true difference or a minimum
	found               []float64 // "supported", by effect
}

// simulate runs n studies of the world under the options o, for each of the given
// effects, of which the first is 0. An effect shifts the scores and the interval of a
// study but not its spreads, so one study serves all effects.
func (w world) simulate(n int, at []float64, o Options) rates {
	seed := [32]byte{byte(w.seeds), byte(len(w.name))}
	g := rand.New(rand.NewChaCha8(seed))
	r := rates{found: make([]float64, len(at))}
	arms, share := w.empty(), 1/float64(n)
	for s := range n {
		o.Seed = int64(s)
		c := compareFilled(w.fill(arms, g), [][2]int{{0, 1}}, o)
		x := c.found[0][0]
		r.width += share * (x.High - x.Low) * pointsPerScore
		if x.Low <= 0 && 0 <= x.High {
			r.covered += share
		}
		if x.PercentileLow <= 0 && 0 <= x.PercentileHigh {
			r.percentile += share
		}
		for k, effect := range at {
			y := x.shifted(effect/pointsPerScore, o.Seed)
			if c.rule(0, 1).verdictOn(y) == Supported {
				r.found[k] += share
			}
			if effect == 0 {
				least := c.rule(0, 1)
				least.minimum = 0
				if least.verdictOn(y) != Inconclusive {
					r.wrong += share
				}
			}
		}
	}
	return r
}

// TestSimulation checks what the package promises, each within 2.6 standard errors of
// a share. Without a difference, the verdict errs in at most α of the studies, with
// or without a minimum effect. The 95 % interval contains the truth in at least 95 %
// of them. And Plan predicts the power.
func TestSimulation(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of simulated studies")
	}
	o, err := Options{Metrics: []string{"cider"}, MinimumEffect: 1, Draws: 200}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	slack := func(p float64) float64 { return 2.6 * math.Sqrt(p*(1-p)/float64(*studies)) }
	for k, w := range worlds {
		for _, seeds := range []int{3, 5, 10} {
			at := effects
			if !flagged("studies") { // the shorter run
				if k > 1 || k == 0 && seeds != 5 {
					continue
				}
				if seeds != 5 {
					at = effects[:1]
				}
			}
			w.seeds, w.images, w.arms = seeds, 1000, 2
			r := w.simulate(*studies, at, o)
			t.Logf("%-18s %2d seeds: wrong %.3f, covered %.3f (percentile %.3f), width %.2f, found at %v points %.3f",
				w.name, seeds, r.wrong, r.covered, r.percentile, r.width, at, r.found)
			if r.wrong > o.Alpha+slack(o.Alpha) {
				t.Errorf("%s, %d seeds: the verdict errs in %.3f of the studies", w.name, seeds, r.wrong)
			}
			if r.covered < 1-o.Alpha-slack(o.Alpha) {
				t.Errorf("%s, %d seeds: the interval holds the truth in %.3f of the studies", w.name, seeds, r.covered)
			}
			if w.heavy {
				continue // Plan assumes normal seeds
			}
			arms := []PlannedArm{{"arm0", seeds}, {"arm1", seeds}}
			run := math.Sqrt(w.seed*w.seed + w.caption*w.caption/float64(w.images))
			plan, err := Plan(arms, []Contrast{{"arm1", "arm0"}}, Noise{SeedSD: run, ImageSD: w.arm * math.Sqrt2, Images: w.images}, o)
			if err != nil {
				t.Fatal(err)
			}
			for i, effect := range at {
				want := 0.0
				for _, p := range plan.Results[0].Curve {
					if p.Effect <= effect {
						want = p.Power
					}
				}
				if math.Abs(r.found[i]-want) > 0.03+slack(0.5) {
					t.Errorf("%s, %d seeds: %g points are found in %.3f of the studies, Plan says %.3f", w.name, seeds, effect, r.found[i], want)
				}
			}
		}
	}
}

// TestSimulatedFamily checks the error rate over all contrasts of a study: three arms
// that are equal over all images but find different images hard, so the permutation
// test, which is conditional on the test images, errs often.
func TestSimulatedFamily(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand simulated studies")
	}
	o, err := Options{Metrics: []string{"cider"}, Draws: 200}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	w := worlds[1]
	w.seeds, w.images, w.arms = 5, 1000, 3
	pairs := [][2]int{{0, 1}, {1, 2}, {0, 2}}
	g, arms := rand.New(rand.NewChaCha8([32]byte{3})), w.empty()
	wrong, byTest := 0, 0
	for s := range *studies {
		o.Seed = int64(s)
		courses := compareFilled(w.fill(arms, g), pairs, o).judge(0, nil)
		anyWrong, anyBelow := false, false
		for _, c := range courses {
			anyWrong = anyWrong || c.verdict != Inconclusive
			anyBelow = anyBelow || c.pHolm < o.Alpha
		}
		if anyWrong {
			wrong++
		}
		if anyBelow {
			byTest++
		}
	}
	rate := float64(wrong) / float64(*studies)
	t.Logf("three equal arms: a wrong verdict in %.3f of the studies, a permutation test below α in %.3f", rate, float64(byTest)/float64(*studies))
	if limit := o.Alpha + 2.6*math.Sqrt(o.Alpha*(1-o.Alpha)/float64(*studies)); rate > limit {
		t.Errorf("a wrong verdict in %.3f of the studies, want at most %.3f", rate, limit)
	}
}

// flagged reports whether a flag was given on the command line.
func flagged(name string) bool {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

// BenchmarkCompare measures a typical study: 10,000 draws of 3 arms, 5 seeds and
// 1,000 images, with all metrics and three contrasts.
func BenchmarkCompare(b *testing.B) {
	arms := captions(rand.New(rand.NewPCG(1, 2)), 3, 5, 1000)
	contrasts := []Contrast{{"arm1", "arm0"}, {"arm2", "arm1"}, {"arm2", "arm0"}}
	for b.Loop() {
		if _, err := Compare(arms, contrasts, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
