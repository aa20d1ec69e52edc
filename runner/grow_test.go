package runner

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// TestPlanGrows: trials that follow from the results of others are run in the
// same breath, and the study is complete when none follow.
func TestPlanGrows(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1, Jobs: 2}
	asked := 0
	summary, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Next = func(context.Context) ([]experiments.Trial, error) {
			asked++
			for _, run := range b.runs(t) {
				if run.State != "completed" {
					t.Errorf("asked for more while run %s is %s", run.ID, run.State)
				}
			}
			grown := b
			grown.Seeds = min(3, 1+asked)
			return grown.trials(), nil
		}
	})
	if err != nil || summary.Total != 6 || summary.Completed != 6 || summary.Skipped != 0 || asked != 3 {
		t.Errorf("%+v, %v, asked %d times", summary, err, asked)
	}
	if n := len(b.runs(t)); n != 6 {
		t.Errorf("the study has %d runs", n)
	}
}

// TestLooks: a study that looks at its results now and then declares all of its
// seeds at once, and queues those of a look when the look is due.
func TestLooks(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1, Jobs: 2}
	d := store.Declaration{Text: json.RawMessage(`{"seeds":[1,2,3,4]}`), SHA256: "a"}
	looks, asked := []int{1, 2, 3}, 0
	look := func(cfg *Config) {
		cfg.Declaration = d
		cfg.Progress = func(e Event) {
			if e.Kind != EventStarted {
				return
			}
			for _, run := range b.runs(t) {
				if run.Seed > int64(looks[asked]) {
					t.Errorf("in look %d there is a run of seed %d", asked+1, run.Seed)
				}
			}
		}
		cfg.Next = func(context.Context) ([]experiments.Trial, error) {
			for _, run := range b.runs(t) {
				if run.State != store.Completed {
					t.Errorf("look %d, and run %s is %s", asked+1, run.ID, run.State)
				}
			}
			asked = min(asked+1, len(looks)-1) // the last answer says: no more
			grown := b
			grown.Seeds = looks[asked]
			return grown.trials(), nil
		}
	}
	declarations := func() []store.Declaration {
		t.Helper()
		db, err := store.OpenReadOnly(b.database())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		list, err := db.Declarations(context.Background(), "bench")
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for round := range 2 { // the second time there is nothing to do
		asked = 0
		summary, err := b.run(context.Background(), look)
		if err != nil || summary.Total != 6 || summary.Completed != 6 || summary.Skipped != 6*round {
			t.Fatalf("%+v, %v", summary, err)
		}
		if list := declarations(); len(list) != 1 || list[0].SHA256 != "a" || list[0].Frozen.IsZero() || list[0].Known != 0 {
			t.Errorf("declared %+v", list)
		}
	}
	var order []int64
	for _, run := range b.runs(t) {
		order = append(order, run.Seed)
	}
	if !slices.Equal(order, []int64{1, 1, 2, 2, 3, 3}) {
		t.Errorf("seeds in the order of %v", order)
	}
	// To declare something else takes a reason, and the study loses no run by it.
	d.SHA256 = "b"
	_, err := b.run(context.Background(), func(cfg *Config) { cfg.Declaration = d })
	var frozen *store.FrozenError
	if !errors.As(err, &frozen) || frozen.Frozen.SHA256 != "a" {
		t.Errorf("another declaration: %v", err)
	}
	d.Reason = "a slip"
	if _, err := b.run(context.Background(), func(cfg *Config) { cfg.Declaration = d }); err != nil {
		t.Error(err)
	}
	if list := declarations(); len(list) != 2 || list[1].Reason != "a slip" || list[1].Known != 2 || len(b.runs(t)) != 6 {
		t.Errorf("declared %+v, %d runs", list, len(b.runs(t)))
	}
}

// What a study had declared before declarations were kept holds for it.
func TestWhatWasDeclaredEarlierHolds(t *testing.T) {
	t.Parallel()
	b := bench{Dir: t.TempDir(), Seeds: 1, Epochs: 1, Jobs: 2}
	if _, err := b.run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	earlier := store.Declaration{Text: json.RawMessage(`{}`), SHA256: "a", Declared: time.UnixMilli(1000)}
	_, err := b.run(context.Background(), func(cfg *Config) {
		cfg.Declaration, cfg.Earlier = store.Declaration{Text: json.RawMessage(`{}`), SHA256: "b"}, &earlier
	})
	var frozen *store.FrozenError
	if !errors.As(err, &frozen) || !frozen.Frozen.Declared.Equal(earlier.Declared) {
		t.Errorf("%v", err)
	}
}
