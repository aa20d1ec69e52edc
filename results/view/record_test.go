package view

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"glimpse/internal/store"
	"glimpse/metrics"
)

// TestRecord holds what is read of a run that was interrupted and then completed, and the parts of it that are counted.
func TestRecord(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.SaveStudy(ctx, store.Study{Name: "s"}, []store.Run{{ID: "aa00", Arm: "none", Settings: json.RawMessage("{}")}}, store.Declaration{}, nil))
	claim := func() store.Claim {
		run, err := db.Run(ctx, "aa00")
		must(err)
		c, err := db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute})
		must(err)
		return c
	}
	must(db.Interrupt(ctx, claim()))
	c := claim()
	must(db.SaveCheckpoint(ctx, c, store.Checkpoint{Progress: json.RawMessage("{}"), BestEpoch: 1, Epoch: &store.Epoch{Epoch: 1}}))
	must(db.SaveCaptions(ctx, c, "test", []store.Caption{{Image: "1.jpg", Words: "a < b"}, {Image: "2.jpg"}}))
	must(db.Complete(ctx, c, store.Result{BestEpoch: 1, Metrics: map[string]map[string]float64{"test": {"cider": 0.5, "bleu1": 0.25}},
		Scores: map[string][]metrics.ImageScore{"test": {{ID: "1.jpg", CIDEr: 1}, {ID: "2.jpg"}}}}))

	for asked, want := range map[int]int{0: 0, 1: 1, 5: 2, -1: 2} {
		r, err := ReadRecord(ctx, db, "aa", "test", asked)
		if err != nil || len(r.Captions) != want {
			t.Errorf("asked for %d captions: %d, %v, want %d", asked, len(r.Captions), err, want)
		}
	}
	r, err := ReadRecord(ctx, db, "aa", "test", -1)
	must(err)
	if got, want := r.AttemptCounts(), "2: 1 interrupted, 1 completed"; got != want {
		t.Errorf("attempts %q, want %q", got, want)
	}
	if got, want := r.MetricKeys(), []string{"bleu1", "cider"}; !slices.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
	r.Run.Settings = json.RawMessage(`{"data":{"name":"shapes","content":{"captions":"ab12"}},"model":{"hidden":64}}`)
	given := map[string]string{}
	for _, pair := range r.Settings() {
		given[pair[0]] = pair[1]
	}
	for path, want := range map[string]string{"model.hidden": "64", "model.cell": "gru", "data.content.captions": "ab12"} {
		if given[path] != want {
			t.Errorf("setting %s is %q, want %q", path, given[path], want)
		}
	}
	r.Reproduce = "glimpse reproduce aa00"
	text, err := json.Marshal(r.JSON())
	must(err)
	var out struct {
		ID, Reproduce string
		Attempts      []any                 `json:"attempt_records"`
		Epochs        []struct{ Epoch int } `json:"epoch_records"`
		Captions      []struct {
			Image string
			CIDEr *float64
		} `json:"captions"`
	}
	must(json.Unmarshal(text, &out))
	if out.ID != "aa00" || out.Reproduce != r.Reproduce || len(out.Attempts) != 2 || len(out.Epochs) != 1 || len(out.Captions) != 2 || *out.Captions[0].CIDEr != 1 {
		t.Errorf("JSON: %s", text)
	}
	if _, err := ReadRecord(ctx, db, "zz", "test", 0); err == nil {
		t.Error("a run that is not there is read")
	}
}

// What is shown of a run that an earlier version recorded holds no secrets, in whatever form.
func TestRecordHoldsNoSecrets(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.SaveStudy(ctx, store.Study{Name: "s"}, []store.Run{{ID: "aa00", Arm: "none", Settings: json.RawMessage("{}")}}, store.Declaration{}, nil))
	run, err := db.Run(ctx, "aa00")
	must(err)
	claim, err := db.Claim(ctx, run, store.Owner{Host: "h"})
	must(err)
	must(db.Start(ctx, claim, store.Start{Environment: json.RawMessage(`{"changes":{"diff":"diff --git a/x b/x\n+hunter2-pass"},"host":"h"}`)}))
	must(db.Fail(ctx, claim, "error", "no access to http://me:hunter2-pass@host"))
	r, err := ReadRecord(ctx, db, "aa", "test", 0)
	must(err)
	run, err = db.Run(ctx, "aa00")
	must(err)
	list := List{Columns: "id,error"}
	must(list.Parse())
	cells := list.Cells(list.Choose([]store.Run{run}, nil)[0])
	text, err := json.Marshal([]any{r, r.JSON(), NewRun(run), cells})
	must(err)
	if strings.Contains(string(text), "hunter2-pass") || strings.Count(string(text), "http://host") < 5 || !strings.Contains(string(text), `"files":{"x":""}`) {
		t.Errorf("%s", text)
	}
}
