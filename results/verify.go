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
	Captions int             `json:"captions"` // of completed runs, in the split that they were finished on
	Findings []store.Finding `json:"findings"`
	Exposed  Exposure        `json:"exposed"` // no finding: the database is sound with it
	More     int             `json:"more"`    // findings that are left out: there are too many
	// Unsealed are runs and studies whose rows were never hashed, such as those of older
	// versions: what of them no other hash covers could have changed unnoticed.
	Unsealed []string `json:"unsealed"`
	Foreign  []string `json:"foreign"` // tables and views that are none of glimpse's, which it never reads
}

// Sound tells whether nothing was found.
func (v *Verification) Sound() bool { return len(v.Findings) == 0 }

// Verify checks what glimpse promises of a database: what the store promises of its tables, that ids, hashes and scores
// are those of what they were made of, and that studies can be opened. It goes on after a fault; what it finds of a run is
// not told again of the studies that hold it.
func Verify(ctx context.Context, db *store.DB) (*Verification, error) {
	out := &Verification{Exposed: Exposure{Studies: []string{}}}
	found, err := db.Findings(ctx, func(run store.Run, captions map[string][]store.Caption) []string {
		problems, scored := checkRun(run, captions)
		out.Runs++
		out.Captions += scored
		return problems
	})
	if err != nil {
		return nil, err
	}
	out.Findings, out.More = append([]store.Finding{}, found.List...), found.More
	out.Unsealed, out.Foreign = append([]string{}, found.Unsealed...), append([]string{}, found.Foreign...)
	readable := out.Sound()
	if readable {
		if out.Exposed, err = Exposed(ctx, db); err != nil {
			return nil, err
		}
	}
	studies, err := db.Studies(ctx)
	if err != nil && !readable {
		return out, nil // it is among the findings
	}
	if err != nil {
		return nil, err
	}
	for _, study := range studies {
		problem := cmp.Or(checkSpec(study), checkDeclarations(ctx, db, study.Name))
		if problem == "" && readable {
			problem = checkStudy(ctx, db, study.Name)
		}
		if problem != "" {
			out.Findings = append(out.Findings, store.Finding{Subject: "study " + study.Name, Problem: problem, Fix: store.FixStudy})
		}
	}
	return out, nil
}

// checkRun compares a run's id, hash and scores with what they were made of. It also gives the number of captions that
// they rest on.
func checkRun(run store.Run, captions map[string][]store.Caption) (problems []string, scored int) {
	if settings, err := Settings(run); err != nil {
		problems = append(problems, err.Error())
	} else if id := settings.ID(); id != run.ID {
		problems = append(problems, "its settings are those of run "+id)
	} else if settings.Seed != run.Seed {
		problems = append(problems, fmt.Sprintf("its settings have seed %d, but the run says %d", settings.Seed, run.Seed))
	}
	split, scores := run.Final()
	stored := captions[split]
	if run.State != store.Completed || len(captions) == 0 { // that a completed run has none, the store says
		return problems, 0
	}
	if got := store.CaptionsSHA256(stored); got != run.CaptionsSHA256 {
		problems = append(problems, fmt.Sprintf("its captions have sha256 %.12s, but %.12s was recorded", got, run.CaptionsSHA256))
	}
	counted := metrics.Corpus(ImageScores(stored))
	for _, key := range metrics.Tested() { // a run may lack METEOR's counts
		recorded, there := scores[key]
		if difference := math.Abs(counted[key] - recorded); !there || difference > 1e-9*max(1, math.Abs(recorded)) {
			problems = append(problems, fmt.Sprintf("its counts give %s %.6f, but %.6f was recorded", key, counted[key], recorded))
		}
	}
	return problems, len(stored)
}

// checkSpec reads a study as it was declared.
func checkSpec(study store.Study) (problem string) {
	if _, err := experiments.Parse(study.Name+".yaml", []byte(study.Spec)); err != nil {
		return fmt.Sprintf("its file can no longer be read: %v", err)
	}
	return ""
}

// checkStudy opens a study as everything that reads it does.
func checkStudy(ctx context.Context, db *store.DB, name string) (problem string) {
	study, err := Open(ctx, db, name)
	if err != nil {
		return err.Error()
	}
	if err := study.sameProtocol(study.Runs); err != nil {
		return err.Error()
	}
	return ""
}

// Seal verifies a database and, if nothing is wrong with it, hashes the rows of the runs and studies that were never
// hashed, as they are. It returns what it found and how many it hashed.
func Seal(ctx context.Context, db *store.DB) (*Verification, int, error) {
	found, err := Verify(ctx, db)
	if err != nil || !found.Sound() {
		return found, 0, err
	}
	sealed, err := db.Seal(ctx)
	return found, sealed, err
}
