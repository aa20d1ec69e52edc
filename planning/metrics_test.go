package planning

import (
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// TestSameMetrics holds that a study is not gone on with under other metrics than it began with.
func TestSameMetrics(t *testing.T) {
	trials := []experiments.Trial{{ID: "aa"}, {ID: "bb"}}
	run := func(id, state, signature string) store.Run {
		return store.Run{ID: id, State: state, Signature: signature}
	}
	for _, c := range []struct {
		name    string
		known   []store.Run
		refused bool
	}{
		{"nothing done", nil, false},
		{"the same", []store.Run{run("aa", store.Completed, "data=x metrics=1")}, false},
		{"other metrics", []store.Run{run("aa", store.Completed, "data=x metrics=1+meteor-1.5")}, true},
		{"all done", []store.Run{run("aa", store.Completed, "metrics=2"), run("bb", store.Completed, "metrics=1")}, false},
		{"not done", []store.Run{run("aa", store.Running, "metrics=2")}, false},
		{"of another study", []store.Run{run("cc", store.Completed, "metrics=2")}, false},
	} {
		if err := sameMetrics(c.known, trials, "1"); (err != nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestMeteorIsAskedFor holds that METEOR is missed wherever a study goes by it, on either split, before anything is trained.
func TestMeteorIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		name, primary, selects string
		asked                  bool
	}{
		{"neither", "test.cider", "val.cider", false},
		{"primary of the test split", "test.meteor", "val.cider", true},
		{"primary of the validation split", "val.meteor", "val.cider", true},
		{"select metric", "", "val.meteor", true},
		{"last epoch", "", "last", false},
	} {
		study, trial := &experiments.Study{Name: "good"}, experiments.Trial{ID: "aa"}
		study.Compare.Primary.Metric, trial.Settings.Train.Select.Metric = c.primary, c.selects
		err := CheckMetrics(nil, study, []experiments.Trial{trial}, nil)
		if refused := err != nil && strings.Contains(err.Error(), "study good uses METEOR, but its data is missing"); refused != c.asked {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
