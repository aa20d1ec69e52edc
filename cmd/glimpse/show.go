package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"

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
		ValidArgsFunction: completeFromDB(runIDs),
		RunE: func(c *cobra.Command, args []string) error {
			results, err := openResults(db)
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
				return printJSON(c.OutOrStdout(), record.json())
			}
			return record.print(c.OutOrStdout())
		},
	}
	addDBFlag(c, &db)
	c.Flags().StringVar(&split, "split", "test", "whose captions: test or val")
	c.Flags().IntVar(&captions, "captions", 5, "how many captions to show, -1 for all")
	addJSONFlag(c, &asJSON)
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
		command += " --db " + quote(r.db)
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
			Attempt: a.Number, Host: a.Host, Started: timestamp(a.Started), Ended: timestamp(a.Ended), Outcome: a.Outcome, Error: a.Error,
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
			Image: c.Image, Words: c.Words, LogProb: term.Number(c.LogProb), Beta: series(c.Beta), Entropy: series(c.Entropy),
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
	t := &table{}
	t.add("run", run.ID)
	t.add("study", strings.Join(run.Studies, ", "))
	t.add("arm", run.Arm)
	t.add("seed", fmt.Sprint(run.Seed))
	for _, path := range slices.Sorted(maps.Keys(run.Swept)) {
		t.add(path, run.Swept[path])
	}
	t.add("state", run.State)
	if run.Error != "" {
		t.add("error", strings.ReplaceAll(strings.TrimSpace(run.Error), "\n", "\n\t"))
	}
	if run.Parameters > 0 {
		t.add("parameters", term.Count(run.Parameters))
	}
	t.add("attempts", attemptText(r.attempts))
	if run.Epochs > 0 {
		t.add("epochs", fmt.Sprintf("%d, the best is %d", run.Epochs, run.BestEpoch))
		t.add("time", span(run.Seconds))
	}
	for _, pair := range [][2]string{{"signature", run.Signature}, {"captions", run.CaptionsSHA256}, {"weights", run.WeightsSHA256}, {"checkpoint", r.checkpoint}} {
		if pair[1] != "" {
			t.add(pair[0], pair[1])
		}
	}
	for _, key := range sortedPaths(run.Environment) {
		if key[0] != "changes.diff" { // whole files, perhaps: --json has it
			t.add(key[0], key[1])
		}
	}
	if command := r.reproduce(); command != "" {
		t.add("reproduce", command)
	}
	if err := t.print(w); err != nil {
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

// shownMetrics are the metrics of the tables, in their order.
var shownMetrics = metrics.Tested(metrics.METEORKey, metrics.ExactStemKey)

func (r *record) printMetrics(w io.Writer) error {
	if len(r.run.Metrics) == 0 {
		return nil
	}
	var keys []string
	for _, key := range shownMetrics {
		for _, values := range r.run.Metrics {
			if _, ok := values[key]; ok {
				keys = append(keys, key)
				break
			}
		}
	}
	t := &table{}
	t.add(append([]string{"\nMETRICS ×100"}, keys...)...)
	for _, split := range slices.Sorted(maps.Keys(r.run.Metrics)) {
		row := []string{split}
		for _, key := range keys {
			row = append(row, percent(r.run.Metrics[split], key))
		}
		t.add(row...)
	}
	return t.print(w)
}

func (r *record) printEpochs(w io.Writer) error {
	if len(r.epochs) == 0 {
		return nil
	}
	t := &table{}
	header := []string{"\nEPOCH", "LOSS"}
	for _, m := range briefMetrics() {
		header = append(header, "val "+m.Column())
	}
	t.add(append(header, "LR", "CAPTIONS/S", "TIME")...)
	for _, e := range r.epochs {
		mark := ""
		if e.Selected {
			mark = "selected"
		}
		row := []string{fmt.Sprint(e.Epoch), fmt.Sprintf("%.4f", e.Loss)}
		for _, m := range briefMetrics() {
			row = append(row, percent(e.Val, m.Key))
		}
		t.add(append(row, fmt.Sprintf("%.3g", e.LR), fmt.Sprintf("%.0f", e.CaptionsPerSecond), span(e.Seconds), mark)...)
	}
	return t.print(w)
}

func (r *record) printCaptions(w io.Writer) error {
	if len(r.captions) == 0 {
		return nil
	}
	t := &table{}
	t.add("\nIMAGE ("+r.split+")", "CAPTION", "LOG PROB", "CIDEr")
	for _, c := range r.captions {
		cider := "-"
		if c.Scored {
			cider = fmt.Sprintf("%.1f", 100*c.Score.CIDEr)
		}
		t.add(c.Image, c.Words, fmt.Sprintf("%.2f", c.LogProb), cider)
	}
	return t.print(w)
}

// sortedPaths flattens a JSON object to pairs of dotted path and value, sorted; anything else gives none.
func sortedPaths(value json.RawMessage) [][2]string {
	var pairs [][2]string
	for path, leaf := range store.Flatten(value) {
		if text, err := json.Marshal(leaf); err == nil {
			pairs = append(pairs, [2]string{path, strings.Trim(string(text), `"`)})
		}
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i][0] < pairs[j][0] })
	return pairs
}
