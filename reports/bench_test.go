package reports

import (
	"context"
	"fmt"
	"testing"

	"glimpse/internal/store"
)

// BenchmarkReport writes whole reports: of a study of 15 trials, and of a
// search of 1,000.
func BenchmarkReport(b *testing.B) {
	for _, bench := range []struct {
		trials int
		study  string
		db     func() *store.DB
	}{
		{15, "attention", func() *store.DB { return usual(b, finished(5, levels, "none", "soft", "adaptive")) }},
		{1000, "search", func() *store.DB { return randomSearch(b, 1000) }},
	} {
		b.Run(fmt.Sprintf("trials=%d", bench.trials), func(b *testing.B) {
			db, dir := bench.db(), b.TempDir()
			b.ResetTimer()
			for b.Loop() {
				check(b, Write(context.Background(), db, bench.study, dir))
			}
			index := read(b, dir)["index.html"]
			b.ReportMetric(float64(len(index))/1e6, "MB/page")
		})
	}
}
