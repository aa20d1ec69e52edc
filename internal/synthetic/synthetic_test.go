package synthetic

import (
	"context"
	"path/filepath"
	"testing"

	"glimpse/internal/store"
	"glimpse/results"
)

// TestDatabasesAreSound holds what is made up to what is checked of real databases.
func TestDatabasesAreSound(t *testing.T) {
	for _, search := range []bool{false, true} {
		shape := OfRuns(100)
		shape.Epochs, shape.Images, shape.Search = 2, 20, search
		db, ctx := filled(t, shape), context.Background()
		if err := db.Check(ctx); err != nil {
			t.Error(err)
		}
		found, err := results.Verify(ctx, db)
		if err != nil {
			t.Fatal(err)
		}
		if found.Runs != 100 || found.Captions != 94*20 {
			t.Errorf("search %v: %d runs and %d captions, want 100 and %d", search, found.Runs, found.Captions, 94*20)
		}
		for _, f := range found.Findings {
			t.Errorf("search %v: %s: %s", search, f.Subject, f.Problem)
		}
	}
}

// filled is a temporary database with a study of the shape.
func filled(t testing.TB, s Shape) *store.DB {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := Fill(context.Background(), db, s); err != nil {
		t.Fatal(err)
	}
	return db
}
