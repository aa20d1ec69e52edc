package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results/view"
)

func diffCommand() *cobra.Command {
	var (
		db     string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "diff A B...",
		Short: "Show what differs between runs",
		Long: `Show what differs between two or more runs, each named by the start of its
ID, and leave out what they share. Metrics are those of the split each run was
scored on, ×100; with --json they are fractions of 1, CIDEr unscaled. To test
whether a difference in metrics is more than chance, use glimpse compare.`,
		Example: `  glimpse diff 3f2a 9b07
  glimpse diff 3f2a 9b07 81c0 --json | jq '.settings'`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: cli.CompleteFromDB(cli.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			opened, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			var runs []store.Run
			named := map[string]string{}
			for _, arg := range args {
				run, err := opened.Run(c.Context(), arg)
				if err != nil {
					return err
				}
				if before := named[run.ID]; before != "" {
					return cli.Usage(fmt.Errorf("%s and %s are the same run, %s", before, arg, run.ID))
				}
				named[run.ID] = arg
				runs = append(runs, run)
			}
			diff := view.DiffRuns(runs)
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), diff)
			}
			return printDiff(c.OutOrStdout(), diff)
		},
	}
	cli.AddDB(c, &db)
	cli.AddJSON(c, &asJSON)
	return c
}

func printDiff(w io.Writer, d *view.Diff) error {
	parts := d.Parts()
	if len(parts) == 0 {
		_, err := fmt.Fprintln(w, "nothing differs")
		return err
	}
	t := &term.Table{}
	t.Add(append([]string{"RUN"}, d.Runs...)...)
	for _, part := range parts {
		t.Gap()
		t.Add(part.Title)
		for _, one := range part.Differences {
			t.Add(append([]string{"  " + one.Name}, one.Texts...)...)
		}
	}
	return t.Print(w)
}
