package main

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/results"
	"glimpse/runner"
)

func dbCheckCommand() *cobra.Command {
	var (
		db     string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "check",
		Short: "Check the file, and that what it says holds together",
		Long: `Runs SQLite's integrity check over the whole file, then checks what glimpse
promises of it: completed runs have captions, scores and hashes; the captions
have the hash that was recorded, and their counts give the scores that were recorded;
each id is that of its settings; studies can be read. Changes nothing. Exit code
1 if anything is found.`,
		Example: `  glimpse db check
  glimpse db check --db old.db --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			opened, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			if err := opened.Check(c.Context()); err != nil {
				return err
			}
			out, err := checkResults(c.Context(), opened)
			if err != nil {
				return err
			}
			if asJSON {
				if err := term.WriteJSON(c.OutOrStdout(), out); err != nil {
					return err
				}
			} else {
				for _, f := range out.Findings {
					fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", f.Subject, f.Problem)
				}
			}
			if n := len(out.Findings); n > 0 {
				return fmt.Errorf("%s: %s; the file itself is sound: restore a backup, or run again what is affected",
					opened.Path(), term.Plural(n, "finding"))
			}
			if !asJSON {
				fmt.Fprintf(c.OutOrStdout(), "%s is sound: %s, %s\n",
					opened.Path(), term.Plural(out.Runs, "run"), term.Plural(out.Captions, "caption"))
			}
			return nil
		},
	}
	cli.AddDB(c, &db)
	cli.AddJSON(c, &asJSON)
	return c
}

// checkJSON is what `db check` finds.
type checkJSON struct {
	Runs     int           `json:"runs"`
	Captions int           `json:"captions"`
	Findings []findingJSON `json:"findings"`
}

type findingJSON struct {
	Subject string `json:"subject"`
	Problem string `json:"problem"`
}

func checkResults(ctx context.Context, db *store.DB) (*checkJSON, error) {
	out := &checkJSON{Findings: []findingJSON{}}
	found, err := db.Findings(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		out.Findings = append(out.Findings, findingJSON(f))
	}
	if len(found) > 0 {
		return out, nil // what follows reads values that may not be there
	}
	runs, err := db.Runs(ctx, "")
	if err != nil {
		return nil, err
	}
	out.Runs = len(runs)
	for _, run := range runs {
		problems, captions, err := checkRun(ctx, db, run)
		if err != nil {
			return nil, err
		}
		out.Captions += captions
		for _, problem := range problems {
			out.Findings = append(out.Findings, findingJSON{"run " + run.ID, problem})
		}
	}
	declarations, err := results.CheckDeclarations(ctx, db)
	if err != nil {
		return nil, err
	}
	studies, err := db.Studies(ctx)
	if err != nil {
		return nil, err
	}
	for _, study := range studies {
		if problem := cmp.Or(checkSpec(study), declarations[study.Name]); problem != "" {
			out.Findings = append(out.Findings, findingJSON{"study " + study.Name, problem})
		}
	}
	return out, nil
}

// checkRun compares a run's id, hash and scores with what they were made of.
func checkRun(ctx context.Context, db *store.DB, run store.Run) (problems []string, captions int, err error) {
	if settings, err := results.Settings(run); err != nil {
		problems = append(problems, err.Error())
	} else if id := settings.ID(); id != run.ID {
		problems = append(problems, "its settings are those of run "+id)
	}
	if run.State != store.Completed {
		return problems, 0, nil
	}
	split, scores := run.Final()
	stored, err := db.Captions(ctx, run.ID, split)
	if err != nil {
		return nil, 0, err
	}
	if got := runner.CaptionsSHA256(stored); got != run.CaptionsSHA256 {
		problems = append(problems, fmt.Sprintf("its captions have the sha256 %.12s, and %.12s was recorded", got, run.CaptionsSHA256))
	}
	counted := metrics.Corpus(results.ImageScores(stored))
	for _, key := range metrics.Tested() { // a run may lack METEOR's counts
		recorded, there := scores[key]
		if difference := math.Abs(counted[key] - recorded); !there || difference > 1e-9*max(1, math.Abs(recorded)) {
			problems = append(problems, fmt.Sprintf("its counts give %s %.6f, and %.6f was recorded", key, counted[key], recorded))
		}
	}
	return problems, len(stored), nil
}

// checkSpec reads a study as it was declared.
func checkSpec(study store.Study) (problem string) {
	if _, err := experiments.Parse(study.Name+".yaml", []byte(study.Spec)); err != nil {
		return fmt.Sprintf("its file cannot be read any more: %v", err)
	}
	return ""
}
