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
	why := aboutFeatures(r.FeaturesContent)
	if why == "" && len(r.EnvironmentDiff) == 0 {
		why = "no recorded difference in the environment"
	}
	if why != "" {
		if _, err := fmt.Fprintln(w, "\n"+why); err != nil {
			return err
		}
	}
	if len(r.EnvironmentDiff) == 0 {
		return nil
	}
	t = &term.Table{}
	t.Gap()
	t.Add("ENVIRONMENT", "RECORDED", "AGAIN")
	for _, d := range r.EnvironmentDiff {
		t.Add(d.Key, orDash(d.Recorded), orDash(d.Again))
	}
	return t.Print(w)
}

// aboutFeatures reports whether different features may explain a difference; "" if not. content has
// the recorded hash of the features' content, or "", and the current one.
func aboutFeatures(content [2]string) string {
	switch recorded, now := content[0], content[1]; {
	case recorded == now:
		return ""
	case recorded == "":
		return "the content of the run's features was not recorded: they may differ too"
	default:
		return fmt.Sprintf("the features differ in content (recorded %.8s, now %.8s): computed on another kind of CPU, device or libtorch", recorded, now)
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
