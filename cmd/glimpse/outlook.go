package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/stats"
	"glimpse/results"
)

// printOutlook prints what each contrast can detect. labels are the contrasts' names.
func printOutlook(c *cobra.Command, o *stats.Outlook, labels []string, noise *results.Noise, wide bool) error {
	w := c.OutOrStdout()
	assumed := noise != nil
	t := &term.Table{}
	t.Gap()
	header := []string{"CONTRAST", "RUNS", "SMALLEST p", "AFTER HOLM"}
	effects := o.Effects()
	if assumed {
		header = append(header, "DETECTABLE")
		for _, effect := range effects {
			header = append(header, fmt.Sprintf("POWER AT %g", effect))
		}
	}
	t.Add(header...)
	for i, r := range o.Results {
		row := []string{labels[i], fmt.Sprintf("%d and %d", r.NB, r.NA),
			fmt.Sprintf("%.3g", r.SmallestPUnadjusted), fmt.Sprintf("%.3g", r.SmallestP)}
		switch {
		case assumed && r.DetectableEffect == nil:
			row = append(row, "nothing")
		case assumed:
			row = append(row, fmt.Sprintf("%.1f points", *r.DetectableEffect))
		}
		if assumed {
			for _, effect := range effects {
				row = append(row, powerAt(&r, effect))
			}
		}
		t.Add(row...)
	}
	if err := cli.PrintTable(c, t, wide, "RUNS", "SMALLEST p"); err != nil {
		return err
	}
	if err := printPlannedLooks(w, o, labels); err != nil {
		return err
	}
	if noise == nil {
		return term.Paragraphs(w, fmt.Sprintf("the difference that this study can detect is not known yet: it depends on how much %s varies on these data, "+
			"which is known once two arms have two completed seeds each", metrics.Title(o.Options.Primary)))
	}
	return term.Paragraphs(w,
		fmt.Sprintf("DETECTABLE: the true difference that is found with a power of %g", o.Options.Power),
		"POWER AT: the power if the true difference is that many points",
		fmt.Sprintf("both assume standard deviations of %.2g points for a score over seeds and of %.2g points for a difference over the %d images: %s",
			o.Noise.SeedSD, o.Noise.ImageSD, o.Noise.Images, noise))
}

// printPlannedLooks prints the significance levels of a sequential study's looks, and how many
// trials it will take.
func printPlannedLooks(w io.Writer, o *stats.Outlook, labels []string) error {
	t := &term.Table{}
	for i, r := range o.Results {
		for _, l := range r.Looks {
			if t.Empty() {
				t.Gap()
				t.Add("CONTRAST", "LOOK", "LEVEL", "SMALLEST p", "CAN DECIDE")
			}
			can := "yes"
			if !l.Reachable {
				can = "no: the smallest p is above the level"
			}
			t.Add(labels[i], term.Plural(l.Seeds, "seed"), showP(l.Level), fmt.Sprintf("%.3g", l.SmallestP), can)
		}
	}
	if err := t.Print(w); err != nil || t.Empty() {
		return err
	}
	for _, e := range o.Trials {
		supposed := "no arm is better than the baseline"
		switch e.Effect {
		case 0:
		case 1:
			supposed = "every other arm is 1 point better than the baseline"
		default:
			supposed = fmt.Sprintf("every other arm is %g points better than the baseline", e.Effect)
		}
		if err := term.Paragraphs(w, fmt.Sprintf("trials if %s: %.1f on average, %d at most", supposed, e.Mean, e.Largest)); err != nil {
			return err
		}
	}
	return nil
}

// powerAt formats the power at an effect, or - if it is not known.
func powerAt(r *stats.ContrastOutlook, effect float64) string {
	if power, known := r.PowerAt(effect); known {
		return fmt.Sprintf("%.2f", power)
	}
	return "-"
}
