package results

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// together is a study that asks for ensembles of these seeds.
func together(seeds string) string {
	return fmt.Sprintf(`study: together
sweep: {over: {model.attention: [none, soft], seed: %s}}
compare: {arms: model.attention, baseline: none, ensemble: seeds, primary: {metric: test.cider, minimum_effect: 1}}
`, seeds)
}

// TestEnsembles follows an arm: it waits for its seeds, is due once they are completed, is there, and is stale and due again
// once an amendment adds a seed.
func TestEnsembles(t *testing.T) {
	db, ctx := openTemporary(t), t.Context()
	study, trials := parse(t, together("[1, 2]"))
	begun := func(done func(experiments.Trial) bool) *Study {
		t.Helper()
		save(t, db, store.Study{Name: "together", Spec: together("[1, 2]")}, declare(t, study, trials), runsOf(trials, func(tr experiments.Trial) float64 {
			if done(tr) {
				return 0.5
			}
			return -1
		}))
		s, err := Open(ctx, db, "together")
		check(t, err)
		return s
	}
	expect := func(s *Study, due, waiting string) {
		t.Helper()
		arms, wait, err := s.EnsemblesDue(ctx)
		check(t, err)
		var labels []string
		for _, a := range arms {
			labels = append(labels, a.Label)
		}
		if got := strings.Join(labels, " "); got != due || strings.Join(wait, "; ") != waiting {
			t.Errorf("due %q, waiting %q; want %q, %q", got, wait, due, waiting)
		}
	}
	expect(begun(func(tr experiments.Trial) bool { return tr.Arm == "soft" || tr.Settings.Seed == 1 }), "soft", "none: 1 of 2 seeds are completed")
	s := begun(func(experiments.Trial) bool { return true })
	expect(s, "none soft", "")
	if _, err := s.EnsembleOf(ctx, "soft"); err == nil || !strings.Contains(err.Error(), "has no ensembles") {
		t.Errorf("before there are any: %v", err)
	}

	arm := s.ArmsOf(s.Declared)[1]
	captions := captionsAround(0.6, 1)
	for i := range captions {
		captions[i].Scored = true
	}
	check(t, db.SaveEnsemble(ctx, store.Ensemble{Study: "together", Cell: arm.Name, Split: "test", Members: completedOf(arm),
		Metrics: map[string]float64{"cider": 0.7}}, captions))
	expect(s, "none", "")
	one, err := s.EnsembleOf(ctx, "soft")
	check(t, err)
	mean := 0.0
	for _, r := range arm.Runs {
		mean += r.Metrics["test"]["cider"] / 2
	}
	if one.Stale || len(one.Seeds) != 2 || math.Abs(one.Mean-mean) > 1e-12 || !(0.6 < one.Low && one.Low < one.High && one.High < 1) {
		t.Errorf("%+v, mean of the seeds %v", one, mean)
	}
	if _, err := s.EnsembleOf(ctx, "none"); err == nil || !strings.Contains(err.Error(), "its arms are soft") {
		t.Errorf("an arm that has none: %v", err)
	}

	// Without one of its runs, the mean of its seeds is not known.
	s.Runs = slices.DeleteFunc(slices.Clone(s.Runs), func(r *Run) bool { return r.ID == one.Members[1] })
	if without, err := s.EnsembleOf(ctx, "soft"); err != nil || !without.Stale || len(without.Seeds) != 1 || !math.IsNaN(without.Mean) {
		t.Errorf("without a member: %+v, %v", without, err)
	}
	s = open(t, db, "together")

	// No verdict changes by it: the analysis is that of the runs.
	analysis, err := s.Analyse(ctx, s.Declared, Options{})
	check(t, err)
	if n := len(analysis.Stats.Arms); n != 2 || analysis.Contrasts[0].Result.NB != 2 {
		t.Errorf("%d arms, %+v", n, analysis.Contrasts[0].Result)
	}

	more, trials := parse(t, together("[1, 2, 3]"))
	amended := declare(t, more, trials)
	amended.Reason = "another seed"
	save(t, db, store.Study{Name: "together"}, amended, runsOf(trials, func(experiments.Trial) float64 { return 0.5 }))
	s, err = Open(ctx, db, "together")
	check(t, err)
	expect(s, "none soft", "")
	if all, err := s.Ensembles(ctx); err != nil || len(all) != 1 || !all[0].Stale {
		t.Errorf("with another seed: %+v, %v", all, err)
	}
}

// A study that compares nothing can ask for ensembles too: one of all its seeds, or of those of each setting.
func TestEnsemblesWithoutAComparison(t *testing.T) {
	db, ctx := openTemporary(t), t.Context()
	const text = "study: alone\nsweep: {over: {seed: [1, 2]}}\ncompare: {ensemble: seeds}\n"
	study, trials := parse(t, text)
	compare, err := json.Marshal(study.Compare)
	check(t, err)
	spec, err := study.YAML()
	check(t, err)
	save(t, db, store.Study{Name: "alone", Spec: string(spec), Compare: compare}, store.Declaration{}, runsOf(trials, func(experiments.Trial) float64 { return 0.5 }))
	s, err := Open(ctx, db, "alone")
	check(t, err)
	due, waiting, err := s.EnsemblesDue(ctx)
	check(t, err)
	if len(due) != 1 || len(due[0].Runs) != 2 || len(waiting) != 0 {
		t.Fatalf("due %+v, waiting %q", due, waiting)
	}
	captions := captionsAround(0.6, 1)
	for i := range captions {
		captions[i].Scored = true
	}
	check(t, db.SaveEnsemble(ctx, store.Ensemble{Study: "alone", Cell: due[0].Name, Split: "test", Members: completedOf(due[0]),
		Metrics: map[string]float64{"cider": 0.7}}, captions))
	all, err := s.Ensembles(ctx)
	check(t, err)
	if len(all) != 1 || all[0].Label != "alone" || !(0.6 < all[0].Low && all[0].Low < all[0].High && all[0].High < 1) {
		t.Errorf("%+v", all)
	}
}
