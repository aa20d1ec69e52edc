package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"glimpse/inspect"
	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
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
		Long: `Write the report of a study (its name or its YAML file) to a folder:
index.html, which opens from disk, report.md, each plot as SVG and PNG, each
table as CSV and LaTeX. Charts respond to pointer and keyboard, and drawn scenes
are shown with their captions. It needs only the results database, and works
while the study is still running. For more than a thousand trials the page shows
a part and says so; the CSV files have them all.`,
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
			if err := writeReport(c.Context(), c.ErrOrStderr(), opened, name, dir); err != nil {
				return err
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

// writeReport writes the report of a study, with its drawn scenes, if any. If they cannot be drawn
// again, the report has none, and a note says so.
func writeReport(ctx context.Context, remarks io.Writer, db *store.DB, study, dir string) error {
	cache, err := cli.DataCache()
	if err != nil {
		return err
	}
	opener := inspect.Opener{DB: db, Cache: cache}
	scenes, err := opener.Scenes(ctx, study)
	if err != nil {
		fmt.Fprintf(remarks, "note: the report has no scenes: %s\n", term.Line(err.Error()))
	}
	if err := reports.WriteWithScenes(ctx, db, study, dir, scenes); err != nil {
		return fmt.Errorf("writing the report of %s into %s: %w", study, dir, err)
	}
	return nil
}
