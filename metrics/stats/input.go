package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"glimpse/metrics"
)

// Run holds the scores of one trained model's captions of the test images.
type Run struct {
	Seed int64
	// Signature is the protocol signature under which the run was scored; if
	// empty, the arm's signature applies.
	Signature string
	// Images has one score per image, in the same order in all runs.
	Images []metrics.ImageScore

	kept *reduced // replaces Images once a [Reducer] has reduced the run
}

// Arm is a set of runs that differ only in their seed.
type Arm struct {
	Name      string
	Signature string // of the runs that have none
	Runs      []Run
}

// Contrast is the difference of two arms or composites, by their names: B − A.
type Contrast struct {
	B string `json:"b"`
	A string `json:"a"`
}

func (c Contrast) String() string { return c.B + " − " + c.A }

// Options are the settings of an analysis. The zero value of a field means its default.
type Options struct {
	// Composites are weighted sums of arms that contrasts can name.
	Composites []Composite `json:"composites,omitempty"`
	// Family is the number of contrasts that a study declares. Tests are adjusted
	// over all of them even if some have no runs yet. The default, and the
	// minimum, is the number of contrasts given.
	Family int `json:"family,omitempty"`
	// Looks are the looks of a study that adds seeds until its contrasts are
	// decided; nil for a study of fixed size. The runs of each arm must then be
	// in the declared order of seeds, and a look uses the first ones. The arms of
	// a composite can have different numbers of runs; the composite has as many
	// replicates as the smallest.
	Looks *Looks `json:"looks,omitempty"`
	// Baseline is the arm or composite that [Plan] assumes all other arms to be
	// better than. The default is the A of the first contrast.
	Baseline string `json:"baseline,omitempty"`
	// Summaries names the arms and composites to summarise; nil for all.
	Summaries []string `json:"-"`
	// Metrics are the keys of the metrics to analyse; default [DefaultMetrics].
	Metrics []string `json:"metrics"`
	// Primary is the metric that gets a verdict; default "cider".
	Primary string `json:"primary"`
	// MinimumEffect is the smallest difference of the primary metric that
	// matters, in points (1 point is 0.01 of a score).
	MinimumEffect float64 `json:"minimum_effect"`
	// Alpha is the error rate of the tests; intervals have level 1 − Alpha.
	// Default 0.05.
	Alpha float64 `json:"alpha"`
	// Power is the power with which a detectable effect is found. Default 0.8.
	Power float64 `json:"power"`
	// Draws is the number of bootstrap draws and of random shuffles, at least
	// 200. Default 10,000.
	Draws int `json:"draws"`
	// Seed is the seed of all random numbers of the analysis.
	Seed int64 `json:"seed"`
}

// family is the number of contrasts over which tests are adjusted.
func (o Options) family(contrasts int) int { return max(contrasts, o.Family) }

// fewestDraws leaves 5 draws beyond each end of a 95 % percentile interval. With
// fewer draws, the ends would be too noisy.
const fewestDraws = 200

func (o Options) withDefaults() (Options, error) {
	if len(o.Metrics) == 0 {
		o.Metrics = DefaultMetrics()
	}
	if o.Primary == "" {
		o.Primary = "cider"
	}
	if o.Alpha == 0 {
		o.Alpha = 0.05
	}
	if o.Power == 0 {
		o.Power = 0.8
	}
	if o.Draws == 0 {
		o.Draws = 10_000
	}
	o.Metrics = slices.Clone(o.Metrics)
	for i, key := range o.Metrics {
		if _, ok := measureOf(key); !ok {
			return o, fmt.Errorf("stats: no metric %q to compare: use one of %s", key, strings.Join(DefaultMetrics(), ", "))
		}
		if slices.Contains(o.Metrics[:i], key) {
			return o, fmt.Errorf("stats: metric %q is listed twice", key)
		}
	}
	switch {
	case !slices.Contains(o.Metrics, o.Primary):
		return o, fmt.Errorf("stats: primary metric %q is not among the metrics compared (%s)", o.Primary, strings.Join(o.Metrics, ", "))
	case !(o.Alpha > 0 && o.Alpha < 1):
		return o, fmt.Errorf("stats: alpha is %v, but must be between 0 and 1", o.Alpha)
	case !(o.Power > 0 && o.Power < 1):
		return o, fmt.Errorf("stats: power is %v, but must be between 0 and 1", o.Power)
	case !(o.MinimumEffect >= 0) || math.IsInf(o.MinimumEffect, 0):
		return o, fmt.Errorf("stats: the minimum effect is %v, but must be 0 or a positive number of points", o.MinimumEffect)
	case o.Draws < fewestDraws:
		return o, fmt.Errorf("stats: %d draws are too few: use at least %d", o.Draws, fewestDraws)
	}
	if o.Looks != nil {
		l, err := o.Looks.withDefaults()
		if err != nil {
			return o, err
		}
		if o.Alpha >= 0.5 {
			return o, fmt.Errorf("stats: alpha is %v, but must be below 0.5 with looks", o.Alpha)
		}
		o.Looks = &l
	}
	return o, nil
}

