package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/metrics"
	"glimpse/metrics/audit"
)

func never(Run) bool { return false }

// completedRun plans a study of n runs and completes the i-th with captions.
func completedRun(t *testing.T, db *DB, n, i int, words string) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(db.SaveStudy(ctx, Study{Name: "s", Compare: json.RawMessage(`{"arms":"a"}`)}, runs(n), Declaration{}, nil))
	run, err := db.Run(ctx, runs(n)[i].ID)
	check(err)
	claim, err := db.Claim(ctx, run, Owner{Host: "h"})
	check(err)
	check(db.SaveCheckpoint(ctx, claim, Checkpoint{Epoch: &Epoch{Epoch: 1}, BestEpoch: 1}))
	check(db.SaveCaptions(ctx, claim, "test", []Caption{{Image: "a.jpg", Words: words}}))
	check(db.Complete(ctx, claim, Result{
		Scores: map[string][]metrics.ImageScore{"test": {{ID: "a.jpg"}}}, Metrics: map[string]map[string]float64{"test": {"cider": 1}},
		BestEpoch: 1, CaptionsSHA256: words, WeightsSHA256: "w",
	}))
}

// outcomes are the outcomes of a merge by run or, for studies, name.
func outcomes(merged []Merged) map[string]string {
	by := map[string]string{}
	for _, m := range merged {
		name := m.Run
		if name == "" {
			name = m.Study
		}
		by[name] = m.Outcome
	}
	return by
}

// exported are the files of an export, for comparing databases.
func exportedFiles(t *testing.T, db *DB) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "x")
	if _, err := db.Export(context.Background(), dir, JSONLines); err != nil {
		t.Fatal(err)
	}
	return contents(t, dir)
}

func TestMergeTakesWhatIsFurtherAndIsIdempotent(t *testing.T) {
	ctx := context.Background()
	ours, theirs := open(t), open(t)
	completedRun(t, ours, 3, 0, "same")
	completedRun(t, ours, 3, 2, "ours alone")
	completedRun(t, theirs, 4, 0, "same")
	completedRun(t, theirs, 4, 1, "theirs alone")
	if err := theirs.SaveAudit(ctx, "aa00", []audit.Row{{Split: "test", Protocol: "coco"}}); err != nil {
		t.Fatal(err)
	}
	if err := theirs.SaveReadings(ctx, "aa00", "test", []Reading{{Image: "a.jpg", Other: "b.jpg"}}); err != nil {
		t.Fatal(err)
	}
	// One that runs there: it has a checkpoint, and no process here.
	run, _ := theirs.Run(ctx, "aa03")
	claim, err := theirs.Claim(ctx, run, Owner{Host: "there", PID: 9})
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.SaveCheckpoint(ctx, claim, Checkpoint{Progress: json.RawMessage(`{"last":"x"}`), Epoch: &Epoch{Epoch: 1}, BestEpoch: 1}); err != nil {
		t.Fatal(err)
	}
	before := exportedFiles(t, theirs)
	merged, err := ours.Merge(ctx, theirs.Path(), never)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"aa00": MergeSame, "aa01": MergeReplaced, "aa02": MergeKept, "aa03": MergeAdded, "s": MergeSame}
	for name, got := range outcomes(merged) {
		if got != want[name] {
			t.Errorf("%s: %s, want %s", name, got, want[name])
		}
	}
	list, err := ours.Runs(ctx, "s")
	if err != nil || len(list) != 4 || list[0].State != Completed || list[1].State != Completed || list[2].State != Completed {
		t.Fatalf("runs are %+v, %v", list, err)
	}
	if got := list[3]; got.State != Interrupted || string(got.Progress) != `{"last":"x"}` || got.Epochs != 1 {
		t.Errorf("the run at work there is %+v", got)
	}
	if audit, err := ours.Audit(ctx, "aa00"); err != nil || len(audit) != 1 {
		t.Errorf("audit %+v, %v", audit, err)
	}
	if readings, err := ours.Readings(ctx, "aa00", "test"); err != nil || len(readings) != 1 {
		t.Errorf("readings %+v, %v", readings, err)
	}
	if findings, err := ours.Findings(ctx, nil); err != nil || len(findings.List) > 3 { // these runs were given no signature
		t.Errorf("findings %+v, %v", findings, err)
	}
	once := exportedFiles(t, ours)
	if merged, err = ours.Merge(ctx, theirs.Path(), never); err != nil {
		t.Fatal(err)
	}
	for name, got := range outcomes(merged) {
		if got != MergeSame && got != MergeKept {
			t.Errorf("the second merge did something to %s: %s", name, got)
		}
	}
	for name, text := range exportedFiles(t, ours) {
		if text != once[name] {
			t.Errorf("the second merge changed %s:\n%s\n%s", name, once[name], text)
		}
	}
	for name, text := range exportedFiles(t, theirs) {
		if text != before[name] {
			t.Errorf("the other database's %s was changed", name)
		}
	}
	if _, err := ours.Merge(ctx, ours.Path(), never); err == nil || !strings.Contains(err.Error(), "with itself") {
		t.Errorf("with itself: %v", err)
	}
}

