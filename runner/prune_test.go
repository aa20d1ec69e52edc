package runner

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/store"
)

func TestJudge(t *testing.T) {
	ended := func(best ...float64) peer { return peer{best, true} }
	median := experiments.Prune{Method: "median", MinEpochs: 2, Startup: 3, Factor: 3}
	asha := experiments.Prune{Method: "asha", MinEpochs: 1, Factor: 2}
	for name, c := range map[string]struct {
		rule  experiments.Prune
		own   []float64
		peers []peer
		want  string
	}{
		"below the median":           {median, []float64{0, 1}, []peer{ended(1, 2), ended(1, 3), ended(0, 0.5)}, "median, epoch 2: val.cider is 1, below the median 2 of 3 trials"},
		"at the median":              {median, []float64{0, 2}, []peer{ended(1, 2), ended(1, 3), ended(0, 0.5)}, ""},
		"every trial gets so many":   {median, []float64{0}, []peer{ended(1, 2), ended(1, 3), ended(1, 1)}, ""},
		"too few have ended":         {median, []float64{0, 1}, []peer{ended(1, 2), ended(1, 3), {[]float64{1, 2}, false}}, ""},
		"too few came as far":        {median, []float64{0, 1}, []peer{ended(1, 2), ended(1, 3), ended(1)}, ""},
		"not a number is the worst":  {median, []float64{0, math.Inf(-1)}, []peer{ended(0, 0), ended(0, 0), ended(0, 0)}, "val.cider is -Inf"},
		"asha: the first goes on":    {asha, []float64{0}, nil, ""},
		"asha: the second is worse":  {asha, []float64{0}, []peer{{[]float64{1}, false}}, "asha, epoch 1: val.cider is 0, rank 2 of 2 trials at this rung; 1 of them are promoted"},
		"asha: among the best half":  {asha, []float64{3}, []peer{{[]float64{4}, false}, {[]float64{1}, false}, {[]float64{2}, true}}, ""},
		"asha: between rungs":        {asha, []float64{0, 0, 0}, []peer{ended(1, 1, 1)}, ""},
		"asha: the next rung":        {asha, []float64{0, 0, 0, 0}, []peer{ended(1, 1, 1, 1)}, "asha, epoch 4"},
		"asha: who is not there yet": {asha, []float64{0, 0}, []peer{ended(1)}, ""},
	} {
		if got := judge(c.rule, "val.cider", c.own, c.peers); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := bestSoFar([]map[string]float64{nil, {"cider": 2}, {"cider": math.NaN()}, {"cider": 1}}, "cider"); !math.IsInf(got[0], -1) || got[1] != 2 || got[3] != 2 {
		t.Errorf("best so far is %v", got)
	}
}

// TestPrunedTrials: pruned trials are marked, run again they stay so, the same
// ones are pruned whatever interrupts the study, and a study that does not prune
// goes on with them.
func TestPrunedTrials(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 4, Epochs: 4, Jobs: 1}
	want := reference(t, b)
	prune := func(cfg *Config) {
		cfg.Study = &experiments.Study{Name: "bench"}
		cfg.Study.Sweep.Prune = experiments.Prune{Method: "median", MinEpochs: 1, Startup: 3}
	}
	events := 0
	summary, err := b.run(context.Background(), func(cfg *Config) {
		prune(cfg)
		cfg.Progress = func(e Event) {
			if e.Kind == EventPruned {
				events++
			}
		}
	})
	if err != nil || summary.Pruned == 0 || summary.Pruned+summary.Completed != 8 || events != summary.Pruned {
		t.Fatalf("summary %+v, %v, %d events", summary, err, events)
	}
	states := map[string]string{}
	for _, run := range b.runs(t) {
		states[run.ID] = run.State + run.Error
		if run.State == store.Pruned && (run.Metrics != nil || run.Epochs == 4 || !strings.HasPrefix(run.Error, "median, epoch ")) {
			t.Errorf("pruned run %+v", run)
		}
	}
	if summary, err := b.run(context.Background(), prune); err != nil || summary.Pruned != events || summary.Skipped != 8-events {
		t.Errorf("run again: %+v, %v", summary, err)
	}

	again := bench{Dir: t.TempDir(), Seeds: 4, Epochs: 4, Jobs: 1}
	for round, done := 0, false; !done; round++ {
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		_, err := again.run(ctx, func(cfg *Config) {
			prune(cfg)
			cfg.Progress = func(e Event) {
				if e.Kind == EventEpoch {
					if seen++; seen == 3 && round < 5 {
						cancel()
					}
				}
			}
		})
		cancel()
		done = err == nil
		if err != nil && !errors.Is(err, ErrInterrupted) {
			t.Fatal(err)
		}
	}
	for _, run := range again.runs(t) {
		if got := run.State + run.Error; got != states[run.ID] {
			t.Errorf("interrupted now and then, run %s is %s, want %s", run.ID, got, states[run.ID])
		}
	}

	if summary, err := b.run(context.Background(), nil); err != nil || summary.Completed != 8 {
		t.Fatalf("without the rule: %+v, %v", summary, err)
	}
	same(t, b, want)
}
