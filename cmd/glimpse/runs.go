package main

import (
	"errors"
	"fmt"
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
		wide   bool
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "runs [STUDY]",
		Short: "List runs: filter, sort, choose columns",
		Long: `List the runs of a study (its name or its YAML file), or all runs in the
database. Metrics are of the test split, ×100; with --json they are fractions of
1, CIDEr unscaled, with those of the validation split beside them.

--where keeps the runs that match an expression. A condition is a field, an
operator (= != < <= > >= or ~ for "contains"), and a value. "arm in (soft,
none)" matches either; a field alone matches if it has a value. Join conditions
with and, or, not and parentheses. --sort takes fields, with - in front for
descending order; runs without a value come last. --columns takes fields to
show, or with + in front, fields to add.

On a narrow terminal the least important columns are dropped; --wide shows them
all, as pipes and files do.

Below the runs of a study are the ensembles of its arms' seeds, if the study
declares them (compare.ensemble). They are not runs, and not in --json:
glimpse show STUDY ARM --json prints them.

` + view.FieldHelp(),
		Example: `  glimpse runs
  glimpse runs flickr8k-attention --sort -test.cider
  glimpse runs --where 'arm=adaptive and test.cider>50'
  glimpse runs --where 'model.hidden>=512' --columns +model.hidden,val.cider
  glimpse runs --state failed --columns id,arm,seed,error
  glimpse runs demo --json | jq '.[] | [.arm, .seed, .metrics.test.cider]'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cli.CompleteStudy,
		RunE: func(c *cobra.Command, args []string) error {
			if asJSON && c.Flags().Changed("columns") {
				return cli.Usage(errors.New("--columns applies to the table; --json prints everything"))
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
				fmt.Fprintf(c.ErrOrStderr(), "none of %s matches\n", term.Plural(len(runs), "run"))
			}
			if err := printRuns(c, &list, rows, wide); err != nil || study == "" {
				return err
			}
			return printEnsemblesOf(c.Context(), c.OutOrStdout(), opened, study)
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVar(&list.State, "state", "", "only runs in this state: "+strings.Join(view.States, ", "))
	c.Flags().StringVar(&list.Where, "where", "", "only runs that match, as in 'arm=adaptive and test.cider>50'")
	c.Flags().StringVar(&list.Sort, "sort", "", "sort by these fields, as in arm,-test.cider (default: the order of the plan)")
	c.Flags().StringVar(&list.Columns, "columns", "", "show these fields, as in id,arm,val.cider, or with + in front add them")
	cli.AddWide(c, &wide)
	cli.AddJSON(c, &asJSON)
	cli.CompleteFlag(c, "state", func(string) []string { return view.States })
	cli.CompleteFlag(c, "sort", view.CompleteFields)
	cli.CompleteFlag(c, "columns", view.CompleteFields)
	cli.CompleteFlag(c, "where", view.CompleteWhere)
	return c
}

// printRuns prints runs with the columns of a parsed list.
func printRuns(c *cobra.Command, list *view.List, rows []*view.Row, wide bool) error {
	t := &term.Table{}
	t.Add(list.Headings()...)
	for _, row := range rows {
		t.Add(list.Cells(row)...)
	}
	return cli.PrintTable(c, t, wide, list.Least()...)
}
