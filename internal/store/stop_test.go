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
	if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(1), Declaration{}, nil); err != nil {
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

// A pruned run is a state of its own, and who does not prune may go on with it.
func TestPrunedRunCanBeResumed(t *testing.T) {
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	epoch := Epoch{Epoch: 1, Val: map[string]float64{"cider": 0.5}}
	if err := db.SaveCheckpoint(ctx, claim, Checkpoint{Epoch: &epoch}); err != nil {
		t.Fatal(err)
	}
	if err := db.Prune(ctx, claim, "the rule"); err != nil {
		t.Fatal(err)
	}
	pruned, _ := db.Run(ctx, claim.Run)
	if pruned.State != Pruned || pruned.Failure != "" || pruned.Error != "the rule" {
		t.Fatalf("pruned run is %+v", pruned)
	}
	curves, err := db.Curves(ctx, "s", 1)
	if none, _ := db.Curves(ctx, "s", 0); err != nil || curves[claim.Run][0]["cider"] != 0.5 || len(none) != 0 {
		t.Errorf("curves are %v, %v", curves, err)
	}
	next, err := db.Claim(ctx, pruned, Owner{})
	if err != nil || next.Attempt != 2 {
		t.Fatalf("claim of a pruned run: %+v, %v", next, err)
	}
	if run, _ := db.Run(ctx, claim.Run); run.State != Running || run.Error != "" {
		t.Errorf("resumed run is %+v", run)
	}
	if attempts, _ := db.Attempts(ctx, claim.Run); attempts[0].Outcome != Pruned {
		t.Errorf("attempts are %+v", attempts)
	}
}

// Runners learn of each request that is made after they began, whether their study is recorded by then or not.
func TestStopStudy(t *testing.T) {
	db, ctx := open(t), context.Background()
	if _, err := db.StopStudy(ctx, "s"); !errors.Is(err, ErrNotFound) {
		t.Errorf("nobody knows the study: %v", err)
	}
	first, err := db.BeginRunner(ctx, "s")
	if err != nil {
		t.Fatal(err)
	}
	if asked, err := db.StopStudy(ctx, "s"); len(asked) != 0 || err != nil {
		t.Errorf("a study that is not recorded yet: %v, %v", asked, err)
	}
	if now, err := db.StopRequests(ctx, "s"); now != first+1 || err != nil {
		t.Errorf("the first runner sees %d requests, then %d, %v", first, now, err)
	}
	second, err := db.BeginRunner(ctx, "s")
	if err != nil || second != first+1 {
		t.Errorf("the second runner begins with %d requests, %v", second, err)
	}
	if _, err := db.StopRequests(ctx, "t"); !errors.Is(err, ErrNotFound) {
		t.Errorf("another study: %v", err)
	}
	claim := claimed(t, db) // of a study s that is recorded
	asked, err := db.StopStudy(ctx, "s")
	if err != nil || len(asked) != 1 || asked[0].ID != claim.Run || asked[0].Study != "s" {
		t.Errorf("asked are %+v, %v", asked, err)
	}
	if stop, err := db.Beat(ctx, claim); !stop || err != nil {
		t.Errorf("the holder is told %v, %v", stop, err)
	}
	if now, err := db.StopRequests(ctx, "s"); now != second+1 || err != nil {
		t.Errorf("the second runner sees %d requests, %v", now, err)
	}
}

// A study that is recorded can be stopped, also one of a database that never had a runner of this version.
func TestStopRecordedStudy(t *testing.T) {
	db, ctx := open(t), context.Background()
	claimed(t, db)
	if _, err := db.StopStudy(ctx, "s"); err != nil {
		t.Fatal(err)
	}
	if n, err := db.StopRequests(ctx, "s"); n != 1 || err != nil {
		t.Errorf("%d requests, %v", n, err)
	}
}
