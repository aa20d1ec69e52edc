package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"glimpse/metrics"
)

// Run holds the scored captions of the test images by one trained model.
type Run struct {
	Seed int64
	// Signature is the protocol signature the run was scored under; empty
	// means that of its arm.
	Signature string
	// Images holds one score an image, in the same order in all runs.
	Images []metrics.ImageScore

	kept *reduced // in the place of Images, by a [Reducer]
}

// Arm is a set of runs that differ only in their seed.
type Arm struct {
	Name      string
	Signature string
	Runs      []Run
}

// Contrast names a difference of two arms or composites, B − A.
type Contrast struct {
	B string `json:"b"`
	A string `json:"a"`
}

func (c Contrast) String() string { return c.B + " − " + c.A }

// Options are the settings of an analysis. The zero value of a field means its default.
type Options struct {
	// Composites are weighted sums of arms that contrasts may name.
	Composites []Composite `json:"composites,omitempty"`
	// Family is the number of contrasts that a study declares, over which tests
	// are adjusted also while some of them have no runs yet.
	Family int `json:"family,omitempty"`
	// Looks are those of a study that adds seeds until its contrasts are
	// decided; nil for a study of fixed size. The runs of an arm are then given
	// in the declared order of seeds, and a look takes the first ones. The arms
	// of a composite may have unequal numbers of runs: it has as many as the
	// shortest.
	Looks *Looks `json:"looks,omitempty"`
	// Baseline is the arm or composite that [Plan] takes as the one that others
	// are better than; default the A of the first contrast.
	Baseline string `json:"baseline,omitempty"`
	// Summaries names the arms and composites that an analysis summarises; nil for all.
	Summaries []string `json:"-"`
	// Metrics are the keys to analyse; default [DefaultMetrics].
	Metrics []string `json:"metrics"`
	// Primary is the metric that the verdict is about; default "cider".
	Primary string `json:"primary"`
	// MinimumEffect is the smallest difference of the primary metric that
	// matters, in points (1 point is 0.01 of a score).
	MinimumEffect float64 `json:"minimum_effect"`
	// Alpha is the error rate; intervals have level 1 − Alpha. Default 0.05.
	Alpha float64 `json:"alpha"`
	// Power is the probability at which an effect counts as detectable.
	// Default 0.8.
	Power float64 `json:"power"`
	// Draws is the number of bootstrap draws and of random shuffles.
	// Default 10,000.
	Draws int `json:"draws"`
	// Seed starts all random numbers of the analysis.
	Seed int64 `json:"seed"`
}

// family is over how many contrasts tests are adjusted.
func (o Options) family(contrasts int) int { return max(contrasts, o.Family) }

// fewestDraws is the smallest number of draws that leaves an interval's ends
// something to stand on: 5 draws beyond each of them at 95 %.
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

// checkArms rejects arms that cannot be compared: none, unnamed or repeated ones, a seed twice in
// one arm, unequal images, other protocols, numbers that are none.
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

// checkRun compares a run with the first run of the first arm, and looks at all
// that its images hold.
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

// findContrasts returns the indices of each contrast's arms as {A, B}.
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
