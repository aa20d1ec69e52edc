package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// deletable holds study s of aa00 (completed), aa01 and aa02; study t, which declares what it
// compares, of aa01 and bb00 (completed); study u of cc00.
func deletable(t *testing.T) *DB {
	t.Helper()
	db, ctx := open(t), t.Context()
	completedRun(t, db, 3, 0, "a dog")
	other := Run{ID: "bb00", Arm: "none", Seed: 7, Settings: json.RawMessage("{}")}
	err := db.SaveStudy(ctx, Study{Name: "t"}, []Run{runs(2)[1], other}, Declaration{Text: json.RawMessage("{}"), SHA256: "x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	complete(t, db, "bb00")
	if err := db.SaveStudy(ctx, Study{Name: "u"}, []Run{{ID: "cc00", Settings: json.RawMessage("{}")}}, Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	save(t, db, []Note{{Run: "aa00", Text: "odd"}, {Study: "s", Text: "old"}}, nil)
	return db
}

// described is a deletion as text.
func described(d Deletion) string {
	ids := func(runs []Run) (ids []string) {
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		return ids
	}
	return fmt.Sprint(ids(d.Runs), ids(d.Kept), d.Studies, d.Recorded)
}

func TestDelete(t *testing.T) {
	for _, c := range []struct {
		studies, runs []string
		want          string   // runs, kept, studies, recorded
		left          []string // runs
		records       string
	}{
		{nil, []string{"aa02"}, "[aa02] [] [] []", []string{"aa00", "aa01", "bb00", "cc00"}, ""},
		{nil, []string{"aa00"}, "[aa00] [] [] [s]", []string{"aa01", "aa02", "bb00", "cc00"}, "s/aa00/soft/0/a dog"},
		{nil, []string{"aa01"}, "[aa01] [] [] []", []string{"aa00", "aa02", "bb00", "cc00"}, ""},
		{[]string{"s"}, nil, "[aa00 aa02] [aa01] [] [s]", []string{"aa01", "bb00", "cc00"}, "s/aa00/soft/0/a dog"},
		{[]string{"s"}, []string{"aa01"}, "[aa00 aa01 aa02] [] [] [s]", []string{"bb00", "cc00"}, "s/aa00/soft/0/a dog"},
		{[]string{"t"}, nil, "[bb00] [aa01] [] [t]", []string{"aa00", "aa01", "aa02", "cc00"}, "t/bb00/none/7/"},
		{[]string{"s", "t"}, nil, "[aa00 aa01 aa02 bb00] [] [] [s t]", []string{"cc00"}, "s/aa00/soft/0/a dog t/bb00/none/7/"},
		{[]string{"u"}, nil, "[cc00] [] [u] []", []string{"aa00", "aa01", "aa02", "bb00"}, ""},
	} {
		db, ctx := deletable(t), t.Context()
		planned, err := db.Deletion(ctx, c.studies, c.runs)
		if err != nil || described(planned) != c.want {
			t.Errorf("%v %v: %s, %v, want %s", c.studies, c.runs, described(planned), err, c.want)
		}
		done, err := db.Delete(ctx, c.studies, c.runs, never)
		if err != nil || described(done) != c.want {
			t.Errorf("%v %v: %s, %v, want %s", c.studies, c.runs, described(done), err, c.want)
		}
		left, err := db.Members(ctx, "")
		if err != nil || described(Deletion{Runs: left}) != described(Deletion{Runs: idsOf(c.left)}) {
			t.Errorf("%v %v leaves %s, %v", c.studies, c.runs, described(Deletion{Runs: left}), err)
		}
		deleted, err := db.Deletions(ctx, "")
		var records []string
		for _, d := range deleted {
			records = append(records, fmt.Sprintf("%s/%s/%s/%d/%s", d.Study, d.Run, d.Arm, d.Seed, d.CaptionsSHA256))
		}
		if got := strings.Join(records, " "); err != nil || got != c.records {
			t.Errorf("%v %v: records %q, %v, want %q", c.studies, c.runs, got, err, c.records)
		}
		if found := problems(t, db); strings.Contains(found, "hashed") {
			t.Errorf("%v %v: %s", c.studies, c.runs, found)
		}
	}
}

func idsOf(ids []string) (list []Run) {
	for _, id := range ids {
		list = append(list, Run{ID: id})
	}
	return list
}

func TestDeleteRefuses(t *testing.T) {
	db, ctx := deletable(t), t.Context()
	run, err := db.Run(ctx, "aa02")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Claim(ctx, run, Owner{Host: "h", PID: 7}); err != nil {
		t.Fatal(err)
	}
	running := (*RunningError)(nil)
	if _, err := db.Delete(ctx, []string{"s"}, nil, never); !errors.As(err, &running) || running.Run.ID != "aa02" {
		t.Errorf("a run at work: %v", err)
	}
	for _, name := range [][2][]string{{{"nothing"}, nil}, {nil, {"zz"}}} {
		if _, err := db.Delete(ctx, name[0], name[1], never); !errors.Is(err, ErrNotFound) {
			t.Errorf("%v: %v", name, err)
		}
	}
	if left, err := db.Members(ctx, ""); err != nil || len(left) != 5 {
		t.Errorf("%d runs are left, %v", len(left), err)
	}
	if _, err := db.Delete(ctx, []string{"s"}, nil, func(Run) bool { return true }); err != nil {
		t.Errorf("its process has ended: %v", err)
	}
}

// TestDeletedRunsAreKnown trains a run again that was deleted: the declaration that its study had
// counts, and one of another study that it is in is late.
func TestDeletedRunsAreKnown(t *testing.T) {
	db, ctx := deletable(t), t.Context()
	if _, err := db.Delete(ctx, []string{"t"}, nil, never); err != nil {
		t.Fatal(err)
	}
	again := []Run{{ID: "bb00", Arm: "none", Seed: 7, Settings: json.RawMessage("{}")}}
	d := Declaration{Text: json.RawMessage("[]"), SHA256: "y"}
	late := Declaration{Text: json.RawMessage("[1]"), SHA256: "z"}
	if _, err := db.Delete(ctx, []string{"s"}, nil, never); err != nil {
		t.Fatal(err)
	}
	if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(1), late, nil); err != nil {
		t.Fatal(err)
	}
	if declared, err := db.Declarations(ctx, "s"); err != nil || declared[0].Frozen.IsZero() || declared[0].Known != 1 {
		t.Errorf("%+v, %v: scores of the study were known", declared, err)
	}
	frozen := (*FrozenError)(nil)
	if err := db.SaveStudy(ctx, Study{Name: "t"}, again, d, nil); !errors.As(err, &frozen) {
		t.Errorf("another declaration of the study: %v", err)
	}
	if err := db.SaveStudy(ctx, Study{Name: "u"}, again, d, nil); err != nil {
		t.Fatal(err)
	}
	declared, err := db.Declarations(ctx, "u")
	if err != nil || len(declared) != 1 || declared[0].Known != 1 {
		t.Errorf("%+v, %v: the run was known", declared, err)
	}
}

// TestOlderDatabasesHaveNoNotes reads a database of the oldest schema that is read as it lies.
func TestOlderDatabasesHaveNoNotes(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "results.db")
	writer, err := openWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(migrate(ctx, writer, path, readable), planned(&DB{writer: writer}, 2), writer.Close())
	if err != nil {
		t.Fatal(err)
	}
	before := read(t, path)
	db, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	notes, noted := db.Notes(ctx, "")
	deleted, recorded := db.Deletions(ctx, "")
	d, deletable := db.Deletion(ctx, []string{"s"}, nil)
	runs, listed := db.Runs(ctx, "")
	if err := errors.Join(noted, recorded, deletable, listed); err != nil || len(notes)+len(deleted) > 0 || len(d.Runs) != 2 || len(runs) != 2 {
		t.Errorf("%v: %v, %v, %s, %d runs", err, notes, deleted, described(d), len(runs))
	}
	if found := problems(t, db); strings.Contains(found, "notes") || strings.Contains(found, "deletions") {
		t.Error(found)
	}
	ours := open(t)
	if _, err := ours.Merge(ctx, path, never); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(before, read(t, path)) {
		t.Error("the file was changed")
	}
}

// TestMergeTakesDeletions merges twice; the record is there once.
func TestMergeTakesDeletions(t *testing.T) {
	ours, theirs, ctx := deletable(t), deletable(t), t.Context()
	if _, err := theirs.Delete(ctx, nil, []string{"aa00"}, never); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := ours.Merge(ctx, theirs.Path(), never); err != nil {
			t.Fatal(err)
		}
		deleted, err := ours.Deletions(ctx, "s")
		if err != nil || len(deleted) != 1 || deleted[0].Run != "aa00" || deleted[0].Finished.IsZero() {
			t.Errorf("%+v, %v", deleted, err)
		}
		if run, err := ours.Run(ctx, "aa00"); err != nil || !slices.Equal(run.Studies, []string{"s"}) {
			t.Errorf("%v: the run that is here stays", err)
		}
		if found := problems(t, ours); strings.Contains(found, "hashed") {
			t.Error(found)
		}
	}
}
