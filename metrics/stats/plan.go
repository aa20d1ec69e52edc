package stats

import (
	"fmt"
	"math"
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

// NoiseOf takes the noise from an earlier study of the same kind of models.
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
	Noise    Noise             `json:"noise"`
	Options  Options           `json:"options"`
	Results  []ContrastOutlook `json:"contrasts"`
	Warnings []string          `json:"warnings,omitempty"`
}

// ContrastOutlook is what a study can find about one contrast.
type ContrastOutlook struct {
	Contrast
	NB int `json:"n_b"`
	NA int `json:"n_a"`
	// SmallestP is the smallest p that these seeds can reach once adjusted
	// over the contrasts; SmallestPUnadjusted that of one contrast alone.
	SmallestP           float64 `json:"smallest_p"`
	SmallestPUnadjusted float64 `json:"smallest_p_unadjusted"`
	// DetectableEffect is the smallest true difference, in points, whose
	// verdict is "supported" with the power asked for; null if none is.
	DetectableEffect *float64 `json:"detectable_effect"`
	// Curve is the power at differences of 0, ½, 1, … points.
	Curve []PowerPoint `json:"power"`
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
// the noise assumed.
func Plan(arms []PlannedArm, contrasts []Contrast, n Noise, o Options) (Outlook, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Outlook{}, err
	}
	if !(n.SeedSD >= 0) || !(n.ImageSD >= 0) || n.Images < 2 || math.IsInf(n.SeedSD+n.ImageSD, 0) {
		return Outlook{}, fmt.Errorf("stats: cannot plan with %+v: deviations must be 0 or more, and images at least 2", n)
	}
	names := make([]string, len(arms))
	out := Outlook{Noise: n, Options: o, Results: []ContrastOutlook{}}
	for i, a := range arms {
		if a.Seeds < 1 {
			return Outlook{}, fmt.Errorf("stats: arm %s is planned with %d seeds: it needs at least 1", a.Name, a.Seeds)
		}
		names[i] = a.Name
		if a.Seeds < advisedSeeds {
			out.Warnings = append(out.Warnings, fmt.Sprintf("arm %s has %d seeds: at least %d are advised", a.Name, a.Seeds, advisedSeeds))
		}
	}
	pairs, err := findContrasts(names, contrasts)
	if err != nil {
		return Outlook{}, err
	}
	for i, c := range contrasts {
		nA, nB := arms[pairs[i][0]].Seeds, arms[pairs[i][1]].Seeds
		if nA+nB > mostRuns {
			return Outlook{}, fmt.Errorf("stats: contrast %s has %d runs: the permutation test takes %d at most", c, nA+nB, mostRuns)
		}
		r := outlook(c, nA, nB, len(contrasts), n, o)
		if r.SmallestP >= o.Alpha {
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s: %d against %d seeds can reach p = %.3g at best over %d contrast(s), never below %g: add seeds",
				c, nB, nA, r.SmallestP, len(contrasts), o.Alpha))
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

func outlook(c Contrast, nA, nB, contrasts int, n Noise, o Options) ContrastOutlook {
	r := ContrastOutlook{Contrast: c, NA: nA, NB: nB, SmallestPUnadjusted: SmallestP(nA, nB)}
	r.SmallestP = min(1, r.SmallestPUnadjusted*float64(contrasts))
	thresholds := design{
		nA: nA, nB: nB, sdA: n.SeedSD, sdB: n.SeedSD, imageSE: n.ImageSD / math.Sqrt(float64(n.Images)),
		images: n.Images, alpha: o.Alpha, contrasts: contrasts, minimum: o.MinimumEffect,
	}.thresholds(o.Seed)
	r.DetectableEffect = detectable(thresholds, o.Power)
	for step := 0; ; step++ {
		effect := curveStep * float64(step)
		power := powerAt(thresholds, effect)
		r.Curve = append(r.Curve, PowerPoint{effect, power})
		if power == 1 || effect >= curveEnd {
			return r
		}
	}
}
