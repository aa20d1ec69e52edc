package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// crowded makes a database of 1,000 completed runs with 50 epochs each, of which
// 20 hold 1,000 captions: a year of a busy group.
func crowded(b *testing.B) *DB {
	b.Helper()
	db, err := Open(filepath.Join(b.TempDir(), "results.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	ctx, list := context.Background(), make([]Run, 1000)
	for i := range list {
		list[i] = Run{ID: fmt.Sprintf("%012x", i*7919), Arm: "soft", Seed: int64(i), Settings: json.RawMessage(`{"seed":1}`), Swept: map[string]string{"seed": "1"}}
	}
	if err := db.SaveStudy(ctx, Study{Name: "s"}, list, Declaration{}, nil); err != nil {
		b.Fatal(err)
	}
	insert := func(tx *sql.Tx, statement string, args ...any) {
		if _, err := tx.Exec(statement, args...); err != nil {
			b.Fatal(err)
		}
	}
	err = db.write(ctx, func(tx *sql.Tx) error {
		for i, run := range list {
			for epoch := range 50 {
				insert(tx, "INSERT INTO epochs VALUES (?, ?, 1.5, 0.001, 60, 200, ?)", run.ID, epoch+1,
					`{"bleu1":0.61,"bleu2":0.42,"bleu3":0.29,"bleu4":0.2,"cider":0.5,"cider_d":0.4,"rouge_l":0.45}`)
			}
			for _, key := range []string{"bleu1", "bleu2", "bleu3", "bleu4", "rouge_l", "cider", "cider_d", "meteor"} {
				insert(tx, "INSERT INTO metrics VALUES (?, 'test', ?, 0.5), (?, 'val', ?, 0.5)", run.ID, key, run.ID, key)
			}
			for image := range 1000 {
				if i >= 20 {
					break
				}
				insert(tx, "INSERT INTO captions (run, split, image, words, log_prob, beta, entropy) VALUES (?, 'test', ?, ?, -9, ?, ?)", run.ID,
					fmt.Sprintf("%d.jpg", image), "a brown dog runs through the water", "0.5 0.25 0.125 0.5 0.5 0.25 0.5", "3.5 3.25 3.125 3.5 3.5 3.25 3.5")
			}
		}
		insert(tx, "UPDATE runs SET state = 'completed', attempt = 1, epochs = 50, best_epoch = 40")
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// BenchmarkCrowded measures what verbs ask of a database with 1,000 runs.
func BenchmarkCrowded(b *testing.B) {
	db, ctx := crowded(b), context.Background()
	first, err := db.Runs(ctx, "s")
	if err != nil {
		b.Fatal(err)
	}
	if err := db.fold(); err != nil {
		b.Fatal(err)
	}
	if info, err := os.Stat(db.Path()); err == nil {
		b.Logf("the file has %d MB", info.Size()>>20)
	}
	for name, ask := range map[string]func() error{
		"runs":     func() error { _, err := db.Runs(ctx, ""); return err },
		"run":      func() error { _, err := db.Run(ctx, first[500].ID[:10]); return err },
		"captions": func() error { _, err := db.Captions(ctx, first[3].ID, "test"); return err },
		"epochs of all": func() error {
			for _, run := range first {
				if _, err := db.Epochs(ctx, run.ID); err != nil {
					return err
				}
			}
			return nil
		},
		"open": func() error {
			reader, err := OpenReadOnly(db.Path())
			if err != nil {
				return err
			}
			return reader.Close()
		},
		"findings": func() error { _, err := db.Findings(ctx, nil); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
