package runner

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
)

// TestTally holds how runs are counted, which failures another attempt can mend, and what is left to do.
func TestTally(t *testing.T) {
	settings := json.RawMessage(`{"train": {"epochs": 4}}`)
	now := time.Now()
	var runs []store.Run
	for _, r := range []store.Run{
		{State: store.Completed, Seconds: 100, Epochs: 4}, {State: store.Running, Epochs: 2, Seconds: 50}, {State: store.Failed, Failure: FailureLoss},
		{State: store.Failed, Failure: FailureCrash}, {State: store.Pruned}, {State: store.Queued}, {State: store.Interrupted},
		{State: store.Running, Heard: now.Add(-time.Hour), Owner: store.Owner{Lease: time.Minute}},
	} {
		r.ID, r.Settings = string(rune('a'+len(runs))), settings
		runs = append(runs, r)
	}
	got, err := (&Tallier{}).Tally(runs, now)
	if err != nil || got.Left <= 0 {
		t.Errorf("%v left, %v", got.Left, err)
	}
	got.Left = 0
	if want := (Tally{Total: 8, Running: 1, Silent: 1, Completed: 1, Failed: 2, Mendable: 1, Pruned: 1}); got != want || got.Ended() != 4 {
		t.Errorf("%+v, %d ended, want %+v, 4", got, got.Ended(), want)
	}
	runs[0].Settings = json.RawMessage("{")
	if _, err := (&Tallier{}).Tally(runs, now); err == nil {
		t.Error("settings that cannot be read are no error")
	}
	summary := Summary{Failures: []Failure{{Kind: FailureCrash}, {Kind: FailureData}, {Kind: FailureDisk}}}
	if summary.Mendable() != 2 {
		t.Errorf("%d failures of a summary are mendable, want 2", summary.Mendable())
	}
}

