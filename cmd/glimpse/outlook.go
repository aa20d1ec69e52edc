package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"glimpse/experiments"
	"glimpse/metrics/stats"
)

// outlook says what a study can find out with its seeds and test images under a noise, nil where that is not known; nil where
// it compares nothing.
func outlook(study *experiments.Study, trials []experiments.Trial, sets datasets, known *planNoise) (*stats.Outlook, error) {
	compare := study.Compare
	if compare.Arms == "" || len(compare.Contrasts) == 0 || len(trials) == 0 {
		return nil, nil
	}
	var (
		arms  []stats.PlannedArm
		seeds = map[string]map[int64]bool{}
	)
	for _, trial := range trials {
		if seeds[trial.Arm] == nil {
			seeds[trial.Arm] = map[int64]bool{}
			arms = append(arms, stats.PlannedArm{Name: trial.Arm})
		}
		seeds[trial.Arm][trial.Settings.Seed] = true
	}
	for i := range arms {
		arms[i].Seeds = len(seeds[arms[i].Name])
	}
	contrasts := make([]stats.Contrast, len(compare.Contrasts))
	for i, pair := range compare.Contrasts {
		contrasts[i] = stats.Contrast{B: pair[0], A: pair[1]}
	}
	d, err := sets.load(trials[0].Settings)
	if err != nil {
		return nil, err
	}
	noise := stats.Flickr8kCIDEr // of no matter to p
	if known != nil {
		noise = known.Noise
	}
	split, primary, _ := strings.Cut(compare.Primary.Metric, ".")
	noise.Images = len(d.Splits[split])
	found, err := stats.Plan(arms, contrasts, noise, stats.Options{
		Primary: primary, MinimumEffect: compare.Primary.MinimumEffect, Alpha: compare.Primary.Alpha,
	})
	if err != nil {
		return nil, fmt.Errorf("what the comparison can find: %w", err)
	}
	if known == nil {
		found.Noise = stats.Noise{}
		for i := range found.Results {
			found.Results[i].DetectableEffect, found.Results[i].Curve = nil, nil
		}
	}
	return &found, nil
}

func printOutlook(w io.Writer, o *stats.Outlook, noise *planNoise) error {
	assumed := noise != nil
	t := &table{}
	header := []string{"\nCONTRAST", "RUNS", "SMALLEST p", "AFTER HOLM"}
	effects := shownEffects(o.Options.MinimumEffect)
	if assumed {
		header = append(header, "DETECTABLE")
		for _, effect := range effects {
			header = append(header, fmt.Sprintf("POWER AT %g", effect))
		}
	}
	t.add(header...)
	for _, r := range o.Results {
		row := []string{r.Contrast.String(), fmt.Sprintf("%d and %d", r.NB, r.NA),
			fmt.Sprintf("%.3g", r.SmallestPUnadjusted), fmt.Sprintf("%.3g", r.SmallestP)}
		switch {
		case assumed && r.DetectableEffect == nil:
			row = append(row, "nothing")
		case assumed:
			row = append(row, fmt.Sprintf("%.1f points", *r.DetectableEffect))
		}
		if assumed {
			for _, effect := range effects {
				row = append(row, powerAt(r.Curve, effect))
			}
		}
		t.add(row...)
	}
	if err := t.print(w); err != nil {
		return err
	}
	if noise == nil {
		_, err := fmt.Fprintf(w, "detectable effects are told once two arms have two completed seeds: until then nobody knows the noise of %s on these data\n",
			o.Options.Primary)
		return err
	}
	_, err := fmt.Fprintf(w, "detectable: the effect found with a power of %g; power at: that of finding an effect of so many points; both if seeds differ by a standard deviation of %.2g points and the %d images by one of %.2g, %s\n",
		o.Options.Power, o.Noise.SeedSD, o.Noise.Images, o.Noise.ImageSD, noise)
	return err
}

// shownEffects are the true differences, in points, whose power a plan tells: the smallest that matters, its double and
// its triple, on the half points that the curve has.
func shownEffects(minimum float64) []float64 {
	least := max(0.5, math.Round(2*minimum)/2)
	return []float64{least, 2 * least, 3 * least}
}

// powerAt reads a curve, which ends where the power is 1 or at 10 points.
func powerAt(curve []stats.PowerPoint, effect float64) string {
	for _, p := range curve {
		if p.Effect == effect {
			return fmt.Sprintf("%.2f", p.Power)
		}
	}
	if n := len(curve); n > 0 && curve[n-1].Effect < effect && curve[n-1].Power == 1 {
		return "1.00"
	}
	return "-"
}
