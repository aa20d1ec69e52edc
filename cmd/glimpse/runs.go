package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/results"
	"glimpse/results/view"
)

func runsCommand() *cobra.Command {
	var (
		db     string
		list   view.List
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "runs [STUDY]",
		Short: "List the runs of a study, or of all: filtered, sorted, by chosen columns",
		Long: `Lists the runs of a study (its name or its YAML file), or every run of the
database. Metrics are of the test split, ×100; with --json they are fractions
of 1, CIDEr unscaled, and those of the validation split stand beside them.

--where keeps the runs for which an expression is true. A condition is a field,
one of = != < <= > >= and ~ (holds the text), and a value; "arm in (soft, none)"
is any of several, and a field alone is true where it has a value. Conditions
are joined by and, or, not and brackets. --sort takes fields, - before one for
the largest first; runs that lack it come last. --columns takes fields, or with
a + in front those to add to the usual ones.

Below the runs of a study stands what the seeds of each arm caption together,
where the study declares that (compare.ensemble). It is no run: --json has none of
it; ` + "`glimpse show STUDY ARM --json`" + ` does.

` + view.FieldHelp(),
		Example: `  glimpse runs
  glimpse runs flickr8k-attention --sort -test.cider
  glimpse runs --where 'arm=adaptive and test.cider>50'
  glimpse runs --where 'model.hidden>=512 and finished>=2026-01-31' --columns +model.hidden,val.cider
  glimpse runs --state failed --columns id,arm,seed,error
  glimpse runs flickr8k-attention --json | jq '.[] | [.arm, .seed, .metrics.test.cider]'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cli.CompleteStudy,
		RunE: func(c *cobra.Command, args []string) error {
			if asJSON && c.Flags().Changed("columns") {
				return cli.Usage(errors.New("--columns is for the table; --json prints all there is"))
			}
			if err := list.Parse(); err != nil {
				return cli.Usage(fmt.Errorf("--%w", err))
			}
			opened, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			study := ""
			if len(args) == 1 {
				if study, err = cli.StudyName(c.Context(), opened, args[0]); err != nil {
					return err
				}
			}
			runs, err := opened.Runs(c.Context(), study)
			if err != nil {
				return err
			}
			labels, err := results.LabelsOf(c.Context(), opened, runs)
			if err != nil {
				return err
			}
			rows := list.Choose(runs, labels)
			if asJSON {
				out := make([]view.Run, 0, len(rows))
				for _, r := range rows {
					out = append(out, view.NewRun(r.Run))
				}
				return term.WriteJSON(c.OutOrStdout(), out)
			}
			if len(rows) == 0 && len(runs) > 0 {
				fmt.Fprintf(c.ErrOrStderr(), "none of %s is chosen\n", term.Plural(len(runs), "run"))
			}
			if err := printRuns(c.OutOrStdout(), &list, rows); err != nil || study == "" {
				return err
			}
			return printEnsemblesOf(c.Context(), c.OutOrStdout(), opened, study)
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVar(&list.State, "state", "", "only runs in this state: "+strings.Join(view.States, ", "))
	c.Flags().StringVar(&list.Where, "where", "", "only runs for which this is true, as in 'arm=adaptive and test.cider>50'")
	c.Flags().StringVar(&list.Sort, "sort", "", "sort by these fields, as in arm,-test.cider (default: the order of the plan)")
	c.Flags().StringVar(&list.Columns, "columns", "", "show these fields, as in id,arm,val.cider, or with + in front add them")
	cli.AddJSON(c, &asJSON)
	cli.CompleteFlag(c, "state", func(string) []string { return view.States })
	cli.CompleteFlag(c, "sort", view.CompleteFields)
	cli.CompleteFlag(c, "columns", view.CompleteFields)
	cli.CompleteFlag(c, "where", view.CompleteWhere)
	return c
}

// printRuns shows runs by the columns of a list that was parsed.
func printRuns(w io.Writer, list *view.List, rows []*view.Row) error {
	t := &term.Table{}
	t.Add(list.Headings()...)
	for _, row := range rows {
		t.Add(list.Cells(row)...)
	}
	return t.Print(w)
}
