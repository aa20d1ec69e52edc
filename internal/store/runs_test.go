package store

import (
	"slices"
	"testing"
)

// All runs are in the order of the plans that made them, whatever their ids.
func TestRunsAreInTheOrderOfTheirPlans(t *testing.T) {
	db, ctx := open(t), t.Context()
	planned := runs(3)
	slices.Reverse(planned)
	if err := db.SaveStudy(ctx, Study{Name: "s"}, planned, Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	for _, study := range []string{"", "s"} {
		all, err := db.Runs(ctx, study)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, run := range all {
			ids = append(ids, run.ID)
		}
		if want := []string{"aa02", "aa01", "aa00"}; !slices.Equal(ids, want) {
			t.Errorf("runs of study %q: %v, want %v", study, ids, want)
		}
	}
}
