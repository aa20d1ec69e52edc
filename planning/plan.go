package planning

import (
	"context"
	"fmt"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics/stats"
	"glimpse/results"
	"glimpse/runner"
)

// Plan is the trials of a study and what they can find out, as `glimpse plan` tells it; as JSON, a contract.
type Plan struct {
	Study     string         `json:"study"`
	Question  string         `json:"question"`
	Trials    []Trial        `json:"trials"`
	Features  []Needed       `json:"features"`
	Completed int            `json:"completed"`
	Failed    int            `json:"failed"`            // for good: `glimpse run` leaves them
	Remaining int            `json:"remaining"`         // left to `glimpse run`
	Search    *Search        `json:"search"`            // null where all trials are known from the start
	Estimate  *term.Number   `json:"estimated_seconds"` // null where no run tells
	Outlook   *stats.Outlook `json:"outlook"`           // null where nothing is compared
	Noise     *results.Noise `json:"noise"`             // null where nothing is compared, or nothing known of it
	// Contrasts are those that p-values will be adjusted over, by label.
	Contrasts []string `json:"contrasts"`
	// Declaration is the hash of what the study declares, "" where it compares nothing.
	Declaration string   `json:"declaration_sha256"`
	Warnings    []string `json:"warnings"`
}

// Search tells how far a search has come: its other trials follow from the results of these.
type Search struct {
	Samples  int `json:"samples"`
	Proposed int `json:"proposed"`
}

// Trial is a trial of a plan.
type Trial struct {
	ID         string               `json:"id"`
	Arm        string               `json:"arm"`
	Label      string               `json:"label"` // what tells it from other arms and settings
	Seed       int64                `json:"seed"`
	Swept      map[string]string    `json:"swept"`
	Parameters int64                `json:"parameters"`
	State      string               `json:"state"` // of the run; queued where there is none
	Settings   experiments.Settings `json:"settings"`
}

// NewPlan looks at a study as it stands to the results database, which may be nil. jobs is how many trials run at a time.
func (sets *Sets) NewPlan(ctx context.Context, db *store.DB, study *experiments.Study, found Planned, jobs int) (*Plan, error) {
	states := make(map[string]string, len(found.Known))
	lost := map[string]bool{} // failed, and left by `glimpse run`
	for _, run := range found.Known {
		states[run.ID] = run.State
		lost[run.ID] = run.State == store.Failed && !runner.Retryable(run.Failure)
	}
	p := &Plan{
		Study: study.Name, Question: study.Question, Trials: []Trial{}, Contrasts: []string{},
		Declaration: found.Standing.Now.SHA256,
	}
	if about := results.Describe(found.Foreign, dbName(db)); about != "" {
		p.Warnings = append(p.Warnings, about)
	}
	p.Warnings = append(append(p.Warnings, found.Standing.Warnings()...), study.Warnings()...)
	labels := study.Labels(found.Trials)
	var err error
	if p.Features, err = sets.Needed(found.Trials); err != nil {
		return nil, err
	}
	due, err := results.Due(ctx, db, study, found.Trials)
	if err != nil {
		return nil, err
	}
	isDue := map[string]bool{}
	for _, trial := range due {
		isDue[trial.ID] = true
	}
	for _, trial := range found.Trials {
		state := states[trial.ID]
		if state == "" {
			state = store.Queued
		}
		switch {
		case state == store.Completed:
			p.Completed++
		case lost[trial.ID]:
			p.Failed++
		case state == store.Pruned && study.Sweep.Prune.Active():
		case isDue[trial.ID]:
			p.Remaining++
		}
		p.Trials = append(p.Trials, Trial{
			ID: trial.ID, Arm: trial.Arm, Label: labels[trial.ID], Seed: trial.Settings.Seed, Swept: trial.Swept,
			Parameters: trial.Parameters, State: state, Settings: trial.Settings,
		})
	}
	if study.Searches() {
		p.Search = &Search{Samples: study.Sweep.Samples, Proposed: study.Proposed()}
	}
	if left, ok := runner.Estimate(due, found.Known, jobs); ok && p.Remaining > 0 {
		seconds := term.Number(left.Seconds())
		p.Estimate = &seconds
	}
	if !study.Compare.Compares() || len(found.Trials) == 0 {
		return p, nil
	}
	return p, sets.lookAhead(ctx, db, study, found, p)
}

// lookAhead fills in what the study's comparison can find.
func (sets *Sets) lookAhead(ctx context.Context, db *store.DB, study *experiments.Study, found Planned, p *Plan) error {
	primary := results.ParseMetric(study.Compare.Primary.Metric)
	var err error
	// Earlier runs that cannot be read must not prevent planning.
	if p.Noise, err = results.NoiseOf(ctx, db, found.Known, primary, found.Trials); err != nil {
		p.Warnings = append(p.Warnings, err.Error())
	}
	d, err := sets.Load(found.Trials[0].Settings)
	if err != nil {
		return err
	}
	declared := study.Declare(found.Trials)
	for _, c := range declared.Contrasts() {
		p.Contrasts = append(p.Contrasts, c.Label)
	}
	images := len(d.Splits[primary.Split])
	if images < 2 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("the %s split has %s; a comparison needs at least two",
			primary.Split, term.Plural(images, "image")))
		return nil
	}
	p.Outlook, err = results.OutlookOf(declared, images, p.Noise)
	if err == nil && p.Outlook != nil && study.Compare.Stop.Active() {
		p.Warnings = append(p.Warnings, p.Outlook.Warnings...)
	}
	return err
}

// dbName is the path of a database that may not be there.
func dbName(db *store.DB) string {
	if db == nil {
		return ""
	}
	return db.Path()
}
