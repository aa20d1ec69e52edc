package results

import (
	"context"
	"slices"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// Due gives the trials that a study needs now, according to the database, which may be nil: all of them or, for a
// sequential study, those up to the next look of each arm whose contrasts are undecided. Once every contrast is
// decided, no further trials are due.
func Due(ctx context.Context, db *store.DB, study *experiments.Study, trials []experiments.Trial) ([]experiments.Trial, error) {
	if !study.Compare.Stop.Active() {
		return trials, nil
	}
	need, err := seedsNeeded(ctx, db, study, trials)
	if err != nil {
		return nil, err
	}
	var due []experiments.Trial
	for _, t := range trials {
		if need[t.ID] {
			due = append(due, t)
		}
	}
	return due, nil
}

// seedsNeeded marks the trials that are due.
func seedsNeeded(
	ctx context.Context, db *store.DB, study *experiments.Study, trials []experiments.Trial,
) (map[string]bool, error) {
	planned := study.Declare(trials)
	seeds := map[string]int{} // cell → seeds
	for _, cell := range planned.Cells() {
		seeds[cell.Name] = study.Compare.Stop.Looks[0]
	}
	var recorded *Study
	if db != nil {
		var err error
		if recorded, err = openIfKnown(ctx, db, study.Name); err != nil {
			return nil, err
		}
	}
	if recorded != nil {
		a, err := recorded.Analyse(ctx, recorded.Current(planned), Options{})
		if err != nil {
			return nil, err
		}
		for _, c := range a.Contrasts {
			target := c.target(study.Compare.Stop)
			for _, term := range slices.Concat(c.B.Terms, c.A.Terms) {
				seeds[term.Cell] = max(seeds[term.Cell], target)
			}
		}
	}
	need := map[string]bool{}
	for _, cell := range planned.Cells() {
		for i, id := range cell.Trials {
			need[id] = i < seeds[cell.Name]
		}
	}
	return need, nil
}

// target is how many seeds an arm the contrast needs: those of its next look, or
// of the look that decided it.
func (c *Contrast) target(stop experiments.Stop) int {
	switch r := c.Result; {
	case r == nil:
		return stop.Looks[0]
	case r.Decided:
		return max(stop.Looks[0], r.NA)
	default:
		return max(stop.Looks[0], r.NextLook)
	}
}

// Current is the recorded declaration that a planned one agrees with, else the
// one that counts.
func (s *Study) Current(planned experiments.Declaration) Declaration {
	if d := s.agreeing(planned); d != nil {
		return *d
	}
	return s.Declared
}

// agreeing is the recorded declaration that a planned one agrees with, nil if
// none does.
func (s *Study) agreeing(planned experiments.Declaration) *Declaration {
	for _, d := range append([]Declaration{s.Declared}, s.Amendments...) {
		if len(d.Differences(planned)) == 0 {
			return &d
		}
	}
	return nil
}
