package store

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestReadingsReplaceThoseBefore(t *testing.T) {
	db, ctx := open(t), context.Background()
	claim := claimed(t, db)
	readings := []Reading{
		{Image: "a.jpg", Other: "b.jpg", LogProb: []float64{-0.5, -0.25}, LogProbOther: []float64{-1, -2}, LogProbRegions: []float64{-1, -1.5},
			LogProbEven: []float64{-0.75, -0.5}, BetaOther: []float64{0.5, 0.125}},
		{Image: "b.jpg", Other: "c.jpg", LogProb: []float64{}, LogProbOther: []float64{}}, // no words
		{Image: "c.jpg", Other: "a.jpg", LogProb: []float64{-3}, LogProbOther: []float64{-4}},
	}
	if err := db.SaveReadings(ctx, claim.Run, "test", readings); err == nil || !strings.Contains(err.Error(), "the run is running") {
		t.Errorf("readings of a run at work: %v", err)
	}
	if err := db.SaveReadings(ctx, "zz", "test", readings); !errors.Is(err, ErrNotFound) {
		t.Errorf("readings of no run: %v", err)
	}
	if err := db.Complete(ctx, claim, Result{}); err != nil {
		t.Fatal(err)
	}
	if err := db.SaveReadings(ctx, claim.Run, "val", readings[2:]); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]Reading{readings, readings[:2]} {
		if err := db.SaveReadings(ctx, claim.Run, "test", want); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Readings(ctx, claim.Run, "test"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	if err := db.SaveReadings(ctx, claim.Run, "test", []Reading{readings[0], readings[0]}); err == nil {
		t.Error("one image was stored twice")
	}
	if got, err := db.Readings(ctx, claim.Run, "test"); err != nil || len(got) != 2 {
		t.Errorf("after refused readings: %+v, %v", got, err)
	}
	if got, err := db.Readings(ctx, claim.Run, "val"); err != nil || len(got) != 1 {
		t.Errorf("of the other split: %+v, %v", got, err)
	}
}
