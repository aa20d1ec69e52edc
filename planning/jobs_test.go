package planning

import (
	"runtime"
	"testing"

	"glimpse/experiments"
)

func TestJobs(t *testing.T) {
	plain := &experiments.Study{}
	pruning := &experiments.Study{}
	pruning.Sweep.Prune.Method = "median"
	some := min(runtime.NumCPU(), 3)
	if limit := availableMemory() / trialMemory; limit < 3 {
		t.Skipf("this machine has memory for %d trials", limit)
	}
	for _, c := range []struct {
		name   string
		asked  int
		study  *experiments.Study
		trials int
		gpu    bool
		want   int
	}{
		{"asked", 5, pruning, 1, true, 5},
		{"as many as processors and trials", 0, plain, 3, false, some},
		{"no more than trials", 0, plain, 1, false, 1},
		{"none planned yet", 0, plain, 0, false, 1},
		{"on a GPU", 0, plain, 3, true, 1},
		{"where trials are given up", 0, pruning, 3, false, 1},
	} {
		if got := Jobs(c.asked, c.study, c.trials, c.gpu); got != c.want {
			t.Errorf("%s: %d jobs, want %d", c.name, got, c.want)
		}
	}
}
