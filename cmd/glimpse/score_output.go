package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/stats"
)

// scoresJSON is `score --json`: a contract, whose keys are only ever added to.
type scoresJSON struct {
	Metrics    map[string]term.Number `json:"metrics,omitempty"` // of one set of candidates
	Images     int                    `json:"images"`
	Signature  string                 `json:"signature"`
	References int                    `json:"references"`
	Candidates []scoredJSON           `json:"candidates"`
	Comparison *stats.PairAnalysis    `json:"comparison,omitempty"` // of several
}

type scoredJSON struct {
	Name    string                 `json:"name"`
	File    string                 `json:"file"`
	Blank   int                    `json:"blank"`
	Metrics map[string]term.Number `json:"metrics"`
}

func (s *scores) json() scoresJSON {
	out := scoresJSON{Images: s.images, Signature: s.signature, References: s.references - s.skipped, Comparison: s.comparison}
	for i := range s.candidates {
		c := &s.candidates[i]
		out.Candidates = append(out.Candidates, scoredJSON{c.name, c.path, c.blank(), term.Numbers(c.result.Metrics)})
	}
	if len(out.Candidates) == 1 {
		out.Metrics = out.Candidates[0].Metrics
	}
	return out
}

func (s *scores) print(w io.Writer) error {
	fmt.Fprintf(w, "%s, %s\nsignature  %s\n\n", term.Plural(s.images, "image"), term.Plural(s.references-s.skipped, "reference"), s.signature)
	t := &term.Table{}
	header := []string{"METRIC"}
	for _, c := range s.candidates {
		header = append(header, c.name)
	}
	t.Add(header...)
	for _, key := range metrics.Order(s.candidates[0].result.Metrics) {
		row := []string{key}
		for _, c := range s.candidates {
			row = append(row, showMetric(key, c.result.Metrics[key]))
		}
		t.Add(row...)
	}
	if err := t.Print(w); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w, "all ×100 but", strings.Join(unscaled(), " and ")); err != nil || s.comparison == nil {
		return err
	}
	return printPairs(w, s.comparison)
}

// unscaled are the metrics that are shown as they are.
func unscaled() []string {
	var keys []string
	for _, m := range metrics.Catalogue {
		if m.Scale == 1 {
			keys = append(keys, m.Key)
		}
	}
	return keys
}

// showMetric shows points with two decimals, and what is not in points as everywhere.
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

// printPairs shows a pairwise comparison of single runs, with what it rests on and what it cannot say.
func printPairs(w io.Writer, a *stats.PairAnalysis) error {
	t := &term.Table{}
	t.Add("\nDIFFERENCE ×100", "METRIC", "B − A", level(a.Options.Alpha), "p BOOTSTRAP", "p RANDOMIZATION", "p HOLM")
	for _, p := range a.Pairs {
		t.Add(p.Contrast.String(), p.Metric, points(p.Difference), interval(p.Low, p.High),
			showP(p.PBootstrap), showP(p.PRandomization), showP(p.PHolm))
	}
	if err := t.Print(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "interval: %s\np: %s; %s; %s draws\n",
		a.Methods.Interval, a.Methods.Test, a.Methods.Adjustment, term.Count(int64(a.Options.Draws)))
	return printWarnings(w, a.Warnings)
}

func printWarnings(w io.Writer, warnings []string) error {
	for _, warning := range warnings {
		if _, err := fmt.Fprintf(w, "warning: %s\n", warning); err != nil {
			return err
		}
	}
	return nil
}

// points shows a difference of scores ×100 with its sign.
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

// showP shows a p-value with two digits that count.
func showP(p float64) string {
	switch {
	case math.IsNaN(p):
		return "-"
	case p < 0.0001:
		return "<0.0001"
	}
	return fmt.Sprintf("%.2g", p)
}

// perImage writes the CSV of --per-image: fractions of 1, CIDEr unscaled, as in JSON.
func (s *scores) perImage(w io.Writer) error {
	rows := csv.NewWriter(w)
	keys := metrics.Tested(s.meteorKey)
	if err := rows.Write(slices.Concat([]string{"candidates", "image_id"}, keys, []string{"length", "ref_length"})); err != nil {
		return err
	}
	for _, c := range s.candidates {
		for _, image := range c.result.Images {
			row := []string{c.name, image.ID}
			for _, key := range keys {
				m, _ := metrics.Find(key)
				row = append(row, strconv.FormatFloat(m.Image(&image), 'g', -1, 64))
			}
			if err := rows.Write(append(row, strconv.Itoa(image.Length), strconv.Itoa(image.RefLength))); err != nil {
				return err
			}
		}
	}
	rows.Flush()
	return rows.Error()
}
