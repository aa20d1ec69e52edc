package main

import (
	"fmt"
	"io"

	"glimpse/internal/store"
	"glimpse/metrics/stats"
)

// pairJSON is `compare --json` of two runs, armsJSON that of two arms: contracts, whose keys are only ever added to.
type pairJSON struct {
	Signature string     `json:"signature"`
	Runs      [2]runJSON `json:"runs"` // A, B
	stats.PairAnalysis
}

type armsJSON struct {
	Study     string `json:"study"`
	Signature string `json:"signature"`
	stats.Analysis
}

func printRunPair(w io.Writer, runs [2]store.Run, a *stats.PairAnalysis) error {
	t := &table{}
	for i, side := range []string{"A", "B"} {
		run := runs[i]
		t.add(side, run.ID, fmt.Sprintf("%s, %s, seed %d", run.Study, run.Arm, run.Seed))
	}
	t.add("signature", runs[0].Signature)
	t.add("images", count(int64(a.Images)))
	if err := t.print(w); err != nil {
		return err
	}
	return printPairs(w, a)
}

func printArms(w io.Writer, study, signature string, a *stats.Analysis) error {
	t := &table{}
	t.add("study", study)
	t.add("signature", signature)
	t.add("images", count(int64(a.Images)))
	t.add("primary", fmt.Sprintf("test.%s, smallest effect that matters %g points, α %g", a.Options.Primary, a.Options.MinimumEffect, a.Options.Alpha))
	t.add("")
	t.add("ARM", "RUNS", "METRIC ×100", "MEAN", "SD", "s_sel", level(a.Options.Alpha))
	for _, s := range a.Arms {
		sd := "-"
		if s.SD != nil {
			sd = fmt.Sprintf("%.2f", 100**s.SD)
		}
		t.add(s.Arm, fmt.Sprint(s.N), s.Metric, fmt.Sprintf("%.2f", 100*s.Mean), sd, fmt.Sprintf("%.2f", 100*s.SSel),
			fmt.Sprintf("%.2f to %.2f", 100*s.Low, 100*s.High))
	}
	if err := t.print(w); err != nil {
		return err
	}
	t = &table{}
	t.add("\nDIFFERENCE ×100", "METRIC", "B − A", level(a.Options.Alpha), "p", "p INTERVAL", "P(B > A)", "DETECTABLE", "VERDICT")
	for _, r := range a.Results {
		detectable := "nothing"
		if r.DetectableEffect != nil {
			detectable = fmt.Sprintf("%.1f", *r.DetectableEffect)
		}
		t.add(r.Contrast.String(), r.Metric, points(r.Difference), interval(r.Low, r.High), showP(r.P), showP(r.PInterval),
			fmt.Sprintf("%.2f", r.PBetter), detectable, string(r.Verdict))
	}
	if err := t.print(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "interval: %s\np: %s\ndetectable: at a power of %g, in points\n", a.Methods.Interval, a.Methods.Test, a.Options.Power)
	warnings := a.Warnings
	for _, r := range a.Results {
		if r.Metric == a.Options.Primary {
			warnings = append(warnings, r.Warnings...)
		}
	}
	return printWarnings(w, warnings)
}

func level(alpha float64) string { return fmt.Sprintf("%g %% INTERVAL", 100*(1-alpha)) }
