package stats

import (
	"fmt"
	"math"
	"slices"
)

// Noise is the variation of the primary metric that a plan assumes, in points.
type Noise struct {
	// SeedSD is the standard deviation of a run's score over seeds, on the same
	// images.
	SeedSD float64 `json:"seed_sd"`
	// ImageSD is the standard deviation over images of the true per-image
	// difference of two arms.
	ImageSD float64 `json:"image_sd"`
	// Images is the number of images in the test split.
	Images int `json:"images"`
}

// Flickr8kCIDEr is the noise to assume if there is no pilot study: that of GRU
// captioners, scored with CIDEr on the 1,000 test images of Flickr8k.
var Flickr8kCIDEr = Noise{SeedSD: 0.8, ImageSD: 15, Images: 1000}

// NoiseOf returns the noise found by an earlier study of similar models, from a
// contrast of two arms (not composites) on that many images. The standard
// deviations are NaN if the contrast is Untested.
func NoiseOf(r *Result, images int) Noise {
	// SeedSE² = s²(A)/nA + s²(B)/nB; assume that s² is the same for both arms.
	s := r.SeedSE / math.Sqrt(1/float64(r.NA)+1/float64(r.NB))
	return Noise{SeedSD: s * pointsPerScore, ImageSD: r.ImageSE * math.Sqrt(float64(images)) * pointsPerScore, Images: images}
}

// PlannedArm is an arm and its number of seeds.
type PlannedArm struct {
	Name  string `json:"name"`
	Seeds int    `json:"seeds"`
}

// Outlook is the outcome of [Plan]: what a study can detect.
type Outlook struct {
	Noise   Noise             `json:"noise"`
	Options Options           `json:"options"` // with defaults filled in
	Results []ContrastOutlook `json:"contrasts"`
	// Trials is the number of runs that a study with looks takes, for true
	// effects of 0, the minimum effect, and twice the minimum effect.
	Trials   []ExpectedTrials `json:"trials,omitempty"`
	Warnings []string         `json:"warnings,omitempty"`
}

// ContrastOutlook is what a study can detect in one contrast.
type ContrastOutlook struct {
	Contrast
	NB int `json:"n_b"` // planned runs of B
	NA int `json:"n_a"`
	// SmallestP is the smallest p that these numbers of seeds can reach after
	// adjustment over the contrasts; SmallestPUnadjusted is the smallest without
	// it. In a study with looks, both are sequential p-values.
	SmallestP           float64 `json:"smallest_p"`
	SmallestPUnadjusted float64 `json:"smallest_p_unadjusted"`
	// Looks are the looks that the planned seeds reach.
	Looks []LookOutlook `json:"looks,omitempty"`
	// DetectableEffect is the smallest true difference, in points, that gets the
	// verdict "supported" with the requested power; null if there is none.
	DetectableEffect *float64 `json:"detectable_effect"`
	// Curve is the power at true differences of 0, ½, 1, … points, up to 10
	// points or a power of 1.
	Curve []PowerPoint `json:"power"`
}

// Effects returns the true differences, in points, for which a plan should show
// the power: the minimum effect, rounded to the half points of power curves and
// at least ½, then two and three times that.
func (o *Outlook) Effects() []float64 {
	least := max(curveStep, math.Round(o.Options.MinimumEffect/curveStep)*curveStep)
	return []float64{least, 2 * least, 3 * least}
}

// PowerAt returns the power at a true difference, in points. It is known if the
// curve has that difference, or if the curve reaches a power of 1 below it.
func (r *ContrastOutlook) PowerAt(effect float64) (power float64, known bool) {
	for _, p := range r.Curve {
		if p.Effect == effect {
			return p.Power, true
		}
	}
	n := len(r.Curve)
	return 1, n > 0 && r.Curve[n-1].Effect < effect && r.Curve[n-1].Power == 1
}

// LookOutlook says whether the permutation test can reject at a look at all, with
// that number of runs per arm.
type LookOutlook struct {
	Seeds     int     `json:"seeds"`      // runs per arm
	Level     float64 `json:"level"`      // two-sided, at Holm's strictest step
	SmallestP float64 `json:"smallest_p"` // of the permutation test, unadjusted
	Reachable bool    `json:"reachable"`  // SmallestP is below Level
}

// PowerPoint is the probability that a true difference, in points, gets the
// verdict "supported".
type PowerPoint struct {
	Effect float64 `json:"effect"`
	Power  float64 `json:"power"`
}

// The steps and the end of a power curve, in points. A curve ends earlier if
// every simulated study finds the effect.
const (
	curveStep = 0.5
	curveEnd  = 10.0
)

