package results

import (
	"context"
	"fmt"
	"math"
	"slices"

	"glimpse/internal/store"
	"glimpse/metrics/stats"
)

// An Ensemble is an arm as one captioner: what its seeds caption together. It has no spread over seeds, and enters no
// contrast.
type Ensemble struct {
	store.Ensemble
	Label string  // of the arm
	Seeds []int64 // of the members that are still there, in their order
	// Low and High bound the primary metric over images alone, as fractions of 1; see [stats.OverImages].
	Low, High float64
	// Mean is that of the members' scores in the primary metric, NaN if one of them was deleted.
	Mean float64
	// Stale says that it is not of all runs of the arm that are completed now.
	Stale bool
}

// ensembling is the last declaration of the study that asks for ensembles, and whether there is one. An amendment that
// adds seeds adds them here too: ensembles are shown beside the arms, and no verdict rests on them.
func (s *Study) ensembling() (d Declaration, asked bool) {
	for _, d := range slices.Backward(append([]Declaration{s.Declared}, s.Amendments...)) {
		if d.Compare.Ensemble != "" {
			return d, true
		}
	}
	return Declaration{}, false
}

// EnsemblesDue gives the arms whose seeds are all completed and whose ensemble is not there, or is of other seeds; and of
// the arms that still lack seeds, why they have to wait. A study that declares no ensembles has none due.
func (s *Study) EnsemblesDue(ctx context.Context) (due []*Arm, waiting []string, err error) {
	d, asked := s.ensembling()
	if !asked {
		return nil, nil, nil
	}
	stored, err := s.db.Ensembles(ctx, s.Name)
	if err != nil {
		return nil, nil, err
	}
	for _, arm := range s.ArmsOf(d) {
		completed := completedOf(arm)
		at := slices.IndexFunc(stored, func(e store.Ensemble) bool { return e.Cell == arm.Name })
		switch {
		case len(completed) < len(arm.Runs) || len(completed) < 2:
			waiting = append(waiting, fmt.Sprintf("%s: %d of %d seeds are completed", arm.Label, len(completed), len(arm.Trials)))
		case at < 0 || !slices.Equal(stored[at].Members, completed):
			due = append(due, arm)
		}
	}
	return due, waiting, nil
}

// completedOf are the ids of the arm's completed runs.
func completedOf(arm *Arm) []string {
	var ids []string
	for _, r := range arm.Runs {
		if r.State == store.Completed {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// OpenEnsembles opens a study if ensembles of it are stored, and gives them as [Study.Ensembles] does. It is nil, and nothing
// else of the study is read, where there are none.
func OpenEnsembles(ctx context.Context, db *store.DB, name string) (*Study, []*Ensemble, error) {
	stored, err := db.Ensembles(ctx, name)
	if err != nil || len(stored) == 0 {
		return nil, nil, err
	}
	study, err := Open(ctx, db, name)
	if err != nil {
		return nil, nil, err
	}
	all, err := study.Ensembles(ctx)
	return study, all, err
}

// Ensembles gives the ensembles that are stored of the study's arms, in the order of the plan, with their intervals.
func (s *Study) Ensembles(ctx context.Context) ([]*Ensemble, error) {
	d, asked := s.ensembling()
	if !asked {
		return nil, nil
	}
	stored, err := s.db.Ensembles(ctx, s.Name)
	if err != nil || len(stored) == 0 {
		return nil, err
	}
	var all []*Ensemble
	for _, arm := range s.ArmsOf(d) {
		at := slices.IndexFunc(stored, func(e store.Ensemble) bool { return e.Cell == arm.Name })
		if at < 0 {
			continue
		}
		e := &Ensemble{Ensemble: stored[at], Label: arm.Label, Stale: !slices.Equal(stored[at].Members, completedOf(arm))}
		for _, id := range e.Members {
			for _, r := range arm.Runs {
				if r.ID == id {
					e.Seeds = append(e.Seeds, r.Seed)
					score, _ := s.Primary.Of(&r.Run)
					e.Mean += score / float64(len(e.Members))
				}
			}
		}
		if len(e.Seeds) < len(e.Members) {
			e.Mean = math.NaN()
		}
		if err := s.overImages(ctx, e, d); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// overImages fills in the interval.
func (s *Study) overImages(ctx context.Context, e *Ensemble, d Declaration) error {
	if !s.Primary.Tested() || e.Split != s.Primary.Split {
		return nil
	}
	captions, err := s.db.EnsembleCaptions(ctx, s.Name, e.Cell)
	if err != nil {
		return err
	}
	options := stats.Options{Metrics: []string{s.Primary.Key}, Primary: s.Primary.Key, Alpha: d.Compare.Primary.Alpha}
	found, err := stats.OverImages(stats.Run{Images: ImageScores(captions)}, options)
	if err != nil {
		return fmt.Errorf("study %q, ensemble of %s: %w", s.Name, e.Label, err)
	}
	e.Low, e.High = found[s.Primary.Key].Low, found[s.Primary.Key].High
	return nil
}

// EnsembleOf is the ensemble of an arm, by its name or label.
func (s *Study) EnsembleOf(ctx context.Context, arm string) (*Ensemble, error) {
	all, err := s.Ensembles(ctx)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, e := range all {
		if e.Cell == arm || e.Label == arm {
			return e, nil
		}
		known = append(known, e.Label)
	}
	if len(known) > 0 {
		return nil, &UnknownArmError{Study: s.Name, Arm: arm, Known: known}
	}
	return nil, fmt.Errorf("study %s has no ensembles; set `compare: {ensemble: seeds}` in its file, then run `glimpse run`", s.Name)
}
