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
	// Left estimates the time until all have ended, 0 where nothing tells.
	Left time.Duration
}

// TallyOf counts runs as they stand now. Settings that cannot be read are an error.
func TallyOf(runs []store.Run, now time.Time) (Tally, error) {
	t := Tally{Total: len(runs)}
	trials := make([]experiments.Trial, len(runs))
	for i, run := range runs {
		settings, err := results.Settings(run)
		if err != nil {
			return t, err
		}
		trials[i] = experiments.Trial{ID: run.ID, Arm: run.Arm, Settings: settings}
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
	if left, ok := Estimate(trials, runs, t.Running); ok {
		t.Left = left
	}
	return t, nil
}

// Ended is how many runs are completed, failed or pruned.
func (t Tally) Ended() int { return t.Completed + t.Failed + t.Pruned }
