package synthetic

import (
	"context"
	"flag"
	"path/filepath"
	"runtime"
	"testing"

	"glimpse/experiments"
	"glimpse/exports"
	"glimpse/internal/store"
	"glimpse/planning"
	"glimpse/reports"
	"glimpse/results"
)

var ofRuns = flag.Int("runs", 1000, "runs of the database that benchmarks work on")

// work is what grows with the runs of a database.
var work = []struct {
	name string
	do   func(ctx context.Context, db *store.DB, s Shape, dir string) error
}{
	{"report", func(ctx context.Context, db *store.DB, s Shape, dir string) error {
		return reports.Write(ctx, db, s.Name, dir)
	}},
	{"runs", func(ctx context.Context, db *store.DB, s Shape, dir string) error {
		runs, err := db.Runs(ctx, s.Name)
		if err != nil {
			return err
		}
		_, err = results.LabelsOf(ctx, db, runs)
		return err
	}},
	{"plan", func(ctx context.Context, db *store.DB, s Shape, dir string) error {
		study, err := experiments.Parse(s.Name+".yaml", []byte(s.Spec()))
		if err != nil {
			return err
		}
		sets := &planning.Sets{}
		found, err := sets.Against(ctx, db, study)
		if err != nil {
			return err
		}
		_, err = sets.NewPlan(ctx, db, study, found, 1)
		return err
	}},
	{"tables", func(ctx context.Context, db *store.DB, s Shape, dir string) error {
		runs, err := exports.Gather(ctx, db, []string{s.Name})
		if err != nil {
			return err
		}
		return exports.CSV(ctx, db, runs, dir)
	}},
	{"export", func(ctx context.Context, db *store.DB, s Shape, dir string) error {
		_, err := db.Export(ctx, filepath.Join(dir, "rows"), store.JSONLines)
		return err
	}},
	{"export and import", func(ctx context.Context, db *store.DB, s Shape, dir string) error {
		rows := filepath.Join(dir, "rows")
		if _, err := db.Export(ctx, rows, store.JSONLines); err != nil {
			return err
		}
		_, err := store.Import(ctx, rows, filepath.Join(dir, "imported.db"))
		return err
	}},
	{"merge", func(ctx context.Context, db *store.DB, s Shape, dir string) error {
		into, err := store.Open(filepath.Join(dir, "merged.db"))
		if err != nil {
			return err
		}
		defer into.Close()
		_, err = into.Merge(ctx, db.Path(), func(store.Run) bool { return false })
		return err
	}},
	{"check", func(ctx context.Context, db *store.DB, s Shape, dir string) error { return db.Check(ctx) }},
}

// BenchmarkManyRuns works on a study that compares attentions, and on a search with a seed an arm. Of another size:
//
//	go test -run '^$' -bench ManyRuns ./internal/synthetic -args -runs 10000
func BenchmarkManyRuns(b *testing.B) {
	search := OfRuns(*ofRuns)
	search.Arms, search.Seeds, search.Search = *ofRuns, 1, true
	for name, shape := range map[string]Shape{"compared": OfRuns(*ofRuns), "search": search} {
		db, ctx := filled(b, shape), context.Background()
		for _, w := range work {
			b.Run(w.name+"/"+name, func(b *testing.B) {
				for range b.N {
					b.StopTimer()
					dir := b.TempDir()
					b.StartTimer()
					if err := w.do(ctx, db, shape, dir); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// The second doubling of arms takes about twice as much more as the first, not four times as much: told by what
// is allocated, since a busy machine makes times worthless.
func TestWorkGrowsWithRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("makes large databases")
	}
	for _, search := range []bool{false, true} {
		allocated := map[string][]float64{} // MB
		for _, arms := range []int{200, 400, 800} {
			shape := Shape{Name: "synthetic", Arms: arms, Seeds: 1, Epochs: 2, Images: 4, Search: search}
			db, ctx := filled(t, shape), context.Background()
			for _, w := range work {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if err := w.do(ctx, db, shape, t.TempDir()); err != nil {
					t.Fatalf("%s of %d arms: %v", w.name, arms, err)
				}
				runtime.ReadMemStats(&after)
				allocated[w.name] = append(allocated[w.name], float64(after.TotalAlloc-before.TotalAlloc)/1e6)
			}
		}
		for _, w := range work {
			mb := allocated[w.name]
			if first, second := mb[1]-mb[0], mb[2]-mb[1]; second > 3*first && second > 2 {
				t.Errorf("search %v: %s allocates %.1f MB for 200, 400, and 800 arms", search, w.name, mb)
			}
			t.Logf("search %v: %s allocates %.1f MB", search, w.name, mb)
		}
	}
}
