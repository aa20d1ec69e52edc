package stats

import (
	"math/rand/v2"
	"slices"
	"testing"

	"glimpse/metrics"
)

// TestNewMetric checks that an entry of the catalogue with per-image scores is all
// that a metric needs to be resampled, and that other means keep their columns.
func TestNewMetric(t *testing.T) {
	listed := metrics.Catalogue
	t.Cleanup(func() { metrics.Catalogue = listed })
	words := metrics.Entry{Key: "words", Title: "Words", Scale: 100, Tested: true,
		Image: func(s *metrics.ImageScore) float64 { return float64(s.Length) }}
	metrics.Catalogue = slices.Insert(slices.Clone(listed), 0, words)

	runs := captions(rand.New(rand.NewPCG(5, 6)), 1, 2, 60)[0].Runs
	_, scores := tableOf(t, runs, DefaultMetrics()).observed()
	want, rouge := 0.0, 0.0
	for _, image := range runs[0].Images {
		want += float64(image.Length) / 60
		rouge += image.RougeL / 60
	}
	near(t, "words", scores[0][slices.Index(DefaultMetrics(), "words")], want, 1e-12)
	near(t, "rouge_l", scores[0][slices.Index(DefaultMetrics(), "rouge_l")], rouge, 1e-12)
}

// TestTestedMetricsAreMeasured checks that the statistics know every tested metric
// of the catalogue, and no other.
func TestTestedMetricsAreMeasured(t *testing.T) {
	for _, e := range metrics.Catalogue {
		if _, ok := measureOf(e.Key); ok != e.Tested {
			t.Errorf("%s: the statistics know it: %v; the catalogue says %v", e.Key, ok, e.Tested)
		}
	}
}