func TestMergeRefusesAnotherResultAndSparesTheLiving(t *testing.T) {
	ctx := context.Background()
	ours, theirs := open(t), open(t)
	completedRun(t, ours, 2, 0, "one")
	completedRun(t, theirs, 2, 0, "another")
	completedRun(t, theirs, 2, 1, "done there")
	run, _ := ours.Run(ctx, "aa01")
	claim, err := ours.Claim(ctx, run, Owner{Host: "here", PID: 7})
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.SaveStudy(ctx, Study{Name: "s", Compare: json.RawMessage(`{"arms":"b"}`)}, runs(2), Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	before := exportedFiles(t, ours)
	merged, err := ours.Merge(ctx, theirs.Path(), never)
	if err != nil {
		t.Fatal(err)
	}
	if got := outcomes(merged); got["aa00"] != MergeConflict || got["aa01"] != MergeBusy || got["s"] != MergeConflict {
		t.Errorf("outcomes are %v", got)
	}
	if !strings.Contains(merged[0].Detail, "one here, another there") || !strings.Contains(merged[1].Detail, "process 7 on here") {
		t.Errorf("details are %+v", merged)
	}
	for name, text := range exportedFiles(t, ours) {
		if text != before[name] {
			t.Errorf("%s was changed:\n%s\n%s", name, before[name], text)
		}
	}
	if _, err := ours.Beat(ctx, claim); err != nil {
		t.Errorf("the claim was lost: %v", err)
	}
	// Its process is gone: the result there counts, and the old holder stays fenced.
	merged, err = ours.Merge(ctx, theirs.Path(), func(r Run) bool { return r.Owner.PID == 7 })
	if err != nil || outcomes(merged)["aa01"] != MergeReplaced {
		t.Errorf("%+v, %v", merged, err)
	}
	if err := ours.Interrupt(ctx, claim); err == nil {
		t.Error("the process that was thought gone overwrote the result")
	}
}

func TestMergeOfOlderSchemaLeavesItAlone(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "old.db")
	all := migrations
	migrations = all[:1]
	old, err := Open(path)
	if err == nil {
		err = errors.Join(planned(old, 1), old.Close())
	}
	migrations = all
	if err != nil {
		t.Fatal(err)
	}
	before := read(t, path)
	db := open(t)
	merged, err := db.Merge(ctx, path, never)
	if err != nil || outcomes(merged)["aa00"] != MergeAdded || outcomes(merged)["s"] != MergeAdded {
		t.Errorf("%+v, %v", merged, err)
	}
	if !bytes.Equal(before, read(t, path)) {
		t.Error("the old file was changed")
	}
}

// TestMergeReport holds that runs and studies are counted apart, and what is a conflict.
func TestMergeReport(t *testing.T) {
	r := NewMergeReport("other.db", []Merged{
		{Study: "s", Outcome: MergeConflict}, {Run: "a", Outcome: MergeAdded}, {Run: "b", Outcome: MergeConflict}, {Run: "c", Outcome: MergeAdded},
	})
	if r.Runs[MergeAdded] != 2 || r.Runs[MergeConflict] != 1 || r.Studies[MergeConflict] != 1 || r.Conflicts() != 2 || len(r.Details) != 4 {
		t.Errorf("%+v", r)
	}
	if empty := NewMergeReport("other.db", nil); empty.Details == nil || empty.Conflicts() != 0 {
		t.Errorf("of nothing: %+v", empty)
	}
}
