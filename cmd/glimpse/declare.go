package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/planning"
	"glimpse/results"
)

// mayRun refuses a study whose data differ from those of its runs, or whose declaration differs from the frozen one
// without being an amendment. It warns of what keeps the study from confirming anything.
func mayRun(remarks io.Writer, db *store.DB, study *experiments.Study, p *planning.Planned, amend string) error {
	own := slices.DeleteFunc(slices.Clone(p.Foreign), func(f results.Foreign) bool {
		return f.Run.State != store.Completed || !slices.Contains(f.Run.Studies, study.Name)
	})
	if len(own) > 0 {
		return errors.New(results.Describe(own, db.Path()))
	}
	if about := results.Describe(p.Foreign, db.Path()); about != "" {
		fmt.Fprintf(remarks, "note: %s\n", about)
	}
	conflict := p.Standing.Conflict(study.Name)
	switch {
	case conflict != nil && amend == "":
		return cli.Usage(conflict)
	case conflict == nil && amend != "":
		return cli.Usage(errors.New("--amend: there is nothing to amend: " +
			"the file matches the declaration, or no final split has been scored yet"))
	case conflict != nil:
		p.Standing.Now.Reason = amend
		fmt.Fprintf(remarks, "note: recorded as an amendment, declared after scoring: %s\n", amend)
		return nil
	}
	for _, warning := range p.Standing.Warnings() {
		fmt.Fprintf(remarks, "warning: %s\n", warning)
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
	t := &term.Table{}
	t.Add("\nCONTRAST", "LOOK", "OUTCOME")
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
		t.Add(c.Label, look, outcome)
	}
	return t.Print(w)
}
