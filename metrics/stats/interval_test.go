package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Quantiles of Student's t at 0.975, from the table of Fisher & Yates 1963.
func TestTQuantile(t *testing.T) {
	for df, want := range map[float64]float64{1: 12.706, 2: 4.303, 4: 2.776, 8: 2.306, 18: 2.101, 120: 1.980} {
		near(t, "t", tQuantile(0.975, df), want, 5e-4)
	}
}

func TestQuantile(t *testing.T) {
	x := []float64{1, 2, 3, 4}
	// By hand: (n+1)p is 1.25, 2.5 and 3.75. Beyond the ends, quantiles are the
	// extremes.
	for p, want := range map[float64]float64{0.25: 1.25, 0.5: 2.5, 0.75: 3.75, 0.01: 1, 0.99: 4} {
		near(t, "quantile", quantile(x, p), want, 1e-12)
	}
}

// Without an image part, the degrees of freedom are Welch's: for a variance of 1
// from 3 values and of 4 from 5 values, (1/3 + 4/5)² / ((1/3)²/2 + (4/5)²/4) =
// 5.9588.
func TestSatterthwaite(t *testing.T) {
	a, b := 1.0/3, 4.0/5
	near(t, "df", satterthwaite(a+b, a*a/2+b*b/4, 0, 1000), 5.958763, 1e-6)
	near(t, "df of images alone", satterthwaite(2, 0, 2, 1000), 999, 1e-9)
	near(t, "df of nothing", satterthwaite(0, 0, 0, 1000), 999, 1e-9)
}

// For a metric that is a mean over images, the image part has a closed form, from
// the variance components of a two-way layout: the variance over images of the
// difference of arm means, minus each arm's residual mean square divided by its
// number of runs, all divided by the number of images (Searle, Casella & McCulloch
// 1992, "Variance components", chapter 4).
func TestEstimateMatchesClosedForm(t *testing.T) {
	w := world{seeds: 4, images: 500, arms: 2, image: 40, arm: 20, seed: 0.8, caption: 25}
	arms := w.fill(w.empty(), rand.New(rand.NewPCG(3, 4)))
	a, err := Compare(arms, []Contrast{{"arm1", "arm0"}}, Options{Metrics: []string{"cider"}, Draws: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	r := a.Results[0]

	images, runs := float64(w.images), float64(w.seeds)
	var d []float64
	rest, seeds := 0.0, 0.0
	for i := range w.images {
		d = append(d, 0)
		for k, sign := range []float64{-1, 1} {
			for _, run := range arms[k].Runs {
				d[i] += sign * run.Images[i].CIDEr / runs
			}
		}
	}
	for k := range 2 {
		scores := a.Arms[k].Scores
		seeds += variance(scores) / runs
		square := 0.0
		for i := range w.images {
			row := make([]float64, w.seeds)
			for s, run := range arms[k].Runs {
				row[s] = run.Images[i].CIDEr - scores[s]
			}
			square += variance(row)
		}
		rest += square / (images - 1) / runs
	}
	wantImage := math.Sqrt((variance(d) - rest) / images)
	near(t, "seed part", r.SeedSE, math.Sqrt(seeds), 1e-12)
	near(t, "image part / closed form", r.ImageSE/wantImage, 1, 0.02) // 20,000 draws: 0.5 % each way
	near(t, "difference", r.Difference, mean1(d), 1e-12)
	near(t, "low", r.Low, r.Difference-tQuantile(0.975, r.DF)*r.SE, 1e-12)
	near(t, "s_sel / closed form", a.Arms[0].SSel/selectionOf(arms[0]), 1, 0.03)
}

// selectionOf returns the standard error of a run's mean over images, averaged over
// the runs.
func selectionOf(a Arm) float64 {
	sum := 0.0
	for _, run := range a.Runs {
		x := make([]float64, len(run.Images))
		for i := range x {
			x[i] = run.Images[i].CIDEr
		}
		sum += math.Sqrt(variance(x) / float64(len(x)))
	}
	return sum / float64(len(a.Runs))
}

// The numbers of the worked example in docs/statistics.md, computed by its Python
// code (numpy 2, scipy 1).
func TestWorkedExample(t *testing.T) {
	scores := []float64{52.1, 53.0, 51.4, 52.6, 52.9, 54.0, 54.9, 53.2, 55.1, 53.6} // none, gate
	e := ofScores(scores, 0, 5, 5, 0.45*0.45, 1000)
	low, high := e.around(0.05)
	near(t, "difference", e.Value, 1.76, 1e-12)
	near(t, "standard error", e.SE, 0.6512296, 1e-7)
	near(t, "degrees of freedom", e.DF, 27.831084, 1e-6)
	near(t, "low", low, 0.4256518, 1e-7)
	near(t, "high", high, 3.0943482, 1e-7)
	near(t, "p of the interval", e.P, 0.0115890, 1e-7)
	near(t, "p of the permutation", permute(e.a, e.b, mostSplits, 1).p, 2.0/252, 1e-15)
	near(t, "p of equivalence", e.pEquivalence(1), 0.8734484, 1e-7)
	c := newCourse(func(int) (evidence, bool) { e.permutation = permute(e.a, e.b, mostSplits, 1); return e, true })
	if (rule{alpha: 0.05, minimum: 1}).follow([]*course{c}); c.verdict != Supported {
		t.Errorf("verdict %s", c.verdict)
	}
}
