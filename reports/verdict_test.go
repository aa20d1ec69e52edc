package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"glimpse/internal/store"
	"glimpse/results"
)

// analysed is the result of the usual study with the given trials.
func analysed(t *testing.T, trials []trial) *result {
	t.Helper()
	return analysedFrom(t, usual(t, trials), "attention")
}

func analysedFrom(t *testing.T, db *store.DB, study string) *result {
	t.Helper()
	e, err := gather(context.Background(), db, study)
	check(t, err)
	r, err := analyse(context.Background(), e)
	check(t, err)
	return r
}

// without turns the trials of an arm into queued ones, from a seed on.
func without(trials []trial, arm string, from int64, state string) []trial {
	for i := range trials {
		if trials[i].arm == arm && trials[i].seed >= from {
			trials[i].state = state
		}
	}
	return trials
}

func TestVerdict(t *testing.T) {
	arms := []string{"none", "soft", "adaptive"}
	even := map[string]float64{"none": 0.5, "soft": 0.501, "adaptive": 0.502}
	worse := map[string]float64{"none": 0.6, "soft": 0.5, "adaptive": 0.4}
	for _, test := range []struct {
		name   string
		trials []trial
		word   string
		says   []string
	}{
		{"better", finished(5, levels, arms...), "Supported",
			[]string{"adaptive scores higher than none in CIDEr", "5 seeds each", "95\u00a0% interval", "p\u00a0=\u00a00.024", "Holm over 3 contrasts"}},
		{"worse", finished(5, worse, arms...), "Opposite", []string{"adaptive scores lower than none", "difference −20"}},
		{"no difference", finished(5, even, arms...), "Inconclusive",
			[]string{"cannot be told apart", "The interval includes 0", "below the declared minimum of 1 point", "detects a true difference of"}},
		{"too few seeds for p", finished(3, levels, arms...), "Inconclusive",
			[]string{"scored higher than none", "the study cannot confirm it", "and cannot be: with 3 seeds each the smallest possible p is 0.30"}},
		{"one seed", finished(1, levels, arms...), "No answer yet", []string{"1 seed each", "could be due to the seed"}},
		{"one seed in one arm", without(finished(3, levels, arms...), "adaptive", 2, store.Queued), "No answer yet", []string{"1 and 3 seeds"}},
		{"an arm is missing", without(finished(5, levels, arms...), "adaptive", 1, store.Failed), "No answer yet",
			[]string{"adaptive has no finished trial of 5", "none has"}},
		{"seeds are missing", without(finished(5, levels, arms...), "adaptive", 5, store.Failed), "Supported", []string{"4 and 5 seeds", "Provisional: 14 of 15 trials finished."}},
		{"nothing is finished", []trial{{arm: "none", seed: 1, state: store.Queued}, {arm: "adaptive", seed: 1, state: store.Running}},
			"No answer yet", []string{"None of the 2 trials has finished: 1 running, 1 queued."}},
		{"no trials", nil, "No answer yet", []string{"no trials"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := analysed(t, test.trials).verdict()
			if got.Word != test.word {
				t.Errorf("the verdict is %s, not %s: %s", got.Word, test.word, got.Sentence)
			}
			for _, s := range test.says {
				if !strings.Contains(got.Sentence, s) {
					t.Errorf("the verdict does not say %q: %s", s, got.Sentence)
				}
			}
		})
	}
}

// The last arm of the study against the baseline answers its question, wherever it is declared
// among the contrasts.
func TestHeadline(t *testing.T) {
	for _, contrasts := range []string{
		`["soft","none"],["adaptive","soft"],["adaptive","none"]`,
		`["adaptive","none"],["soft","none"],["adaptive","soft"]`,
	} {
		study := store.Study{Name: "attention", Spec: usualSpec, Compare: json.RawMessage(
			`{"arms":"model.attention","baseline":"none","contrasts":[` + contrasts + `],"primary":{"metric":"test.cider","minimum_effect":1,"alpha":0.05}}`)}
		r := analysedFrom(t, fill(t, study, finished(5, levels, "none", "soft", "adaptive")), "attention")
		if got := r.headline().name(); got != "adaptive − none" {
			t.Errorf("contrasts %s: the headline is %s", contrasts, got)
		}
	}
}

