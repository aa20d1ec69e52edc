package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"glimpse/metrics"
	"glimpse/metrics/meteor"
)

// open makes a database in a folder of its own.
func open(t *testing.T) *DB {
	t.Helper()
	db, err := Open(filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// runs makes n runs with ids aa00, aa01, …
func runs(n int) []Run {
	list := make([]Run, n)
	for i := range list {
		list[i] = Run{
			ID: fmt.Sprintf("aa%02d", i), Arm: "soft", Seed: int64(i), Settings: json.RawMessage(`{"seed":1}`),
			Swept: map[string]string{"model.attention": "soft"},
		}
	}
	return list
}

// claimed saves a study of one run and claims it.
func claimed(t *testing.T, db *DB) Claim {
	t.Helper()
	ctx := context.Background()
	if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(1), Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	run, err := db.Run(ctx, "aa00")
	if err != nil {
		t.Fatal(err)
	}
	claim, err := db.Claim(ctx, run, Owner{Host: "h", PID: 7, Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return claim
}

func TestStudyIsSavedOnceAndRunsAreShared(t *testing.T) {
	db, ctx := open(t), context.Background()
	first := Study{Name: "first", Question: "q", Spec: "study: first", Compare: json.RawMessage(`{"arms":"a"}`)}
	for range 2 {
		if err := db.SaveStudy(ctx, first, runs(3), Declaration{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(2 * time.Millisecond) // studies are ordered by their creation
	if err := db.SaveStudy(ctx, Study{Name: "second; DROP TABLE runs"}, runs(4)[1:], Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	all, err := db.Runs(ctx, "")
	if err != nil || len(all) != 4 {
		t.Fatalf("%d runs, %v; want 4", len(all), err)
	}
	second, err := db.Runs(ctx, "second; DROP TABLE runs")
	if err != nil || len(second) != 3 {
		t.Fatalf("%d runs of the second study, %v; want 3", len(second), err)
	}
	if got := second[0]; got.Study != "second; DROP TABLE runs" || len(got.Studies) != 2 || got.Arm != "soft" || got.State != Queued || got.Swept["model.attention"] != "soft" {
		t.Errorf("shared run is %+v", got)
	}
	if all[1].Study != "first" {
		t.Errorf("without a study a run belongs to the oldest, got %q", all[1].Study)
	}
	// A plan that shrank lets its runs go, and keeps them.
	if err := db.SaveStudy(ctx, first, runs(1), Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	if left, _ := db.Runs(ctx, "first"); len(left) != 1 {
		t.Errorf("%d runs left in the shrunken study, want 1", len(left))
	}
	if all, _ = db.Runs(ctx, ""); len(all) != 4 {
		t.Errorf("%d runs in all after shrinking, want 4", len(all))
	}
	got, err := db.Study(ctx, "first")
	if err != nil || got.Spec != first.Spec || string(got.Compare) != string(first.Compare) {
		t.Errorf("study read back as %+v, %v", got, err)
	}
	if _, err := db.Run(ctx, "first"); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "it is a study; list its runs with `glimpse runs first`") {
		t.Errorf("a study as a run: %v", err)
	}
	if _, err = db.Study(ctx, "third"); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "first") {
		t.Errorf("unknown study: %v", err)
	}
}

// TestUnknownStudy checks that the error lists the studies that there are.
func TestUnknownStudy(t *testing.T) {
	db, ctx := open(t), context.Background()
	for _, c := range []struct{ save, want string }{
		{"", ": it has no studies yet"},
		{"first", ": its only study is first"},
		{"second", ": its studies are first, second"},
	} {
		if c.save != "" {
			study := Study{Name: c.save, Created: time.UnixMilli(int64(len(c.save)))}
			if err := db.SaveStudy(ctx, study, nil, Declaration{}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Study(ctx, "third"); !errors.Is(err, ErrNotFound) || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestRunByPrefix(t *testing.T) {
	db, ctx := open(t), context.Background()
	list := append(runs(12), Run{ID: "aa", Settings: json.RawMessage(`{}`)}, Run{ID: "b%_x", Settings: json.RawMessage(`{}`)})
	if err := db.SaveStudy(ctx, Study{Name: "s"}, list, Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]string{"aa11": "aa11", "aa": "aa", "b": "b%_x", "b%": "b%_x"} {
		if run, err := db.Run(ctx, prefix); err != nil || run.ID != want {
			t.Errorf("%q is %q, %v; want %q", prefix, run.ID, err, want)
		}
	}
	for _, prefix := range []string{"", "%", "c", "aa000"} {
		if _, err := db.Run(ctx, prefix); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v, want ErrNotFound", prefix, err)
		}
	}
	_, err := db.Run(ctx, "aa0")
	var ambiguous *AmbiguousError
	if !errors.As(err, &ambiguous) || ambiguous.Total != 10 || !strings.Contains(err.Error(), "aa03") {
		t.Errorf("ambiguous prefix: %v", err)
	}
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	if err := db.Start(ctx, claim, Start{Parameters: 12, Signature: "sig", Environment: json.RawMessage(`{"host":"h"}`)}); err != nil {
		t.Fatal(err)
	}
	epochs := []Epoch{
		{Epoch: 1, Loss: math.Inf(1), Val: map[string]float64{"cider": math.NaN(), "bleu4": 0.1}, LR: 1e-3, Seconds: 2, CaptionsPerSecond: 3},
		{Epoch: 2, Loss: -1, Val: map[string]float64{"cider": 0.2}, Sampled: map[string]float64{"reward": 1, "entropy": math.Inf(1)}},
		{Epoch: 3, Loss: -2, Sampled: map[string]float64{"reward": 2}}, // nothing was validated
		{Epoch: 4, Loss: math.Nextafter(1, 2), LR: math.NaN(), Selected: true},
	}
	for _, e := range epochs {
		checkpoint := Checkpoint{Progress: json.RawMessage(`{"epoch":2}`), Seconds: 4, Epoch: &e, BestEpoch: e.Epoch}
		if err := db.SaveCheckpoint(ctx, claim, checkpoint); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.SaveCheckpoint(ctx, claim, Checkpoint{Epoch: &epochs[0]}); err == nil {
		t.Error("an epoch was recorded twice")
	}
	captions := []Caption{
		{Image: "b.jpg", Words: "a dog", LogProb: math.Inf(-1), Beta: []float64{float64(float32(0.1)), math.Inf(1)}, Entropy: []float64{}},
		{Image: "a.jpg", Words: "", LogProb: -1.0 / 3},
	}
	if err := db.SaveCaptions(ctx, claim, "test", captions); err != nil {
		t.Fatal(err)
	}
	stored, err := db.Captions(ctx, claim.Run, "test")
	if want := []Caption{captions[1], captions[0]}; err != nil || !reflect.DeepEqual(stored, want) {
		t.Fatalf("captions are %+v, %v; want %+v", stored, err, want)
	}
	score := metrics.ImageScore{
		ID: "a.jpg", Match: [4]int{4, 3, 2, 1}, Length: 5, RefLength: 6, RougeL: 0.3, CIDEr: math.NaN(), CIDErD: 0.2, METEOR: 0.1,
		MeteorStats: meteor.Stats{TestLength: 5, Chunks: 2, RefWeight: 0.1},
	}
	result := Result{
		Metrics:   map[string]map[string]float64{"test": {"bleu1": 1.0 / 3, "cider": math.NaN()}, "val": {"cider": math.Inf(-1)}},
		Scores:    map[string][]metrics.ImageScore{"test": {score, {ID: "b.jpg"}}},
		BestEpoch: 4, Seconds: 5, CaptionsSHA256: "c", WeightsSHA256: "w", Environment: json.RawMessage(`{"host":"h2"}`),
	}
	missing := result
	missing.Scores = map[string][]metrics.ImageScore{"test": {{ID: "c.jpg"}}}
	if err := db.Complete(ctx, claim, missing); err == nil || !strings.Contains(err.Error(), "c.jpg") {
		t.Errorf("scores without a caption: %v", err)
	}
	if err := db.Complete(ctx, claim, result); err != nil {
		t.Fatal(err)
	}
	run, err := db.Run(ctx, claim.Run)
	if err != nil {
		t.Fatal(err)
	}
	if run.Parameters != 12 || run.Signature != "sig" || run.Epochs != 4 || run.BestEpoch != 4 || run.Seconds != 5 ||
		run.CaptionsSHA256 != "c" || run.WeightsSHA256 != "w" || string(run.Environment) != `{"host":"h2"}` || run.Finished.IsZero() {
		t.Errorf("run is %+v", run)
	}
	if m := run.Metrics; m["test"]["bleu1"] != 1.0/3 || !math.IsNaN(m["test"]["cider"]) || !math.IsInf(m["val"]["cider"], -1) {
		t.Errorf("metrics are %v", m)
	}
	got, err := db.Epochs(ctx, claim.Run)
	if err != nil || len(got) != 4 || fmt.Sprint(got) != fmt.Sprint(epochs) || got[2].Val != nil || got[3].Sampled != nil {
		t.Errorf("epochs are %+v, %v; want %+v", got, err, epochs)
	}
	stored, err = db.Captions(ctx, claim.Run, "test")
	if err != nil || !stored[0].Scored || fmt.Sprint(stored[0].Score) != fmt.Sprint(score) {
		t.Errorf("scored caption is %+v, %v", stored[0], err)
	}
	if blank := stored[1]; !blank.Scored || blank.Score != (metrics.ImageScore{ID: "b.jpg", Blank: true}) {
		t.Errorf("scored empty caption is %+v", blank)
	}
	// What was never measured is NULL, and whole rows have the JSON that older databases hold.
	var counts, none any
	query := "SELECT a.meteor_stats, b.meteor_stats FROM captions a JOIN captions b ON a.image = 'a.jpg' AND b.image = 'b.jpg'"
	if err := db.reader.QueryRowContext(ctx, query).Scan(&counts, &none); err != nil || none != nil || unpack("meteor_stats", counts) !=
		`{"test_length":5,"ref_length":0,"test_matches":0,"ref_matches":0,"chunks":2,"test_weight":0,"ref_weight":0.1,"test_match_weight":0,"ref_match_weight":0}` {
		t.Errorf("METEOR's counts are stored as %+v and %+v, %v", counts, none, err)
	}
	if err := db.Check(ctx); err != nil {
		t.Error(err)
	}
	if _, err := db.writer.ExecContext(ctx, `UPDATE captions SET meteor_stats = '{"chunks": "two"}' WHERE image = 'a.jpg'`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Captions(ctx, claim.Run, "test"); err == nil || !strings.Contains(err.Error(), "captions of test: table captions, column meteor_stats, image a.jpg: ") ||
		!strings.Contains(err.Error(), "METEOR's counts: ") {
		t.Errorf("counts that are none: %v", err)
	}
}

func TestRewindForgets(t *testing.T) {
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	save := func(epoch int) {
		t.Helper()
		err := db.SaveCheckpoint(ctx, claim, Checkpoint{
			Progress: json.RawMessage(fmt.Sprintf(`{"epoch":%d}`, epoch)), Seconds: float64(epoch), Epoch: &Epoch{Epoch: epoch}, BestEpoch: epoch,
		})
		if err != nil {
			t.Fatalf("epoch %d: %v", epoch, err)
		}
	}
	for epoch := 1; epoch <= 3; epoch++ {
		save(epoch)
	}
	if err := db.SaveCaptions(ctx, claim, "test", []Caption{{Image: "a.jpg"}}); err != nil {
		t.Fatal(err)
	}
	for _, epoch := range []int{1, 0} {
		to := Checkpoint{Progress: json.RawMessage(fmt.Sprintf(`{"epoch":%d}`, epoch)), Seconds: float64(epoch), BestEpoch: epoch}
		if err := db.Rewind(ctx, claim, epoch, to); err != nil {
			t.Fatal(err)
		}
		run, _ := db.Run(ctx, claim.Run)
		if string(run.Progress) != string(to.Progress) || run.Epochs != epoch || run.BestEpoch != epoch || run.Seconds != to.Seconds || run.State != Running {
			t.Errorf("back at epoch %d the run is %+v", epoch, run)
		}
		if epochs, err := db.Epochs(ctx, claim.Run); err != nil || len(epochs) != epoch {
			t.Errorf("back at epoch %d there are %d, %v", epoch, len(epochs), err)
		}
		if captions, err := db.Captions(ctx, claim.Run, "test"); err != nil || len(captions) != 0 {
			t.Errorf("back at epoch %d: %d captions, %v", epoch, len(captions), err)
		}
		save(epoch + 1)
	}
}
