package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// dataRun is a run on some data. An empty hash is left out.
type dataRun struct {
	id        string
	name      string // of the data set; "" is flickr8k
	content   string // of the pictures, as planned for
	completed bool
	data      string // field of the signature
	pictures  string // as recorded in the environment
}

// on makes a database with a study s of such runs, which declares something.
func on(t *testing.T, d Declaration, list ...dataRun) *DB {
	t.Helper()
	db, ctx := open(t), context.Background()
	var planned []Run
	for _, r := range list {
		settings := `{"name":"flickr8k","split":"official"}`
		if r.name != "" {
			settings = `{"name":"` + r.name + `","split":"official"}`
		}
		if r.content != "" {
			settings = settings[:len(settings)-1] + `,"content":{"captions":"c","splits":"s","pictures":"` + r.content + `"}}`
		}
		planned = append(planned, Run{ID: r.id, Arm: "soft", Settings: json.RawMessage(`{"data":` + settings + `,"seed":1}`)})
	}
	if err := db.SaveStudy(ctx, Study{Name: "s"}, planned, d, nil); err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if !r.completed {
			continue
		}
		run, err := db.Run(ctx, r.id)
		if err != nil {
			t.Fatal(err)
		}
		claim, err := db.Claim(ctx, run, Owner{Host: "h"})
		if err != nil {
			t.Fatal(err)
		}
		environment := json.RawMessage(`{}`)
		if r.pictures != "" {
			environment = json.RawMessage(`{"hashes":{"pictures":"` + r.pictures + `","features":"f"}}`)
		}
		signature := ""
		if r.data != "" {
			signature = "data=flickr8k/official@" + r.data + " tokenizer=ptb"
		}
		if err := db.Start(ctx, claim, Start{Signature: signature}); err != nil {
			t.Fatal(err)
		}
		if err := db.Complete(ctx, claim, Result{CaptionsSHA256: "c", WeightsSHA256: "w", Environment: environment}); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestMergeKeepsDataApart(t *testing.T) {
	const apart = "; its runs were added, but do not belong to it here: use another database, or rename one of the studies"
	for name, c := range map[string]struct {
		ours, theirs []dataRun
		study        string // outcome
		detail       string
		run          string // outcome of the last of theirs
		members      []string
	}{
		"equal": {
			[]dataRun{{id: "a", content: "p1", completed: true, data: "d1", pictures: "p1"}},
			[]dataRun{{id: "a", content: "p1", completed: true, data: "d1", pictures: "p1"}},
			MergeSame, "", MergeSame, []string{"a"},
		},
		"more of the same": {
			[]dataRun{{id: "a", content: "p1", completed: true}},
			[]dataRun{{id: "b", content: "p1", completed: true}},
			MergeSame, "runs were added to it", MergeAdded, []string{"a", "b"},
		},
		"other content": {
			[]dataRun{{id: "a", content: "p1"}},
			[]dataRun{{id: "b", content: "p2"}},
			MergeConflict, "its data differ there: pictures p1 here, p2 there" + apart, MergeAdded, []string{"a"},
		},
		"other content, recorded alone": {
			[]dataRun{{id: "a", content: "p1"}},
			[]dataRun{{id: "b", completed: true, pictures: "p2"}},
			MergeConflict, "its data differ there: pictures p1 here, p2 there" + apart, MergeAdded, []string{"a"},
		},
		"another signature": {
			[]dataRun{{id: "a", completed: true, data: "d1"}},
			[]dataRun{{id: "b", completed: true, data: "d2"}},
			MergeConflict, "its data differ there: data d1 here, d2 there" + apart, MergeAdded, []string{"a"},
		},
		"two data sets in one study": {
			[]dataRun{{id: "a", content: "p1", completed: true}, {id: "b", name: "coco", content: "p2"}},
			[]dataRun{{id: "c", name: "coco", content: "p2"}},
			MergeSame, "runs were added to it", MergeAdded, []string{"a", "b", "c"},
		},
		"nothing known there": {
			[]dataRun{{id: "a", content: "p1", completed: true, data: "d1"}},
			[]dataRun{{id: "b"}},
			MergeSame, "runs were added to it", MergeAdded, []string{"a", "b"},
		},
		"one run on other pictures": {
			[]dataRun{{id: "a", completed: true, pictures: "p1"}},
			[]dataRun{{id: "a", completed: true, pictures: "p2"}},
			MergeConflict, "its data differ there: pictures p1 here, p2 there" + apart, MergeConflict, []string{"a"},
		},
		"a planned run, done there on other data": {
			[]dataRun{{id: "a", completed: true, data: "d1"}, {id: "b"}},
			[]dataRun{{id: "b", completed: true, data: "d2"}},
			MergeConflict, "its data differ there: data d1 here, d2 there" + apart, MergeConflict, []string{"a", "b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			ours, theirs := on(t, declaring("x", ""), c.ours...), on(t, declaring("x", ""), c.theirs...)
			for round := range 2 {
				merged, err := ours.Merge(ctx, theirs.Path(), never)
				if err != nil {
					t.Fatal(err)
				}
				study, run := merged[len(merged)-1], merged[len(merged)-2]
				if round == 0 && (study.Outcome != c.study || study.Detail != c.detail || run.Outcome != c.run) {
					t.Errorf("study %+v\nrun %+v", study, run)
				}
				if round == 0 && c.run == MergeConflict && !strings.Contains(run.Detail, "different data") {
					t.Errorf("run %+v", run)
				}
				if (study.Outcome == MergeConflict) != (c.study == MergeConflict) {
					t.Errorf("round %d: study %+v", round, study)
				}
			}
			var got []string
			for _, member := range members(t, ours, "s") {
				got = append(got, strings.Fields(member)[0])
			}
			if !slices.Equal(got, c.members) {
				t.Errorf("members %v, want %v", got, c.members)
			}
		})
	}
}

// A run planned here under another study's name is as safe as one under the same.
func TestMergeBringsNoOtherDataIntoAnyStudy(t *testing.T) {
	ctx := context.Background()
	ours := on(t, Declaration{}, dataRun{id: "a", completed: true, data: "d1"}, dataRun{id: "b"})
	theirs := on(t, Declaration{}, dataRun{id: "b", completed: true, data: "d2"})
	statement(t, theirs.Path(), "PRAGMA foreign_keys = OFF; UPDATE studies SET name = 't'; UPDATE study_runs SET study = 't'")
	merged, err := ours.Merge(ctx, theirs.Path(), never)
	if err != nil || merged[0].Outcome != MergeConflict || merged[0].Detail != "study s plans it here on different data than it was trained on there: data d1 here, d2 there" {
		t.Errorf("%+v, %v", merged, err)
	}
	if run, err := ours.Run(ctx, "b"); err != nil || run.State != Queued {
		t.Errorf("%+v, %v", run, err)
	}
}

func TestMergeTakesDeclarations(t *testing.T) {
	a := dataRun{id: "a"}
	done := dataRun{id: "a", completed: true}
	x, y, z := declaring("x", ""), declaring("y", "a slip"), declaring("z", "another")
	for name, c := range map[string]struct {
		ours, theirs       *DB
		moreOurs, moreThem []Declaration
		study, detail      string
		want               []string
	}{
		"a new study": {
			ours:   open(t),
			theirs: on(t, x, done),
			study:  MergeAdded,
			want:   []string{"0 x 0*"},
		},
		"the same": {
			ours:   on(t, x, done),
			theirs: on(t, x, done),
			study:  MergeSame,
			want:   []string{"0 x 0*"},
		},
		"frozen there": {
			ours:   on(t, x, a),
			theirs: on(t, x, done),
			study:  MergeSame,
			want:   []string{"0 x 0*"},
		},
		"frozen here": {
			ours:   on(t, x, done),
			theirs: on(t, x, a),
			study:  MergeSame,
			want:   []string{"0 x 0*"},
		},
		"declared there": {
			ours:   on(t, Declaration{}, a),
			theirs: on(t, x, done),
			study:  MergeSame, detail: "its declaration there was added",
			want: []string{"0 x 0*"},
		},
		"declared here": {
			ours:   on(t, x, a),
			theirs: on(t, Declaration{}, done),
			study:  MergeSame,
			want:   []string{"0 x 0*"},
		},
		"another here": {
			ours:   on(t, x, a),
			theirs: on(t, z, done),
			study:  MergeConflict, detail: "its declaration differs there: sha256 x here, z there",
			want: []string{"0 x 0*"},
		},
		"amended there": {
			ours:     on(t, x, done),
			theirs:   on(t, x, done),
			moreThem: []Declaration{y, z},
			study:    MergeSame, detail: "2 amendments of its declaration were added",
			want: []string{"0 x 0*", "1 y 1*", "2 z 1*"},
		},
		"amended in both": {
			ours:     on(t, x, done),
			theirs:   on(t, x, done),
			moreOurs: []Declaration{z},
			moreThem: []Declaration{y},
			study:    MergeSame, detail: "an amendment of its declaration was added",
			want: []string{"0 x 0*", "1 z 1*", "2 y 1*"},
		},
		"amended as there": {
			ours:     on(t, x, done),
			theirs:   on(t, x, done),
			moreOurs: []Declaration{y},
			moreThem: []Declaration{y},
			study:    MergeSame,
			want:     []string{"0 x 0*", "1 y 1*"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			for db, more := range map[*DB][]Declaration{c.ours: c.moreOurs, c.theirs: c.moreThem} {
				for _, d := range more {
					if err := db.SaveStudy(ctx, Study{Name: "s"}, []Run{{ID: "a", Settings: json.RawMessage(`{}`)}}, d, nil); err != nil {
						t.Fatal(err)
					}
				}
			}
			merged, err := c.ours.Merge(ctx, c.theirs.Path(), never)
			if err != nil {
				t.Fatal(err)
			}
			study := merged[len(merged)-1]
			if study.Outcome != c.study || !strings.HasPrefix(study.Detail, c.detail) || c.detail == "" && study.Detail != "" {
				t.Errorf("study %+v", study)
			}
			once, err := c.ours.Declarations(ctx, "s")
			if err != nil || !slices.Equal(declared(t, c.ours, "s"), c.want) {
				t.Errorf("declared are %v, %v, want %v", declared(t, c.ours, "s"), err, c.want)
			}
			if _, err := c.ours.Merge(ctx, c.theirs.Path(), never); err != nil {
				t.Fatal(err)
			}
			if again, err := c.ours.Declarations(ctx, "s"); err != nil || fmt.Sprint(again) != fmt.Sprint(once) {
				t.Errorf("the second merge changed %v to %v, %v", once, again, err)
			}
			findings, err := c.ours.Findings(ctx, nil)
			for _, f := range findings.List {
				if err != nil || strings.Contains(f.Problem, "declar") {
					t.Errorf("found %+v, %v", f, err)
				}
			}
		})
	}
}

// Of a declaration that both have, the earlier one counts, with all that anybody knew
// when making it, whichever database takes the other.
func TestMergeOfOneDeclarationMadeTwice(t *testing.T) {
	early, late := time.UnixMilli(1000), time.UnixMilli(5000)
	first := Declaration{Number: 0, SHA256: "x", Commit: "first", Declared: early, Known: 1}
	second := Declaration{Number: 0, SHA256: "x", Commit: "second", Declared: late, Known: 2}
	for name, c := range map[string]struct{ ours, theirs Declaration }{
		"earlier here":  {first, second},
		"earlier there": {second, first},
	} {
		for _, frozen := range []string{"nowhere", "here", "there", "both"} {
			t.Run(name+", frozen "+frozen, func(t *testing.T) {
				ctx := context.Background()
				database := func(d Declaration, done bool) *DB {
					db := on(t, declaring("x", ""), dataRun{id: "a", completed: done})
					statement(t, db.Path(), fmt.Sprintf("UPDATE declarations SET commit_id = '%s', declared_ms = %d, known = %d",
						d.Commit, d.Declared.UnixMilli(), d.Known))
					if err := db.write(ctx, func(tx *sql.Tx) error { return theStudy("s").seal(ctx, tx) }); err != nil {
						t.Fatal(err)
					}
					return db
				}
				ours := database(c.ours, frozen == "here" || frozen == "both")
				theirs := database(c.theirs, frozen == "there" || frozen == "both")
				for range 2 {
					if _, err := ours.Merge(ctx, theirs.Path(), never); err != nil {
						t.Fatal(err)
					}
					got, err := ours.Declarations(ctx, "s")
					if err != nil || len(got) != 1 || got[0].Known != 2 || got[0].Commit != "first" || !got[0].Declared.Equal(early) ||
						got[0].Frozen.IsZero() != (frozen == "nowhere") {
						t.Fatalf("%+v, %v", got, err)
					}
				}
			})
		}
	}
}
