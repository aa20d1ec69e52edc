package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"
)

// After each step of a run's life, a study that is refreshed is as one that is read anew.
func TestRefreshIsRuns(t *testing.T) {
	db, ctx := open(t), context.Background()
	var last []Run
	look := func(after string) {
		t.Helper()
		want, err := db.Runs(ctx, "s")
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Refresh(ctx, "s", last)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("after %s:\n%+v\nwant\n%+v", after, got, want)
		}
		last = got
	}
	did := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		look(what)
	}
	look("nothing")
	plan := runs(4)
	did("a plan", db.SaveStudy(ctx, Study{Name: "s"}, plan[:3], Declaration{}, nil))
	claim := func(id string) Claim {
		t.Helper()
		run, err := db.Run(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		c, err := db.Claim(ctx, run, Owner{Host: "h", PID: 7, Lease: time.Minute})
		did("a claim of "+id, err)
		return c
	}
	ends := []func(c Claim) error{
		func(c Claim) error {
			return db.Complete(ctx, c, Result{
				Metrics:   map[string]map[string]float64{"test": {"cider": 0.5}, "val": {"cider": math.Inf(1)}},
				BestEpoch: 1, Seconds: 5, Environment: json.RawMessage(`{"host":"h"}`),
			})
		},
		func(c Claim) error { return db.Fail(ctx, c, "error", "it broke") },
		func(c Claim) error { return db.Prune(ctx, c, "it lagged") },
	}
	for i, end := range ends {
		c := claim(fmt.Sprintf("aa%02d", i))
		did("a start", db.Start(ctx, c, Start{Parameters: 12, Signature: "sig", Environment: json.RawMessage(`{"host":"h"}`)}))
		epoch := Epoch{Epoch: 1, Loss: 1, Val: map[string]float64{"cider": 0.1}}
		did("an epoch", db.SaveCheckpoint(ctx, c, Checkpoint{Progress: json.RawMessage(`{"epoch":1}`), Seconds: 4, Epoch: &epoch}))
		did("an end", end(c))
	}
	did("a longer plan", db.SaveStudy(ctx, Study{Name: "s"}, plan, Declaration{}, nil))
	// One that failed is tried again, and fails between two looks.
	run, err := db.Run(ctx, "aa01")
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Claim(ctx, run, Owner{Host: "other", PID: 8, Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Start(ctx, c, Start{Parameters: 13, Environment: json.RawMessage(`{"host":"other"}`)}); err != nil {
		t.Fatal(err)
	}
	did("another failure", db.Fail(ctx, c, "error", "it broke again"))
	did("a shorter plan", db.SaveStudy(ctx, Study{Name: "s"}, plan[1:2], Declaration{}, nil))
}
