package store

import (
	"context"
	"errors"
	"testing"
)

// A request to stop reaches the attempt it was made in, and no other.
func TestStopIsAddressedToAnAttempt(t *testing.T) {
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	if stop, err := db.Beat(ctx, claim); stop || err != nil {
		t.Fatalf("nobody asked: %v, %v", stop, err)
	}
	before, _ := db.Run(ctx, claim.Run)
	asked, err := db.Stop(ctx, []string{claim.Run, "zz"})
	if err != nil || len(asked) != 1 || asked[0].ID != claim.Run || asked[0].State != Running || asked[0].Study != "s" {
		t.Fatalf("asked are %+v, %v", asked, err)
	}
	if stop, err := db.Beat(ctx, claim); !stop || err != nil {
		t.Errorf("the holder is told %v, %v", stop, err)
	}
	if err := db.Interrupt(ctx, claim); err != nil {
		t.Fatal(err)
	}
	stopped, _ := db.Run(ctx, claim.Run)
	if !stopped.Stopped || before.Stopped {
		t.Errorf("stopped is %v, and was %v before", stopped.Stopped, before.Stopped)
	}
	next, err := db.Claim(ctx, stopped, Owner{})
	if err != nil {
		t.Fatal(err)
	}
	if stop, err := db.Beat(ctx, next); stop || err != nil {
		t.Errorf("the next attempt is told %v, %v", stop, err)
	}
	if err := db.Complete(ctx, next, Result{}); err != nil {
		t.Fatal(err)
	}
	attempts, err := db.Attempts(ctx, claim.Run)
	if err != nil || len(attempts) != 2 || attempts[0].Outcome != Interrupted || attempts[0].PID != 7 ||
		attempts[1].Number != 2 || attempts[1].Outcome != Completed || attempts[1].Ended.IsZero() {
		t.Errorf("attempts are %+v, %v", attempts, err)
	}
	if asked, err := db.Stop(ctx, []string{claim.Run}); err != nil || len(asked) != 0 {
		t.Errorf("a completed run was asked to stop: %+v, %v", asked, err)
	}
}

// A runner that read the queue before the request cannot begin the run after it.
func TestStopComesBeforeAClaim(t *testing.T) {
	db, ctx := open(t), context.Background()
	if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(1)); err != nil {
		t.Fatal(err)
	}
	seen, _ := db.Run(ctx, "aa00")
	if _, err := db.Stop(ctx, []string{"aa00"}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Claim(ctx, seen, Owner{}); !errors.Is(err, ErrTaken) {
		t.Errorf("claim by who did not see the request: %v, want ErrTaken", err)
	}
	seen, _ = db.Run(ctx, "aa00")
	if _, err := db.Claim(ctx, seen, Owner{}); err != nil {
		t.Errorf("claim by who saw it: %v", err)
	}
}
