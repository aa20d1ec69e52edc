package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/results"
)

func dbSealCommand() *cobra.Command {
	var (
		db     string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "seal",
		Short: "Hash runs and studies that were never hashed",
		Long: `glimpse hashes runs and studies when it writes them, and glimpse db check
compares. Older versions did not: seal checks the database and, if nothing is
wrong, hashes them as they are. Run it only while you are sure that they are
right.`,
		Example: `  glimpse db seal
  glimpse db seal --db old.db`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			opened, err := cli.OpenForWriting(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			if err := opened.Check(c.Context()); err != nil {
				return err
			}
			found, sealed, err := results.Seal(c.Context(), opened)
			if err != nil {
				return err
			}
			if asJSON {
				if err := term.WriteJSON(c.OutOrStdout(), map[string]any{"sealed": sealed, "findings": found.Findings}); err != nil {
					return err
				}
				return notSound(opened, found)
			}
			printVerification(c.OutOrStdout(), found)
			if err := notSound(opened, found); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s  %s hashed\n", opened.Path(), term.PluralOf(sealed, "run or study", "runs and studies"))
			return nil
		},
	}
	cli.AddDB(c, &db)
	cli.AddJSON(c, &asJSON)
	return c
}
