package results

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
)

// Verification is what [Verify] found. As JSON, it is a contract.
type Verification struct {
	Runs     int             `json:"runs"`
	Captions int             `json:"captions"` // of completed runs
	Findings []store.Finding `json:"findings"`
	Exposed  Exposure        `json:"exposed"` // no finding: the database is sound with it
}

// Verify checks what glimpse promises of a database: what the store promises of its tables, and that ids, hashes and scores
// are those of what they were made of. Where the tables are not sound, only that is told.
func Verify(ctx context.Context, db *store.DB) (*Verification, error) {
	found, err := db.Findings(ctx)
	if err != nil {
		return nil, err
	}
	out := &Verification{Findings: append([]store.Finding{}, found...)}
	if len(found) > 0 {
		return out, nil // what follows reads values that may not be there
	}
	if out.Exposed, err = Exposed(ctx, db); err != nil {
		return nil, err
	}
	runs, err := db.Runs(ctx, "")
	if err != nil {
		return nil, err
	}
	out.Runs = len(runs)
	for _, run := range runs {
		problems, captions, err := checkRun(ctx, db, run)
		if err != nil {
			return nil, err
		}
		out.Captions += captions
		for _, problem := range problems {
			out.Findings = append(out.Findings, store.Finding{Subject: "run " + run.ID, Problem: problem})
		}
	}
	declarations, err := checkDeclarations(ctx, db)
	if err != nil {
		return nil, err
	}
	studies, err := db.Studies(ctx)
	if err != nil {
		return nil, err
	}
	for _, study := range studies {
		if problem := cmp.Or(checkSpec(study), declarations[study.Name]); problem != "" {
			out.Findings = append(out.Findings, store.Finding{Subject: "study " + study.Name, Problem: problem})
		}
	}
	return out, nil
}

// checkRun compares a run's id, hash and scores with what they were made of.
func checkRun(ctx context.Context, db *store.DB, run store.Run) (problems []string, captions int, err error) {
	if settings, err := Settings(run); err != nil {
		problems = append(problems, err.Error())
	} else if id := settings.ID(); id != run.ID {
		problems = append(problems, "its settings are those of run "+id)
	}
	if run.State != store.Completed {
		return problems, 0, nil
	}
	split, scores := run.Final()
	stored, err := db.Captions(ctx, run.ID, split)
	if err != nil {
		return nil, 0, err
	}
	if got := store.CaptionsSHA256(stored); got != run.CaptionsSHA256 {
		problems = append(problems, fmt.Sprintf("its captions have the sha256 %.12s, and %.12s was recorded", got, run.CaptionsSHA256))
	}
	counted := metrics.Corpus(ImageScores(stored))
	for _, key := range metrics.Tested() { // a run may lack METEOR's counts
		recorded, there := scores[key]
		if difference := math.Abs(counted[key] - recorded); !there || difference > 1e-9*max(1, math.Abs(recorded)) {
			problems = append(problems, fmt.Sprintf("its counts give %s %.6f, and %.6f was recorded", key, counted[key], recorded))
		}
	}
	return problems, len(stored), nil
}

// checkSpec reads a study as it was declared.
func checkSpec(study store.Study) (problem string) {
	if _, err := experiments.Parse(study.Name+".yaml", []byte(study.Spec)); err != nil {
		return fmt.Sprintf("its file cannot be read any more: %v", err)
	}
	return ""
}
