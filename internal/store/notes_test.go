package store

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// noted are the notes of a study as text: of what they are, and what they say.
func noted(t *testing.T, db *DB, study string) []string {
	t.Helper()
	notes, err := db.Notes(t.Context(), study)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, n := range notes {
		if n.Written.IsZero() {
			t.Errorf("%+v has no time", n)
		}
		texts = append(texts, n.of().String()+" "+n.Kind()+" "+n.Text)
	}
	return texts
}

func save(t *testing.T, db *DB, add, remove []Note) {
	t.Helper()
	if err := db.SaveNotes(t.Context(), add, remove); err != nil {
		t.Fatal(err)
	}
}

func TestNotes(t *testing.T) {
	db, ctx := open(t), t.Context()
	completedRun(t, db, 3, 0, "a dog")
	before := time.UnixMilli(1e12)
	save(t, db, []Note{{Run: "aa00", Text: "odd"}, {Run: "aa00", Tag: true, Text: "best"}, {Study: "s", Tag: true, Text: "paper"},
		{Study: "s", Text: "first try", Written: before}, {Run: "aa01", Tag: true, Text: "paper"}}, nil)
	save(t, db, []Note{{Study: "s", Text: "first try"}}, nil) // which is there
	want := []string{"study s note first try", "study s tag paper", "run aa00 note odd", "run aa00 tag best", "run aa01 tag paper"}
	if got := noted(t, db, "s"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if notes, err := db.Notes(ctx, ""); err != nil || len(notes) != len(want) || !notes[0].Written.Equal(before) {
		t.Errorf("of all: %+v, %v", notes, err)
	}
	runs, err := db.Runs(ctx, "")
	if err != nil || !slices.Equal(runs[0].Tags, []string{"best", "paper"}) || !slices.Equal(runs[1].Tags, []string{"paper"}) {
		t.Errorf("tags %v, %v, %v", runs[0].Tags, runs[1].Tags, err)
	}
	refreshed, err := db.Refresh(ctx, "s", runs)
	if err != nil || !slices.Equal(refreshed[0].Tags, []string{"best", "paper"}) {
		t.Errorf("refreshed: %v, %v", refreshed[0].Tags, err)
	}
	if found := problems(t, db); strings.Contains(found, "hashes") {
		t.Error(found)
	}
	save(t, db, nil, []Note{{Run: "aa00", Tag: true, Text: "best"}, {Study: "s", Text: "first try"}})
	if got, want := noted(t, db, "s"), []string{"study s tag paper", "run aa00 note odd", "run aa01 tag paper"}; !slices.Equal(got, want) {
		t.Errorf("after removal %q, want %q", got, want)
	}
	for _, n := range []Note{{Run: "zz", Text: "x"}, {Study: "t", Text: "x"}} {
		if err := db.SaveNotes(ctx, []Note{n}, nil); !errors.Is(err, ErrNotFound) {
			t.Errorf("%+v: %v", n, err)
		}
	}
	if err := db.SaveNotes(ctx, []Note{{Run: "aa01", Text: "y"}}, []Note{{Run: "aa00", Text: "never"}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("removing what is not there: %v", err)
	}
	if got := noted(t, db, "s"); len(got) != 3 {
		t.Errorf("a refused change left %q", got)
	}
}

func TestNoteCheck(t *testing.T) {
	for _, c := range []struct {
		note Note
		want string
	}{
		{Note{Text: "two lines\nof text"}, ""},
		{Note{Text: " \n"}, "the note is empty"},
		{Note{Text: strings.Repeat("x", 4097)}, "4097 bytes; the limit is 4096"},
		{Note{Text: "a\xff"}, "is not UTF-8"},
		{Note{Tag: true, Text: "müll:v1.2/a_b-c+d"}, ""},
		{Note{Tag: true, Text: ""}, "the tag is empty"},
		{Note{Tag: true, Text: "two words"}, "one word"},
		{Note{Tag: true, Text: "a,b"}, "one word"},
		{Note{Tag: true, Text: "-a"}, "does not start with -"},
		{Note{Tag: true, Text: strings.Repeat("x", 65)}, "65 bytes"},
	} {
		err := c.note.Check()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.note, err, c.want)
		}
	}
}

