package runner

import (
	"context"
	"testing"

	"glimpse/experiments"
)

// TestPlanGrows: trials that follow from the results of others are run in the
// same breath, and the study is complete when none follow.
func TestPlanGrows(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1, Jobs: 2}
	asked := 0
	summary, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Next = func(context.Context) ([]experiments.Trial, error) {
			asked++
			for _, run := range b.runs(t) {
				if run.State != "completed" {
					t.Errorf("asked for more while run %s is %s", run.ID, run.State)
				}
			}
			grown := b
			grown.Seeds = min(3, 1+asked)
			return grown.trials(), nil
		}
	})
	if err != nil || summary.Total != 6 || summary.Completed != 6 || summary.Skipped != 0 || asked != 3 {
		t.Errorf("%+v, %v, asked %d times", summary, err, asked)
	}
	if n := len(b.runs(t)); n != 6 {
		t.Errorf("the study has %d runs", n)
	}
}
