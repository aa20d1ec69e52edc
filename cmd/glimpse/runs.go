package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/store"
)

var runStates = []string{store.Queued, store.Running, store.Completed, store.Failed, store.Interrupted}

func runsCommand() *cobra.Command {
	var (
		db     string
		state  string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "runs [STUDY]",
		Short: "List the runs of a study, or of all",
		Long: `Lists the runs of a study (its name or its YAML file), or every run of the
database. Metrics are of the test split, ×100; with --json they are fractions
of 1, CIDEr unscaled, and those of the validation split stand beside them.`,
		Example: `  glimpse runs
  glimpse runs flickr8k-attention
  glimpse runs --state failed
  glimpse runs flickr8k-attention --json | jq '.[] | [.arm, .seed, .metrics.test.cider]'`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFromDB(studyNames),
		RunE: func(c *cobra.Command, args []string) error {
			if state != "" && !slices.Contains(runStates, state) {
				return usageError{fmt.Errorf("--state %q: want one of %s", state, strings.Join(runStates, ", "))}
			}
			results, err := openResults(db)
			if err != nil {
				return err
			}
			defer results.Close()
			study := ""
			if len(args) == 1 {
				if study, err = studyName(c.Context(), results, args[0]); err != nil {
					return err
				}
			}
			runs, err := results.Runs(c.Context(), study)
			if err != nil {
				return err
			}
			runs = inState(runs, state)
			if asJSON {
				out := make([]runJSON, 0, len(runs))
				for _, r := range runs {
					out = append(out, newRunJSON(r))
				}
				return printJSON(c.OutOrStdout(), out)
			}
			return runTable(runs).print(c.OutOrStdout())
		},
	}
	addDBFlag(c, &db)
	c.Flags().StringVar(&state, "state", "", "only runs in this state: "+strings.Join(runStates, ", "))
	addJSONFlag(c, &asJSON)
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

func runTable(runs []store.Run) *table {
	t := &table{}
	t.add("RUN", "STUDY", "ARM", "SEED", "STATE", "EPOCHS", "BLEU-1", "BLEU-4", "ROUGE-L", "CIDEr", "TIME")
	for _, r := range runs {
		_, scores := r.Final()
		t.add(r.ID, r.Study, r.Arm, strconv.FormatInt(r.Seed, 10), r.State, strconv.Itoa(r.Epochs),
			percent(scores, "bleu1"), percent(scores, "bleu4"), percent(scores, "rouge_l"), percent(scores, "cider"), span(r.Seconds))
	}
	return t
}

// runJSON is a run as scripts see it: a contract, whose keys are only ever added to.
type runJSON struct {
	ID             string                       `json:"id"`
	Study          string                       `json:"study"`
	Studies        []string                     `json:"studies"`
	Arm            string                       `json:"arm"`
	Seed           int64                        `json:"seed"`
	Swept          map[string]string            `json:"swept"`
	State          string                       `json:"state"`
	Failure        string                       `json:"failure,omitempty"`
	Error          string                       `json:"error,omitempty"`
	Attempt        int64                        `json:"attempt"`
	Epochs         int                          `json:"epochs"`
	BestEpoch      int                          `json:"best_epoch"`
	Seconds        number                       `json:"seconds"`
	Parameters     int64                        `json:"parameters"`
	Signature      string                       `json:"signature"`
	CaptionsSHA256 string                       `json:"captions_sha256"`
	WeightsSHA256  string                       `json:"weights_sha256"`
	Created        any                          `json:"created"`
	Started        any                          `json:"started"`
	Finished       any                          `json:"finished"`
	Metrics        map[string]map[string]number `json:"metrics"`
	Settings       json.RawMessage              `json:"settings"`
}

func newRunJSON(r store.Run) runJSON {
	metrics := make(map[string]map[string]number, len(r.Metrics))
	for split, values := range r.Metrics {
		metrics[split] = numbers(values)
	}
	swept := r.Swept
	if swept == nil {
		swept = map[string]string{}
	}
	return runJSON{
		ID: r.ID, Study: r.Study, Studies: r.Studies, Arm: r.Arm, Seed: r.Seed, Swept: swept,
		State: r.State, Failure: r.Failure, Error: r.Error, Attempt: r.Attempt,
		Epochs: r.Epochs, BestEpoch: r.BestEpoch, Seconds: number(r.Seconds), Parameters: r.Parameters,
		Signature: r.Signature, CaptionsSHA256: r.CaptionsSHA256, WeightsSHA256: r.WeightsSHA256,
		Created: timestamp(r.Created), Started: timestamp(r.Started), Finished: timestamp(r.Finished),
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
