package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
	"glimpse/results/view"
	"glimpse/runner"
)

func showCommand() *cobra.Command {
	var (
		db       string
		split    string
		captions int
		log      bool
		asJSON   bool
	)
	c := &cobra.Command{
		Use:   "show RUN | STUDY ARM",
		Short: "Show everything about a run, or about the ensemble of an arm",
		Long: `Show a run, named by the start of its ID: state, metrics, epochs,
environment, sample captions and all settings. --log prints the end of its log
instead, wherever that is.

With a study and the label of an arm, show the ensemble of the arm's seeds, if
the study declares it (compare.ensemble).`,
		Example: `  glimpse show 3f2a
  glimpse show 3f2a --captions 20
  glimpse show 3f2a --log
  glimpse show mine soft --captions 20
  glimpse show 3f2a --captions -1 --json | jq '.captions[].words'`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: cli.CompleteFromDB(cli.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			opened, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			if len(args) == 2 {
				return showEnsemble(c, opened, args, captions, asJSON)
			}
			if log {
				run, err := opened.Run(c.Context(), args[0])
				if err != nil {
					return err
				}
				return printLog(c, runner.LogOf(opened, run))
			}
			record, err := view.ReadRecord(c.Context(), opened, args[0], split, captions)
			if err != nil {
				return err
			}
			if path, err := runner.BestCheckpoint(runner.DefaultDir(opened), record.Run); err == nil {
				record.Checkpoint = path
			}
			record.Reproduce = reproduce(record.Run, db)
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), record.JSON())
			}
			return printRecord(c.OutOrStdout(), record)
		},
	}
	cli.AddDB(c, &db)
	c.Flags().BoolVar(&log, "log", false, "print the end of the run's log")
	c.Flags().StringVar(&split, "split", "test", "split to show captions of: test or val")
	c.Flags().IntVar(&captions, "captions", 5, "captions to show; -1 for all")
	cli.AddJSON(c, &asJSON)
	c.MarkFlagsMutuallyExclusive("log", "json")
	return c
}

// reproduce returns the command that trains a run again and compares; "" if the run is not
// completed.
func reproduce(run store.Run, db string) string {
	if run.State != store.Completed {
		return ""
	}
	command := "glimpse reproduce " + run.ID
	if db != "" {
		command += " --db " + cli.Quote(db)
	}
	return command
}

func printRecord(w io.Writer, r *view.Record) error {
	run := r.Run
	t := &term.Table{}
	t.Add("run", run.ID)
	t.Add("study", strings.Join(run.Studies, ", "))
	t.Add("arm", run.Arm)
	t.Add("seed", fmt.Sprint(run.Seed))
	for _, path := range slices.Sorted(maps.Keys(run.Swept)) {
		t.Add(path, run.Swept[path])
	}
	if tags := results.Tags(run); len(tags) > 0 {
		t.Add("tags", strings.Join(tags, " "))
	}
	for _, n := range r.Notes {
		name := "note of " + n.Written.UTC().Format(time.DateOnly)
		if n.Study != "" {
			name += " on " + n.Study
		}
		t.AddLines(name, n.Text)
	}
	t.Add("state", results.StateText(run, time.Now()))
	if run.Error != "" {
		t.AddLines("error", strings.TrimSpace(run.Error))
	}
	if run.Parameters > 0 {
		t.Add("parameters", term.Count(run.Parameters))
	}
	t.Add("attempts", r.AttemptCounts())
	if run.Epochs > 0 {
		t.Add("epochs", fmt.Sprintf("%d, best %d", run.Epochs, run.BestEpoch))
		t.Add("time", term.Span(run.Seconds))
	}
	for _, pair := range [][2]string{{"signature", run.Signature}, {"captions hash", run.CaptionsSHA256}, {"weights hash", run.WeightsSHA256}, {"checkpoint", r.Checkpoint}} {
		if pair[1] != "" {
			t.Add(pair[0], pair[1])
		}
	}
	for _, key := range store.Paths(run.Environment) {
		if key[0] != "changes.diff" && key[0] != "attempts" { // perhaps whole files, which --json has; and what was printed above
			t.Add(forPeople(key[0], key[1]))
		}
	}
	if r.Reproduce != "" {
		t.Add("reproduce", r.Reproduce)
	}
	if err := t.PrintWrapped(w); err != nil {
		return err
	}
	for _, part := range []func(io.Writer, *view.Record) error{printMetrics, printEpochs, printCaptions, printSettings} {
		if err := part(w, r); err != nil {
			return err
		}
	}
	return nil
}

