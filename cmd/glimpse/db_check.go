package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
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
		Short: "Check the file, and that what it says holds together",
		Long: `Runs SQLite's integrity check over the whole file, then checks what glimpse
promises of it: completed runs have captions, scores and hashes; the captions
have the hash that was recorded, and their counts give the scores that were recorded;
each id is that of its settings; studies can be read. Changes nothing. Exit code
1 if anything is found. A note, which is no finding, tells of what should not be
passed on with the database: ` + "`glimpse db redact`" + ` takes it out.`,
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
			out, err := results.Verify(c.Context(), opened)
			if err != nil {
				return err
			}
			if asJSON {
				if err := term.WriteJSON(c.OutOrStdout(), out); err != nil {
					return err
				}
			} else {
				for _, f := range out.Findings {
					fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", term.Line(f.Subject), term.Line(f.Problem))
				}
			}
			remarkOnExposure(c, out.Exposed, db)
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
