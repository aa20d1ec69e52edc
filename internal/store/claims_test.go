package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestClaimIsCompareAndSet(t *testing.T) {
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	seen, err := db.Run(ctx, claim.Run)
	if err != nil || seen.State != Running || seen.Attempt != 1 || seen.Owner.PID != 7 || seen.Owner.Lease != time.Minute {
		t.Fatalf("claimed run is %+v, %v", seen, err)
	}
	if _, err := db.Beat(ctx, claim); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Claim(ctx, seen, Owner{}); !errors.Is(err, ErrTaken) {
		t.Errorf("claim of a run that beat since: %v, want ErrTaken", err)
	}
	seen, _ = db.Run(ctx, claim.Run)
	next, err := db.Claim(ctx, seen, Owner{Host: "other", PID: 8})
	if err != nil || next.Attempt != 2 {
		t.Fatalf("take-over: %+v, %v", next, err)
	}
	// The old holder wakes: nothing that it writes may count.
	for name, write := range map[string]func() error{
		"beat":       func() error { _, err := db.Beat(ctx, claim); return err },
		"adopt":      func() error { return db.Adopt(ctx, claim, Owner{}) },
		"start":      func() error { return db.Start(ctx, claim, Start{}) },
		"checkpoint": func() error { return db.SaveCheckpoint(ctx, claim, Checkpoint{Epoch: &Epoch{Epoch: 1}}) },
		"rewind":     func() error { return db.Rewind(ctx, claim, 0, Checkpoint{}) },
		"captions":   func() error { return db.SaveCaptions(ctx, claim, "test", nil) },
		"complete":   func() error { return db.Complete(ctx, claim, Result{}) },
		"fail":       func() error { return db.Fail(ctx, claim, "crash", "x") },
		"interrupt":  func() error { return db.Interrupt(ctx, claim) },
	} {
		if err := write(); !errors.Is(err, ErrFenced) {
			t.Errorf("%s under a lost claim: %v, want ErrFenced", name, err)
		}
	}
	if err := db.Fail(ctx, next, "crash", "first word"); err != nil {
		t.Fatal(err)
	}
	if err := db.Fail(ctx, next, "crash", "with the log"); err != nil {
		t.Fatal(err)
	}
	if err := db.Interrupt(ctx, next); !errors.Is(err, ErrFenced) {
		t.Errorf("interrupting a failed run: %v", err)
	}
	failed, _ := db.Run(ctx, claim.Run)
	if failed.State != Failed || failed.Error != "with the log" || failed.Failure != "crash" {
		t.Errorf("failed run is %+v", failed)
	}
	third, err := db.Claim(ctx, failed, Owner{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Complete(ctx, third, Result{}); err != nil {
		t.Fatal(err)
	}
	done, _ := db.Run(ctx, claim.Run)
	if done.State != Completed || done.Error != "" {
		t.Errorf("completed run is %+v", done)
	}
	if _, err := db.Claim(ctx, done, Owner{}); !errors.Is(err, ErrTaken) {
		t.Errorf("claim of a completed run: %v", err)
	}
}

func TestOneOfManyClaimsWins(t *testing.T) {
	db, ctx := open(t), context.Background()
	if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(1), Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	seen, err := db.Run(ctx, "aa00")
	if err != nil {
		t.Fatal(err)
	}
	var wins sync.Map
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			other, err := Open(db.Path())
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = other.Close() }()
			switch _, err := other.Claim(ctx, seen, Owner{PID: i}); {
			case err == nil:
				wins.Store(i, true)
			case !errors.Is(err, ErrTaken):
				t.Error(err)
			}
		})
	}
	group.Wait()
	n := 0
	wins.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d of 8 claims won, want 1", n)
	}
}

func TestTakeovers(t *testing.T) {
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	expected := func(when string, want int) {
		t.Helper()
		if n, err := db.Takeovers(ctx, claim.Run); err != nil || n != want {
			t.Errorf("%s: %d takeovers, %v; want %d", when, n, err, want)
		}
	}
	take := func() {
		t.Helper()
		run, err := db.Run(ctx, claim.Run)
		if err == nil {
			claim, err = db.Claim(ctx, run, Owner{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	expected("at first", 0)
	take()
	take()
	expected("taken over twice", 2)
	if err := db.Fail(ctx, claim, "crash", "it crashed"); err != nil {
		t.Fatal(err)
	}
	expected("once it has ended", 0)
	take()
	expected("begun again", 0)
	take()
	expected("and taken over", 1)
}
