package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
	"glimpse/results/view"
	"glimpse/runner"
)

// someFailed is the error of a verb that did its work while some trials failed. `run` tries those again that another
// attempt can mend.
func someFailed(failed, mendable, total int) error {
	advice := "`glimpse run` tries them again"
	switch {
	case mendable == 0:
		advice = "mend the cause, then `glimpse run --retry-failed` tries them again"
	case mendable < failed:
		advice = fmt.Sprintf("`glimpse run` tries %d of them again, with --retry-failed all", mendable)
	}
	return cli.SomeFailed(fmt.Sprintf("%d of %d trials failed: `glimpse show RUN` tells why; %s", failed, total, advice))
}

// finishRun prints the state of the study, and writes its report if asked to, unless it was interrupted.
func finishRun(
	ctx context.Context, w, remarks io.Writer, db *store.DB, study *experiments.Study, planned experiments.Declaration,
	summary runner.Summary, o runOptions,
) error {
	if ctx.Err() != nil {
		o.report = ""
	}
	ctx = context.WithoutCancel(ctx) // an interrupted study is told of as well
	if o.report != "" && summary.Completed > 0 {
		if err := writeReport(ctx, remarks, db, study.Name, o.report); err != nil {
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
	if err := printRuns(w, &usual, usual.Choose(runs, labels)); err != nil {
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
	if o.report != "" && summary.Completed > 0 {
		fmt.Fprintln(w, filepath.Join(o.report, "index.html"))
	}
	return nil
}

// printOutcomes says how each contrast of a sequential study stands.
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
	}{{s.Skipped, "complete before"}, {s.Failed, "failed"}, {s.Interrupted, "interrupted"}, {s.Pruned, "pruned"}, {s.Unfinished, "not begun or run elsewhere"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return text
}

// summaryJSON is `run --json`: a contract, whose keys are only ever added to.
type summaryJSON struct {
	runner.Summary
	Seconds term.Number `json:"seconds"`
	Report  string      `json:"report,omitempty"`
}