// checkArms rejects arms that cannot be compared: no arms, unnamed or repeated
// arms, arms without runs, two runs of one seed, different images or protocols,
// and invalid numbers.
func checkArms(arms []Arm) error {
	if len(arms) == 0 {
		return errors.New("stats: no arms to compare")
	}
	names := map[string]bool{}
	for i, a := range arms {
		if a.Name == "" {
			return fmt.Errorf("stats: arm %d has no name", i+1)
		}
		if names[a.Name] {
			return fmt.Errorf("stats: two arms are named %q", a.Name)
		}
		names[a.Name] = true
		if len(a.Runs) == 0 {
			return fmt.Errorf("stats: arm %s has no runs", a.Name)
		}
		seeds := make(map[int64]bool, len(a.Runs))
		for _, r := range a.Runs {
			if seeds[r.Seed] {
				return fmt.Errorf("stats: arm %s has two runs of seed %d: one run must not count twice", a.Name, r.Seed)
			}
			seeds[r.Seed] = true
			if err := checkRun(arms[0], a, r); err != nil {
				return err
			}
		}
	}
	return checkIDs(arms[0].Runs[0].kept.ids)
}

// checkRun compares a run's protocol and images with those of the first run of
// the first arm, and rejects invalid numbers.
func checkRun(first, a Arm, r Run) error {
	model := first.Runs[0]
	where := fmt.Sprintf("arm %s, seed %d", a.Name, r.Seed)
	if d := SignatureDifferences(r.signature(a), model.signature(first)); len(d) > 0 {
		return fmt.Errorf("stats: %s was scored under another protocol than arm %s, seed %d: %s: only equal protocols can be compared",
			where, first.Name, model.Seed, strings.Join(d, "; "))
	}
	if r.images() != model.images() {
		return fmt.Errorf("stats: %s has %d images, but arm %s, seed %d has %d: all runs need the same images",
			where, r.images(), first.Name, model.Seed, model.images())
	}
	for i, id := range r.kept.ids {
		if of := model.kept.ids[i]; id != of {
			return fmt.Errorf("stats: %s: image %d is %q, but %q in arm %s, seed %d: all runs need the same images in the same order",
				where, i+1, id, of, first.Name, model.Seed)
		}
	}
	if r.kept.wrong != nil {
		return fmt.Errorf("stats: %s, %w", where, r.kept.wrong)
	}
	return nil
}

func (r Run) signature(a Arm) string {
	if r.Signature != "" {
		return r.Signature
	}
	return a.Signature
}

func checkIDs(ids []string) error {
	if len(ids) < 2 {
		return fmt.Errorf("stats: %d images: a comparison needs at least 2", len(ids))
	}
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if seen[id] {
			return fmt.Errorf("stats: image %q occurs twice", id)
		}
		seen[id] = true
	}
	return nil
}

// findContrasts returns the indices of each contrast's arms, as {A, B}. It
// rejects unknown arms, arms compared with themselves and repeated contrasts.
func findContrasts(names []string, contrasts []Contrast) ([][2]int, error) {
	out := make([][2]int, len(contrasts))
	at := make(map[string]int, len(names))
	for k, name := range names {
		at[name] = k
	}
	asked := make(map[Contrast]bool, len(contrasts))
	for i, c := range contrasts {
		if c.A == c.B {
			return nil, fmt.Errorf("stats: contrast %s compares an arm with itself", c)
		}
		if asked[c] || asked[Contrast{B: c.A, A: c.B}] {
			return nil, fmt.Errorf("stats: contrast %s is listed twice", c)
		}
		asked[c] = true
		for side, name := range [2]string{c.A, c.B} {
			k, known := at[name]
			if !known {
				return nil, fmt.Errorf("stats: contrast %s: no arm %q (arms: %s)", c, name, strings.Join(names, ", "))
			}
			out[i][side] = k
		}
	}
	return out, nil
}
