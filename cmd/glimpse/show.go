package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/runner"
)

func showCommand() *cobra.Command {
	var (
		db       string
		split    string
		captions int
		asJSON   bool
	)
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Everything recorded about one run",
		Long: `Shows a run, named by its id or the beginning of one: its state, settings,
metrics, epochs, environment, and some of the captions it wrote.`,
		Example: `  glimpse show 3f2a
  glimpse show 3f2a --captions 20
  glimpse show 3f2a --captions -1 --json | jq '.captions[].words'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			results, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer results.Close()
			record, err := readRecord(c.Context(), results, args[0], split, captions)
			if err != nil {
				return err
			}
			record.db = db
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), record.json())
			}
			return record.print(c.OutOrStdout())
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVar(&split, "split", "test", "whose captions: test or val")
	c.Flags().IntVar(&captions, "captions", 5, "how many captions to show, -1 for all")
	cli.AddJSON(c, &asJSON)
	return c
}

// record is all that `show` tells of a run.
type record struct {
	run        store.Run
	db         string // as --db named it
	checkpoint string // of the best epoch, without the endings of its files; "" where it is not there
	attempts   []store.Attempt
	epochs     []store.Epoch
	captions   []store.Caption
	split      string
}

func readRecord(ctx context.Context, db *store.DB, id, split string, captions int) (*record, error) {
	run, err := db.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	r := &record{run: run, split: split}
	if path, err := runner.BestCheckpoint(runner.DefaultDir(db), run); err == nil {
		r.checkpoint = path
	}
	if r.epochs, err = db.Epochs(ctx, run.ID); err != nil {
		return nil, err
	}
	if r.attempts, err = db.Attempts(ctx, run.ID); err != nil {
		return nil, err
	}
	if captions == 0 {
		return r, nil
	}
	if r.captions, err = db.Captions(ctx, run.ID, split); err != nil {
		return nil, err
	}
	if captions > 0 && captions < len(r.captions) {
		r.captions = r.captions[:captions]
	}
	return r, nil
}

type epochJSON struct {
	Epoch             int                    `json:"epoch"`
	Loss              term.Number            `json:"loss"`
	Val               map[string]term.Number `json:"val"`
	LR                term.Number            `json:"lr"`
	Seconds           term.Number            `json:"seconds"`
	CaptionsPerSecond term.Number            `json:"captions_per_second"`
	Selected          bool                   `json:"selected"`
}

type attemptJSON struct {
	Attempt int64  `json:"attempt"`
	Host    string `json:"host"`
	Started any    `json:"started"`
	Ended   any    `json:"ended"`
	Outcome string `json:"outcome"` // a state, or lost; "" while it is under way
	Error   string `json:"error,omitempty"`
}

type captionJSON struct {
	Image   string        `json:"image"`
	Words   string        `json:"words"`
	LogProb term.Number   `json:"log_prob"`
	Beta    []term.Number `json:"beta"`
	Entropy []term.Number `json:"entropy"`
	CIDEr   *term.Number  `json:"cider"` // null before it was scored
}

// reproduce is the command that trains the run again and compares, or "" where there is nothing to compare with.
func (r *record) reproduce() string {
	if r.run.State != store.Completed {
		return ""
	}
	command := "glimpse reproduce " + r.run.ID
	if r.db != "" {
		command += " --db " + cli.Quote(r.db)
	}
	return command
}

type recordJSON struct {
	runJSON
	Reproduce   string          `json:"reproduce"`  // a command; "" for runs that are not completed
	Checkpoint  string          `json:"checkpoint"` // its files end in .safetensors, .optimizer.safetensors and .json
	Environment json.RawMessage `json:"environment"`
	Attempts    []attemptJSON   `json:"attempt_records"`
	Epochs      []epochJSON     `json:"epoch_records"`
	Split       string          `json:"captions_split"`
	Captions    []captionJSON   `json:"captions"`
}

func (r *record) json() recordJSON {
	out := recordJSON{
		runJSON:     newRunJSON(r.run),
		Reproduce:   r.reproduce(),
		Checkpoint:  r.checkpoint,
		Environment: raw(r.run.Environment),
		Attempts:    []attemptJSON{},
		Epochs:      []epochJSON{},
		Split:       r.split,
		Captions:    []captionJSON{},
	}
	for _, a := range r.attempts {
		out.Attempts = append(out.Attempts, attemptJSON{
			Attempt: a.Number, Host: a.Host, Started: term.Timestamp(a.Started), Ended: term.Timestamp(a.Ended), Outcome: a.Outcome, Error: a.Error,
		})
	}
	for _, e := range r.epochs {
		out.Epochs = append(out.Epochs, epochJSON{
			Epoch: e.Epoch, Loss: term.Number(e.Loss), Val: term.Numbers(e.Val), LR: term.Number(e.LR),
			Seconds: term.Number(e.Seconds), CaptionsPerSecond: term.Number(e.CaptionsPerSecond), Selected: e.Selected,
		})
	}
	for _, c := range r.captions {
		caption := captionJSON{
			Image: c.Image, Words: c.Words, LogProb: term.Number(c.LogProb), Beta: term.Series(c.Beta), Entropy: term.Series(c.Entropy),
		}
		if c.Scored {
			cider := term.Number(c.Score.CIDEr)
			caption.CIDEr = &cider
		}
		out.Captions = append(out.Captions, caption)
	}
	return out
}

func (r *record) print(w io.Writer) error {
	run := r.run
	t := &term.Table{}
	t.Add("run", run.ID)
	t.Add("study", strings.Join(run.Studies, ", "))
	t.Add("arm", run.Arm)
	t.Add("seed", fmt.Sprint(run.Seed))
	for _, path := range slices.Sorted(maps.Keys(run.Swept)) {
		t.Add(path, run.Swept[path])
	}
	t.Add("state", run.State)
	if run.Error != "" {
		t.Add("error", strings.ReplaceAll(strings.TrimSpace(run.Error), "\n", "\n\t"))
	}
	if run.Parameters > 0 {
		t.Add("parameters", term.Count(run.Parameters))
	}
	t.Add("attempts", attemptText(r.attempts))
	if run.Epochs > 0 {
		t.Add("epochs", fmt.Sprintf("%d, the best is %d", run.Epochs, run.BestEpoch))
		t.Add("time", term.Span(run.Seconds))
	}
	for _, pair := range [][2]string{{"signature", run.Signature}, {"captions", run.CaptionsSHA256}, {"weights", run.WeightsSHA256}, {"checkpoint", r.checkpoint}} {
		if pair[1] != "" {
			t.Add(pair[0], pair[1])
		}
	}
	for _, key := range store.Paths(run.Environment) {
		if key[0] != "changes.diff" { // whole files, perhaps: --json has it
			t.Add(key[0], key[1])
		}
	}
	if command := r.reproduce(); command != "" {
		t.Add("reproduce", command)
	}
	if err := t.Print(w); err != nil {
		return err
	}
	for _, part := range []func(io.Writer) error{r.printMetrics, r.printEpochs, r.printCaptions} {
		if err := part(w); err != nil {
			return err
		}
	}
	return nil
}

// attemptText counts the attempts of a run by how they ended.
func attemptText(attempts []store.Attempt) string {
	counts, order := map[string]int{}, []string{}
	for _, a := range attempts {
		outcome := cmp.Or(a.Outcome, store.Running)
		if counts[outcome]++; counts[outcome] == 1 {
			order = append(order, outcome)
		}
	}
	text := fmt.Sprint(len(attempts))
	if len(attempts) < 2 {
		return text
	}
	for i, outcome := range order {
		order[i] = fmt.Sprintf("%d %s", counts[outcome], outcome)
	}
	return text + ": " + strings.Join(order, ", ")
}

func (r *record) printMetrics(w io.Writer) error {
	if len(r.run.Metrics) == 0 {
		return nil
	}
	var keys []string
	for _, key := range metrics.Shown() {
		for _, values := range r.run.Metrics {
			if _, ok := values[key]; ok {
				keys = append(keys, key)
				break
			}
		}
	}
	t := &term.Table{}
	t.Add(append([]string{"\nMETRICS ×100"}, keys...)...)
	for _, split := range slices.Sorted(maps.Keys(r.run.Metrics)) {
		row := []string{split}
		for _, key := range keys {
			row = append(row, term.Percent(r.run.Metrics[split], key))
		}
		t.Add(row...)
	}
	return t.Print(w)
}

func (r *record) printEpochs(w io.Writer) error {
	if len(r.epochs) == 0 {
		return nil
	}
	t := &term.Table{}
	header := []string{"\nEPOCH", "LOSS"}
	for _, m := range cli.BriefMetrics() {
		header = append(header, "val "+m.Column())
	}
	t.Add(append(header, "LR", "CAPTIONS/S", "TIME")...)
	for _, e := range r.epochs {
		mark := ""
		if e.Selected {
			mark = "selected"
		}
		row := []string{fmt.Sprint(e.Epoch), fmt.Sprintf("%.4f", e.Loss)}
		for _, m := range cli.BriefMetrics() {
			row = append(row, term.Percent(e.Val, m.Key))
		}
		t.Add(append(row, fmt.Sprintf("%.3g", e.LR), fmt.Sprintf("%.0f", e.CaptionsPerSecond), term.Span(e.Seconds), mark)...)
	}
	return t.Print(w)
}

func (r *record) printCaptions(w io.Writer) error {
	if len(r.captions) == 0 {
		return nil
	}
	t := &term.Table{}
	t.Add("\nIMAGE ("+r.split+")", "CAPTION", "LOG PROB", "CIDEr")
	for _, c := range r.captions {
		cider := "-"
		if c.Scored {
			cider = fmt.Sprintf("%.1f", 100*c.Score.CIDEr)
		}
		t.Add(c.Image, c.Words, fmt.Sprintf("%.2f", c.LogProb), cider)
	}
	return t.Print(w)
}
