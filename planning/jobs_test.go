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
	some := min(runtime.GOMAXPROCS(0), 3)
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

// TestThreadsRemark holds that the load is told of and decides nothing.
func TestThreadsRemark(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(6))
	for _, c := range []struct {
		jobs int
		load float64
		want string
	}{
		{1, 0.4, "1 trial at a time, 6 threads each, on 6 processors"},
		{4, 0.4, "4 trials at a time, 1 thread each, on 6 processors"},
		{8, 0.4, "8 trials at a time, 1 thread each, on 6 processors"},
		{6, 1, "6 trials at a time, 1 thread each, on 6 processors; other programs are using them too (load 1.0), so this takes longer"},
		{2, 9.13, "2 trials at a time, 3 threads each, on 6 processors; other programs are using them too (load 9.1), so this takes longer" +
			"; the number of threads is not reduced, because the last digits of results depend on it"},
	} {
		if got := ThreadsRemark(c.jobs, c.load); got != c.want {
			t.Errorf("%d jobs under a load of %g: %s", c.jobs, c.load, got)
		}
	}
}

func TestLoad(t *testing.T) {
	for text, want := range map[string]float64{"8.87 5.31 2.38 8/171 21142\n": 8.87, "0.00 0.01 0.05 1/99 1\n": 0, "": 0, "none": 0} {
		if got := loadIn(text); got != want {
			t.Errorf("%q: a load of %g, want %g", text, got, want)
		}
	}
}
