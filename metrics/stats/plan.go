package stats

import (
	"fmt"
	"math"
	"slices"
)

// Noise is what a plan assumes of the primary metric before any run, in points.
type Noise struct {
	// SeedSD is the standard deviation of a run's score over seeds, all
	// scored on the same images.
	SeedSD float64 `json:"seed_sd"`
	// ImageSD is the standard deviation over images of the two arms' true
	// difference on an image.
	ImageSD float64 `json:"image_sd"`
	// Images is the number of images of the test split.
	Images int `json:"images"`
}

// Flickr8kCIDEr is the noise assumed where no pilot study gives a better one:
// GRU captioners scored by CIDEr on the 1,000 test images of Flickr8k.
var Flickr8kCIDEr = Noise{SeedSD: 0.8, ImageSD: 15, Images: 1000}

// NoiseOf takes the noise from an earlier study of the same kind of models, by a
// contrast of two arms, not composites. It is NaN where the contrast is Untested.
func NoiseOf(r *Result, images int) Noise {
	// SeedSE² = s²(A)/nA + s²(B)/nB, taken as if both arms had one s².
	s := r.SeedSE / math.Sqrt(1/float64(r.NA)+1/float64(r.NB))
	return Noise{SeedSD: s * pointsPerScore, ImageSD: r.ImageSE * math.Sqrt(float64(images)) * pointsPerScore, Images: images}
}

// PlannedArm is an arm and its number of seeds.
type PlannedArm struct {
	Name  string `json:"name"`
	Seeds int    `json:"seeds"`
}

// Outlook is what a study can find, by contrast.
type Outlook struct {
	Noise   Noise             `json:"noise"`
	Options Options           `json:"options"`
	Results []ContrastOutlook `json:"contrasts"`
	// Trials is how many runs a study with looks takes, for true effects of 0,
	// the minimum effect and twice that.
	Trials   []ExpectedTrials `json:"trials,omitempty"`
	Warnings []string         `json:"warnings,omitempty"`
}

// ContrastOutlook is what a study can find about one contrast.
type ContrastOutlook struct {
	Contrast
	NB int `json:"n_b"`
	NA int `json:"n_a"`
	// SmallestP is the smallest p that these seeds can reach once adjusted
	// over the contrasts; SmallestPUnadjusted that of one contrast alone.
	// Both are sequential p-values in a study with looks.
	SmallestP           float64 `json:"smallest_p"`
	SmallestPUnadjusted float64 `json:"smallest_p_unadjusted"`
	// Looks are those that the planned seeds reach.
	Looks []LookOutlook `json:"looks,omitempty"`
	// DetectableEffect is the smallest true difference, in points, whose
	// verdict is "supported" with the power asked for; null if none is.
	DetectableEffect *float64 `json:"detectable_effect"`
	// Curve is the power at differences of 0, ½, 1, … points.
	Curve []PowerPoint `json:"power"`
}

// Effects are the true differences, in points, whose power a plan tells: the
// smallest that matters, its double and its triple, on the half points that
// curves have.
func (o *Outlook) Effects() []float64 {
	least := max(curveStep, math.Round(o.Options.MinimumEffect/curveStep)*curveStep)
	return []float64{least, 2 * least, 3 * least}
}

// PowerAt is the power at a true difference, in points, and whether the curve
// tells it: it has steps, and ends where the power is 1 or at 10 points.
func (r *ContrastOutlook) PowerAt(effect float64) (power float64, known bool) {
	for _, p := range r.Curve {
		if p.Effect == effect {
			return p.Power, true
		}
	}
	n := len(r.Curve)
	return 1, n > 0 && r.Curve[n-1].Effect < effect && r.Curve[n-1].Power == 1
}

// LookOutlook is what a look can find: whether the permutation test of so many
// runs an arm can pass its level at all.
type LookOutlook struct {
	Seeds     int     `json:"seeds"`      // runs of an arm
	Level     float64 `json:"level"`      // two-sided, at Holm's strictest step
	SmallestP float64 `json:"smallest_p"` // of the permutation test, unadjusted
	Reachable bool    `json:"reachable"`  // SmallestP is below Level
}

// PowerPoint is the probability that a true difference, in points, gives the
// verdict "supported".
type PowerPoint struct {
	Effect float64 `json:"effect"`
	Power  float64 `json:"power"`
}

// The power curve of a plan ends where every study finds the effect, or here.
const (
	curveStep = 0.5
	curveEnd  = 10.0
)

// Plan says what a study of these arms can find: the smallest p its numbers of
// seeds can reach and the effect it can detect, by simulating the verdict under
// the noise assumed. A composite's replicate has the noise of its arms together,
// √(Σ weight²) times that of one arm, as if neither their seeds nor the images
// they find hard had anything in common.
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
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s: %d against %d seeds can reach p = %.3g at best over %d contrast(s), never below %g: add seeds",
				c, r.NB, r.NA, r.SmallestP, len(contrasts), o.Alpha))
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

// plan is the material of one [Plan].
type plan struct {
	noise     Noise
	units     []unit
	contrasts []Contrast
	pairs     [][2]int
	rule      rule // in points
}

// warnings are what a reader has to know of an arm.
func (a PlannedArm) warnings(l *Looks) []string {
	var out []string
	if a.Seeds < advisedSeeds {
		out = append(out, fmt.Sprintf("arm %s has %d seeds: at least %d are advised", a.Name, a.Seeds, advisedSeeds))
	}
	if l != nil && a.Seeds < slices.Max(l.Seeds) {
		out = append(out, fmt.Sprintf("arm %s has %d seeds: it never comes to the look at %d", a.Name, a.Seeds, slices.Max(l.Seeds)))
	}
	return out
}

// lookWarnings name the looks at which the permutation test cannot reject.
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

// spread is √(Σ weight²): the deviation of a replicate, in those of a run.
func (u unit) spread() float64 {
	sum := 0.0
	for _, t := range u.terms {
		sum += t.weight * t.weight
	}
	return math.Sqrt(sum)
}

// imageSE is the part of the images in the standard error of a difference, in
// points. The deviation that Noise has is of two arms, √½ of it is of one.
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

// lookOutlooks are the looks that so many seeds reach, and the smallest
// sequential p-value that they can give.
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
