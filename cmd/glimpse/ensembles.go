package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
	"glimpse/results/view"
)

// printEnsemblesOf prints the ensembles of a study's arms, if it has any.
func printEnsemblesOf(ctx context.Context, w io.Writer, db *store.DB, study string) error {
	all, err := view.EnsemblesOf(ctx, db, study)
	if err != nil {
		return err
	}
	return printEnsembles(w, all)
}

func printEnsembles(w io.Writer, all []view.Ensemble) error {
	if len(all) == 0 {
		return nil
	}
	t := &term.Table{}
	t.Gap()
	header := []string{"TOGETHER", "SEEDS"}
	for _, m := range cli.BriefMetrics() {
		header = append(header, m.Column())
	}
	t.Add(append(header, "OVER IMAGES", "MEAN OF THE SEEDS")...)
	stale := false
	for _, e := range all {
		label := e.Arm
		if e.Stale {
			label, stale = label+" (stale)", true
		}
		row := []string{label, fmt.Sprint(len(e.Runs))}
		for _, m := range cli.BriefMetrics() {
			row = append(row, term.Percent(floats(e.Metrics), m.Key))
		}
		mean := "-"
		if !math.IsNaN(float64(e.SeedMean)) { // else a member was deleted
			mean = fmt.Sprintf("%.2f", 100*float64(e.SeedMean))
		}
		t.Add(append(row, fmt.Sprintf("%.2f to %.2f", 100*float64(e.Low), 100*float64(e.High)), mean)...)
	}
	if err := t.Print(w); err != nil {
		return err
	}
	notes := []string{fmt.Sprintf("joint captions of all seeds of an arm; the last two columns are %s, ×100. The interval is over images only: "+
		"an ensemble has no spread over seeds, and no verdict depends on it", all[0].Primary)}
	if stale {
		notes = append(notes, "stale: does not cover all completed runs of the arm; `glimpse run` remakes it")
	}
	return term.Paragraphs(w, notes...)
}

func floats(values map[string]term.Number) map[string]float64 {
	out := make(map[string]float64, len(values))
	for key, v := range values {
		out[key] = float64(v)
	}
	return out
}

// showEnsemble shows the ensemble of an arm of a study.
func showEnsemble(c *cobra.Command, db *store.DB, args []string, captions int, asJSON bool) error {
	name, err := cli.StudyName(c.Context(), db, args[0])
	if err != nil {
		return err
	}
	e, err := view.ReadEnsemble(c.Context(), db, name, args[1], captions)
	if unknown := (*results.UnknownArmError)(nil); errors.As(err, &unknown) {
		return cli.Usage(err)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return term.WriteJSON(c.OutOrStdout(), e)
	}
	t := &term.Table{}
	t.Add("study", e.Study)
	t.Add("arm", e.Arm)
	t.Add("runs", strings.Join(e.Runs, " "))
	t.Add("seeds", strings.Trim(fmt.Sprint(e.Seeds), "[]"))
	t.Add("split", e.Split)
	t.Add("signature", e.Signature)
	t.Add("captions", e.SHA256)
	t.Add("time", term.Span(float64(e.Seconds)))
	if err := t.PrintWrapped(c.OutOrStdout()); err != nil {
		return err
	}
	t = &term.Table{}
	t.Gap()
	keys := e.MetricKeys()
	t.Add(append([]string{"METRICS ×100"}, keys...)...)
	row := []string{e.Split}
	for _, key := range keys {
		row = append(row, term.Percent(floats(e.Metrics), key))
	}
	t.Add(row...)
	if err := t.Print(c.OutOrStdout()); err != nil {
		return err
	}
	if err := printEnsembles(c.OutOrStdout(), []view.Ensemble{*e}); err != nil || len(e.Captions) == 0 {
		return err
	}
	t = &term.Table{}
	t.Gap()
	t.Add("IMAGE ("+e.Split+")", "LOG PROB", "CIDEr", "CAPTION")
	for _, said := range e.Captions {
		t.Add(said.Image, fmt.Sprintf("%.2f", float64(said.LogProb)), fmt.Sprintf("%.1f", 100*float64(*said.CIDEr)), said.Words)
	}
	return t.PrintWrapped(c.OutOrStdout())
}
