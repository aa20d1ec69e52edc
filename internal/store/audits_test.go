package store

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestAuditReplacesTheOneBefore(t *testing.T) {
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	rows := []AuditRow{
		{Split: "test", Protocol: "coco", Says: "corpus BLEU", Source: "a paper", Images: 2, BLEU: [4]float64{0.6, 0.4, 0.3, 0.2},
			Claim: [2]float64{0.81, 0.73}, Reportable: true, Why: "what papers report"},
		{Split: "test", Protocol: "characters", Images: 1, BLEU: [4]float64{0.9, 0.8}, Claim: [2]float64{0.81, 0.73}, Reaches: true},
		{Split: "train", Protocol: "coco", Images: 2},
	}
	if err := db.SaveAudit(ctx, claim.Run, rows); err == nil || !strings.Contains(err.Error(), "it is running") {
		t.Errorf("audit of a run at work: %v", err)
	}
	if err := db.SaveAudit(ctx, "zz", rows); !errors.Is(err, ErrNotFound) {
		t.Errorf("audit of no run: %v", err)
	}
	if err := db.Complete(ctx, claim, Result{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]AuditRow{rows, rows[1:2]} {
		if err := db.SaveAudit(ctx, claim.Run, want); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Audit(ctx, claim.Run); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	twice := []AuditRow{rows[0], rows[0]}
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
	claim := claimed(t, old)
	ctx := context.Background()
	if err := errors.Join(old.Complete(ctx, claim, Result{}), old.Close()); err != nil {
		t.Fatal(err)
	}
	migrations = all
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.SaveAudit(ctx, claim.Run, []AuditRow{{Split: "test", Protocol: "coco"}}); err != nil {
		t.Error(err)
	}
	if got, err := db.Audit(ctx, claim.Run); err != nil || len(got) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}
