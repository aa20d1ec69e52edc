package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/internal/torch"
	"glimpse/metrics/stats"
	"glimpse/results"
	"glimpse/runner"
)

func planCommand() *cobra.Command {
	var (
		flags  studyFlags
		db     string
		jobs   int
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "plan SPEC",
		Short: "The trials of a study, and what it can find out; trains nothing",
		Long: `Reads a study and its data, and lists the trials: ids, parameter counts
(matched, if the study asks for it), which are done, and the time that is left,
estimated from runs in the database. Says what the comparison can find out with
so many seeds: the smallest p that it can reach, and the effect it can detect
under the noise that completed runs show, of this study or else of the same
data, or that is assumed for CIDEr on Flickr8k; and which of these it is.`,
		Example: `  glimpse plan experiments/demo.yaml
  glimpse plan experiments/flickr8k.yaml --set train.epochs=3 --set seed=1
  glimpse plan experiments/demo.yaml --json | jq -r '.trials[].id'`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			study, err := flags.load(args[0])
			if err != nil {
				return err
			}
			sets := datasets{}
			opened, err := openForPlan(c, db, study)
			if err != nil {
				return err
			}
			if opened != nil {
				defer opened.Close()
			}
			found, err := sets.against(c.Context(), opened, study)
			if err != nil {
				return err
			}
			device, err := torch.ParseDevice("auto")
			if err != nil {
				return err
			}
			p, err := newPlan(c.Context(), opened, study, found, jobsFor(jobs, study, len(found.trials), device), sets)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), p)
			}
			return p.print(c.OutOrStdout())
		},
	}
	flags.add(c)
	addDBFlag(c, &db)
	addJobsFlag(c, &jobs, "trials at a time, for the estimate")
	addJSONFlag(c, &asJSON)
	return c
}

