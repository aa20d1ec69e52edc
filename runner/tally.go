package runner

import (
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/results"
)

// Tally counts a study's runs by how they stand in the database, whoever works on them.
type Tally struct {
	Total     int
	Running   int // with a sign of life from whoever works on them
	Silent    int // running by the database, without one ([results.SilentSince])
	Completed int
	Failed    int
	Mendable  int // of the failed, those that another attempt can mend ([Retryable])
	Pruned    int
	// Left estimates the time until all have ended; 0 if nothing tells.
	Left time.Duration
}

// A Tallier counts the runs of a study, again and again. The zero value is ready to use.
type Tallier struct {
	trials    map[string]experiments.Trial // by id, with settings that were read once
	estimator estimator
}

// Tally counts runs as they stand now. Settings that cannot be read are an error.
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

// trial is the one that a run is of.
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

// Ended is how many runs are completed, failed or pruned.
func (t Tally) Ended() int { return t.Completed + t.Failed + t.Pruned }
