package results

import (
	"context"
	"fmt"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// Outcome is how a contrast of a sequential study stands.
type Outcome struct {
	Label string // of the contrast
	Seeds int    // of an arm, at the last look; 0 before the first
	Text  string // the verdict, and when the next look is
}

// OutcomesOf says how each contrast of a sequential study stands, in the plan given.
func OutcomesOf(ctx context.Context, db *store.DB, name string, planned experiments.Declaration) ([]Outcome, error) {
	study, err := Open(ctx, db, name)
	if err != nil {
		return nil, err
	}
	analysis, err := study.Analyse(ctx, study.Current(planned), Options{})
	if err != nil {
		return nil, err
	}
	var all []Outcome
	for _, c := range analysis.Contrasts {
		o := Outcome{Label: c.Label, Text: "no look yet"}
		if r := c.Result; r != nil {
			if len(r.Looks) > 0 {
				o.Seeds, o.Text = r.Looks[len(r.Looks)-1].Seeds, string(c.Verdict)
			}
			if r.NextLook > 0 && !r.Decided {
				o.Text += fmt.Sprintf(", next look at %d", r.NextLook)
			}
		}
		all = append(all, o)
	}
	return all, nil
}
