package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics/stats"
)

// planNoise is the noise that a plan reckons with, and whence it is.
type planNoise struct {
	stats.Noise `json:"-"`
	// From says what the deviation over seeds is of: completed runs with settings of the plan, with others on the same data,
	// or none of both, an assumption.
	From   string `json:"from"`
	Runs   int    `json:"runs"`            // of the database, that it is of
	Arms   int    `json:"arms"`            // groups of these runs that differ in their seeds alone
	Images bool   `json:"images_measured"` // whether the deviation over images is of these runs too, and not assumed
}

const (
	fromSettings   = "settings"
	fromData       = "data"
	fromAssumption = "assumption"
)

// String says whence the noise is, behind its numbers.
func (n *planNoise) String() string {
	runs := fmt.Sprintf("%s of %s", plural(n.Runs, "completed run"), plural(n.Arms, "arm"))
	images := ""
	switch {
	case !n.Images:
		images = "; that over images is assumed"
	case n.ImageSD == 0:
		images = "; beside the seeds' none is seen over images"
	}
	switch n.From {
	case fromSettings:
		return "as in " + runs + " with this study's settings" + images
	case fromData:
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

// anySeed is what settings share with those of another seed and another place of the data.
func anySeed(s experiments.Settings) experiments.Settings {
	s.Seed, s.Data.Root = 0, ""
	return s
}

// findKin groups completed runs that have a score and whose settings are wanted, by settings and protocol, and keeps the groups
// of two seeds and more; of several protocols that with most runs.
func findKin(known []store.Run, split, key string, wanted func(experiments.Settings) bool) []*kin {
	protocols := map[string]map[string]*kin{}
	for _, run := range known {
		score, scored := run.Metrics[split][key]
		var s experiments.Settings
		if run.State != store.Completed || !scored || json.Unmarshal(run.Settings, &s) != nil || !wanted(anySeed(s)) {
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

// noise is what completed runs tell of the noise of a study's primary metric: those of its own settings if an arm of it has two
// seeds, else those on the same data. Where they tell nothing it is assumed for CIDEr on Flickr8k, and nil for all else. db may
// be nil if there are no known runs. Earlier runs that cannot be read are an error beside what the others tell.
func noise(ctx context.Context, db *store.DB, known []store.Run, study *experiments.Study, trials []experiments.Trial) (*planNoise, error) {
	split, key, _ := strings.Cut(study.Compare.Primary.Metric, ".")
	data := anySeed(trials[0].Settings).Data
	found := planNoise{Noise: stats.Flickr8kCIDEr, From: fromSettings}
	groups := findKin(known, split, key, func(s experiments.Settings) bool {
		return slices.ContainsFunc(trials, func(t experiments.Trial) bool { return anySeed(t.Settings) == s })
	})
	if len(groups) == 0 {
		found.From = fromData
		groups = findKin(known, split, key, func(s experiments.Settings) bool { return s.Data == data })
	}
	squares, freedom := 0.0, 0.0
	for _, k := range groups {
		more, degrees := k.deviation()
		squares, freedom = squares+more, freedom+degrees
		found.Runs += len(k.runs)
	}
	if found.Arms = len(groups); found.Arms > 0 {
		found.SeedSD = math.Sqrt(squares / freedom)
	} else {
		found.From = fromAssumption
	}
	var err error
	if found.Arms > 1 && split == "test" {
		var sd float64
		if sd, err = imageSD(ctx, db, groups[:min(found.Arms, mostArms)], key); err == nil {
			found.ImageSD, found.Images = sd, true
		} else {
			err = fmt.Errorf("what images do to the noise cannot be taken from earlier runs: %w", err)
		}
	}
	if !found.Images && (data.Name != "flickr8k" || key != "cider") {
		return nil, err
	}
	return &found, err
}

// mostArms is of how many arms the captions are read, so that a plan beside a large search stays quick.
const mostArms = 5

// imageSD is the root mean square, over groups of runs beside the first, of the deviation over images of their difference
// from it, in points.
func imageSD(ctx context.Context, db *store.DB, groups []*kin, key string) (float64, error) {
	var arms []stats.Arm
	var contrasts []stats.Contrast
	images := 0
	for i, k := range groups {
		arm := stats.Arm{Name: fmt.Sprint(i)}
		for _, run := range k.runs {
			scored, err := scoredRun(ctx, db, run)
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
	analysis, err := stats.Compare(arms, contrasts, stats.Options{Metrics: []string{key}, Primary: key, Draws: draws})
	if err != nil {
		return 0, err
	}
	squares := 0.0
	for i := range analysis.Results {
		sd := stats.NoiseOf(&analysis.Results[i], images).ImageSD
		squares += sd * sd
	}
	return math.Sqrt(squares / float64(len(analysis.Results))), nil
}
