package results

import (
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/store"
)

var (
	here  = experiments.Content{Captions: "c1", Splits: "s1", Pictures: "p1"}
	there = experiments.Content{Captions: "c1", Splits: "s1", Pictures: "p2"}
)

// withContent plans a study on data of a content.
func withContent(t *testing.T, content experiments.Content) []experiments.Trial {
	t.Helper()
	study, err := experiments.Parse("study.yaml", []byte(usual))
	check(t, err)
	check(t, study.SetContents(func(experiments.Data) (experiments.Content, error) { return content, nil }))
	trials, err := study.Plan()
	check(t, err)
	return trials
}

func stored(t *testing.T, trials []experiments.Trial, change func(*madeRun)) []store.Run {
	t.Helper()
	db := openTemporary(t)
	runs := runsOf(trials, better)
	for i := range runs {
		change(&runs[i])
	}
	save(t, db, store.Study{Name: "usual"}, store.Declaration{}, runs)
	known, err := db.Runs(t.Context(), "")
	check(t, err)
	return known
}

func TestAdopt(t *testing.T) {
	bare, onHere, onThere := withContent(t, experiments.Content{}), withContent(t, here), withContent(t, there)
	unchanged := func(*madeRun) {}
	for name, c := range map[string]struct {
		known   []store.Run
		adopted bool
		says    string // of foreign runs
	}{
		"the same data":                         {stored(t, onHere, unchanged), false, ""},
		"other pictures":                        {stored(t, onThere, unchanged), false, "pictures p2 against p1"},
		"before data were part of the identity": {stored(t, bare, func(r *madeRun) { r.signature = "data=x/official@1 metrics=1" }), true, ""},
		"of before, other captions":             {stored(t, bare, func(r *madeRun) { r.signature = "data=x/official@2 metrics=1" }), false, "captions and splits x/official@2 against x/official@1"},
		"of before, same features":              {stored(t, bare, func(r *madeRun) { r.environment = `{"hashes":{"features":"f1","encoder_weights":"w"}}` }), true, ""},
		"of before, other pictures":             {stored(t, bare, func(r *madeRun) { r.environment = `{"hashes":{"features":"f2","encoder_weights":"w"}}` }), false, "features of the pictures f2 against f1"},
		"of before, hashed":                     {stored(t, bare, func(r *madeRun) { r.environment = `{"hashes":{"pictures":"p2"}}` }), false, "pictures p2 against p1"},
	} {
		t.Run(name, func(t *testing.T) {
			adopted, foreign, err := Adopt(onHere, c.known, func(experiments.Settings) (Present, error) {
				return Present{Content: here, Data: "data=x/official@1", Features: func(experiments.Settings, string) (string, error) { return "f1", nil }}, nil
			})
			check(t, err)
			want := onHere[0].ID
			if c.adopted {
				want = bare[0].ID
			}
			if adopted[0].ID != want || adopted[0].Settings.ID() != want {
				t.Errorf("the trial is %s, of settings %s, want %s", adopted[0].ID, adopted[0].Settings.ID(), want)
			}
			if about := Describe(foreign, "results.db"); (c.says == "") != (about == "") || !strings.Contains(about, c.says) {
				t.Errorf("says %q, want %q", about, c.says)
			}
		})
	}
}

// An older study of which some runs have not begun is resumed as it is: these go with the runs that have.
func TestAdoptRunsThatHaveNotBegun(t *testing.T) {
	bare, onHere := withContent(t, experiments.Content{}), withContent(t, here)
	known := stored(t, bare, func(r *madeRun) {
		if r.seed > 2 {
			r.captions = nil
		}
	})
	for _, c := range []struct{ data, want string }{{"data=x/official@1", bare[9].ID}, {"data=x/official@2", onHere[9].ID}} {
		adopted, _, err := Adopt(onHere, known, func(experiments.Settings) (Present, error) { return Present{Content: here, Data: c.data}, nil })
		check(t, err)
		if adopted[9].ID != c.want {
			t.Errorf("on %s the last trial is %s, want %s", c.data, adopted[9].ID, c.want)
		}
	}
}

func TestRunsOfOtherDataAreNotCompared(t *testing.T) {
	known := stored(t, append(withContent(t, here)[:1], withContent(t, there)[1:2]...), func(*madeRun) {})
	if err := SameProtocol(known); err == nil || !strings.Contains(err.Error(), "pictures p") || SameData(known[0], known[1]) {
		t.Errorf("runs on other pictures: %v", err)
	}
	older := stored(t, withContent(t, experiments.Content{})[:2], func(r *madeRun) {
		r.environment = `{"hashes":{"features":"of ` + r.arm + `","encoder_weights":"w"}}`
	})
	if err := SameProtocol(older); err == nil || !strings.Contains(err.Error(), "features of the pictures of") {
		t.Errorf("older runs on other pictures: %v", err)
	}
}
