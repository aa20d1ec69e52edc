package store

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"glimpse/metrics"
)

// TestEnsembles holds that an ensemble is kept whole, replaces the one before, and is of completed runs of the study alone.
func TestEnsembles(t *testing.T) {
	db, ctx := full(t), t.Context()
	caption := func(image, words string) Caption {
		return Caption{Image: image, Words: words, LogProb: -0.5, Scored: true,
			Score: metrics.ImageScore{ID: image, Length: 2, RefLength: 2, CIDEr: 0.25, Match: [4]int{2, 1}}}
	}
	want := Ensemble{Study: "declared", Cell: "a", Split: "test", Members: []string{"aa00"}, Signature: "sig",
		Metrics: map[string]float64{"cider": 0.25}, Seconds: 1}
	captions := []Caption{caption("a.jpg", "a cat"), caption("b.jpg", "two cats")}
	for _, refused := range []struct {
		name     string
		change   func(*Ensemble)
		captions []Caption
		want     string
	}{
		{"no captions", func(*Ensemble) {}, nil, "it must have captions, all scored"},
		{"unscored", func(*Ensemble) {}, []Caption{{Image: "a.jpg"}}, "it must have captions, all scored"},
		{"a run that failed", func(e *Ensemble) { e.Members = []string{"aa00", "aa01"} }, captions, "aa01 is not a completed run"},
		{"no study", func(e *Ensemble) { e.Study = "nothing" }, captions, "is not a completed run"},
		{"one image twice", func(*Ensemble) {}, []Caption{captions[0], captions[0]}, "caption of a.jpg"},
	} {
		e := want
		refused.change(&e)
		if err := db.SaveEnsemble(ctx, e, refused.captions); err == nil || !strings.Contains(err.Error(), refused.want) {
			t.Errorf("%s: %v, want %q", refused.name, err, refused.want)
		}
	}
	if before, err := db.EnsembleCaptions(ctx, "declared", "a"); err != nil || len(before) != 1 || before[0].Words != "a dog" {
		t.Errorf("what was refused changed what was there: %+v, %v", before, err)
	}
	for range 2 {
		if err := db.SaveEnsemble(ctx, want, captions); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.Ensembles(ctx, "declared")
	if err != nil || len(got) != 1 || got[0].Made.IsZero() || got[0].CaptionsSHA256 != CaptionsSHA256(captions) {
		t.Fatalf("%+v, %v", got, err)
	}
	want.Made, want.CaptionsSHA256 = got[0].Made, got[0].CaptionsSHA256
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("%+v, want %+v", got[0], want)
	}
	if said, err := db.EnsembleCaptions(ctx, "declared", "a"); err != nil || !reflect.DeepEqual(said, captions) {
		t.Errorf("%+v, %v, want %+v", said, err, captions)
	}
	if found := problems(t, db); found != "" {
		t.Errorf("what is found of it: %s", found)
	}
}

// TestMergeTakesEnsembles holds that a merge brings those of cells that have none, and changes no other.
func TestMergeTakesEnsembles(t *testing.T) {
	from, ctx := full(t), t.Context()
	into := open(t)
	for range 2 {
		if _, err := into.Merge(ctx, from.Path(), func(Run) bool { return true }); err != nil {
			t.Fatal(err)
		}
		theirs, _ := from.Ensembles(ctx, "declared")
		ours, err := into.Ensembles(ctx, "declared")
		if err != nil || len(ours) != 1 || !reflect.DeepEqual(ours, theirs) {
			t.Fatalf("%+v, %v, want %+v", ours, err, theirs)
		}
	}
	mine := Ensemble{Study: "declared", Cell: "a", Split: "test", Members: []string{"aa00"}, Metrics: map[string]float64{"cider": 1}}
	if err := into.SaveEnsemble(ctx, mine, []Caption{{Image: "a.jpg", Scored: true}}); err != nil {
		t.Fatal(err)
	}
	_, err := into.Merge(ctx, from.Path(), func(Run) bool { return true })
	if ours, readErr := into.Ensembles(ctx, "declared"); errors.Join(err, readErr) != nil || ours[0].Metrics["cider"] != 1 {
		t.Errorf("after a merge: %+v, %v", ours, errors.Join(err, readErr))
	}
	if found := problems(t, into); found != "" {
		t.Errorf("what is found of it: %s", found)
	}
}
