package planning

import (
	"context"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/runner"
)

// resume lets a study that searches go on from the results of its trials in the database.
func resume(ctx context.Context, db *store.DB, study *experiments.Study) error {
	if !study.Searches() {
		return nil
	}
	runs, err := db.Runs(ctx, study.Name)
	if err != nil {
		return err
	}
	results := make([]experiments.Result, 0, len(runs))
	for _, run := range runs {
		ended := run.State == store.Completed || run.State == store.Pruned || run.State == store.Failed
		results = append(results, experiments.Result{Swept: run.Swept, Seed: run.Seed, Ended: ended, Value: runner.BestValue(run)})
	}
	study.Continue(results)
	return nil
}
