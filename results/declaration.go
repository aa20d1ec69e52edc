package results

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// A Declaration is what a study fixed, and when.
type Declaration struct {
	experiments.Declaration
	Number int // 0, or that of an amendment
	SHA256 string
	Commit string // of the working directory, where it was known
	Reason string // of an amendment
	// Declared is when it was recorded; Frozen when the first final split was
	// scored under it, zero before that.
	Declared, Frozen time.Time
	// Known is how many of its trials had been scored when it was declared, under
	// these settings or under others that gave the same weights. What such a
	// declaration finds is exploratory.
	Known int
	// Begun is how many more had been begun by then: their validation scores may
	// have been seen.
	Begun int
	// Recorded is false for studies made before declarations were kept: what they
	// declared is what the database has of the study.
	Recorded bool

	text json.RawMessage // as recorded
}

// Late reports whether the declaration came after scores that it could have been
// fitted to.
func (d Declaration) Late() bool { return d.Number > 0 || d.Known > 0 }

// declarations are those of a study, at least one.
func declarations(ctx context.Context, db *store.DB, study store.Study, runs []store.Run) ([]Declaration, error) {
	recorded, err := db.Declarations(ctx, study.Name)
	if err != nil {
		return nil, err
	}
	if len(recorded) == 0 {
		d, err := inferred(study, runs)
		return []Declaration{d}, err
	}
	list := make([]Declaration, len(recorded))
	for i, r := range recorded {
		content, err := readDeclaration(r)
		if err != nil {
			return nil, err
		}
		d := Declaration{Declaration: content, Number: r.Number, SHA256: r.SHA256, Commit: r.Commit, Reason: r.Reason,
			Declared: r.Declared, Frozen: r.Frozen, Known: r.Known, Recorded: true, text: r.Text}
		twins, err := db.TrainedBefore(ctx, study.Name, d.Declared)
		if err != nil {
			return nil, err
		}
		d.look(runs, twins)
		list[i] = d
	}
	return list, nil
}

func readDeclaration(r store.Declaration) (experiments.Declaration, error) {
	content, err := experiments.ReadDeclaration(r.Text)
	if err != nil {
		err = fmt.Errorf("declaration %d of study %q cannot be read: %w", r.Number, r.Study, err)
	}
	return content, err
}

// look finds by the times of the runs what had been scored, and what begun, when
// the study was declared: databases may have been merged since. twins are runs
// whose weights were known before.
func (d *Declaration) look(runs []store.Run, twins []string) {
	declared, twin := map[string]bool{}, map[string]bool{}
	for _, t := range d.Trials {
		declared[t.ID] = true
	}
	for _, id := range twins {
		twin[id] = true
	}
	known, begun := 0, 0
	for _, r := range runs {
		switch {
		case !declared[r.ID]:
		case r.State == store.Completed && r.Finished.Before(d.Declared) || twin[r.ID]:
			known++
		case !r.Started.IsZero() && r.Started.Before(d.Declared):
			begun++
		}
	}
	d.Known, d.Begun = max(d.Known, known), begun
}

// inferred is what a study made before declarations were kept had declared: its
// comparison, its resolved file and its runs.
func inferred(study store.Study, runs []store.Run) (Declaration, error) {
	d := Declaration{Declared: study.Created}
	if spec, err := experiments.Parse(study.Name+".yaml", []byte(study.Spec)); err == nil { // else its runs say enough
		if trials, err := spec.Plan(); err == nil {
			d.Declaration = spec.Declare(trials)
		}
	}
	err := d.infer(study, runs)
	return d, err
}

// infer fills in what is told by the study's record and its runs: all but what its file sweeps and sets.
func (d *Declaration) infer(study store.Study, runs []store.Run) error {
	if len(study.Compare) > 0 {
		if err := json.Unmarshal(study.Compare, &d.Compare); err != nil {
			return fmt.Errorf("reading the declared comparison of study %q: %w", study.Name, err)
		}
	}
	d.Seeds, d.Trials = nil, nil
	seen := map[int64]bool{}
	for _, r := range runs {
		d.Trials = append(d.Trials, experiments.DeclaredTrial{ID: r.ID, Arm: r.Arm, Seed: r.Seed, Swept: r.Swept})
		if !seen[r.Seed] {
			seen[r.Seed] = true
			d.Seeds = append(d.Seeds, r.Seed)
		}
		if r.State == store.Completed && (d.Frozen.IsZero() || r.Finished.Before(d.Frozen)) {
			d.Frozen = r.Finished
		}
	}
	if d.Compare.Factors == "" && slices.ContainsFunc(d.Cells(), func(c experiments.Cell) bool { return len(c.Level) > 0 }) {
		d.Compare.Factors = "each" // which is what was asked before there was a choice
	}
	d.SHA256 = d.Declaration.SHA256()
	return nil
}

