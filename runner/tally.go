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
	Running   int
	Completed int
	Failed    int
	Mendable  int // of the failed, those that another attempt can mend ([Retryable])
	Pruned    int
	// Left estimates the time until all have ended, 0 where nothing tells.
	Left time.Duration
}

// TallyOf counts runs. Settings that cannot be read are an error.
func TallyOf(runs []store.Run) (Tally, error) {
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
			t.Running++
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
