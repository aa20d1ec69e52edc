package results

import (
	"context"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics/stats"
)

const usual = `study: usual
sweep: {over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5]}}
compare: {arms: model.attention, baseline: none, primary: {metric: test.cider, minimum_effect: 1}}
`

// better makes soft ten points better than none, with seeds apart.
func better(tr experiments.Trial) float64 {
	level := 0.4 + 0.004*float64(tr.Settings.Seed%5)
	if tr.Arm == "soft" {
		level += 0.1
	}
	return level
}

// open opens a study.
func open(t *testing.T, db *store.DB, name string) *Study {
	t.Helper()
	s, err := Open(context.Background(), db, name)
	check(t, err)
	return s
}

func TestVerdictOfADeclaredStudy(t *testing.T) {
	db := openTemporary(t)
	study, trials := parse(t, usual)
	save(t, db, store.Study{Name: "usual"}, declare(t, study, trials), runsOf(trials, better))
	a, err := open(t, db, "usual").Analyse(t.Context(), open(t, db, "usual").Declared, Options{})
	check(t, err)
	if len(a.Contrasts) != 1 || a.Contrasts[0].Verdict != stats.Supported {
		t.Errorf("contrasts: %+v", a.Contrasts[0])
	}
}

// A study declared over trials that were scored already is exploratory, however clear its numbers.
func TestLateDeclarationIsExploratory(t *testing.T) {
	db := openTemporary(t)
	study, trials := parse(t, usual)
	save(t, db, store.Study{Name: "usual"}, declare(t, study, trials), runsOf(trials, better))
	again, trials := parse(t, strings.Replace(usual, "study: usual", "study: again", 1))
	standing, err := Stand(context.Background(), db, again, trials, runsIn(t, db), "")
	check(t, err)
	if standing.Scored != 10 || len(standing.Warnings()) != 1 || !strings.Contains(standing.Warnings()[0], "10 of 10 trials had been scored") {
		t.Errorf("before it runs: %+v, %q", standing.Scored, standing.Warnings())
	}
	save(t, db, store.Study{Name: "again"}, declare(t, again, trials), runsOf(trials, better))
	s := open(t, db, "again")
	if !s.Declared.Late() || s.Declared.Known != 10 {
		t.Errorf("its declaration knew %d trials", s.Declared.Known)
	}
	a, err := s.Analyse(t.Context(), s.Declared, Options{})
	check(t, err)
	if a.Contrasts[0].Verdict != stats.Exploratory || a.Contrasts[0].Result.Verdict != stats.Supported {
		t.Errorf("the verdict is %s", a.Contrasts[0].Verdict)
	}
}

func TestStandingOfAChangedFile(t *testing.T) {
	ctx := context.Background()
	db := openTemporary(t)
	study, trials := parse(t, usual)
	record := declare(t, study, trials)
	save(t, db, store.Study{Name: "usual"}, record, runsOf(trials, func(experiments.Trial) float64 { return -1 }))
	bent, bentTrials := parse(t, strings.Replace(usual, "minimum_effect: 1", "minimum_effect: 0.1", 1))
	standing, err := Stand(ctx, db, bent, bentTrials, runsIn(t, db), "")
	check(t, err)
	if standing.Frozen != nil || standing.Conflict("usual") != nil {
		t.Error("nothing is scored, and a change is refused")
	}
	save(t, db, store.Study{Name: "usual"}, record, runsOf(trials, better))
	for name, c := range map[string]struct{ from, to, says string }{
		"nothing":       {"", "", ""},
		"a comment":     {"study: usual", "# a remark\nstudy: usual", ""},
		"effect":        {"minimum_effect: 1", "minimum_effect: 0.1", "compare.primary.minimum_effect: 1 was declared, now 0.1"},
		"metric":        {"test.cider", "test.rouge_l", "compare.primary.metric: test.cider was declared, now test.rouge_l"},
		"alpha":         {"minimum_effect: 1", "minimum_effect: 1, alpha: 0.45", "compare.primary.alpha: 0.05 was declared, now 0.45"},
		"more seeds":    {"4, 5]", "4, 5, 6]", "seeds: 6 was added"},
		"another epoch": {"sweep:", "train: {epochs: 3}\nsweep:", "train.epochs"},
		"baseline":      {"baseline: none", "baseline: soft", "compare.baseline"},
	} {
		t.Run(name, func(t *testing.T) {
			changed, trials := parse(t, strings.Replace(usual, c.from, c.to, 1))
			standing, err := Stand(ctx, db, changed, trials, runsIn(t, db), "")
			check(t, err)
			conflict := standing.Conflict("usual")
			switch {
			case c.says == "" && conflict != nil:
				t.Errorf("refused: %v", conflict)
			case c.says != "" && (conflict == nil || !strings.Contains(conflict.Error(), c.says) || !strings.Contains(conflict.Error(), "--amend")):
				t.Errorf("says %v, want %q", conflict, c.says)
			}
		})
	}
}