// record is the declaration as the database keeps it; one that it has is given
// back as it is, whatever later versions would write of it.
func (d Declaration) record() (store.Declaration, error) {
	kept := store.Declaration{
		Number: d.Number, Text: d.text, SHA256: d.SHA256, Commit: d.Commit, Reason: d.Reason, Declared: d.Declared,
	}
	if d.Recorded {
		return kept, nil
	}
	var err error
	kept.SHA256 = d.Declaration.SHA256()
	kept.Text, err = d.JSON()
	return kept, err
}

// A Standing relates a study file to what the database knows of the study.
type Standing struct {
	Now store.Declaration // to be recorded
	// Earlier is what a study made before declarations were kept had declared,
	// to be recorded first; nil otherwise.
	Earlier *store.Declaration
	// Frozen is the declaration that counts, nil where nothing has been scored.
	Frozen *Declaration
	// Differences list how the file differs from the frozen declaration; nil if
	// it agrees with any recorded one.
	Differences []string
	// Amendment is the recorded amendment that the file agrees with, if it does.
	Amendment *Declaration
	// Scored is how many of the trials have been scored before the file was
	// declared, of Trials.
	Scored, Trials int
}

// Stand relates a planned study to the database, which may be nil, and whose runs
// are known. commit is that of the working directory, "" where it is not known.
func Stand(
	ctx context.Context, db *store.DB, study *experiments.Study, trials []experiments.Trial, known []store.Run, commit string,
) (Standing, error) {
	planned := study.Declare(trials)
	now := Declaration{Declaration: planned, Commit: commit, Declared: time.Now()}
	s := Standing{Trials: len(trials), Scored: countScored(trials, known)}
	var recorded *Study
	if db != nil {
		var err error
		if recorded, err = openIfKnown(ctx, db, study.Name); err != nil {
			return s, err
		}
	}
	if !planned.Compare.Compares() && (recorded == nil || !recorded.Declared.Compare.Compares()) {
		return Standing{Trials: len(trials)}, nil // it declares nothing that a score could bend
	}
	var err error
	if recorded == nil || recorded.Declared.Frozen.IsZero() {
		s.Now, err = now.record()
		s.Now.Known = s.Scored
		return s, err
	}
	s.Frozen, s.Scored = &recorded.Declared, recorded.Declared.Known
	if !s.Frozen.Recorded {
		earlier, err := s.Frozen.record()
		if err != nil {
			return s, err
		}
		s.Earlier = &earlier
	}
	if d := recorded.agreeing(planned); d != nil {
		if d.Number > 0 {
			s.Amendment = d
		}
		s.Now, err = d.record()
		return s, err
	}
	s.Differences = s.Frozen.Differences(planned)
	s.Now, err = now.record()
	return s, err
}

// countScored counts the trials that are completed.
func countScored(trials []experiments.Trial, known []store.Run) int {
	completed := map[string]bool{}
	for _, r := range known {
		completed[r.ID] = r.State == store.Completed
	}
	n := 0
	for _, t := range trials {
		if completed[t.ID] {
			n++
		}
	}
	return n
}

// openIfKnown opens a study, nil where the database has none of that name.
func openIfKnown(ctx context.Context, db *store.DB, name string) (*Study, error) {
	studies, err := db.Studies(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range studies {
		if s.Name == name {
			return Open(ctx, db, name)
		}
	}
	return nil, nil
}

// checkDeclarations finds a declaration of a study that cannot be read, or that is not what its hash says, and says what is
// wrong.
func checkDeclarations(ctx context.Context, db *store.DB, study string) (problem string) {
	recorded, err := db.Declarations(ctx, study)
	if err != nil {
		return "" // its rows cannot be read, which the store tells
	}
	for _, r := range recorded {
		content, err := experiments.ReadDeclaration(r.Text)
		switch {
		case err != nil:
			return fmt.Sprintf("its declaration %d cannot be read: %v", r.Number, err)
		case content.SHA256() != r.SHA256:
			return fmt.Sprintf("its declaration %d has sha256 %.12s, but %.12s was recorded",
				r.Number, content.SHA256(), r.SHA256)
		}
	}
	return ""
}