// TestFreeCheckpoints holds whose checkpoints go: those of completed runs and, if asked for, of unfinished ones that nobody
// works on; and that a dry run only counts.
func TestFreeCheckpoints(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, ids := t.Context(), []string{"aa", "bb", "cc", "dd"}
	created, err := db.Created(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var planned []store.Run
	for _, id := range ids {
		planned = append(planned, store.Run{ID: id, Arm: "none", Settings: json.RawMessage("{}")})
	}
	if err := db.SaveStudy(ctx, store.Study{Name: "s"}, planned, store.Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	claims := map[string]store.Claim{}
	for _, id := range ids[:3] {
		run, err := db.Run(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if claims[id], err = db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute}); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(RunDir(DefaultDir(db), id), newNamer(created, 1).name(1)+".json")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Complete(ctx, claims["aa"], store.Result{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Interrupt(ctx, claims["bb"]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(RunDir(DefaultDir(db), "aa"), ".glimpse-ABCDEFGHIJ.tmp"), []byte("half"), 0o600); err != nil {
		t.Fatal(err) // of a killed trial
	}
	a, b := Freed{"aa", store.Completed, 9}, Freed{"bb", store.Interrupted, 5}
	for _, c := range []struct {
		unfinished, dry bool
		want            []Freed
	}{
		{false, true, []Freed{a}}, {true, true, []Freed{a, b}}, {false, false, []Freed{a}}, {false, false, []Freed{}}, {true, false, []Freed{b}},
	} {
		if got, err := FreeCheckpoints(ctx, db, ids, c.unfinished, c.dry); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("unfinished %v, dry %v: %v, %v, want %v", c.unfinished, c.dry, got, err, c.want)
		}
	}
}

// TestEstimateOfTrainedEncoders: trials that train their encoder and those that do not take different times.
func TestEstimateOfTrainedEncoders(t *testing.T) {
	trial := func(id string, blocks int) experiments.Trial {
		s := experiments.Settings{Train: experiments.Train{Epochs: 4}}
		s.Encoder.Train.Blocks = blocks
		return experiments.Trial{ID: id, Settings: s}
	}
	trials := []experiments.Trial{trial("a", 0), trial("b", 2), trial("c", 0), trial("d", 2)}
	known := []store.Run{{ID: "a", State: store.Completed, Seconds: 100}, {ID: "b", State: store.Completed, Seconds: 140}}
	if got, ok := Estimate(trials, known, 1); !ok || got != (100+140)*time.Second {
		t.Errorf("%v left, %v; want 100 s and 140 s", got, ok)
	}
}

// TestEstimateFromAnotherStudy: the recipe that was best on validation takes as long for the test split.
func TestEstimateFromAnotherStudy(t *testing.T) {
	settings := experiments.Settings{Seed: 401, Train: experiments.Train{Epochs: 4}}
	tried := settings
	tried.Seed, tried.Decode.Split = 1, "val"
	raw, err := json.Marshal(tried)
	if err != nil {
		t.Fatal(err)
	}
	known := []store.Run{{ID: "tried", State: store.Completed, Seconds: 100, Settings: raw}}
	if got, ok := Estimate([]experiments.Trial{{ID: "new", Settings: settings}}, known, 1); !ok || got != 100*time.Second {
		t.Errorf("%v left, %v; want 100 s", got, ok)
	}
}

// TestEstimateOfFailedTrials: one that `glimpse run` retries is still to come, one that it leaves is not.
func TestEstimateOfFailedTrials(t *testing.T) {
	trials := []experiments.Trial{{ID: "a"}, {ID: "b"}, {ID: "c"}}
	known := []store.Run{
		{ID: "a", State: store.Completed, Seconds: 100}, {ID: "b", State: store.Failed, Failure: FailureCrash}, {ID: "c", State: store.Failed, Failure: FailureLoss},
	}
	if got, ok := Estimate(trials, known, 1); !ok || got != 100*time.Second {
		t.Errorf("%v left, %v; want 100 s", got, ok)
	}
}

// TestEstimateOfTwoStages: trials with reinforcement and without take different times, and both stages' epochs count.
func TestEstimateOfTwoStages(t *testing.T) {
	trial := func(id string, reinforce int) experiments.Trial {
		s := experiments.Settings{Train: experiments.Train{Epochs: 4, Reinforce: experiments.Reinforce{Epochs: reinforce}}}
		return experiments.Trial{ID: id, Settings: s}
	}
	trials := []experiments.Trial{trial("a", 0), trial("b", 4), trial("c", 0), trial("d", 4), trial("e", 4)}
	known := []store.Run{
		{ID: "a", State: store.Completed, Seconds: 100}, {ID: "b", State: store.Completed, Seconds: 300}, {ID: "e", State: store.Interrupted, Epochs: 6},
	}
	if got, ok := Estimate(trials, known, 1); !ok || got != (100+300+75)*time.Second {
		t.Errorf("%v left, %v; want 100 s, 300 s and a quarter of that", got, ok)
	}
}

// A trial of settings that none has completed takes as long by the epoch as the others.
func TestEstimateGoesByTheEpoch(t *testing.T) {
	trial := func(id string, epochs int) experiments.Trial {
		return experiments.Trial{ID: id, Settings: experiments.Settings{Train: experiments.Train{Epochs: epochs}}}
	}
	trials := []experiments.Trial{trial("a", 4), trial("b", 10)}
	known := []store.Run{{ID: "a", State: store.Completed, Seconds: 100}}
	if got, ok := Estimate(trials, known, 1); !ok || got != 250*time.Second {
		t.Errorf("%v left, %v; want ten epochs of 25 s", got, ok)
	}
	var e estimator
	e.know(trials, nil)
	e.see(Event{Kind: EventStarted, Run: "a"})
	e.trials["a"].started = time.Now().Add(-20 * time.Second)
	e.see(Event{Kind: EventStep, Run: "a", Epoch: 2, Epochs: 4, Step: 10, Steps: 10})
	if got, ok := e.remaining(1); !ok || math.Abs(got.Seconds()-120) > 1 {
		t.Errorf("half of four epochs took 20 s: %v left, want 20 s and ten epochs of 10 s", got)
	}
}
