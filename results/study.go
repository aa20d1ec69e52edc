package results

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/metrics/stats"
)

// A Study is a study of the database: what it declared, and its runs.
type Study struct {
	store.Study
	// Declared counts: what was fixed before the study's first final split was
	// scored or, until then, what is declared now.
	Declared Declaration
	// Amendments were declared after that, in their order.
	Amendments []Declaration
	Primary    Metric // of Declared
	Runs       []*Run // in the order of the plan

	db *store.DB
}

// A Run is a stored run with its place in the study.
type Run struct{ store.Run }

// Open reads a study, its declarations and its runs.
func Open(ctx context.Context, db *store.DB, name string) (*Study, error) {
	record, err := db.Study(ctx, name)
	if err != nil {
		return nil, err
	}
	runs, err := db.Runs(ctx, name)
	if err != nil {
		return nil, err
	}
	s := &Study{Study: record, db: db}
	for _, run := range runs {
		s.Runs = append(s.Runs, &Run{run})
	}
	declared, err := declarations(ctx, db, record, runs)
	if err != nil {
		return nil, err
	}
	s.Declared, s.Amendments = declared[0], declared[1:]
	s.Primary = s.primary()
	return s, nil
}

// primary is the metric that decides. A study that declares none, and has not
// scored the test split, is described on the validation split.
func (s *Study) primary() Metric {
	declared := s.Declared.Compare.Primary.Metric
	m := ParseMetric(declared)
	scored := func(split string) bool {
		return slices.ContainsFunc(s.Runs, func(r *Run) bool { return len(r.Metrics[split]) > 0 })
	}
	if declared == "" && !scored(m.Split) && scored("val") {
		m.Split = "val"
	}
	return m
}

// Settings are those that a run was trained with.
func Settings(r store.Run) (s experiments.Settings, err error) {
	if err = json.Unmarshal(r.Settings, &s); err != nil {
		err = fmt.Errorf("run %s: its settings cannot be read: %w", r.ID, err)
	}
	return s, err
}

// SaneSettings are those that a run was trained with, for whoever makes a model or a data set of them: ones that no study
// could have given are an error.
func SaneSettings(r store.Run) (experiments.Settings, error) {
	s, err := Settings(r)
	if err != nil {
		return s, err
	}
	if err := s.CheckSizes(); err != nil {
		return s, fmt.Errorf("run %s: its settings are not valid: %w", r.ID, err)
	}
	return s, nil
}

// ImageScores are the scores of captions, as package stats takes them; nil if any
// of the captions has not been scored.
func ImageScores(captions []store.Caption) []metrics.ImageScore {
	images := make([]metrics.ImageScore, len(captions))
	for i := range captions {
		if !captions[i].Scored {
			return nil
		}
		images[i] = captions[i].Score
	}
	return images
}

// ScoredRun reads the statistics of a run's captions of a split. A run without
// scored captions is an error.
func ScoredRun(ctx context.Context, db *store.DB, run store.Run, split string) (stats.Run, error) {
	images, err := db.Scores(ctx, run.ID, split)
	if err != nil {
		return stats.Run{}, err
	}
	if len(images) == 0 {
		return stats.Run{}, fmt.Errorf("run %s is %s and has no scored %s captions to compare", run.ID, run.State, split)
	}
	return stats.Run{Seed: run.Seed, Signature: run.Signature, Images: images}, nil
}

// place names a run by what differs from the others, and its seed.
func (s *Study) place(r *Run) string {
	for _, c := range s.Declared.Cells() {
		if slices.Contains(c.Trials, r.ID) {
			return fmt.Sprintf("%s, seed %d", c.Label, r.Seed)
		}
	}
	return fmt.Sprintf("%s, seed %d", r.Arm, r.Seed)
}

// MeteorOf is the key of METEOR in a run's scores of a split ([metrics.METEORIn]).
func MeteorOf(r store.Run, split string) string { return metrics.METEORIn(r.Metrics[split]) }

// Meteor is that key in the study's completed runs.
func (s *Study) Meteor() string {
	for _, r := range s.Runs {
		if r.State == store.Completed {
			return MeteorOf(r.Run, s.Primary.Split)
		}
	}
	return metrics.ExactStemKey
}

// Signature is the protocol of the study's completed runs, of the first one
// where the study sweeps it.
func (s *Study) Signature() string {
	for _, r := range s.Runs {
		if r.State == store.Completed && r.Signature != "" {
			return r.Signature
		}
	}
	return ""
}
