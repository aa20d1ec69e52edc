package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/coco"
	"glimpse/metrics/stats"
)

func printScores(c *cobra.Command, s *coco.Scores, wide bool) error {
	w := c.OutOrStdout()
	fmt.Fprintf(w, "%s, %s\nsignature  %s\n\n", term.Plural(s.Images, "image"), term.Plural(s.References, "reference"), s.Signature)
	t := &term.Table{}
	header := []string{"METRIC"}
	for _, candidate := range s.Candidates {
		header = append(header, candidate.Name)
	}
	t.Add(header...)
	for _, key := range metrics.Order(s.Candidates[0].Metrics) {
		row := []string{key}
		for _, candidate := range s.Candidates {
			row = append(row, showMetric(key, float64(candidate.Metrics[key])))
		}
		t.Add(row...)
	}
	if err := t.Print(w); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w, "all ×100 but", strings.Join(unscaled(), " and ")); err != nil || s.Comparison == nil {
		return err
	}
	return printPairs(c, s.Comparison, wide)
}

// unscaled returns the keys of the metrics that are not shown ×100.
func unscaled() []string {
	var keys []string
	for _, m := range metrics.Catalogue {
		if m.Scale == 1 {
			keys = append(keys, m.Key)
		}
	}
	return keys
}

// showMetric formats a metric: ×100 with two decimals, or unscaled with the metric's own decimals.
func showMetric(key string, value float64) string {
	m, known := metrics.Find(key)
	switch {
	case !known || m.Scale == 100:
		return fmt.Sprintf("%.2f", 100*value)
	case m.Digits == 0:
		return term.Count(int64(value))
	}
	return strconv.FormatFloat(value, 'f', m.Digits, 64)
}

// printPairs prints a pairwise comparison of single runs, with its methods and warnings.
func printPairs(c *cobra.Command, a *stats.PairAnalysis, wide bool) error {
	w := c.OutOrStdout()
	fmt.Fprintln(w)
	t := &term.Table{}
	t.Add("DIFFERENCE ×100", "METRIC", "B − A", level(a.Options.Alpha), "p BOOTSTRAP", "p RANDOMIZATION", "p HOLM")
	for _, p := range a.Pairs {
		t.Add(p.Contrast.String(), p.Metric, points(p.Difference), interval(p.Low, p.High),
			showP(p.PBootstrap), showP(p.PRandomization), showP(p.PHolm))
	}
	if err := cli.PrintTable(c, t, wide, "p BOOTSTRAP", "p RANDOMIZATION"); err != nil {
		return err
	}
	if err := term.Paragraphs(w, "interval: "+a.Methods.Interval,
		fmt.Sprintf("p: %s; %s; %s draws", a.Methods.Test, a.Methods.Adjustment, term.Count(int64(a.Options.Draws)))); err != nil {
		return err
	}
	return printWarnings(w, a.Warnings)
}

// mostWarnings limits the printed warnings: averages over thousands of arms have one per arm.
const mostWarnings = 12

func printWarnings(w io.Writer, warnings []string) error {
	for i, warning := range warnings {
		if i == mostWarnings {
			return term.Paragraphs(w, fmt.Sprintf("warning: and %d more; --json has them all", len(warnings)-i))
		}
		if err := term.Paragraphs(w, "warning: "+warning); err != nil {
			return err
		}
	}
	return nil
}

// points formats a difference of scores ×100 with its sign.
func points(difference float64) string {
	if math.IsNaN(difference) {
		return "-"
	}
	return fmt.Sprintf("%+.2f", 100*difference)
}

func interval(low, high float64) string {
	if math.IsNaN(low) || math.IsNaN(high) {
		return "-"
	}
	return fmt.Sprintf("%+.2f to %+.2f", 100*low, 100*high)
}

// showP formats a p-value with two significant digits.
func showP(p float64) string {
	switch {
	case math.IsNaN(p):
		return "-"
	case p < 0.0001:
		return "<0.0001"
	}
	return fmt.Sprintf("%.2g", p)
}
