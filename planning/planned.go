package planning

import (
	"context"
	"errors"
	"slices"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics/meteor"
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

// Against finds how a study stands to the results database, which may be nil. A study that searches goes on from the results
// that it has there.
func (sets *Sets) Against(ctx context.Context, db *store.DB, study *experiments.Study) (p Planned, err error) {
	if db != nil {
		if err := resume(ctx, db, study); err != nil {
			return p, err
		}
	}
	if p.Trials, err = sets.Trials(study); err != nil {
		return p, err
	}
	if db != nil {
		if p.Known, err = db.Runs(ctx, ""); err != nil {
			return p, err
		}
		if p.Trials, p.Foreign, err = results.Adopt(p.Trials, p.Known, sets.present); err != nil {
			return p, err
		}
	}
	commit := ""
	if !sets.NoGit {
		commit = runner.Commit(ctx)
	}
	p.Standing, err = results.Stand(ctx, db, study, p.Trials, p.Known, commit)
	return p, err
}

// CheckData refuses a study whose data are others than those of its completed runs. path is the database's.
func (p *Planned) CheckData(study, path string) error {
	own := slices.DeleteFunc(slices.Clone(p.Foreign), func(f results.Foreign) bool {
		return f.Run.State != store.Completed || !slices.Contains(f.Run.Studies, study)
	})
	if len(own) > 0 {
		return errors.New(results.Describe(own, path))
	}
	return nil
}

// Declare settles what is to be recorded as declared. A declaration that differs from the frozen one is refused, unless amend
// gives a reason to record it as an amendment; so is a reason where there is nothing to amend. The remarks, which come with
// an error too, tell of runs on other data and of what keeps the study from confirming anything. path is the database's.
func (p *Planned) Declare(study, path, amend string) (remarks []string, err error) {
	if about := results.Describe(p.Foreign, path); about != "" {
		remarks = append(remarks, "note: "+about)
	}
	conflict := p.Standing.Conflict(study)
	switch {
	case conflict != nil && amend == "":
		return remarks, conflict
	case conflict == nil && amend != "":
		return remarks, errors.New("--amend: there is nothing to amend: " +
			"the file matches the declaration, or no final split has been scored yet")
	case conflict != nil:
		p.Standing.Now.Reason = amend
		return append(remarks, "note: recorded as an amendment, declared after scoring: "+amend), nil
	}
	for _, warning := range p.Standing.Warnings() {
		remarks = append(remarks, "warning: "+warning)
	}
	return remarks, nil
}

// Due gives the trials that are to be run now, once it is sure that they can be scored as the completed ones were. m is METEOR's
// data, nil where there are none.
func (p *Planned) Due(ctx context.Context, db *store.DB, study *experiments.Study, m *meteor.Data) ([]experiments.Trial, error) {
	due, err := results.Due(ctx, db, study, p.Trials)
	if err != nil {
		return nil, err
	}
	return due, CheckMetrics(p.Known, study, due, m)
}

// Left gives those of some trials whose results the database does not have.
func (p *Planned) Left(trials []experiments.Trial) (left []experiments.Trial) {
	completed := map[string]bool{}
	for _, run := range p.Known {
		completed[run.ID] = run.State == store.Completed
	}
	for _, t := range trials {
		if !completed[t.ID] {
			left = append(left, t)
		}
	}
	return left
}

// Next gives the trials of a study whose plan grows with its results: a search, or a sequential study; nil for others.
func (sets *Sets) Next(
	db *store.DB, study *experiments.Study, all []experiments.Trial,
) func(context.Context) ([]experiments.Trial, error) {
	switch {
	case study.Searches():
		return func(ctx context.Context) ([]experiments.Trial, error) {
			found, err := sets.Against(ctx, db, study)
			return found.Trials, err
		}
	case study.Compare.Stop.Active():
		return func(ctx context.Context) ([]experiments.Trial, error) { return results.Due(ctx, db, study, all) }
	}
	return nil
}
