package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/stats"
	"glimpse/results/view"
)

func printRunPair(c *cobra.Command, pair *view.RunPair, wide bool) error {
	w := c.OutOrStdout()
	t := &term.Table{}
	for i, side := range []string{"A", "B"} {
		run := pair.Runs[i]
		t.Add(side, run.ID, fmt.Sprintf("%s, %s, seed %d", run.Study, run.Arm, run.Seed))
	}
	t.Add("signature", pair.Signature)
	t.Add("images", term.Count(int64(pair.Images)))
	if err := t.PrintWrapped(w); err != nil {
		return err
	}
	return printPairs(c, &pair.PairAnalysis, wide)
}

func printArmPair(c *cobra.Command, pair *view.ArmPair, wide bool) error {
	w := c.OutOrStdout()
	a := &pair.Analysis
	if err := printVerdict(w, pair.Label, *a); err != nil {
		return err
	}
	t := &term.Table{}
	t.Add("study", pair.Study)
	t.Add("signature", pair.Signature)
	t.Add("images", term.Count(int64(a.Images)))
	t.Add("primary", fmt.Sprintf("%s.%s, smallest effect that matters %s, α %g",
		pair.Split, a.Options.Primary, effect(a.Options.MinimumEffect), a.Options.Alpha))
	if err := t.PrintWrapped(w); err != nil {
		return err
	}
	t = &term.Table{}
	t.Gap()
	t.Add("ARM", "RUNS", "METRIC ×100", "MEAN", "SD", "s_sel", level(a.Options.Alpha))
	for _, s := range a.Arms {
		sd := "-"
		if s.SD != nil {
			sd = fmt.Sprintf("%.2f", 100**s.SD)
		}
		t.Add(pair.Labels[s.Arm], fmt.Sprint(s.N), s.Metric, fmt.Sprintf("%.2f", 100*s.Mean), sd,
			fmt.Sprintf("%.2f", 100*s.SSel), interval(s.Low, s.High))
	}
	if err := t.Print(w); err != nil {
		return err
	}
	if err := printEnsembles(w, pair.Ensembles); err != nil {
		return err
	}
	fmt.Fprintln(w)
	t = &term.Table{}
	t.Add("DIFFERENCE ×100", "METRIC", "B − A", level(a.Options.Alpha),
		"p", "p HOLM", "p INTERVAL", "P(B > A)", "DETECTABLE", "VERDICT")
	for _, r := range a.Results {
		t.Add(resultRow(pair.Label, r)...)
	}
	if err := cli.PrintTable(c, t, wide, "P(B > A)", "DETECTABLE", "p INTERVAL", "p", "DIFFERENCE ×100"); err != nil {
		return err
	}
	family := "this contrast is not declared: it is exploratory, and p HOLM equals p"
	if pair.Declared {
		family = fmt.Sprintf("p HOLM: adjusted over %s of the study", term.Plural(pair.Contrasts, "declared contrast"))
	}
	if err := term.Paragraphs(w,
		"SD: standard deviation of the arm's score over seeds; s_sel: of one run's score over draws of images",
		"interval: "+a.Methods.Interval,
		"p: "+a.Methods.Test+"; it is conditional on these images",
		family,
		"p INTERVAL: the interval's own test, adjusted likewise; it also allows for other images, and a verdict needs both",
		"P(B > A): the share of pairs of runs in which B's is the better one",
		fmt.Sprintf("DETECTABLE: the true difference, in points, that is found with a power of %g", a.Options.Power)); err != nil {
		return err
	}
	warnings := append(pair.Remarks, a.Warnings...)
	for _, r := range a.Results {
		if r.Metric == a.Options.Primary {
			if r.Untested != "" {
				if err := term.Paragraphs(w, "not tested: "+r.Untested); err != nil {
					return err
				}
			}
			warnings = append(warnings, r.Warnings...)
			if err := printLooks(w, r.Looks, r.Verdict == stats.Exploratory); err != nil {
				return err
			}
		}
	}
	return printWarnings(w, warnings)
}

// printVerdict prints the line that answers the question of a contrast.
func printVerdict(w io.Writer, label string, a stats.Analysis) error {
	for _, r := range a.Results {
		if r.Metric == a.Options.Primary {
			return term.Styledln(w, verdictStyle(r.Verdict), verdictLine(label, r))
		}
	}
	return nil
}

// effect formats the size of an effect, in points.
func effect(points float64) string {
	if points == 1 {
		return "1 point"
	}
	return fmt.Sprintf("%g points", points)
}

// verdictLine returns the answer to the question of a comparison, in one line.
func verdictLine(label string, r stats.Result) string {
	difference := fmt.Sprintf("%s, %s %s points", label, metrics.Title(r.Metric), points(r.Difference))
	if r.Untested != "" {
		return "not tested: " + difference
	}
	return fmt.Sprintf("%s: %s (%s), p %s after Holm", r.Verdict, difference, interval(r.Low, r.High), showP(r.PHolm))
}

// verdictStyle returns the style of a verdict on a terminal.
func verdictStyle(v stats.Verdict) term.Style {
	switch v {
	case stats.Supported:
		return term.Green
	case stats.Opposite:
		return term.Red
	}
	return term.Bold
}

// resultRow returns the row of a result, with dashes if it was not tested.
func resultRow(label string, r stats.Result) []string {
	row := []string{label, r.Metric, points(r.Difference)}
	if r.Untested != "" {
		return append(row, "-", "-", "-", "-", "-", "-", "not tested")
	}
	detectable := "nothing"
	if r.DetectableEffect != nil {
		detectable = fmt.Sprintf("%.1f", *r.DetectableEffect)
	}
	p := showP(r.P)
	if r.PError > 0 {
		p += fmt.Sprintf(" ± %.1g", r.PError)
	}
	return append(row, interval(r.Low, r.High), p, showP(r.PHolm), showP(r.PIntervalHolm),
		fmt.Sprintf("%.2f", r.PBetter), detectable, string(r.Verdict))
}

// printLooks prints the looks of a sequential study, as exploratory if the contrast is.
func printLooks(w io.Writer, looks []stats.Look, exploratory bool) error {
	if len(looks) == 0 {
		return nil
	}
	t := &term.Table{}
	t.Gap()
	t.Add("LOOK", "LEVEL", "B − A", "INTERVAL", "p", "p INTERVAL", "OUTCOME")
	for _, l := range looks {
		if exploratory {
			l.Decision = "exploratory"
		}
		t.Add(term.Plural(l.Seeds, "seed"), showP(l.Level), points(l.Difference),
			interval(l.Low, l.High), showP(l.P), showP(l.PInterval), l.Decision)
	}
	return t.Print(w)
}

func level(alpha float64) string { return fmt.Sprintf("%g %% INTERVAL", 100*(1-alpha)) }
