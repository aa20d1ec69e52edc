package view

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"glimpse/internal/secret"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/results"
)

// A Record is all that is recorded of one run, but for what looks like a secret.
type Record struct {
	Run        store.Run
	Attempts   []store.Attempt
	Epochs     []store.Epoch
	Captions   []store.Caption // of Split
	Split      string
	Notes      []store.Note // of its studies and then its own, without tags
	Checkpoint string       // of the best epoch, without the endings of its files; "" where it is not there, or nobody looked
	Reproduce  string       // the command that trains the run again; "" where there is nothing to compare with
}

// ReadRecord reads a run by the beginning of its id, with so many of its captions of a split; -1 reads all.
func ReadRecord(ctx context.Context, db *store.DB, id, split string, captions int) (*Record, error) {
	run, err := db.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	run.Environment, run.Error = results.Environment(run), secret.Redact(run.Error)
	r := &Record{Run: run, Split: split}
	if r.Epochs, err = db.Epochs(ctx, run.ID); err != nil {
		return nil, err
	}
	if r.Attempts, err = db.Attempts(ctx, run.ID); err != nil {
		return nil, err
	}
	for i := range r.Attempts {
		r.Attempts[i].Error = secret.Redact(r.Attempts[i].Error)
	}
	if r.Notes, err = results.NotesOf(ctx, db, run); err != nil {
		return nil, err
	}
	if captions == 0 {
		return r, nil
	}
	if r.Captions, err = db.Captions(ctx, run.ID, split); err != nil {
		return nil, err
	}
	if captions > 0 && captions < len(r.Captions) {
		r.Captions = r.Captions[:captions]
	}
	return r, nil
}

// Settings are all settings of the run, as path and value, defaults included, in the order of a study: see
// [experiments.Settings.All]. What else is stored, such as hashes of the data's content, follows.
func (r *Record) Settings() [][2]string {
	stored := store.Paths(r.Run.Settings)
	settings, err := results.Settings(r.Run)
	if err != nil {
		return stored // of another version, perhaps: shown as it is
	}
	all := settings.All()
	known := map[string]bool{}
	for _, pair := range all {
		known[pair[0]] = true
	}
	for _, pair := range stored {
		if !known[pair[0]] {
			all = append(all, pair)
		}
	}
	return all
}

// MetricKeys are the metrics that the run has of any split, in the order of the catalogue.
func (r *Record) MetricKeys() []string {
	var keys []string
	for _, key := range metrics.Shown() {
		for _, values := range r.Run.Metrics {
			if _, ok := values[key]; ok {
				keys = append(keys, key)
				break
			}
		}
	}
	return keys
}

// AttemptCounts counts the attempts and, of several, how they ended: "3: 2 lost, 1 completed".
func (r *Record) AttemptCounts() string {
	counts, order := map[string]int{}, []string{}
	for _, a := range r.Attempts {
		outcome := cmp.Or(a.Outcome, store.Running)
		if counts[outcome]++; counts[outcome] == 1 {
			order = append(order, outcome)
		}
	}
	text := fmt.Sprint(len(r.Attempts))
	if len(r.Attempts) < 2 {
		return text
	}
	for i, outcome := range order {
		order[i] = fmt.Sprintf("%d %s", counts[outcome], outcome)
	}
	return text + ": " + strings.Join(order, ", ")
}

type epochJSON struct {
	Epoch             int                    `json:"epoch"`
	Loss              term.Number            `json:"loss"`
	Val               map[string]term.Number `json:"val"`
	Sampled           map[string]term.Number `json:"sampled,omitempty"` // of an epoch of reinforcement
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

type noteJSON struct {
	Study   string `json:"study,omitempty"` // one of the run's, whose note it is
	Text    string `json:"text"`
	Written any    `json:"written"`
}

type captionJSON struct {
	Image   string        `json:"image"`
	Words   string        `json:"words"`
	LogProb term.Number   `json:"log_prob"`
	Beta    []term.Number `json:"beta"`
	Entropy []term.Number `json:"entropy"`
	CIDEr   *term.Number  `json:"cider"` // null before it was scored
}

// recordJSON is a contract, whose keys are only ever added to.
type recordJSON struct {
	Run
	Reproduce   string          `json:"reproduce"`  // a command; "" for runs that are not completed
	Checkpoint  string          `json:"checkpoint"` // its files end in .safetensors, .optimizer.safetensors and .json
	Environment json.RawMessage `json:"environment"`
	Notes       []noteJSON      `json:"notes"`
	Attempts    []attemptJSON   `json:"attempt_records"`
	Epochs      []epochJSON     `json:"epoch_records"`
	Split       string          `json:"captions_split"`
	Captions    []captionJSON   `json:"captions"`
}

// JSON is the record as scripts see it: the keys of a [Run], and what is recorded beside them.
func (r *Record) JSON() any {
	out := recordJSON{
		Run:         NewRun(r.Run),
		Reproduce:   r.Reproduce,
		Checkpoint:  r.Checkpoint,
		Environment: raw(r.Run.Environment),
		Notes:       []noteJSON{},
		Attempts:    []attemptJSON{},
		Epochs:      []epochJSON{},
		Split:       r.Split,
		Captions:    []captionJSON{},
	}
	for _, n := range r.Notes {
		out.Notes = append(out.Notes, noteJSON{Study: n.Study, Text: n.Text, Written: term.Timestamp(n.Written)})
	}
	for _, a := range r.Attempts {
		out.Attempts = append(out.Attempts, attemptJSON{
			Attempt: a.Number, Host: a.Host, Started: term.Timestamp(a.Started), Ended: term.Timestamp(a.Ended), Outcome: a.Outcome, Error: a.Error,
		})
	}
	for _, e := range r.Epochs {
		out.Epochs = append(out.Epochs, epochJSON{
			Epoch: e.Epoch, Loss: term.Number(e.Loss), Val: term.Numbers(e.Val), Sampled: term.Numbers(e.Sampled), LR: term.Number(e.LR),
			Seconds: term.Number(e.Seconds), CaptionsPerSecond: term.Number(e.CaptionsPerSecond), Selected: e.Selected,
		})
	}
	for _, c := range r.Captions {
		out.Captions = append(out.Captions, newCaption(c))
	}
	return out
}

func newCaption(c store.Caption) captionJSON {
	caption := captionJSON{
		Image: c.Image, Words: c.Words, LogProb: term.Number(c.LogProb), Beta: term.Series(c.Beta), Entropy: term.Series(c.Entropy),
	}
	if c.Scored {
		cider := term.Number(c.Score.CIDEr)
		caption.CIDEr = &cider
	}
	return caption
}
