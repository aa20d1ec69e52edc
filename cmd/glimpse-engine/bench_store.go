package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/metrics"
)

func benchStoreCommand() *cobra.Command {
	var (
		flags                  benchFlags
		runs, epochs, captions int
	)
	c := &cobra.Command{
		Use:   "store [SPEC]",
		Short: "The results database, in rows a second",
		Long: `Records a study of many runs in a temporary database, as a runner and its trials
would: runs, epochs (each with a checkpoint, which waits for the disk), captions,
their scores; and reads them.`,
		Example: `  glimpse bench store
  glimpse bench store --runs 1000 --captions 1000 --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			for _, err := range []error{cli.AtLeast("runs", runs, 1), cli.AtLeast("epochs", epochs, 1), cli.AtLeast("captions", captions, 1)} {
				if err != nil {
					return err
				}
			}
			b, err := flags.open(args)
			if err != nil {
				return err
			}
			defer b.close()
			rows, err := storeParts(c.Context(), b.trials[0].Settings, runs, epochs, captions)
			if err != nil {
				return err
			}
			return b.report(c.OutOrStdout(), flags.asJSON, "store", rows, partTable("ROWS", rows))
		},
	}
	flags.add(c)
	c.Flags().IntVar(&runs, "runs", 50, "runs of the study")
	c.Flags().IntVar(&epochs, "epochs", 10, "epochs of a run")
	c.Flags().IntVar(&captions, "captions", 1000, "captions of a run")
	return c
}

// storeParts measures a database from an empty one to one full of completed runs.
func storeParts(ctx context.Context, s experiments.Settings, runs, epochs, captions int) (rows []partSpeed, err error) {
	dir, err := os.MkdirTemp("", "glimpse-bench-")
	if err != nil {
		return nil, fmt.Errorf("temporary database: %w", err)
	}
	defer os.RemoveAll(dir)
	db, err := store.Open(filepath.Join(dir, "bench.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	begun := time.Now()
	part := func(name string, n int) {
		rows = append(rows, timedPart(name, n, begun))
		begun = time.Now()
	}
	settings, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	planned := make([]store.Run, runs)
	for i := range planned {
		planned[i] = store.Run{ID: fmt.Sprintf("%012x", i+1), Arm: "arm", Seed: int64(i), Settings: settings}
	}
	if err := db.SaveStudy(ctx, store.Study{Name: "bench"}, planned, store.Declaration{}, nil); err != nil {
		return nil, err
	}
	part("plan runs", runs)
	queued, err := db.Runs(ctx, "bench")
	if err != nil {
		return nil, err
	}
	begun = time.Now()
	claims := make([]store.Claim, runs)
	for i, run := range queued {
		if claims[i], err = db.Claim(ctx, run, store.Owner{Host: "bench", Lease: time.Hour}); err != nil {
			return nil, err
		}
	}
	part("claim runs", runs)
	for _, claim := range claims {
		for epoch := 1; epoch <= epochs; epoch++ {
			e := store.Epoch{Epoch: epoch, Loss: 1, Val: map[string]float64{"bleu4": 0.2, "cider": 0.5}, LR: 1e-3, Seconds: 1, CaptionsPerSecond: 1}
			if err := db.SaveCheckpoint(ctx, claim, store.Checkpoint{Progress: json.RawMessage(`{}`), Epoch: &e, BestEpoch: 1}); err != nil {
				return nil, err
			}
		}
	}
	part("epochs", runs*epochs)
	made, scored := storedCaptions(captions)
	for _, claim := range claims {
		if err := db.SaveCaptions(ctx, claim, "test", made); err != nil {
			return nil, err
		}
	}
	part("captions", runs*captions)
	result := store.Result{BestEpoch: 1, Environment: json.RawMessage(`{}`), Scores: map[string][]metrics.ImageScore{"test": scored},
		Metrics: map[string]map[string]float64{"test": {"bleu4": 0.2, "cider": 0.5}}}
	for _, claim := range claims {
		if err := db.Complete(ctx, claim, result); err != nil {
			return nil, err
		}
	}
	part("scores of captions", runs*captions)
	if _, err := db.Runs(ctx, "bench"); err != nil {
		return nil, err
	}
	part("list runs", runs)
	for _, claim := range claims {
		if _, err := db.Captions(ctx, claim.Run, "test"); err != nil {
			return nil, err
		}
	}
	part("read captions", runs*captions)
	return rows, nil
}

// storedCaptions are n captions of usual length with attention, and their scores.
func storedCaptions(n int) ([]store.Caption, []metrics.ImageScore) {
	captions, scores := make([]store.Caption, n), make([]metrics.ImageScore, n)
	for i := range captions {
		id := fmt.Sprintf("%06d.jpg", i)
		captions[i] = store.Caption{Image: id, Words: "a brown dog runs through the shallow water with a stick", LogProb: -12,
			Beta: make([]float64, 11), Entropy: make([]float64, 11)}
		scores[i] = metrics.ImageScore{ID: id, Match: [4]int{8, 5, 3, 1}, Length: 11, RefLength: 11, RougeL: 0.5, CIDEr: 0.8}
	}
	return captions, scores
}