// Table and file count the seeds up to the look that decided a contrast, however many were trained
// for others.
func TestSeedsOfADecidedContrast(t *testing.T) {
	study := store.Study{Name: "attention", Spec: usualSpec, Compare: json.RawMessage(
		strings.Replace(usualCompare, `"primary"`, `"stop":{"looks":[8,10],"spending":"obrien-fleming"},"primary"`, 1))}
	r := analysedFrom(t, fill(t, study, finished(10, levels, "none", "adaptive")), "attention")
	if got := r.Contrasts[0].row()[1].Text; got != "8, 8" {
		t.Errorf("the table counts %s seeds, want 8, 8", got)
	}
	var file strings.Builder
	check(t, r.contrastsCSV()(&file))
	if !strings.Contains(file.String(), "adaptive,none,test,cider,8,8,") {
		t.Errorf("contrasts.csv is %s", file.String())
	}
}

func TestStudyWithoutComparisonIsDescribed(t *testing.T) {
	study := store.Study{Name: "sweep", Spec: "study: sweep", Compare: json.RawMessage(`{"arms":"","contrasts":null}`)}
	trials := finished(2, map[string]float64{"model.hidden=256": 0.5, "model.hidden=512": 0.6}, "model.hidden=256", "model.hidden=512")
	r := analysedFrom(t, fill(t, study, trials), "sweep")
	got := r.verdict()
	for _, s := range []string{"declares no comparison", "hidden=512 with", "The highest of 2 is optimistic"} {
		if got.Word != "Described" || !strings.Contains(got.Sentence, s) {
			t.Errorf("the verdict is %s and does not say %q: %s", got.Word, s, got.Sentence)
		}
	}
	p := newPage(r, nil)
	if p.Question != "Study sweep" {
		t.Errorf("the question is %q", p.Question)
	}
	for _, s := range p.Sections {
		if s.Name == "contrasts" {
			t.Error("there is a section of contrasts")
		}
	}
}

// A study of one arm ranks nothing: its score is told, and what its seeds score together.
func TestStudyOfOneArmIsDescribed(t *testing.T) {
	study := store.Study{Name: "alone", Spec: "study: alone", Compare: json.RawMessage(`{"arms":"","contrasts":null,"ensemble":"seeds"}`)}
	r := analysedFrom(t, fill(t, study, finished(2, map[string]float64{"alone": 0.5}, "alone")), "alone")
	a := r.Arms[0]
	want := fmt.Sprintf("The study declares no comparison. CIDEr on the test split: %s points (×100, 2 seeds)", meanText(a.Mean, a.SD))
	if got := r.verdict().Sentence; got != want+"." {
		t.Errorf("%s, want %s", got, want)
	}
	r.Ensembles = []*results.Ensemble{{Ensemble: store.Ensemble{Metrics: map[string]float64{"cider": 0.663}}}}
	if got := r.verdict().Sentence; got != want+"; the seeds together: 66.3." {
		t.Errorf("with an ensemble: %s", got)
	}
	r.Ensembles[0].Stale = true
	if got := r.verdict().Sentence; got != want+"." {
		t.Errorf("with a stale ensemble: %s", got)
	}
}

