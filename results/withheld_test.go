package results

import (
	"math"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// TestWithheld holds when nobody should look at the test split yet.
func TestWithheld(t *testing.T) {
	sequential := strings.Replace(strings.Replace(usual, "4, 5]", "4, 5, 6, 7, 8]", 1),
		"minimum_effect: 1}", "minimum_effect: 1}, stop: {looks: [5, 8], futility: 0}", 1)
	alike := func(experiments.Trial) float64 { return 0.4 }
	near := func(tr experiments.Trial) float64 {
		level := 0.41 + 0.02*float64(tr.Settings.Seed%3)
		if tr.Arm == "soft" {
			level += 0.02
		}
		return level
	}
	allBut := func(tr experiments.Trial) float64 {
		if tr.Arm == "soft" && tr.Settings.Seed == 3 {
			return -1
		}
		return better(tr)
	}
	for name, c := range map[string]struct {
		text  string
		level func(experiments.Trial) float64
		until int64  // the last seed that is done
		want  string // in the reason, "" for none
	}{
		"nothing is done":        {usual, better, 0, "10 have not"},
		"one seed is to come":    {usual, better, 4, "2 have not"},
		"one trial is to come":   {usual, allBut, 5, "1 has not"},
		"all is done":            {usual, better, 5, ""},
		"before the first look":  {sequential, better, 4, "next look is at 5 seeds per arm."},
		"decided at the first":   {sequential, better, 5, ""},
		"untested at the first":  {sequential, alike, 5, "next look is at 8 seeds per arm."},
		"undecided at the first": {sequential, near, 5, "next look is at 8 seeds per arm. Results of earlier looks are shown."},
		"all is done, and alike": {usual, alike, 5, ""},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTemporary(t)
			study, trials := parse(t, c.text)
			save(t, db, store.Study{Name: "usual"}, declare(t, study, trials), runsOf(trials, func(tr experiments.Trial) float64 {
				if tr.Settings.Seed > c.until {
					return -1
				}
				return c.level(tr)
			}))
			s := open(t, db, "usual")
			a, err := s.Analyse(t.Context(), s.Declared, Options{})
			check(t, err)
			if got := s.Withheld(a); (got == "") != (c.want == "") || !strings.Contains(got, c.want) ||
				strings.Contains(got, "earlier looks") != strings.Contains(c.want, "earlier looks") {
				t.Errorf("withheld: %q, want %q", got, c.want)
			}
			if stop := s.Declared.Compare.Stop.Active(); stop && s.Withheld(nil) == "" {
				t.Error("a sequential study is shown before it is analysed")
			}
		})
	}
}

// TestBest holds that what is not completed, or is no number, is never best.
func TestBest(t *testing.T) {
	run := func(id, state string, cider float64) store.Run {
		return store.Run{ID: id, State: state, Metrics: map[string]map[string]float64{"val": {"cider": cider}}}
	}
	runs := []store.Run{run("nan", store.Completed, math.NaN()), run("pruned", store.Pruned, 0.9), run("failed", store.Failed, 0.8),
		run("low", store.Completed, 0.1), run("high", store.Completed, 0.3), run("infinite", store.Completed, math.Inf(1))}
	m := Metric{"val", "cider"}
	if best := Best(runs, m); best == nil || best.ID != "high" {
		t.Errorf("best: %+v", best)
	}
	if best := Best(runs[:3], m); best != nil {
		t.Errorf("best of none: %+v", best)
	}
}
