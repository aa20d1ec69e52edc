package reports

import (
	"context"
	"fmt"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/results"
)

type epoch = store.Epoch

// A run is a trial with what the report shows of it.
type run struct {
	*results.Run
	Cell     *arm             // the arm that it is a seed of
	Epochs   []epoch          // in order
	Audit    []store.AuditRow // the last audit, nil without one
	Readings []store.Reading  // of the captions, by image; nil where they were not read again
}

// completed says whether the run has its final scores.
func (r *run) completed() bool { return r.State == store.Completed }

// evidence is what the store holds of a study.
type evidence struct {
	Study        *results.Study
	Compare      experiments.Compare // as it was declared before anything was scored
	Primary      metric
	Runs         []*run // of that declaration, in the order of the plan
	Illustration store.Illustration
}

// gather reads a study from the store.
func gather(ctx context.Context, db *store.DB, name string) (*evidence, error) {
	study, err := results.Open(ctx, db, name)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if err := study.Load(ctx); err != nil {
		return nil, err
	}
	e := &evidence{Study: study, Compare: study.Declared.Compare, Primary: metric{study.Primary}}
	if e.Illustration, err = db.Illustration(ctx, name); err != nil {
		return nil, err
	}
	planned := map[string]bool{}
	for _, t := range study.Declared.Trials {
		planned[t.ID] = true
	}
	for _, one := range study.Runs {
		if !planned[one.ID] {
			continue // an amendment's: it is shown with that
		}
		r := &run{Run: one}
		if r.Epochs, err = db.Epochs(ctx, r.ID); err != nil {
			return nil, err
		}
		if r.completed() {
			if r.Audit, err = db.Audit(ctx, r.ID); err != nil {
				return nil, err
			}
			if r.Readings, err = db.Readings(ctx, r.ID, e.Primary.Split); err != nil {
				return nil, err
			}
		}
		e.Runs = append(e.Runs, r)
	}
	return e, nil
}

// A metric is a score of a split, with its names.
type metric struct{ results.Metric }

// metricOf is the metric of a split by its key.
func metricOf(split, key string) metric { return metric{results.Metric{Split: split, Key: key}} }

// metricNames are the metrics of the main table, in its order, with their
// usual names.
var metricNames = []struct{ Key, Name string }{
	{"bleu1", "BLEU-1"}, {"bleu2", "BLEU-2"}, {"bleu3", "BLEU-3"}, {"bleu4", "BLEU-4"},
	{"meteor", "METEOR"}, {"meteor-exact-stem", "METEOR (exact, stem)"},
	{"rouge_l", "ROUGE-L"}, {"cider", "CIDEr"}, {"cider_d", "CIDEr-D"},
}

// metricName gives the usual name of a key; an unknown key is its own name.
func metricName(key string) string {
	for _, m := range metricNames {
		if m.Key == key {
			return m.Name
		}
	}
	return key
}

// name is the metric in words: "CIDEr (test)".
func (m metric) name() string { return metricName(m.Key) + " (" + m.Split + ")" }

// axis is the title of an axis of the metric, with its unit.
func (m metric) axis() string { return metricName(m.Key) + ", " + m.Split + " split (points, ×100)" }

// of is the run's score as a fraction of 1, and whether it has a finite one.
func (m metric) of(r *run) (float64, bool) {
	v, ok := r.Metrics[m.Split][m.Key]
	return v, ok && finite(v)
}
