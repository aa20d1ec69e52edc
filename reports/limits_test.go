package reports

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"glimpse/internal/store"
	"glimpse/results"
)

// many is the result of a search of n finished trials over one parameter, the later the better, and
// as many failed ones.
func many(n int) *result {
	r := &result{evidence: &evidence{Primary: metricOf("test", "cider")}}
	add := func(i int, state string, scores map[string]map[string]float64) {
		swept := map[string]string{"model.dropout": fmt.Sprint(float64(i) / float64(2*n))}
		one := &run{Run: &results.Run{Run: store.Run{ID: fmt.Sprintf("%06d", i), State: state, Swept: swept, Metrics: scores}}}
		a := &arm{Name: one.ID, Label: one.ID, Index: i, Runs: []*run{one}}
		if state == store.Completed {
			a.Scores = scores1(float64(i))
		}
		r.Runs, r.Arms = append(r.Runs, one), append(r.Arms, a)
	}
	for i := range n {
		add(i, store.Completed, map[string]map[string]float64{"test": {"cider": float64(i) / 1e5}})
	}
	for i := range n {
		add(n+i, store.Failed, nil)
	}
	return r
}

func scores1(points float64) scores { return scores{{Seed: 1, Points: points}} }

// A page of a large study stays one that can be opened: tables and figures are bounded, and say of how much
// they are and where the rest is.
func TestPageOfManyTrialsIsBounded(t *testing.T) {
	const n = 3000
	r := many(n)
	runs := r.runTable()
	if len(runs.Rows) != mostRows || runs.Rows[0][0].Text != fmt.Sprintf("%06d", n-mostRows) || !strings.Contains(runs.Caption, "1000 highest-scoring trials of 6000; runs.csv has all") {
		t.Errorf("the table has %d trials from %s on: %s", len(runs.Rows), runs.Rows[0][0].Text, runs.Caption)
	}
	failed := r.failureTable()
	if len(failed.Rows) != mostRows || !strings.Contains(failed.Caption, "the first 1000 of 3000; runs.csv has all") {
		t.Errorf("the table has %d failed trials: %s", len(failed.Rows), failed.Caption)
	}
	if s := r.trialSection(); s.Parts[1].Fold != "1000 of 6000 trials" {
		t.Errorf("it hides behind %q", s.Parts[1].Fold)
	}
	parameters := r.parameters()
	trials := r.searchedTrials(parameters)
	if len(trials) != n {
		t.Fatalf("%d trials", len(trials))
	}
	for _, f := range []figure{r.parallelFigure(parameters, trials), r.effectFigure(1, newEffect(parameters[0], trials), trials)} {
		body, err := f.body()
		check(t, err)
		if marks := strings.Count(body, "<path"); marks < mostMarks || marks > mostMarks+100 {
			t.Errorf("%s has %d marks: %s", f.Name, marks, f.Note)
		}
		if !strings.Contains(f.Note, "spread evenly over the ranking") {
			t.Errorf("%s does not say that it leaves out: %s", f.Name, f.Note)
		}
	}
}

// Nothing is left out of a study of up to a thousand trials.
func TestPageOfAThousandTrialsIsWhole(t *testing.T) {
	r := many(mostRows / 2)
	runs, failed := r.runTable(), r.failureTable()
	if len(runs.Rows) != mostRows || len(failed.Rows) != mostRows/2 || strings.Contains(runs.Caption+failed.Caption, ".csv") {
		t.Errorf("%d trials, %d failed: %s %s", len(runs.Rows), len(failed.Rows), runs.Caption, failed.Caption)
	}
	if most, note := seedLimit(r.Arms); note != "" || most < 1 {
		t.Errorf("%d seeds: %q", most, note)
	}
}

func TestSeedsOfFewArms(t *testing.T) {
	arms := []*arm{{Runs: make([]*run, 1500)}, {Runs: make([]*run, 20)}}
	if most, note := seedLimit(arms); most != mostMarks/2 || !strings.Contains(note, "At most 500 seeds per arm are drawn") {
		t.Errorf("%d seeds: %q", most, note)
	}
}

// Captions are read when they are asked for, kept as long as there is room, and an error is not lost.
func TestCaptionReader(t *testing.T) {
	reads := map[string]int{}
	c := &captionReader{held: map[*run][]store.Caption{}, read: func(r *run) ([]store.Caption, error) {
		reads[r.ID]++
		if r.ID == "damaged" {
			return nil, errors.New("it is damaged")
		}
		return make([]store.Caption, mostHeld/2), nil
	}}
	of := func(id, state string) *run {
		return &run{Run: &results.Run{Run: store.Run{ID: id, State: state}}, said: c}
	}
	a, b, d := of("a", store.Completed), of("b", store.Completed), of("d", store.Completed)
	for _, r := range []*run{a, b, a, d, a, b, of("running", store.Running)} { // b has to go for d
		if got := len(r.captions()); (got > 0) != (r.State == store.Completed) {
			t.Errorf("run %s has %d captions", r.ID, got)
		}
	}
	if reads["a"] != 1 || reads["b"] != 2 || reads["d"] != 1 || reads["running"] != 0 {
		t.Errorf("read were %v", reads)
	}
	of("damaged", store.Completed).captions()
	of("e", store.Completed).captions()
	if c.err == nil || reads["e"] != 0 {
		t.Errorf("after an error: %v, read were %v", c.err, reads)
	}
}