func TestContrastsWithinOtherSweptSettings(t *testing.T) {
	var trials []trial
	for _, hidden := range []string{"256", "512"} {
		for _, tr := range finished(2, levels, "none", "adaptive") {
			tr.swept = map[string]string{"model.hidden": hidden}
			trials = append(trials, tr)
		}
	}
	for factors, want := range map[string]string{
		"average": "adaptive − none",
		"each":    "adaptive − none at hidden=256; adaptive − none at hidden=512",
	} {
		compare := strings.Replace(usualCompare, `"primary"`, `"factors":"`+factors+`","primary"`, 1)
		r := analysedFrom(t, fill(t, store.Study{Name: "attention", Spec: usualSpec, Compare: json.RawMessage(compare)}, trials), "attention")
		var names []string
		for _, c := range r.Contrasts {
			names = append(names, c.name())
		}
		if got := strings.Join(names, "; "); got != want {
			t.Errorf("%s: contrasts are %s, not %s", factors, got, want)
		}
	}
}

// Levels that contradict each other depend on the other settings; one that cannot tell contradicts nothing, and one
// that is not done leaves the question open.
func TestVerdictOverLevels(t *testing.T) {
	compare := strings.Replace(usualCompare, `"primary"`, `"factors":"each","primary"`, 1)
	same := map[string]float64{"none": 0.5, "adaptive": 0.5}
	for name, c := range map[string]struct {
		second map[string]float64 // levels at hidden=512; at 256, adaptive is better
		last   string             // state of the last arm's trials at hidden=512
		word   string
		says   string
	}{
		"alike":        {levels, store.Completed, "Supported", "The verdict is the same at each of 2 levels."},
		"cannot tell":  {same, store.Completed, "Answered in part", "has an answer at 1 of 2 levels. That it has none at the others does not mean that they differ"},
		"contradicted": {map[string]float64{"none": 0.535, "adaptive": 0.485}, store.Completed, "Depends", "depends on the other settings."},
		"not done":     {levels, store.Queued, "Not answered yet", "is not decided at all of 2 levels."},
	} {
		t.Run(name, func(t *testing.T) {
			var trials []trial
			for hidden, of := range map[string]map[string]float64{"256": levels, "512": c.second} {
				for _, tr := range finished(5, of, "none", "adaptive") {
					tr.swept = map[string]string{"model.hidden": hidden}
					if hidden == "512" && tr.arm == "adaptive" {
						tr.state = c.last
					}
					trials = append(trials, tr)
				}
			}
			slices.SortStableFunc(trials, func(x, y trial) int { return strings.Compare(x.swept["model.hidden"], y.swept["model.hidden"]) })
			r := analysedFrom(t, fill(t, store.Study{Name: "attention", Spec: usualSpec, Compare: json.RawMessage(compare)}, trials), "attention")
			if v := r.verdict(); v.Word != c.word || !strings.Contains(v.Sentence, c.says) {
				t.Errorf("%s: %s", v.Word, v.Sentence)
			}
		})
	}
}

// A verdict that only the careful test withholds says so.
func TestReasonOfTheCarefulTest(t *testing.T) {
	r := analysed(t, finished(5, levels, "none", "soft", "adaptive"))
	c := r.headline()
	careful := *c.Result
	careful.PCarefulHolm = 0.07
	if text := r.reasons(&contrast{Contrast: &results.Contrast{Result: &careful}, Low: 1, High: 5, Difference: 3}); !strings.HasPrefix(
		text, "One side's seeds spread more than twice as wide as the other's, and the test for that gives p = 0.070.") {
		t.Errorf("the reason is %q", text)
	}
}

// Beside means over all finished seeds, the table says of how many seeds p is.
func TestSeedsOfPInTheScoreTable(t *testing.T) {
	study := store.Study{Name: "attention", Spec: usualSpec, Compare: json.RawMessage(
		strings.Replace(usualCompare, `"primary"`, `"stop":{"looks":[8,10],"spending":"obrien-fleming"},"primary"`, 1))}
	r := analysedFrom(t, fill(t, study, finished(10, levels, "none", "adaptive")), "attention")
	text := string(markdown(newPage(r, nil)))
	for _, want := range []string{"(8 seeds each) | ", "All finished seeds count, also those after the look that decided a contrast."} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}

