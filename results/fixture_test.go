package results

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
)

// check fails the test on an error.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openTemporary(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// madeRun is a run that a test makes up: completed, unless it has no captions.
type madeRun struct {
	id, arm     string
	seed        int64
	swept       map[string]string
	settings    string // JSON; "" is {}
	signature   string // "" is a usual one
	environment string // JSON
	captions    []store.Caption
}

// save records a study and completes its runs.
func save(t testing.TB, db *store.DB, study store.Study, d store.Declaration, runs []madeRun) {
	t.Helper()
	ctx := context.Background()
	planned := make([]store.Run, len(runs))
	for i, r := range runs {
		planned[i] = store.Run{ID: r.id, Arm: r.arm, Seed: r.seed, Swept: r.swept, Settings: json.RawMessage(cmp.Or(r.settings, "{}"))}
	}
	check(t, db.SaveStudy(ctx, study, planned, d, nil))
	for _, r := range runs {
		run, err := db.Run(ctx, r.id)
		check(t, err)
		if r.captions == nil || run.State == store.Completed {
			continue
		}
		claim, err := db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute})
		check(t, err)
		check(t, db.Start(ctx, claim, store.Start{Parameters: 1, Signature: cmp.Or(r.signature, "data=x/official@1 metrics=1"), Environment: json.RawMessage(cmp.Or(r.environment, "{}"))}))
		check(t, db.SaveCaptions(ctx, claim, "test", r.captions))
		check(t, db.SaveCheckpoint(ctx, claim, store.Checkpoint{Progress: json.RawMessage("{}"), BestEpoch: 1, Epoch: &store.Epoch{Epoch: 1}}))
		scores := make([]metrics.ImageScore, len(r.captions))
		sum := 0.0
		for i, c := range r.captions {
			scores[i] = c.Score
			sum += c.Score.CIDEr
		}
		check(t, db.Complete(ctx, claim, store.Result{BestEpoch: 1, CaptionsSHA256: store.CaptionsSHA256(r.captions), WeightsSHA256: fmt.Sprintf("%s %d %v", r.arm, r.seed, sum), Scores: map[string][]metrics.ImageScore{"test": scores},
			Environment: json.RawMessage(cmp.Or(r.environment, "{}")),
			Metrics:     map[string]map[string]float64{"test": metrics.Corpus(scores)}}))
	}
}

// captionsAround makes up captions of 60 images whose CIDEr lies around a level.
func captionsAround(level float64, seed int64) []store.Caption {
	g := rand.New(rand.NewPCG(uint64(seed), 1))
	var list []store.Caption
	for i := range 60 {
		id := fmt.Sprintf("%03d.jpg", i)
		list = append(list, store.Caption{Image: id, Words: "a dog", Score: metrics.ImageScore{
			ID: id, Match: [4]int{4, 3, 2, 1}, Length: 8, RefLength: 8, RougeL: 0.4, CIDEr: max(0, level+0.05*float64(i%7)+0.01*g.Float64()),
		}})
	}
	return list
}

// parse reads a study file, and gives it with its plan.
func parse(t testing.TB, text string) (*experiments.Study, []experiments.Trial) {
	t.Helper()
	study, err := experiments.Parse("study.yaml", []byte(text))
	check(t, err)
	trials, err := study.Plan()
	check(t, err)
	return study, trials
}

// declare is a study's declaration as the database keeps it.
func declare(t testing.TB, study *experiments.Study, trials []experiments.Trial) store.Declaration {
	t.Helper()
	d := study.Declare(trials)
	text, err := d.JSON()
	check(t, err)
	return store.Declaration{Text: text, SHA256: d.SHA256()}
}

// runsOf makes runs of trials, each with captions at the level that at gives, none where that is below 0.
func runsOf(trials []experiments.Trial, at func(experiments.Trial) float64) []madeRun {
	var runs []madeRun
	for _, tr := range trials {
		settings, _ := json.Marshal(tr.Settings)
		r := madeRun{id: tr.ID, arm: tr.Arm, seed: tr.Settings.Seed, swept: tr.Swept, settings: string(settings)}
		if level := at(tr); level >= 0 {
			seed := tr.Settings.Seed*31 + int64(len(tr.Arm))
			if level == 0.4 {
				seed = 1 // the same captions in every seed
			}
			r.captions = captionsAround(level, seed)
		}
		runs = append(runs, r)
	}
	return runs
}