// openForPlan opens the database, nil if there is none yet. A study that searches goes on from its own runs.
func openForPlan(c *cobra.Command, flag string, study *experiments.Study) (*store.DB, error) {
	db, err := store.OpenReadOnly(dbPath(flag))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := continueSearch(c.Context(), db, study); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// plan is what `plan` tells; as JSON, a contract.
type plan struct {
	Study     string         `json:"study"`
	Question  string         `json:"question"`
	Trials    []plannedTrial `json:"trials"`
	Completed int            `json:"completed"`
	Remaining int            `json:"remaining"`
	Search    *plannedSearch `json:"search"`            // null where all trials are known from the start
	Estimate  *term.Number   `json:"estimated_seconds"` // null where no run tells
	Outlook   *stats.Outlook `json:"outlook"`           // null where nothing is compared
	Noise     *results.Noise `json:"noise"`             // null where nothing is compared, or nothing known of it
	// Contrasts are those that p-values will be adjusted over, by label.
	Contrasts []string `json:"contrasts"`
	// Declaration is the hash of what the study declares, "" where it compares nothing.
	Declaration string   `json:"declaration_sha256"`
	Warnings    []string `json:"warnings"`
}

// plannedSearch tells how far a search has come: its other trials follow from the results of these.
type plannedSearch struct {
	Samples  int `json:"samples"`
	Proposed int `json:"proposed"`
}

type plannedTrial struct {
	ID         string               `json:"id"`
	Arm        string               `json:"arm"`
	Label      string               `json:"label"` // what tells it from other arms and settings
	Seed       int64                `json:"seed"`
	Swept      map[string]string    `json:"swept"`
	Parameters int64                `json:"parameters"`
	State      string               `json:"state"` // of the run; queued where there is none
	Settings   experiments.Settings `json:"settings"`
}

func newPlan(
	ctx context.Context, db *store.DB, study *experiments.Study, found planned, jobs int, sets datasets,
) (*plan, error) {
	states := make(map[string]string, len(found.known))
	for _, run := range found.known {
		states[run.ID] = run.State
	}
	p := &plan{
		Study: study.Name, Question: study.Question, Trials: []plannedTrial{}, Contrasts: []string{},
		Declaration: found.standing.Now.SHA256,
	}
	if about := results.Describe(found.foreign, dbName(db)); about != "" {
		p.Warnings = append(p.Warnings, about)
	}
	p.Warnings = append(append(p.Warnings, found.standing.Warnings()...), study.Warnings()...)
	labels := study.Labels(found.trials)
	due, err := results.Due(ctx, db, study, found.trials)
	if err != nil {
		return nil, err
	}
	isDue := map[string]bool{}
	for _, trial := range due {
		isDue[trial.ID] = true
	}
	for _, trial := range found.trials {
		state := states[trial.ID]
		if state == "" {
			state = store.Queued
		}
		switch {
		case state == store.Completed:
			p.Completed++
		case state == store.Pruned && study.Sweep.Prune.Active():
		case isDue[trial.ID]:
			p.Remaining++
		}
		p.Trials = append(p.Trials, plannedTrial{
			ID: trial.ID, Arm: trial.Arm, Label: labels[trial.ID], Seed: trial.Settings.Seed, Swept: trial.Swept,
			Parameters: trial.Parameters, State: state, Settings: trial.Settings,
		})
	}
	if study.Searches() {
		p.Search = &plannedSearch{Samples: study.Sweep.Samples, Proposed: study.Proposed()}
	}
	if left, ok := runner.Estimate(due, found.known, jobs); ok && p.Remaining > 0 {
		seconds := term.Number(left.Seconds())
		p.Estimate = &seconds
	}
	if !study.Compare.Compares() || len(found.trials) == 0 {
		return p, nil
	}
	return p, p.lookAhead(ctx, db, study, found.trials, found.known, sets)
}

// lookAhead fills in what the study's comparison can find.
func (p *plan) lookAhead(
	ctx context.Context, db *store.DB, study *experiments.Study, trials []experiments.Trial, known []store.Run, sets datasets,
) error {
	primary := results.ParseMetric(study.Compare.Primary.Metric)
	var err error
	// Earlier runs that cannot be read must not prevent planning.
	if p.Noise, err = results.NoiseOf(ctx, db, known, primary, trials); err != nil {
		p.Warnings = append(p.Warnings, err.Error())
	}
	d, err := sets.load(trials[0].Settings)
	if err != nil {
		return err
	}
	declared := study.Declare(trials)
	for _, c := range declared.Contrasts() {
		p.Contrasts = append(p.Contrasts, c.Label)
	}
	p.Outlook, err = results.OutlookOf(declared, len(d.Splits[primary.Split]), p.Noise)
	if err == nil && p.Outlook != nil && study.Compare.Stop.Active() {
		p.Warnings = append(p.Warnings, p.Outlook.Warnings...)
	}
	return err
}

// atMost says that a sequential study may end with fewer trials.
func (p *plan) atMost() string {
	if p.Outlook != nil && p.Outlook.Options.Looks != nil {
		return " at most"
	}
	return ""
}

// dbName is the path of a database that may not be there.
func dbName(db *store.DB) string {
	if db == nil {
		return ""
	}
	return db.Path()
}

func (p *plan) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s\n\n", p.Study, p.Question)
	t := &table{}
	t.add("TRIAL", "ARM", "SEED", "HIDDEN", "PARAMETERS", "STATE")
	for _, trial := range p.Trials {
		t.add(trial.ID, trial.Label, strconv.FormatInt(trial.Seed, 10),
			strconv.Itoa(trial.Settings.Model.Hidden), term.Count(trial.Parameters), trial.State)
	}
	if err := t.print(w); err != nil {
		return err
	}
	line := fmt.Sprintf("\n%s%s, %d complete", term.Plural(len(p.Trials), "trial"), p.atMost(), p.Completed)
	if p.Estimate != nil {
		line += fmt.Sprintf(", about %s left", span(float64(*p.Estimate)))
	} else if p.Remaining > 0 {
		line += "; the time will be known once one has run"
	}
	fmt.Fprintln(w, line)
	if p.Search != nil {
		fmt.Fprintf(w, "%d of %d samples are proposed; each batch follows from the results of those before\n", p.Search.Proposed, p.Search.Samples)
	}
	if p.Outlook != nil {
		if err := printOutlook(w, p.Outlook, p.Contrasts, p.Noise); err != nil {
			return err
		}
	}
	for _, warning := range p.Warnings {
		if _, err := fmt.Fprintf(w, "warning: %s\n", warning); err != nil {
			return err
		}
	}
	return nil
}
