package planning

import (
	"context"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/results"
	"glimpse/runner"
)

// Planned is a study as it stands to the results database.
type Planned struct {
	Trials   []experiments.Trial
	Known    []store.Run       // of the database
	Foreign  []results.Foreign // runs with the same settings on other data
	Standing results.Standing
}

// Against finds how a study stands to the results database, which may be nil.
func (sets *Sets) Against(ctx context.Context, db *store.DB, study *experiments.Study) (p Planned, err error) {
	if p.Trials, err = sets.Trials(study); err != nil {
		return p, err
	}
	path := ""
	if db != nil {
		path = db.Path()
		if p.Known, err = db.Runs(ctx, ""); err != nil {
			return p, err
		}
		if p.Trials, p.Foreign, err = results.Adopt(p.Trials, p.Known, sets.present); err != nil {
			return p, err
		}
	}
	p.Standing, err = results.Stand(ctx, db, study, p.Trials, p.Known, runner.Commit(ctx, path))
	return p, err
}

// Next gives the trials of a study whose plan grows with its results: a search, or a sequential study; nil for others.
func (sets *Sets) Next(
	db *store.DB, study *experiments.Study, all []experiments.Trial,
) func(context.Context) ([]experiments.Trial, error) {
	switch {
	case study.Searches():
		return func(ctx context.Context) ([]experiments.Trial, error) {
			if err := Continue(ctx, db, study); err != nil {
				return nil, err
			}
			found, err := sets.Against(ctx, db, study)
			return found.Trials, err
		}
	case study.Compare.Stop.Active():
		return func(ctx context.Context) ([]experiments.Trial, error) { return results.Due(ctx, db, study, all) }
	}
	return nil
}