// What a study made before declarations were kept had declared is what the database has of it.
func TestDeclarationOfAnOlderDatabase(t *testing.T) {
	ctx := context.Background()
	db := openTemporary(t)
	study, trials := parse(t, usual)
	spec, err := study.YAML()
	check(t, err)
	compare := `{"arms":"model.attention","baseline":"none","contrasts":[["soft","none"]],"primary":{"metric":"test.cider","minimum_effect":1,"alpha":0.05},"match_parameters":0}`
	save(t, db, store.Study{Name: "usual", Spec: string(spec), Compare: []byte(compare)}, store.Declaration{}, runsOf(trials, better))
	s := open(t, db, "usual")
	if s.Declared.Recorded || s.Declared.Frozen.IsZero() || len(s.Declared.Trials) != 10 {
		t.Errorf("inferred: recorded %v, frozen %v, %d trials", s.Declared.Recorded, s.Declared.Frozen, len(s.Declared.Trials))
	}
	standing, err := Stand(ctx, db, study, trials, runsIn(t, db), "")
	check(t, err)
	if standing.Earlier == nil || standing.Conflict("usual") != nil {
		t.Errorf("the unchanged file: earlier %v, differences %q", standing.Earlier, standing.Differences)
	}
	bent, trials := parse(t, strings.Replace(usual, "test.cider", "test.rouge_l", 1))
	standing, err = Stand(ctx, db, bent, trials, runsIn(t, db), "")
	check(t, err)
	if standing.Conflict("usual") == nil {
		t.Error("a changed metric is not refused")
	}
}

func TestDueTrials(t *testing.T) {
	ctx := context.Background()
	text := strings.Replace(usual, "4, 5]", "4, 5, 6, 7, 8]", 1)
	text = strings.Replace(text, "minimum_effect: 1}", "minimum_effect: 1}, stop: {looks: [5, 8], futility: 0}", 1)
	study, trials := parse(t, text)
	const none = -1.0
	// unclear is a difference of two points beside seeds that are as far apart.
	unclear := func(tr experiments.Trial) float64 {
		level := 0.4 + 0.02*float64(tr.Settings.Seed%3)
		if tr.Arm == "soft" {
			level += 0.02
		}
		return level
	}
	only := func(level func(experiments.Trial) float64, done func(seed int64) bool) func(experiments.Trial) float64 {
		return func(tr experiments.Trial) float64 {
			if !done(tr.Settings.Seed) {
				return none
			}
			return level(tr)
		}
	}
	for name, c := range map[string]struct {
		level   func(experiments.Trial) float64
		want    int
		seeds   int // of an arm, at the last look
		outcome string
	}{
		"nothing is done": {only(better, func(int64) bool { return false }), 10, 0, "no look yet"},
		"within a look":   {only(better, func(seed int64) bool { return seed < 4 }), 10, 0, "no look yet, next look at 5"},
		"decided":         {only(better, func(seed int64) bool { return seed < 6 }), 10, 5, "supported"},
		"undecided":       {only(unclear, func(seed int64) bool { return seed < 6 }), 16, 5, "undecided, next look at 8"},
		"an untested look": {only(func(tr experiments.Trial) float64 {
			if tr.Arm == "none" {
				return 0.4 // all seeds alike
			}
			return unclear(tr)
		}, func(seed int64) bool { return seed < 6 }), 16, 0, "no look yet, next look at 8"},
		"a seed is missing": {only(unclear, func(seed int64) bool { return seed != 2 }), 10, 0, "no look yet, next look at 5"},
		"all is done":       {unclear, 16, 8, "supported"},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTemporary(t)
			due, err := Due(ctx, db, study, trials)
			check(t, err)
			if len(due) != 10 {
				t.Errorf("of a new study %d trials are due, want 10", len(due))
			}
			save(t, db, store.Study{Name: "usual"}, declare(t, study, trials), runsOf(trials, c.level))
			if due, err = Due(ctx, db, study, trials); err != nil || len(due) != c.want {
				t.Errorf("%d trials are due, want %d (%v)", len(due), c.want, err)
			}
			outcomes, err := OutcomesOf(ctx, db, "usual", study.Declare(trials))
			check(t, err)
			if len(outcomes) != 1 || outcomes[0] != (Outcome{"soft − none", c.seeds, c.outcome}) {
				t.Errorf("outcomes %+v, want %d seeds, %s", outcomes, c.seeds, c.outcome)
			}
		})
	}
}

