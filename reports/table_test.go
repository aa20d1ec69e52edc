package reports

import (
	"slices"
	"testing"

	"glimpse/metrics"
)

// TestNewMetric holds that a tested metric of the catalogue has its column, its score of an image and its name here
// without more.
func TestNewMetric(t *testing.T) {
	listed := metrics.Catalogue
	t.Cleanup(func() { metrics.Catalogue = listed })
	metrics.Catalogue = append(slices.Clip(listed), metrics.Entry{Key: "matched", Title: "Matched words", Scale: 100, Tested: true,
		Image: func(s *metrics.ImageScore) float64 { return float64(s.Match[0]) / float64(max(1, s.Length)) }})

	r := analysed(t, finished(3, map[string]float64{"none": 0.5, "soft": 0.6}, "none", "soft"))
	for _, a := range r.Arms {
		for _, run := range a.Runs {
			run.Metrics[r.Primary.Split]["matched"] = 0.5
		}
	}
	table := r.scoreTable()
	at := slices.IndexFunc(table.Columns, func(c column) bool { return c.Name == "Matched words" })
	if at < 0 || table.Rows[0][at].Text != meanText(50, 0) {
		t.Errorf("the table has no column of the new metric, or other values: %+v", table)
	}
	s := metrics.ImageScore{Match: [4]int{3, 2, 1, 0}, Length: 4}
	if got, ok := imagePoints("matched", &s); !ok || got != 75 {
		t.Errorf("of a caption: %g, %v, want 75", got, ok)
	}
}

// TestTableMetrics holds the order of the main table, which is that of papers.
func TestTableMetrics(t *testing.T) {
	want := []string{"bleu1", "bleu2", "bleu3", "bleu4", "meteor", "meteor-exact-stem", "rouge_l", "cider", "cider_d"}
	if got := tableMetrics(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