// TestMergeKeepsNotesOfBoth merges twice: each note is there once, whichever side is further with
// the run.
func TestMergeKeepsNotesOfBoth(t *testing.T) {
	for _, c := range []struct {
		name         string
		ours, theirs string // captions of the completed run, "" where it is not completed
		outcome      string
	}{
		{"same", "a dog", "a dog", MergeSame},
		{"replaced", "", "a dog", MergeReplaced},
		{"kept", "a dog", "", MergeKept},
	} {
		ours, theirs := open(t), open(t)
		for db, words := range map[*DB]string{ours: c.ours, theirs: c.theirs} {
			i := 0
			if words == "" {
				i = 1
			}
			completedRun(t, db, 2, i, "a dog")
		}
		save(t, ours, []Note{{Run: "aa00", Text: "ours"}, {Run: "aa00", Tag: true, Text: "both"}, {Study: "s", Text: "of here"}}, nil)
		save(t, theirs, []Note{{Run: "aa00", Text: "theirs"}, {Run: "aa00", Tag: true, Text: "both"}, {Study: "s", Text: "of there"}}, nil)
		for range 2 {
			merged, err := ours.Merge(t.Context(), theirs.Path(), never)
			if err != nil || merged[0].Outcome != c.outcome && merged[0].Outcome != MergeSame {
				t.Errorf("%s: %+v, %v", c.name, merged, err)
			}
			got := noted(t, ours, "s")
			slices.Sort(got)
			want := []string{"run aa00 note ours", "run aa00 note theirs", "run aa00 tag both", "study s note of here", "study s note of there"}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", c.name, got, want)
			}
			if found := problems(t, ours); strings.Contains(found, "hashes") {
				t.Errorf("%s: %s", c.name, found)
			}
		}
	}
}

// TestMergeTakesNoDamagedNotes leaves notes out that were changed behind the program's back, and
// takes the run.
func TestMergeTakesNoDamagedNotes(t *testing.T) {
	ours, theirs := open(t), open(t)
	completedRun(t, theirs, 1, 0, "a dog")
	save(t, theirs, []Note{{Run: "aa00", Text: "theirs"}}, nil)
	if err := theirs.Close(); err != nil {
		t.Fatal(err)
	}
	statement(t, theirs.Path(), "UPDATE run_notes SET text = 'forged'")
	merged, err := ours.Merge(t.Context(), theirs.Path(), never)
	if err != nil || merged[0].Outcome != MergeAdded {
		t.Errorf("%+v, %v", merged, err)
	}
	if got := noted(t, ours, ""); len(got) > 0 {
		t.Errorf("%q", got)
	}
	if found := problems(t, ours); strings.Contains(found, "hashes") {
		t.Error(found)
	}
}

// TestDamagedNotesAreWrittenAnew holds that damage stays found until all notes were taken away.
func TestDamagedNotesAreWrittenAnew(t *testing.T) {
	db := open(t)
	completedRun(t, db, 1, 0, "a dog")
	save(t, db, []Note{{Run: "aa00", Text: "mine"}}, nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	statement(t, db.Path(), "UPDATE run_notes SET text = 'forged'")
	db, err := Open(db.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	save(t, db, []Note{{Run: "aa00", Text: "another"}}, nil)
	if found := problems(t, db); !strings.Contains(found, "table run_notes: rows no longer match") {
		t.Errorf("the damage is hidden: %s", found)
	}
	save(t, db, []Note{{Run: "aa00", Text: "mine"}}, []Note{{Run: "aa00", Text: "forged"}, {Run: "aa00", Text: "another"}})
	if found := problems(t, db); strings.Contains(found, "hashes") {
		t.Errorf("written anew: %s", found)
	}
}

// TestRewriteNotes makes two notes one, and holds that other studies keep theirs.
func TestRewriteNotes(t *testing.T) {
	db := open(t)
	completedRun(t, db, 1, 0, "a dog")
	if err := db.SaveStudy(t.Context(), Study{Name: "other"}, []Run{{ID: "bb", Settings: json.RawMessage("{}")}}, Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	save(t, db, []Note{{Run: "aa00", Text: "key 1"}, {Run: "aa00", Text: "key 2"}, {Study: "s", Text: "key 3"}, {Study: "other", Text: "key 4"}}, nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	err := Rewrite(t.Context(), db.Path(), []string{"s"}, func(text Text) string {
		if strings.HasPrefix(text.Value, "key") {
			return "[redacted]"
		}
		return text.Value
	})
	if err != nil {
		t.Fatal(err)
	}
	db, err = OpenReadOnly(db.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	want := []string{"study other note key 4", "study s note [redacted]", "run aa00 note [redacted]"}
	if got := noted(t, db, ""); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if found := problems(t, db); strings.Contains(found, "hashes") {
		t.Error(found)
	}
}
