package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

// trained saves a study of runs and completes those that have weights here.
func trained(t *testing.T, db *DB, study string, weights map[string]string, ids ...string) {
	t.Helper()
	ctx := context.Background()
	var list []Run
	for _, id := range ids {
		list = append(list, Run{ID: id, Settings: json.RawMessage(`{}`)})
	}
	if err := db.SaveStudy(ctx, Study{Name: study}, list, Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		run, err := db.Run(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		sha, done := weights[id]
		if !done || run.State == Completed {
			continue
		}
		claim, err := db.Claim(ctx, run, Owner{Host: "h"})
		if err == nil {
			err = db.Complete(ctx, claim, Result{WeightsSHA256: sha})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTrainedBefore(t *testing.T) {
	db, ctx := open(t), context.Background()
	weights := map[string]string{
		"n1": "w1", "n2": "w2", "n3": "", "n4": "w4", "n5": "w5", "n6": "w5", "shared": "ws",
		"o1": "w1", "o3": "", "o4": "w4", "again": "w1",
	}
	trained(t, db, "old", weights, "o1", "o3", "o4", "again", "shared", "o2")
	trained(t, db, "new", weights, "n4", "n1", "n2", "n3", "n5", "n6", "shared", "n7")
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	for id, ms := range map[string]int64{"o1": 1000, "o3": 1000, "o4": 2000, "again": 3000, "shared": 1000} {
		statement(t, db.Path(), fmt.Sprintf("UPDATE runs SET finished_ms = %d WHERE id = '%s'", ms, id))
	}
	// The same weights in a run that ended otherwise count for nothing.
	statement(t, db.Path(), "UPDATE runs SET weights_sha256 = 'w2', state = 'failed', finished_ms = 500 WHERE id = 'o2'")
	for _, c := range []struct {
		study  string
		before time.Time
		want   []string
	}{
		{"new", at(1000), nil},
		{"new", at(1001), []string{"n1"}},
		{"new", at(2000), []string{"n1"}},
		{"new", at(2001), []string{"n4", "n1"}}, // in the order of the study
		{"new", time.Now().Add(time.Hour), []string{"n4", "n1"}},
		{"old", at(5000), nil}, // its twins came later
		{"old", time.Now().Add(time.Hour), []string{"o1", "o4", "again"}},
		{"unknown", time.Now(), nil},
	} {
		got, err := db.TrainedBefore(ctx, c.study, c.before)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("of %s before %v: %q, %v, want %q", c.study, c.before, got, err, c.want)
		}
	}
}
