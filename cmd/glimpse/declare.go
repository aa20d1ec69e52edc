package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
)

// mayRun refuses a study whose data differ from those of its runs, or whose declaration differs from the frozen one
// without being an amendment. It warns of what keeps the study from confirming anything.
func mayRun(remarks io.Writer, db *store.DB, study *experiments.Study, p *planned, amend string) error {
	own := slices.DeleteFunc(slices.Clone(p.foreign), func(f results.Foreign) bool {
		return f.Run.State != store.Completed || !slices.Contains(f.Run.Studies, study.Name)
	})
	if len(own) > 0 {
		return errors.New(results.Describe(own, db.Path()))
	}
	if about := results.Describe(p.foreign, db.Path()); about != "" {
		fmt.Fprintf(remarks, "note: %s\n", about)
	}
	conflict := p.standing.Conflict(study.Name)
	switch {
	case conflict != nil && amend == "":
		return usageError{conflict}
	case conflict == nil && amend != "":
		return usageError{errors.New("--amend: there is nothing to amend: " +
			"the file matches the declaration, or no final split has been scored yet")}
	case conflict != nil:
		p.standing.Now.Reason = amend
		fmt.Fprintf(remarks, "note: recorded as an amendment, declared after scoring: %s\n", amend)
		return nil
	}
	for _, warning := range p.standing.Warnings() {
		fmt.Fprintf(remarks, "warning: %s\n", warning)
	}
	return nil
}

// next gives the trials of a study whose plan grows with its results: a search, or a sequential study; nil for others.
func (sets datasets) next(
	db *store.DB, study *experiments.Study, all []experiments.Trial,
) func(context.Context) ([]experiments.Trial, error) {
	switch {
	case study.Searches():
		return func(ctx context.Context) ([]experiments.Trial, error) {
			if err := continueSearch(ctx, db, study); err != nil {
				return nil, err
			}
			found, err := sets.against(ctx, db, study)
			return found.trials, err
		}
	case study.Compare.Stop.Active():
		return func(ctx context.Context) ([]experiments.Trial, error) { return results.Due(ctx, db, study, all) }
	}
	return nil
}

// printOutcomes says how each contrast of a sequential study stands.
func printOutcomes(ctx context.Context, w io.Writer, db *store.DB, name string, planned experiments.Declaration) error {
	study, err := results.Open(ctx, db, name)
	if err != nil {
		return err
	}
	if err := study.Load(ctx); err != nil {
		return err
	}
	analysis, err := study.Analyse(study.Current(planned), results.Options{})
	if err != nil {
		return err
	}
	t := &table{}
	t.add("\nCONTRAST", "LOOK", "OUTCOME")
	for _, c := range analysis.Contrasts {
		look, outcome := "-", "no look yet"
		if r := c.Result; r != nil {
			if len(r.Looks) > 0 {
				look, outcome = term.Plural(r.Looks[len(r.Looks)-1].Seeds, "seed"), string(c.Verdict)
			}
			if r.NextLook > 0 && !r.Decided {
				outcome += fmt.Sprintf(", next look at %d", r.NextLook)
			}
		}
		t.add(c.Label, look, outcome)
	}
	return t.print(w)
}
