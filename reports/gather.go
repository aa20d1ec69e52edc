package reports

import (
	"context"
	"fmt"
	"slices"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/metrics/audit"
	"glimpse/results"
)

// A run is a trial with what the report shows of it.
type run struct {
	*results.Run
	Cell     *arm            // the arm that it is a seed of
	Epochs   []epoch         // in order
	Audit    []audit.Row     // the last audit, nil without one
	Readings []store.Reading // of the captions, by image; nil where they were not read again
	said     *captionReader
}

// completed says whether the run has its final scores.
func (r *run) completed() bool { return r.State == store.Completed }

// stateText is the state of a run, and whether its process still gives signs of life.
func (e *evidence) stateText(r *run) string { return results.StateText(r.Run.Run, e.At) }

// evidence is what the store holds of a study.
type evidence struct {
	Study        *results.Study
	Compare      experiments.Compare // as it was declared before anything was scored
	Primary      metric
	Runs         []*run // of that declaration, in the order of the plan
	Illustration store.Illustration
	Scenes       Scenes              // of its images; nil where they are pictures of others
	failed       error               // of Scenes
	Ensembles    []*results.Ensemble // of the arms, in the order of the plan
	Notes        []store.Note        // of the study and its runs, with tags
	Deleted      []store.Deleted     // runs that were deleted after they had been scored
	said         *captionReader
	At           time.Time // when it was read
}

// gather reads a study from the store, for a whole report.
func gather(ctx context.Context, db *store.DB, name string) (*evidence, error) {
	e, err := outline(ctx, db, name)
	if err != nil {
		return nil, err
	}
	if e.Illustration, err = db.Illustration(ctx, name); err != nil {
		return nil, err
	}
	if e.Ensembles, err = e.Study.Ensembles(ctx); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if e.Notes, err = results.Notes(ctx, db, name); err != nil {
		return nil, err
	}
	return e, e.readLater(ctx, db)
}

// outline reads of a study what its answer rests on: its runs with their epochs and captions, but no pictures, ensembles,
// notes, audits and readings.
func outline(ctx context.Context, db *store.DB, name string) (*evidence, error) {
	study, err := results.Open(ctx, db, name)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	e := &evidence{Study: study, Compare: study.Declared.Compare, Primary: metric{study.Primary}, At: time.Now()}
	if e.Deleted, err = db.Deletions(ctx, name); err != nil {
		return nil, err
	}
	planned := map[string]bool{}
	for _, t := range study.Declared.Trials {
		planned[t.ID] = true
	}
	e.said = newCaptionReader(ctx, db, e.Primary.Split)
	for _, one := range study.Runs {
		if planned[one.ID] { // else it is an amendment's, and shown with that
			e.Runs = append(e.Runs, &run{Run: one, said: e.said})
		}
	}
	return e, e.readEpochs(ctx, db)
}

// readLater reads what was found out about completed runs later.
func (e *evidence) readLater(ctx context.Context, db *store.DB) error {
	audited, err := db.Audited(ctx, e.Study.Name)
	if err != nil {
		return err
	}
	read, err := db.WithReadings(ctx, e.Study.Name, e.Primary.Split)
	if err != nil {
		return err
	}
	isAudited, isRead := setOf(audited), setOf(read)
	for _, r := range e.Runs {
		if r.completed() && isAudited[r.ID] {
			if r.Audit, err = db.Audit(ctx, r.ID); err != nil {
				return err
			}
		}
		if r.completed() && isRead[r.ID] {
			if r.Readings, err = db.Readings(ctx, r.ID, e.Primary.Split); err != nil {
				return err
			}
		}
	}
	return nil
}

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// A metric is a score of a split, with its names.
type metric struct{ results.Metric }

// metricOf is the metric of a split by its key.
func metricOf(split, key string) metric { return metric{results.Metric{Split: split, Key: key}} }

// tableMetrics are the keys of the metrics of the main table, which are those
// that are tested, in the order of papers: METEOR follows BLEU.
func tableMetrics() []string {
	keys := metrics.Tested()
	after := slices.IndexFunc(keys, func(key string) bool { return metrics.BLEUOrder(key) == 0 })
	if after < 0 {
		after = len(keys)
	}
	return slices.Insert(keys, after, metrics.METEORKey, metrics.ExactStemKey)
}

// scale is what the metric is multiplied by to be shown: 100, which makes points,
// but for ratios and counts.
func (m metric) scale() float64 {
	if e, known := metrics.Find(m.Key); known {
		return e.Scale
	}
	return 100
}

// name is the metric in words: "CIDEr (test)".
func (m metric) name() string { return metrics.Title(m.Key) + " (" + m.Split + ")" }

// axis is the title of an axis of the metric, with its unit.
func (m metric) axis() string {
	return metrics.Title(m.Key) + ", " + m.Split + " split (points, ×100)"
}

// of is the run's score as a fraction of 1, and whether it has a finite one.
func (m metric) of(r *run) (float64, bool) {
	v, ok := r.Metrics[m.Split][m.Key]
	return v, ok && finite(v)
}
