package results

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics/stats"
)

// Noise is what a plan assumes of its primary metric, and where that comes from.
type Noise struct {
	stats.Noise `json:"-"`
	// From says which runs the deviation over seeds is of: completed ones with settings of the plan, completed ones with
	// others on the same data, or none (an assumption).
	From   string `json:"from"`
	Runs   int    `json:"runs"`            // of the database, that it is of
	Arms   int    `json:"arms"`            // groups of these runs that differ in their seeds alone
	Images bool   `json:"images_measured"` // whether the deviation over images is of these runs too, and not assumed
}

// The sources of a [Noise].
const (
	FromSettings   = "settings"
	FromData       = "data"
	FromAssumption = "assumption"
)

// String says where the noise comes from; it follows its numbers.
func (n *Noise) String() string {
	runs := fmt.Sprintf("%d completed runs of %s", n.Runs, term.Plural(n.Arms, "arm"))
	images := ""
	switch {
	case !n.Images:
		images = "; the noise over images is assumed"
	case n.ImageSD == 0:
		images = "; no additional noise over images"
	}
	switch n.From {
	case FromSettings:
		return "as in " + runs + " with this study's settings" + images
	case FromData:
		return "as in " + runs + " with other settings on the same data" + images
	}
	return "assumed, since no arm has two completed seeds in the database"
}

// kin are completed runs that differ in their seeds alone.
type kin struct {
	runs   []store.Run
	scores []float64 // in points
}

// deviation gives the sum of squared deviations from the mean, and its degrees of freedom.
func (k *kin) deviation() (squares, freedom float64) {
	mean := 0.0
	for _, s := range k.scores {
		mean += s / float64(len(k.scores))
	}
	for _, s := range k.scores {
		squares += (s - mean) * (s - mean)
	}
	return squares, float64(len(k.scores) - 1)
}

// anySeed is what settings share with those of another seed. What their data hold is compared apart, since runs made before
// that was part of their settings do not say it there.
func anySeed(s experiments.Settings) experiments.Settings {
	s = s.Bare()
	s.Seed = 0
	return s
}

// findKin groups completed runs that have a score and whose settings are wanted, by settings and protocol, and keeps the groups
// of two seeds and more; of several protocols that with most runs.
func findKin(known []store.Run, primary Metric, wanted func(experiments.Settings) bool) []*kin {
	protocols := map[string]map[string]*kin{}
	for _, run := range known {
		score, scored := primary.Of(&run)
		s, err := Settings(run)
		if !scored || err != nil || !wanted(anySeed(s)) {
			continue
		}
		if protocols[run.Signature] == nil {
			protocols[run.Signature] = map[string]*kin{}
		}
		groups, id := protocols[run.Signature], anySeed(s).ID()
		if groups[id] == nil {
			groups[id] = &kin{}
		}
		groups[id].runs, groups[id].scores = append(groups[id].runs, run), append(groups[id].scores, 100*score)
	}
	var best []*kin
	most := 0
	for _, signature := range slices.Sorted(maps.Keys(protocols)) {
		var several []*kin
		runs := 0
		for _, id := range slices.Sorted(maps.Keys(protocols[signature])) {
			if k := protocols[signature][id]; len(k.runs) > 1 {
				several, runs = append(several, k), runs+len(k.runs)
			}
		}
		if runs > most {
			best, most = several, runs
		}
	}
	return best
}

// NoiseOf estimates the noise of a metric from completed runs: those with the settings of the trials if an arm of
// them has two seeds, else those on the same data. Without such runs it is assumed for CIDEr on Flickr8k, and nil for
// everything else. db may be nil if there are no known runs. If some earlier runs cannot be read, the error is
// returned along with the estimate from the others.
func NoiseOf(ctx context.Context, db *store.DB, known []store.Run, primary Metric, trials []experiments.Trial) (*Noise, error) {
	data, content := anySeed(trials[0].Settings).Data, trials[0].Settings.Data.Content
	known = slices.DeleteFunc(slices.Clone(known), func(r store.Run) bool { return len(ContentOf(r).Differences(content)) > 0 })
	found := Noise{Noise: stats.Flickr8kCIDEr, From: FromSettings}
	groups := findKin(known, primary, func(s experiments.Settings) bool {
		return slices.ContainsFunc(trials, func(t experiments.Trial) bool { return anySeed(t.Settings) == s })
	})
	if len(groups) == 0 {
		found.From = FromData
		groups = findKin(known, primary, func(s experiments.Settings) bool { return s.Data == data })
	}
	squares, freedom := 0.0, 0.0
	for _, k := range groups {
		more, degrees := k.deviation()
		squares, freedom = squares+more, freedom+degrees
		found.Runs += len(k.runs)
	}
	const leastSD = 1e-6 // points; below it all seeds score alike, which says nothing of noise
	if found.Arms = len(groups); found.Arms > 0 && squares > leastSD*leastSD*freedom {
		found.SeedSD = math.Sqrt(squares / freedom)
	} else {
		found.From, found.Runs, found.Arms = FromAssumption, 0, 0
	}
	var err error
	if captioned := withCaptions(groups, primary.Split); len(captioned) > 1 && primary.Tested() {
		var sd float64
		if sd, err = imageSD(ctx, db, captioned[:min(len(captioned), mostArms)], primary); err == nil {
			if found.Images = finite(sd); found.Images {
				found.ImageSD = sd
			}
		} else {
			err = fmt.Errorf("what images do to the noise cannot be taken from earlier runs: %w", err)
		}
	}
	if !found.Images && (data.Name != "flickr8k" || primary.Key != "cider") {
		return nil, err
	}
	return &found, err
}

// withCaptions are the groups whose captions of a split are stored.
func withCaptions(groups []*kin, split string) []*kin {
	return slices.DeleteFunc(slices.Clone(groups), func(k *kin) bool {
		return slices.ContainsFunc(k.runs, func(r store.Run) bool {
			final, _ := r.Final()
			return final != split
		})
	})
}

// mostArms is of how many arms the captions are read, so that a plan beside a large search stays quick.
const mostArms = 5

// imageSD is the root mean square, over groups of runs beside the first, of the deviation over images of their difference
// from it, in points.
func imageSD(ctx context.Context, db *store.DB, groups []*kin, primary Metric) (float64, error) {
	var arms []stats.Arm
	var contrasts []stats.Contrast
	images := 0
	for i, k := range groups {
		arm := stats.Arm{Name: fmt.Sprint(i)}
		for _, run := range k.runs {
			scored, err := ScoredRun(ctx, db, run, primary.Split)
			if err != nil {
				return 0, err
			}
			arm.Runs, images = append(arm.Runs, scored), len(scored.Images)
		}
		arms = append(arms, arm)
		if i > 0 {
			contrasts = append(contrasts, stats.Contrast{B: arm.Name, A: arms[0].Name})
		}
	}
	const draws = 2000 // they put the deviation at 2 % of itself
	options := stats.Options{Metrics: []string{primary.Key}, Primary: primary.Key, Draws: draws}
	analysis, err := stats.Compare(arms, contrasts, options)
	if err != nil {
		return 0, err
	}
	squares, tested := 0.0, 0.0
	for i := range analysis.Results {
		if r := &analysis.Results[i]; r.Untested == "" {
			sd := stats.NoiseOf(r, images).ImageSD
			squares, tested = squares+sd*sd, tested+1
		}
	}
	return math.Sqrt(squares / tested), nil // NaN where nothing was tested
}
