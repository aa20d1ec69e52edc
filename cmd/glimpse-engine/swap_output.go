package main

import (
	"fmt"
	"io"
	"strings"

	"glimpse/inspect"
	"glimpse/internal/term"
	"glimpse/metrics/stats"
)

func printSwapped(w io.Writer, s *inspect.Swapped) error {
	for i, arm := range s.Arms {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := printReadings(w, arm); err != nil {
			return err
		}
	}
	return nil
}

func printReadings(w io.Writer, arm stats.ReadingSummary) error {
	t := &term.Table{}
	t.Add(strings.ToUpper(arm.Arm)+", "+term.Plural(len(arm.Seeds), "seed"), "WORDS", "GAIN", "OF REGIONS", "OF PLACES", "β", "β, OTHER PICTURE")
	for _, c := range arm.Classes {
		name := c.Class
		if name == "" {
			name = "all words"
		}
		t.Add(name, term.Count(int64(c.Words)), bounds(c.Gain), bounds(c.RegionsGain), bounds(c.PlacesGain), bounds(c.Beta), bounds(c.OtherBeta))
	}
	if err := t.Print(w); err != nil || arm.Sentinel == nil {
		return err
	}
	t = &term.Table{}
	t.Gap()
	t.Add("DOES THE SENTINEL DO WHAT ITS AUTHORS SAY?", "MEASURED", "CLAIM")
	for _, m := range arm.Sentinel.Measures() {
		t.Add(m.Name, bounds(m.Interval), m.Claim)
	}
	if err := t.Print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "the authors' claim: %s, by the first two lines\n", arm.Sentinel.Verdict)
	return err
}

// bounds formats a value with its interval, or - if there is none.
func bounds(i *stats.Interval) string {
	if i == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f [%.3f, %.3f]", i.Value, i.Low, i.High)
}