// A declaration that comes by a merge beside runs that were scored before it is late, whatever was counted when it was recorded.
func TestDeclaredAfterScoresOfAnotherDatabase(t *testing.T) {
	ctx := context.Background()
	study, trials := parse(t, usual)
	there := openTemporary(t) // explored first
	save(t, there, store.Study{Name: "first"}, store.Declaration{}, runsOf(trials, better))
	here := openTemporary(t)
	save(t, here, store.Study{Name: "usual"}, declare(t, study, trials), runsOf(trials, func(experiments.Trial) float64 { return -1 }))
	_, err := here.Merge(ctx, there.Path(), func(store.Run) bool { return true })
	check(t, err)
	s := open(t, here, "usual")
	if s.Declared.Known != 10 || !s.Declared.Late() {
		t.Errorf("%d of its trials are known to have been scored before", s.Declared.Known)
	}
	a, err := s.Analyse(t.Context(), s.Declared, Options{})
	check(t, err)
	if a.Contrasts[0].Verdict != stats.Exploratory {
		t.Errorf("the verdict is %s", a.Contrasts[0].Verdict)
	}
}

// Before all declared trials have ended there are numbers and no verdict, which could else be taken when it pleases.
func TestNoVerdictBeforeTheEnd(t *testing.T) {
	db := openTemporary(t)
	study, trials := parse(t, usual)
	save(t, db, store.Study{Name: "usual"}, declare(t, study, trials), runsOf(trials, func(tr experiments.Trial) float64 {
		if tr.Settings.Seed == 5 {
			return -1
		}
		return better(tr)
	}))
	s := open(t, db, "usual")
	a, err := s.Analyse(t.Context(), s.Declared, Options{})
	check(t, err)
	c := a.Contrasts[0]
	if c.Verdict != stats.Undecided || a.PendingOf(c) != 2 || c.Result.NA != 4 {
		t.Errorf("with 2 of 10 trials to come: %s, %d pending", c.Verdict, a.PendingOf(c))
	}
}

// A setting without effect makes other trials with the same weights: their scores are not new.
func TestKnownWeights(t *testing.T) {
	db := openTemporary(t)
	study, trials := parse(t, usual)
	runs := runsOf(trials, better)
	save(t, db, store.Study{Name: "usual"}, declare(t, study, trials), runs)
	noop, noopTrials := parse(t, strings.Replace(strings.Replace(usual, "usual", "noop", 1), "sweep:", "train: {select: {patience: 9}}\nsweep:", 1))
	save(t, db, store.Study{Name: "noop"}, declare(t, noop, noopTrials), runsOf(noopTrials, better))
	if s := open(t, db, "noop"); s.Declared.Known != 10 {
		t.Errorf("%d of 10 trials have weights that were known", s.Declared.Known)
	}
	if s := open(t, db, "usual"); s.Declared.Known != 0 {
		t.Errorf("of the first study %d", s.Declared.Known)
	}
}