// forPeople formats sizes and times in an entry of a run's environment, with suitable units.
func forPeople(key, value string) (string, string) {
	number, err := strconv.ParseFloat(value, 64)
	name, size := strings.CutSuffix(key, "_bytes")
	switch {
	case err != nil:
	case size:
		return name, term.Bytes(int64(number))
	case strings.HasPrefix(key, "timings."):
		return key, term.Span(number)
	}
	return key, value
}

// printSettings prints all settings of the run, by their keys in a study.
func printSettings(w io.Writer, r *view.Record) error {
	t := &term.Table{}
	t.Gap()
	t.Add("SETTING", "VALUE")
	for _, pair := range r.Settings() {
		t.Add(pair[0], cmp.Or(pair[1], "-"))
	}
	t.Gap()
	t.Add("-: not set, or without effect with the other settings")
	return t.Print(w)
}

func printMetrics(w io.Writer, r *view.Record) error {
	if len(r.Run.Metrics) == 0 {
		return nil
	}
	splits := slices.Sorted(maps.Keys(r.Run.Metrics))
	t := &term.Table{}
	t.Gap()
	t.Add(append([]string{"METRICS ×100"}, splits...)...)
	for _, key := range r.MetricKeys() {
		row := []string{key}
		for _, split := range splits {
			row = append(row, term.Percent(r.Run.Metrics[split], key))
		}
		t.Add(row...)
	}
	return t.Print(w)
}

func printEpochs(w io.Writer, r *view.Record) error {
	if len(r.Epochs) == 0 {
		return nil
	}
	reinforced := slices.ContainsFunc(r.Epochs, func(e store.Epoch) bool { return e.Sampled != nil })
	t := &term.Table{}
	t.Gap()
	header := []string{"EPOCH", "LOSS"}
	if reinforced {
		header = append(header, "REWARD")
	}
	for _, m := range cli.BriefMetrics() {
		header = append(header, "val "+m.Column())
	}
	t.Add(append(header, "LR", "CAPTIONS/S", "TIME")...)
	for _, e := range r.Epochs {
		mark := ""
		if e.Selected {
			mark = "selected"
		}
		loss, reward := fmt.Sprintf("%.4f", e.Loss), ""
		if e.Sampled != nil {
			loss, reward = "", fmt.Sprintf("%.4f", -e.Loss)
		}
		row := []string{fmt.Sprint(e.Epoch), loss}
		if reinforced {
			row = append(row, reward)
		}
		for _, m := range cli.BriefMetrics() {
			row = append(row, term.Percent(e.Val, m.Key))
		}
		t.Add(append(row, fmt.Sprintf("%.3g", e.LR), fmt.Sprintf("%.0f", e.CaptionsPerSecond), term.Span(e.Seconds), mark)...)
	}
	if err := t.Print(w); err != nil || !reinforced {
		return err
	}
	return printSampled(w, r.Epochs)
}

// printSampled describes the sampled captions of each epoch of self-critical training.
func printSampled(w io.Writer, epochs []store.Epoch) error {
	t := &term.Table{}
	t.Gap()
	header := []string{"EPOCH"}
	for _, v := range results.SampledValues {
		header = append(header, "sampled "+strings.ToUpper(v.Title))
	}
	t.Add(header...)
	for _, e := range epochs {
		if e.Sampled == nil {
			continue
		}
		row := []string{fmt.Sprint(e.Epoch)}
		for _, v := range results.SampledValues {
			row = append(row, v.Text(e.Sampled[v.Key]))
		}
		t.Add(append(row, strings.Join(results.Collapse(results.FirstSampled(epochs), e.Sampled), "; "))...)
	}
	return t.Print(w)
}

func printCaptions(w io.Writer, r *view.Record) error {
	if len(r.Captions) == 0 {
		return nil
	}
	t := &term.Table{}
	t.Gap()
	t.Add("IMAGE ("+r.Split+")", "LOG PROB", "CIDEr", "CAPTION")
	for _, c := range r.Captions {
		cider := "-"
		if c.Scored {
			cider = fmt.Sprintf("%.1f", 100*c.Score.CIDEr)
		}
		t.Add(c.Image, fmt.Sprintf("%.2f", c.LogProb), cider, c.Words)
	}
	return t.PrintWrapped(w)
}