func TestNotices(t *testing.T) {
	trials := without(finished(5, levels, "none", "soft", "adaptive"), "soft", 4, store.Failed)
	trials = without(trials, "adaptive", 5, store.Interrupted)
	text := strings.Join(analysed(t, trials).Notices, "\n")
	for _, s := range []string{
		"Provisional: 12 of 15 trials finished. Missing: soft seeds 4 and 5 failed and adaptive seed 5 interrupted.",
		"Only 80 images",
		"soft has 3 runs: at least 5 are advised.",
	} {
		if !strings.Contains(text, s) {
			t.Errorf("no notice says %q:\n%s", s, text)
		}
	}
}

// TestDeletedTrialsAndNotes holds that the report tells of trials that were deleted after they had
// been scored, whether they are there again or not, and shows notes and tags without what looks
// like a secret.
func TestDeletedTrialsAndNotes(t *testing.T) {
	ctx, never := t.Context(), func(store.Run) bool { return false }
	trials := finished(2, levels, "none", "adaptive")
	db := usual(t, trials)
	runs, err := db.Runs(ctx, "attention")
	check(t, err)
	check(t, db.SaveNotes(ctx, []store.Note{
		{Study: "attention", Text: "the <first> try"}, {Run: runs[1].ID, Tag: true, Text: "odd"}, {Run: runs[1].ID, Text: "token=hunter2hunter2"},
	}, nil))
	if text := string(markdown(newPage(analysedFrom(t, db, "attention"), nil))); strings.Contains(text, "deleted") {
		t.Errorf("nothing was deleted:\n%s", text)
	}
	_, err = db.Delete(ctx, nil, []string{runs[0].ID}, never)
	check(t, err)
	r := analysedFrom(t, db, "attention")
	at := func(when time.Time) string { return when.UTC().Format("2006-01-02 15:04") }
	want := fmt.Sprintf("1 trial was deleted after scoring, so these scores were known when the rest was run: none seed 1 (%s, scored on %s, deleted on %s).",
		runs[0].ID, at(runs[0].Finished), at(r.Deleted[0].At))
	if text := strings.Join(r.Notices, "\n"); !strings.Contains(text, want) {
		t.Errorf("no notice says %q:\n%s", want, text)
	}
	text := string(markdown(newPage(r, nil)))
	for _, want := range []string{"## Notes and tags", "| the study | ", "the &lt;first&gt; try |", " | odd |  |", `token=\[redacted\]`} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Error("a secret is shown")
	}

	other := usual(t, trials)
	_, err = db.Merge(ctx, other.Path(), never)
	check(t, err)
	r = analysedFrom(t, db, "attention")
	if text := strings.Join(r.Notices, "\n"); !strings.Contains(text, "; trained again, with the same captions)") {
		t.Errorf("the trial is there again:\n%s", text)
	}
}

// TestSilentTrials holds that a trial whose process was killed is told from one that is worked on, wherever its state stands.
func TestSilentTrials(t *testing.T) {
	trials := without(finished(2, levels, "none", "adaptive"), "adaptive", 2, store.Running)
	read := func(after time.Duration) (*result, string) {
		t.Helper()
		e, err := gather(t.Context(), usual(t, trials), "attention")
		check(t, err)
		e.At = e.At.Add(after)
		r, err := analyse(context.Background(), e)
		check(t, err)
		return r, e.Runs[3].Heard.UTC().Format("2006-01-02 15:04 UTC")
	}
	if r, _ := read(0); strings.Contains(string(markdown(newPage(r, nil))), "sign of life") {
		t.Error("a living process gives no sign of life")
	}
	r, heard := read(time.Hour)
	text := strings.Join(r.Notices, "\n") + "\n" + r.states() + "\n" + string(markdown(newPage(r, nil)))
	for _, want := range []string{
		"Missing: adaptive seed 2 running, no sign of life since " + heard + ".",
		"\n1 running, no sign of life since " + heard + "\n",
		"| running, no sign of life since " + heard + " |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}
