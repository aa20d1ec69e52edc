package view

import (
	"encoding/json"
	"time"

	"glimpse/internal/secret"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
)

// Run is a run as scripts see it: a contract, whose keys are only ever added to. Metrics are fractions of 1, CIDEr
// unscaled.
type Run struct {
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
	SilentSince    any                               `json:"silent_since"` // when its process gave the last sign of life, if it gives none any more
	Metrics        map[string]map[string]term.Number `json:"metrics"`
	Settings       json.RawMessage                   `json:"settings"`
	Tags           []string                          `json:"tags"` // its own and those of its studies
}

// NewRun is how scripts see a stored run.
func NewRun(r store.Run) Run {
	metrics := make(map[string]map[string]term.Number, len(r.Metrics))
	for split, values := range r.Metrics {
		metrics[split] = term.Numbers(values)
	}
	swept := r.Swept
	if swept == nil {
		swept = map[string]string{}
	}
	return Run{
		ID: r.ID, Study: r.Study, Studies: r.Studies, Arm: r.Arm, Seed: r.Seed, Swept: swept,
		State: r.State, Failure: r.Failure, Error: secret.Redact(r.Error), Attempt: r.Attempt,
		Epochs: r.Epochs, BestEpoch: r.BestEpoch, Seconds: term.Number(r.Seconds), Parameters: r.Parameters,
		Signature: r.Signature, CaptionsSHA256: r.CaptionsSHA256, WeightsSHA256: r.WeightsSHA256,
		Created: term.Timestamp(r.Created), Started: term.Timestamp(r.Started), Finished: term.Timestamp(r.Finished),
		SilentSince: term.Timestamp(results.SilentSince(r, time.Now())),
		Metrics:     metrics, Settings: raw(r.Settings), Tags: append([]string{}, results.Tags(r)...),
	}
}

// NewRuns is how scripts see stored runs.
func NewRuns(runs []store.Run) []Run {
	out := make([]Run, len(runs))
	for i, r := range runs {
		out[i] = NewRun(r)
	}
	return out
}

// raw gives stored JSON, or null where there is none.
func raw(value json.RawMessage) json.RawMessage {
	if len(value) == 0 {
		return json.RawMessage("null")
	}
	return value
}
