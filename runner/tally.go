package runner

import (
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/results"
)

// Tally counts a study's runs by their state in the database, whichever process works on them.
type Tally struct {
	Total     int
	Running   int // with recent heartbeats
	Silent    int // running in the database, but without ([results.SilentSince])
	Completed int
	Failed    int
	Mendable  int // failed, but may succeed if retried ([Retryable])
	Pruned    int
	// Left is the estimated time until all have ended; 0 if unknown.
	Left time.Duration
}

// A Tallier counts the runs of a study repeatedly. The zero value is ready to use.
type Tallier struct {
	trials    map[string]experiments.Trial // by id; settings are parsed only once
	estimator estimator
}

// Tally counts runs by their current state. It returns an error for settings that cannot be
// parsed.
func (c *Tallier) Tally(runs []store.Run, now time.Time) (Tally, error) {
	t := Tally{Total: len(runs)}
	trials := make([]experiments.Trial, len(runs))
	for i, run := range runs {
		var err error
		if trials[i], err = c.trial(run); err != nil {
			return t, err
		}
		switch run.State {
		case store.Running:
			if results.SilentSince(run, now).IsZero() {
				t.Running++
			} else {
				t.Silent++
			}
		case store.Completed:
			t.Completed++
		case store.Failed:
			t.Failed++
			if Retryable(run.Failure) {
				t.Mendable++
			}
		case store.Pruned:
			t.Pruned++
		}
	}
	c.estimator.know(trials, runs)
	if left, ok := c.estimator.remaining(t.Running); ok {
		t.Left = left
	}
	return t, nil
}

// trial returns the trial of a run.
func (c *Tallier) trial(run store.Run) (experiments.Trial, error) {
	trial, known := c.trials[run.ID]
	if known {
		return trial, nil
	}
	settings, err := results.Settings(run)
	if err != nil {
		return trial, err
	}
	if c.trials == nil {
		c.trials = map[string]experiments.Trial{}
	}
	trial = experiments.Trial{ID: run.ID, Arm: run.Arm, Settings: settings}
	c.trials[run.ID] = trial
	return trial, nil
}

// Ended returns how many runs are completed, failed or pruned.
func (t Tally) Ended() int { return t.Completed + t.Failed + t.Pruned }
