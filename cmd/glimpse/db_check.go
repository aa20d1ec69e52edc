package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
)

func dbCheckCommand() *cobra.Command {
	var (
		db     string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "check",
		Short: "Check the file and everything recorded in it",
		Long: `Run SQLite's integrity check over the whole file, and compare its tables with
glimpse's own. Then read every row as the other commands do and check what
glimpse promises: completed runs have captions, scores and hashes; captions
match their recorded hash and their counts give the recorded scores; each ID
matches its settings; studies can be opened; the rows of runs and studies match
the hashes written with them. Every finding is listed with what to do, and
nothing is changed. The exit code is 1 if there are findings. Notes are not
findings: they list what should not be passed on with the database, and what
glimpse db redact removes.`,
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
			found, err := results.Verify(c.Context(), opened)
			if err != nil {
				return err
			}
			if asJSON {
				if err := term.WriteJSON(c.OutOrStdout(), found); err != nil {
					return err
				}
			} else {
				printVerification(c.OutOrStdout(), found)
			}
			remarkOnExposure(c, found.Exposed, db)
			if err := notSound(opened, found); err != nil || asJSON {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is sound: %s, %s\n",
				opened.Path(), term.Plural(found.Runs, "run"), term.Plural(found.Captions, "caption"))
			if n := len(found.Unsealed); n > 0 {
				fmt.Fprintf(c.OutOrStdout(), "%s of an older version have no hashes, so some changes to their rows would go unnoticed: "+
					"`glimpse db seal` hashes them as they are\n", term.PluralOf(n, "run or study", "runs and studies"))
			}
			return nil
		},
	}
	cli.AddDB(c, &db)
	cli.AddJSON(c, &asJSON)
	return c
}

// printVerification lists the findings with what to do about them, and what is not part of glimpse.
func printVerification(w io.Writer, found *results.Verification) {
	for i, f := range found.Findings {
		more := ""
		if f.Rows > 1 {
			more = " (and " + term.Plural(f.Rows-1, "more row") + ")"
		}
		fmt.Fprintf(w, "%s: %s%s\n", term.Line(f.Subject), term.Line(f.Problem), more)
		last := i+1 == len(found.Findings)
		if f.Fix != "" && (last || found.Findings[i+1].Fix != f.Fix) {
			fmt.Fprintf(w, "  %s\n", f.Fix)
		}
	}
	if found.More > 0 {
		fmt.Fprintf(w, "and %s more\n", term.Count(int64(found.More)))
	}
	if len(found.Foreign) > 0 {
		fmt.Fprintf(w, "not part of glimpse and never read: %s\n", term.Line(strings.Join(found.Foreign, ", ")))
	}
}

// notSound returns an error if there are findings.
func notSound(db *store.DB, found *results.Verification) error {
	if found.Sound() {
		return nil
	}
	return fmt.Errorf("%s: %s; the file itself is sound", db.Path(), term.Plural(len(found.Findings)+found.More, "finding"))
}
