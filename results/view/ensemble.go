package view

import (
	"context"

	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/results"
)

// Ensemble is what the seeds of an arm caption together, as scripts see it: a contract, whose keys are only ever added to.
// Metrics are fractions of 1.
type Ensemble struct {
	Study     string                 `json:"study"`
	Arm       string                 `json:"arm"` // its label
	Split     string                 `json:"split"`
	Seeds     []int64                `json:"seeds"`
	Runs      []string               `json:"runs"` // ids, in the order of the seeds
	Signature string                 `json:"signature"`
	Metrics   map[string]term.Number `json:"metrics"`
	Primary   string                 `json:"primary"` // the metric of the next four
	Score     term.Number            `json:"score"`
	Low       term.Number            `json:"low"` // over images alone
	High      term.Number            `json:"high"`
	SeedMean  term.Number            `json:"seed_mean"` // of the runs alone
	Stale     bool                   `json:"stale"`     // not of all runs that are completed now
	SHA256    string                 `json:"captions_sha256"`
	Seconds   term.Number            `json:"seconds"`
	Made      any                    `json:"made"`
	Captions  []captionJSON          `json:"captions,omitempty"`
}

// NewEnsemble is an ensemble of a study whose primary metric is given.
func NewEnsemble(e *results.Ensemble, primary results.Metric) Ensemble {
	return Ensemble{Study: e.Study, Arm: e.Label, Split: e.Split, Seeds: e.Seeds, Runs: e.Members, Signature: e.Signature,
		Metrics: term.Numbers(e.Metrics), Primary: primary.String(), Score: term.Number(e.Metrics[primary.Key]),
		Low: term.Number(e.Low), High: term.Number(e.High), SeedMean: term.Number(e.Mean), Stale: e.Stale, SHA256: e.CaptionsSHA256,
		Seconds: term.Number(e.Seconds), Made: term.Timestamp(e.Made)}
}

// EnsemblesOf are those of a study, in the order of its plan; [] where it has none.
func EnsemblesOf(ctx context.Context, db *store.DB, name string) ([]Ensemble, error) {
	study, all, err := results.OpenEnsembles(ctx, db, name)
	list := make([]Ensemble, len(all))
	for i, e := range all {
		list[i] = NewEnsemble(e, study.Primary)
	}
	return list, err
}

// ReadEnsemble is that of an arm of a study, by the arm's name or label, with so many of its captions; -1 for all.
func ReadEnsemble(ctx context.Context, db *store.DB, name, arm string, captions int) (*Ensemble, error) {
	study, err := results.Open(ctx, db, name)
	if err != nil {
		return nil, err
	}
	found, err := study.EnsembleOf(ctx, arm)
	if err != nil {
		return nil, err
	}
	e := NewEnsemble(found, study.Primary)
	if captions == 0 {
		return &e, nil
	}
	said, err := db.EnsembleCaptions(ctx, study.Name, found.Cell)
	if err != nil {
		return nil, err
	}
	if captions > 0 && captions < len(said) {
		said = said[:captions]
	}
	for _, c := range said {
		e.Captions = append(e.Captions, newCaption(c))
	}
	return &e, nil
}

// MetricKeys are the metrics that it has, in the order of the catalogue.
func (e *Ensemble) MetricKeys() []string {
	var keys []string
	for _, key := range metrics.Shown() {
		if _, has := e.Metrics[key]; has {
			keys = append(keys, key)
		}
	}
	return keys
}
