package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"glimpse/inspect"
	"glimpse/internal/term"
	"glimpse/metrics"
)

func printReproduction(w io.Writer, r *inspect.Reproduction) error {
	same := func(pair [2]string) string {
		if pair[0] == pair[1] {
			return "the same"
		}
		return "different"
	}
	captions := same(r.CaptionsSHA256)
	if r.CaptionsDiffer > 0 {
		captions = fmt.Sprintf("%d of %d differ", r.CaptionsDiffer, r.Captions)
	}
	t := &term.Table{}
	t.Add("run", r.Run)
	t.Add("captions", captions)
	t.Add("weights", same(r.WeightsSHA256))
	if r.FirstEpoch > 0 {
		t.Add("training", fmt.Sprintf("differs from epoch %d on", r.FirstEpoch))
	}
	if err := t.Print(w); err != nil || r.Equal {
		return err
	}
	t = &term.Table{}
	t.Gap()
	t.Add("METRIC ×100", "RECORDED", "AGAIN", "DIFFERENCE")
	for _, split := range slices.Sorted(maps.Keys(r.Metrics)) {
		for _, key := range metrics.Shown() {
			if pair, known := r.Metrics[split][key]; known {
				a, b := 100*float64(pair[0]), 100*float64(pair[1])
				t.Add(split+"."+key, fmt.Sprintf("%.2f", a), fmt.Sprintf("%.2f", b), fmt.Sprintf("%+.2f", b-a))
			}
		}
	}
	if err := t.Print(w); err != nil {
		return err
	}
	if len(r.EnvironmentDiff) == 0 {
		_, err := fmt.Fprintln(w, "\nnothing that is recorded of the environment differs")
		return err
	}
	t = &term.Table{}
	t.Gap()
	t.Add("ENVIRONMENT", "RECORDED", "AGAIN")
	for _, d := range r.EnvironmentDiff {
		t.Add(d.Key, orDash(d.Recorded), orDash(d.Again))
	}
	return t.Print(w)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