func TestChangedDeclarationIsFound(t *testing.T) {
	ctx := context.Background()
	db := openTemporary(t)
	study, trials := parse(t, usual)
	d := declare(t, study, trials)
	save(t, db, store.Study{Name: "usual"}, d, runsOf(trials, better))
	if wrong := checkDeclarations(ctx, db, "usual"); wrong != "" {
		t.Errorf("a sound one: %s", wrong)
	}
	forged, forgedTrials := parse(t, strings.Replace(strings.Replace(usual, "usual", "forged", 1), "minimum_effect: 1", "minimum_effect: 9", 1))
	text := declare(t, forged, forgedTrials).Text
	save(t, db, store.Study{Name: "forged"}, store.Declaration{Text: text, SHA256: d.SHA256}, runsOf(forgedTrials, better))
	if wrong := checkDeclarations(ctx, db, "forged"); !strings.Contains(wrong, "was recorded") {
		t.Errorf("a forged one: %s", wrong)
	}
}

// runsIn are all runs of a database.
func runsIn(t *testing.T, db *store.DB) []store.Run {
	t.Helper()
	runs, err := db.Runs(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// TestSaneSettings refuses sizes that a database of somebody else's may hold, and takes those of older runs.
func TestSaneSettings(t *testing.T) {
	for settings, want := range map[string]string{
		`{"model": {"hidden": 512, "dropout": 0.5}, "data": {"images": 1000}}`: "",
		`{}`:                                   "",
		`{"model": {"hidden": 1000000000000}}`: "run 3f2a: its settings are not valid: model.hidden is 1000000000000, but must be",
		`{"decode": {"beam": -1}}`:             "decode.beam is -1, but must be",
		`{"data": {"images": 100000000}}`:      "data.images is 100000000, but must be",
		`{"model": {"hidden": "wide"}}`:        "run 3f2a: its settings cannot be read",
	} {
		_, err := SaneSettings(store.Run{ID: "3f2a", Settings: []byte(settings)})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", settings, err, want)
		}
	}
}

// TestUndeclaredContrastOfASequentialStudy: the stopping rule is of the declared contrasts, so another one takes all seeds.
func TestUndeclaredContrastOfASequentialStudy(t *testing.T) {
	db := openTemporary(t)
	study, trials := parse(t, `study: usual
sweep: {over: {model.attention: [none, uniform, soft], seed: [1, 2, 3, 4, 5, 6, 7]}}
compare: {arms: model.attention, baseline: none, contrasts: [[soft, none]], primary: {metric: test.cider, minimum_effect: 1}, stop: {looks: [5, 7]}}
`)
	save(t, db, store.Study{Name: "usual"}, declare(t, study, trials), runsOf(trials, better))
	s := open(t, db, "usual")
	for _, c := range []struct {
		b, a  string
		seeds int
	}{{"soft", "none", 5}, {"uniform", "none", 7}} {
		analysis, contrast, err := s.Compare(t.Context(), c.b, c.a, nil)
		check(t, err)
		r := contrast.Result
		if r.NA != c.seeds || r.NB != c.seeds || (len(r.Looks) > 0) == analysis.Undeclared {
			t.Errorf("%s against %s: %d and %d seeds, looks %v, undeclared %v; want %d seeds", c.b, c.a, r.NB, r.NA, r.Looks, analysis.Undeclared, c.seeds)
		}
	}
}

// TestSharedTrials: the error rate is that of studies that compare; one that only shares trials does not raise it.
func TestSharedTrials(t *testing.T) {
	db := openTemporary(t)
	study, trials := parse(t, usual)
	save(t, db, store.Study{Name: "usual"}, declare(t, study, trials), runsOf(trials, better))
	save(t, db, store.Study{Name: "alone", Spec: "study: alone\n"}, store.Declaration{}, runsOf(trials[:2], better))
	s := open(t, db, "usual")
	others := func() string {
		t.Helper()
		names, err := s.sharing(t.Context(), s.Declared)
		check(t, err)
		return strings.Join(names, " ")
	}
	if got := others(); got != "" {
		t.Errorf("shared with %q, which compares nothing", got)
	}
	save(t, db, store.Study{Name: "again", Spec: strings.Replace(usual, "study: usual", "study: again", 1)}, store.Declaration{}, runsOf(trials, better))
	s = open(t, db, "usual")
	if got := others(); got != "again" {
		t.Errorf("shared with %q, want again", got)
	}
}
