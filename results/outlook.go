package results

import (
	"fmt"

	"glimpse/experiments"
	"glimpse/metrics/stats"
)

// OutlookOf says what a planned study can find with its seeds, on this number of
// images of its primary split and with this noise; nil if it compares nothing.
// Contrasts are counted as [Study.Analyse] counts them. If the noise is unknown,
// only what follows from the number of seeds is given.
func OutlookOf(d experiments.Declaration, images int, noise *Noise) (*stats.Outlook, error) {
	contrasts := d.Contrasts()
	if len(contrasts) == 0 {
		return nil, nil
	}
	var (
		arms  []stats.PlannedArm
		in    = newDesign()
		asked []stats.Contrast
	)
	contrasted := cellsOf(contrasts...)
	for _, cell := range d.Cells() {
		if contrasted[cell.Name] {
			arms = append(arms, stats.PlannedArm{Name: cell.Name, Seeds: len(cell.Trials)})
			runs := make([]stats.Run, len(cell.Trials))
			for i := range runs {
				runs[i].Seed = int64(i)
			}
			in.add(stats.Arm{Name: cell.Name, Runs: runs})
		}
	}
	for _, c := range contrasts {
		b, okB := in.side(c.B)
		a, okA := in.side(c.A)
		if !okB || !okA {
			return nil, fmt.Errorf("contrast %s has no trials on one side", c.Label)
		}
		asked = append(asked, stats.Contrast{B: b, A: a})
	}
	assumed := stats.Flickr8kCIDEr // does not affect p
	if noise != nil {
		assumed = noise.Noise
	}
	assumed.Images = images
	primary := ParseMetric(d.Compare.Primary.Metric)
	options := optionsOf(d.Compare, primary, in.composites)
	options.Baseline = d.Compare.Baseline
	if !primary.Tested() {
		return nil, fmt.Errorf("compare.primary.metric: there is no test for %s", primary.Key)
	}
	found, err := stats.Plan(arms, asked, assumed, options)
	if err != nil {
		return nil, fmt.Errorf("planning the comparison: %w", err)
	}
	if noise == nil {
		found.Noise, found.Trials = stats.Noise{}, nil
		for i := range found.Results {
			found.Results[i].DetectableEffect, found.Results[i].Curve = nil, nil
		}
	}
	return &found, nil
}
