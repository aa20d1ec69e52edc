package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/reports"
	"glimpse/results"
)

func reportCommand() *cobra.Command {
	var (
		db  string
		dir string
	)
	c := &cobra.Command{
		Use:   "report STUDY",
		Short: "Write the report of a study",
		Long: `Writes the report of a study (its name or its YAML file) to a folder:
index.html, which opens from disk, report.md, each plot as SVG and PNG, each
table as CSV and LaTeX. It needs only the results database, and works while the
study is still running. For more than a thousand trials the page shows a part
and says so; the CSV files have them all.`,
		Example: `  glimpse report flickr8k-attention -o report
  glimpse report experiments/demo.yaml --db demo.db -o demo-report`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.CompleteStudy,
		RunE: func(c *cobra.Command, args []string) error {
			opened, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			name, err := cli.StudyName(c.Context(), opened, args[0])
			if err != nil {
				return err
			}
			if err := reports.Write(c.Context(), opened, name, dir); err != nil {
				return fmt.Errorf("writing the report of %s to %s: %w", name, dir, err)
			}
			found, err := results.Exposed(c.Context(), opened, name)
			if err != nil {
				return err
			}
			remarkOnExposure(c, found, db)
			_, err = fmt.Fprintln(c.OutOrStdout(), filepath.Join(dir, "index.html"))
			return err
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVarP(&dir, "output", "o", "report", "folder to write to; created if missing")
	return c
}
