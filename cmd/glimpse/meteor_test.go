package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics/meteor"
)

// TestMeteorPath holds where METEOR's data are looked for.
func TestMeteorPath(t *testing.T) {
	bench(t, nil)
	dir, err := meteorDir()
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("here")
	if err != nil {
		t.Fatal(err)
	}
	check := func(flag, want string) {
		t.Helper()
		if got, err := meteorPath(flag); got != want || err != nil {
			t.Errorf("--meteor %q: %q, %v, want %q", flag, got, err, want)
		}
	}
	check("", "")
	check("here", here)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	check("", "")
	if err := os.WriteFile(filepath.Join(dir, meteor.PackName), []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	check("", dir)
	check(noMeteor, "")
	if _, err := loadMeteor(""); err == nil || !strings.Contains(err.Error(), "remove that folder and run `glimpse data fetch meteor`") {
		t.Errorf("damaged data: %v", err)
	}
}

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

// TestRunWithoutMeteor holds that a study that goes by METEOR is refused before anything is trained where its data are not.
func TestRunWithoutMeteor(t *testing.T) {
	bench(t, map[string]string{"meteor.yaml": goodSpec + "train: {select: {metric: val.meteor}}\n"})
	code, _, stderr := call("run", "meteor.yaml")
	if code != exitFailed || !strings.Contains(stderr, "study good goes by METEOR, whose data are not there") {
		t.Errorf("exit code %d:\n%s", code, stderr)
	}
}

// TestTrialMeteorIsAsked holds that METEOR is missed wherever a study goes by it, on either split, before anything is trained.
func TestTrialMeteorIsAsked(t *testing.T) {
	bench(t, nil)
	db, err := store.Open("results.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
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
		_, err := trialMeteor(t.Context(), db, study, []experiments.Trial{trial}, noMeteor)
		if refused := err != nil && strings.Contains(err.Error(), "study good goes by METEOR, whose data are not there"); refused != c.asked {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
