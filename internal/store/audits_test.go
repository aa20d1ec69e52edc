package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"glimpse/metrics/audit"
)

func TestAuditReplacesTheOneBefore(t *testing.T) {
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	rows := []audit.Row{
		{Split: "test", Protocol: "coco", Says: "corpus BLEU", Source: "a paper", Images: 2, BLEU: [4]float64{0.6, 0.4, 0.3, 0.2},
			Claim: audit.Claim{BLEU1: 0.81, BLEU2: 0.73}, Reportable: true, Why: "what papers report"},
		{Split: "test", Protocol: "characters", Images: 1, BLEU: [4]float64{0.9, 0.8}, Claim: audit.Claim{BLEU1: 0.81, BLEU2: 0.73}, Reaches: true},
		{Split: "train", Protocol: "coco", Images: 2},
	}
	if err := db.SaveAudit(ctx, claim.Run, rows); err == nil || !strings.Contains(err.Error(), "the run is running") {
		t.Errorf("audit of a run at work: %v", err)
	}
	if err := db.SaveAudit(ctx, "zz", rows); !errors.Is(err, ErrNotFound) {
		t.Errorf("audit of no run: %v", err)
	}
	if err := db.Complete(ctx, claim, Result{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]audit.Row{rows, rows[1:2]} {
		if err := db.SaveAudit(ctx, claim.Run, want); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Audit(ctx, claim.Run); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	twice := []audit.Row{rows[0], rows[0]}
	if err := db.SaveAudit(ctx, claim.Run, twice); err == nil {
		t.Error("one protocol was stored twice")
	}
	if got, err := db.Audit(ctx, claim.Run); err != nil || len(got) != 1 {
		t.Errorf("after a refused audit: %+v, %v", got, err)
	}
	if got, err := db.Audit(ctx, "zz"); err != nil || got != nil {
		t.Errorf("audit of no run: %+v, %v", got, err)
	}
}

// A database of the schema before audits is brought up to date when it is
// opened for writing, with what it holds.
func TestAuditsComeByMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.db")
	all := migrations
	migrations = all[:1]
	defer func() { migrations = all }()
	old, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	_, err = old.writer.ExecContext(ctx, `INSERT INTO runs (id, seed, settings, state, created_ms) VALUES ('aa00', 1, '{}', 'completed', 1)`)
	if err := errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	migrations = all

	// Whoever only looks sees it as it would be, and changes nothing.
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	look, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	if run, err := look.Run(ctx, "aa00"); err != nil || run.State != Completed || look.Path() != path {
		t.Errorf("looked at, the old database %s holds %+v, %v", look.Path(), run, err)
	}
	if err := look.SaveAudit(ctx, "aa00", nil); !errors.Is(err, ErrReadOnly) {
		t.Errorf("writing where one only looks: %v", err)
	}
	if err := look.Close(); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) || !noLog(path) {
		t.Errorf("a look changed the old database: %v", err)
	}

	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.SaveAudit(ctx, "aa00", []audit.Row{{Split: "test", Protocol: "coco"}}); err != nil {
		t.Error(err)
	}
	if got, err := db.Audit(ctx, "aa00"); err != nil || len(got) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}
