package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
)

var runStates = []string{store.Queued, store.Running, store.Completed, store.Failed, store.Interrupted, store.Pruned}

func runsCommand() *cobra.Command {
	var (
		db     string
		state  string
		list   runList
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

` + fieldHelp(),
		Example: `  glimpse runs
  glimpse runs flickr8k-attention --sort -test.cider
  glimpse runs --where 'arm=adaptive and test.cider>50'
  glimpse runs --where 'model.hidden>=512 and finished>=2026-01-31' --columns +model.hidden,val.cider
  glimpse runs --state failed --columns id,arm,seed,error
  glimpse runs flickr8k-attention --json | jq '.[] | [.arm, .seed, .metrics.test.cider]'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cli.CompleteStudy,
		RunE: func(c *cobra.Command, args []string) error {
			if state != "" && !slices.Contains(runStates, state) {
				return cli.Usage(fmt.Errorf("--state %q: want one of %s", state, strings.Join(runStates, ", ")))
			}
			if asJSON && c.Flags().Changed("columns") {
				return cli.Usage(errors.New("--columns is for the table; --json prints all there is"))
			}
			if err := list.parse(); err != nil {
				return cli.Usage(err)
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
			rows := list.choose(inState(runs, state), labels)
			if asJSON {
				out := make([]runJSON, 0, len(rows))
				for _, r := range rows {
					out = append(out, newRunJSON(r.Run))
				}
				return term.WriteJSON(c.OutOrStdout(), out)
			}
			if len(rows) == 0 && len(runs) > 0 {
				fmt.Fprintf(c.ErrOrStderr(), "none of %s is chosen\n", term.Plural(len(runs), "run"))
			}
			return list.table(rows).Print(c.OutOrStdout())
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVar(&state, "state", "", "only runs in this state: "+strings.Join(runStates, ", "))
	c.Flags().StringVar(&list.where, "where", "", "only runs for which this is true, as in 'arm=adaptive and test.cider>50'")
	c.Flags().StringVar(&list.sort, "sort", "", "sort by these fields, as in arm,-test.cider (default: the order of the plan)")
	c.Flags().StringVar(&list.columns, "columns", "", "show these fields, as in id,arm,val.cider, or with + in front add them")
	cli.AddJSON(c, &asJSON)
	cli.CompleteFlag(c, "state", func(string) []string { return runStates })
	cli.CompleteFlag(c, "sort", completeFields)
	cli.CompleteFlag(c, "columns", completeFields)
	cli.CompleteFlag(c, "where", completeWhere)
	return c
}

func inState(runs []store.Run, state string) []store.Run {
	if state == "" {
		return runs
	}
	kept := []store.Run{}
	for _, r := range runs {
		if r.State == state {
			kept = append(kept, r)
		}
	}
	return kept
}

// runTable shows runs by the usual columns.
func runTable(runs []store.Run, labels map[string]string) *term.Table {
	var list runList
	if err := list.parse(); err != nil { // the usual columns are fields
		return &term.Table{}
	}
	return list.table(list.choose(runs, labels))
}

// runJSON is a run as scripts see it: a contract, whose keys are only ever added to.
type runJSON struct {
	ID             string                            `json:"id"`
	Study          string                            `json:"study"`
	Studies        []string                          `json:"studies"`
	Arm            string                            `json:"arm"`
	Seed           int64                             `json:"seed"`
	Swept          map[string]string                 `json:"swept"`
	State          string                            `json:"state"`
	Failure        string                            `json:"failure,omitempty"`
	Error          string                            `json:"error,omitempty"`
	Attempt        int64                             `json:"attempt"`
	Epochs         int                               `json:"epochs"`
	BestEpoch      int                               `json:"best_epoch"`
	Seconds        term.Number                       `json:"seconds"`
	Parameters     int64                             `json:"parameters"`
	Signature      string                            `json:"signature"`
	CaptionsSHA256 string                            `json:"captions_sha256"`
	WeightsSHA256  string                            `json:"weights_sha256"`
	Created        any                               `json:"created"`
	Started        any                               `json:"started"`
	Finished       any                               `json:"finished"`
	Metrics        map[string]map[string]term.Number `json:"metrics"`
	Settings       json.RawMessage                   `json:"settings"`
}

func newRunJSON(r store.Run) runJSON {
	metrics := make(map[string]map[string]term.Number, len(r.Metrics))
	for split, values := range r.Metrics {
		metrics[split] = term.Numbers(values)
	}
	swept := r.Swept
	if swept == nil {
		swept = map[string]string{}
	}
	return runJSON{
		ID: r.ID, Study: r.Study, Studies: r.Studies, Arm: r.Arm, Seed: r.Seed, Swept: swept,
		State: r.State, Failure: r.Failure, Error: r.Error, Attempt: r.Attempt,
		Epochs: r.Epochs, BestEpoch: r.BestEpoch, Seconds: term.Number(r.Seconds), Parameters: r.Parameters,
		Signature: r.Signature, CaptionsSHA256: r.CaptionsSHA256, WeightsSHA256: r.WeightsSHA256,
		Created: term.Timestamp(r.Created), Started: term.Timestamp(r.Started), Finished: term.Timestamp(r.Finished),
		Metrics: metrics, Settings: raw(r.Settings),
	}
}

// raw gives stored JSON, or null where there is none.
func raw(value json.RawMessage) json.RawMessage {
	if len(value) == 0 {
		return json.RawMessage("null")
	}
	return value
}
