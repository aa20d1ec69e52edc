package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"glimpse/internal/atomicfile"
	"glimpse/internal/store"
	"glimpse/metrics"
)

// StoreOptions are the size of the study that [Store] records. Each is at least 1.
type StoreOptions struct {
	Runs     int
	Epochs   int // per run
	Captions int // per run
}

// Store measures a temporary results database. It writes what a runner and its trials write, from
// an empty database to completed runs: runs, epochs (each with a checkpoint, which waits for the
// disk), captions and their scores. Then it reads them.
func Store(ctx context.Context, o Options, size StoreOptions) (*Report[[]PartSpeed], error) {
	return measure("store", o, func(m *measurement) (parts []PartSpeed, err error) {
		dir, release, err := atomicfile.Folder("")
		if err != nil {
			return nil, fmt.Errorf("temporary database: %w", err)
		}
		defer release()
		db, err := store.Open(filepath.Join(dir, "bench.db"))
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		settings, err := json.Marshal(m.trials[0].Settings)
		if err != nil {
			return nil, err
		}
		return storeStudy(ctx, db, settings, size)
	})
}

// storeStudy records a study and reads it back.
func storeStudy(ctx context.Context, db *store.DB, settings json.RawMessage, size StoreOptions) ([]PartSpeed, error) {
	var watch stopwatch
	watch.start()
	planned := make([]store.Run, size.Runs)
	for i := range planned {
		planned[i] = store.Run{ID: fmt.Sprintf("%012x", i+1), Arm: "arm", Seed: int64(i), Settings: settings}
	}
	if err := db.SaveStudy(ctx, store.Study{Name: "bench"}, planned, store.Declaration{}, nil); err != nil {
		return nil, err
	}
	watch.stop("plan runs", size.Runs)
	queued, err := db.Runs(ctx, "bench")
	if err != nil {
		return nil, err
	}
	watch.start()
	claims := make([]store.Claim, size.Runs)
	for i, run := range queued {
		if claims[i], err = db.Claim(ctx, run, store.Owner{Host: "bench", Lease: time.Hour}); err != nil {
			return nil, err
		}
	}
	watch.stop("claim runs", size.Runs)
	captions, scores := captionsToStore(size.Captions)
	values := map[string]float64{"bleu4": 0.2, "cider": 0.5}
	result := store.Result{BestEpoch: 1, Environment: json.RawMessage(`{}`), Scores: map[string][]metrics.ImageScore{"test": scores},
		Metrics: map[string]map[string]float64{"test": values}}
	watch.start()
	for _, part := range []struct {
		name string
		rows int // per run
		do   func(store.Claim) error
	}{
		{"epochs", size.Epochs, func(claim store.Claim) error {
			for i := range size.Epochs {
				e := store.Epoch{Epoch: i + 1, Loss: 1, Val: values, LR: 1e-3, Seconds: 1, CaptionsPerSecond: 1}
				if err := db.SaveCheckpoint(ctx, claim, store.Checkpoint{Progress: json.RawMessage(`{}`), Epoch: &e, BestEpoch: 1}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"captions", size.Captions, func(claim store.Claim) error { return db.SaveCaptions(ctx, claim, "test", captions) }},
		{"scores of captions", size.Captions, func(claim store.Claim) error { return db.Complete(ctx, claim, result) }},
	} {
		for _, claim := range claims {
			if err := part.do(claim); err != nil {
				return nil, err
			}
		}
		watch.stop(part.name, size.Runs*part.rows)
	}
	if _, err := db.Runs(ctx, "bench"); err != nil {
		return nil, err
	}
	watch.stop("list runs", size.Runs)
	for _, claim := range claims {
		if _, err := db.Captions(ctx, claim.Run, "test"); err != nil {
			return nil, err
		}
	}
	watch.stop("read captions", size.Runs*size.Captions)
	return watch.parts, nil
}

// captionsToStore makes n captions of typical length with attention, and their scores.
func captionsToStore(n int) ([]store.Caption, []metrics.ImageScore) {
	captions, scores := make([]store.Caption, n), make([]metrics.ImageScore, n)
	for i := range captions {
		id := fmt.Sprintf("%06d.jpg", i)
		captions[i] = store.Caption{Image: id, Words: "a brown dog runs through the shallow water with a stick", LogProb: -12,
			Beta: make([]float64, 11), Entropy: make([]float64, 11)}
		scores[i] = metrics.ImageScore{ID: id, Match: [4]int{8, 5, 3, 1}, Length: 11, RefLength: 11, RougeL: 0.5, CIDEr: 0.8}
	}
	return captions, scores
}
