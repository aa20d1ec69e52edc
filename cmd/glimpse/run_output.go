package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
	"glimpse/results/view"
	"glimpse/runner"
)

// someFailed returns the error of a verb that did its work although some trials failed. mendable of
// these may succeed if retried, which `run` does.
func someFailed(failed, mendable, total int) error {
	advice := "`glimpse run` retries them"
	switch {
	case mendable == 0:
		advice = "fix the cause, then `glimpse run --retry-failed` retries them"
	case mendable < failed:
		advice = fmt.Sprintf("`glimpse run` retries %d of them, --retry-failed all", mendable)
	}
	return cli.SomeFailed(fmt.Sprintf("%d of %d trials failed: `glimpse show RUN` says why; %s", failed, total, advice))
}

// finishRun prints the state of the study, and writes its report if requested and not interrupted.
func finishRun(
	ctx context.Context, c *cobra.Command, db *store.DB, study *experiments.Study, planned experiments.Declaration,
	summary runner.Summary, o runOptions,
) error {
	w := c.OutOrStdout()
	if ctx.Err() != nil {
		o.report = ""
	}
	ctx = context.WithoutCancel(ctx) // also print the state of an interrupted study
	if o.report != "" && summary.Completed > 0 {
		if err := writeReport(ctx, c.ErrOrStderr(), db, study.Name, o.report); err != nil {
			return err
		}
	}
	if o.json {
		return term.WriteJSON(w, summaryJSON{summary, term.Number(summary.Elapsed.Seconds()), o.report})
	}
	runs, err := db.Runs(ctx, study.Name)
	if err != nil {
		return err
	}
	labels, err := results.LabelsOf(ctx, db, runs)
	if err != nil {
		return err
	}
	var usual view.List
	if err := usual.Parse(); err != nil {
		return err
	}
	if err := printRuns(c, &usual, usual.Choose(runs, labels), false); err != nil {
		return err
	}
	if err := printEnsemblesOf(ctx, w, db, study.Name); err != nil {
		return err
	}
	if study.Compare.Stop.Active() {
		outcomes, err := results.OutcomesOf(ctx, db, study.Name, planned)
		if err != nil {
			return err
		}
		if err := printOutcomes(w, outcomes); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\n%s\n", summaryText(summary))
	if summary.Completed == summary.Total && study.Compare.Compares() && !study.Compare.Stop.Active() {
		if err := printVerdicts(ctx, w, db, study.Name); err != nil {
			return err
		}
	}
	if o.report != "" && summary.Completed > 0 {
		fmt.Fprintln(w, filepath.Join(o.report, "index.html"))
	}
	return nil
}

// printVerdicts answers the question of a study with a line for each contrast that it declares.
func printVerdicts(ctx context.Context, w io.Writer, db *store.DB, name string) error {
	study, err := results.Open(ctx, db, name)
	if err != nil {
		return err
	}
	analysis, err := study.Analyse(ctx, study.Declared, results.Options{})
	if err != nil {
		return err
	}
	for _, contrast := range analysis.Contrasts {
		if contrast.Result == nil {
			continue
		}
		if err := printVerdict(w, contrast.Label, analysis.Of(contrast)); err != nil {
			return err
		}
	}
	return nil
}

// printOutcomes prints the state of each contrast of a sequential study.
func printOutcomes(w io.Writer, outcomes []results.Outcome) error {
	t := &term.Table{}
	t.Gap()
	t.Add("CONTRAST", "LOOK", "OUTCOME")
	for _, o := range outcomes {
		look := "-"
		if o.Seeds > 0 {
			look = term.Plural(o.Seeds, "seed")
		}
		t.Add(o.Label, look, o.Text)
	}
	return t.Print(w)
}

func summaryText(s runner.Summary) string {
	text := fmt.Sprintf("%d of %d trials complete in %s", s.Completed, s.Total, term.Span(s.Elapsed.Seconds()))
	for _, part := range []struct {
		n    int
		what string
	}{{s.Skipped, "complete before"}, {s.Failed, "failed"}, {s.Interrupted, "interrupted"}, {s.Pruned, "pruned"}, {s.Unfinished, "not started here"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return text
}

// summaryJSON is the output of `run --json`. It is a contract: keys are only ever added.
type summaryJSON struct {
	runner.Summary
	Seconds term.Number `json:"seconds"`
	Report  string      `json:"report,omitempty"`
}