// Plan predicts what a study of these arms can detect: the smallest p that its
// numbers of seeds can reach, and the detectable effect, by simulating verdicts
// under the assumed noise. A composite's replicate is assumed to have √(Σ
// weight²) times the noise of one arm, as if its arms shared neither seeds nor
// hard images. Plan returns an error for invalid options, noise, composites or
// contrasts, and for an arm without seeds.
func Plan(arms []PlannedArm, contrasts []Contrast, n Noise, o Options) (Outlook, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Outlook{}, err
	}
	if !(n.SeedSD >= 0) || !(n.ImageSD >= 0) || n.Images < 2 || math.IsInf(n.SeedSD+n.ImageSD, 0) {
		return Outlook{}, fmt.Errorf("stats: cannot plan with %+v: deviations must be 0 or more, and images at least 2", n)
	}
	p := plan{noise: n, contrasts: contrasts, rule: rule{alpha: o.Alpha, minimum: o.MinimumEffect}}
	if o.Looks != nil {
		p.rule.schedule = newSchedule(*o.Looks, o.Alpha, len(contrasts))
	}
	out := Outlook{Noise: n, Options: o, Results: []ContrastOutlook{}}
	names, seeds := make([]string, len(arms)), make([][]int64, len(arms))
	for i, a := range arms {
		if a.Seeds < 1 {
			return Outlook{}, fmt.Errorf("stats: arm %s is planned with %d seeds: it needs at least 1", a.Name, a.Seeds)
		}
		names[i], seeds[i] = a.Name, make([]int64, a.Seeds)
		for r := range seeds[i] {
			seeds[i][r] = int64(r + 1)
		}
		out.Warnings = append(out.Warnings, a.warnings(o.Looks)...)
	}
	if p.units, err = newUnits(names, seeds, o.Composites, o.Looks != nil); err != nil {
		return Outlook{}, err
	}
	if p.pairs, err = findSides(p.units, contrasts); err != nil {
		return Outlook{}, err
	}
	for i, c := range contrasts {
		r := p.outlook(i, o)
		if r.SmallestP >= o.Alpha {
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s: %d against %d seeds can reach p = %.3g at best over %d contrast(s), "+
				"never below %g: add seeds", c, r.NB, r.NA, r.SmallestP, len(contrasts), o.Alpha))
		}
		out.Results = append(out.Results, r)
	}
	if o.Looks != nil && len(contrasts) > 0 {
		out.Warnings = append(out.Warnings, p.rule.lookWarnings(len(contrasts))...)
		if out.Trials, err = p.trials(o); err != nil {
			return Outlook{}, err
		}
	}
	return out, nil
}

// plan is the state of one call of [Plan].
type plan struct {
	noise     Noise
	units     []unit
	contrasts []Contrast
	pairs     [][2]int
	rule      rule // in points
}

// warnings returns the warnings about a planned arm.
func (a PlannedArm) warnings(l *Looks) []string {
	var out []string
	if a.Seeds < advisedSeeds {
		out = append(out, fmt.Sprintf("arm %s has %d seeds: at least %d are advised", a.Name, a.Seeds, advisedSeeds))
	}
	if l != nil && a.Seeds < slices.Max(l.Seeds) {
		out = append(out, fmt.Sprintf("arm %s has %d seeds: it never reaches the look at %d", a.Name, a.Seeds, slices.Max(l.Seeds)))
	}
	return out
}

// lookWarnings warns of looks at which the permutation test cannot reject.
func (r rule) lookWarnings(contrasts int) []string {
	var out []string
	for k, n := range r.Seeds {
		if p := SmallestP(n, n); p >= r.strict[k] {
			out = append(out, fmt.Sprintf("the look at %d seeds cannot find a difference: "+
				"the smallest p of %d against %d runs is %.2g, and its level over %d contrast(s) %.2g",
				n, n, n, p, contrasts, r.strict[k]))
		}
	}
	return out
}

// spread is √(Σ weight²): the standard deviation of a replicate relative to that
// of a run.
func (u unit) spread() float64 {
	sum := 0.0
	for _, t := range u.terms {
		sum += t.weight * t.weight
	}
	return math.Sqrt(sum)
}

// imageSE is the standard error of a difference due to images, in points.
// Noise.ImageSD is that of a difference of two arms; one arm has √½ of it.
func (p *plan) imageSE(a, b unit) float64 {
	return p.noise.ImageSD * math.Sqrt((square(a.spread())+square(b.spread()))/2) / math.Sqrt(float64(p.noise.Images))
}

func (p *plan) outlook(i int, o Options) ContrastOutlook {
	a, b := p.units[p.pairs[i][0]], p.units[p.pairs[i][1]]
	r := ContrastOutlook{Contrast: p.contrasts[i], NA: a.n(), NB: b.n(), SmallestPUnadjusted: SmallestP(a.n(), b.n())}
	if p.rule.schedule != nil {
		r.Looks, r.SmallestPUnadjusted = p.rule.lookOutlooks(min(a.n(), b.n()))
	}
	r.SmallestP = min(1, r.SmallestPUnadjusted*float64(len(p.contrasts)))
	d := design{
		nA: a.n(), nB: b.n(), sdA: p.noise.SeedSD * a.spread(), sdB: p.noise.SeedSD * b.spread(),
		imageSE: p.imageSE(a, b), images: p.noise.Images, contrasts: len(p.contrasts), rule: p.rule,
	}
	studies := d.studies(o.Seed)
	r.DetectableEffect = d.detectable(studies, o.Power)
	for step := 0; ; step++ {
		effect := curveStep * float64(step)
		power := d.powerAt(studies, effect)
		r.Curve = append(r.Curve, PowerPoint{effect, power})
		if power == 1 || effect >= curveEnd {
			return r
		}
	}
}

// lookOutlooks returns the looks that this number of seeds reaches, and the
// smallest sequential p-value that they can give.
func (r rule) lookOutlooks(seeds int) ([]LookOutlook, float64) {
	var out []LookOutlook
	smallest := 1.0
	for k, n := range r.Seeds {
		if n <= seeds {
			p := SmallestP(n, n)
			out = append(out, LookOutlook{Seeds: n, Level: r.strict[k], SmallestP: p, Reachable: p < r.strict[k]})
			smallest = min(smallest, r.sequential(k, p))
		}
	}
	return out, smallest
}
