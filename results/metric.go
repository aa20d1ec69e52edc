package results

import (
	"math"

	"glimpse/internal/store"
	"glimpse/metrics"
)

// A Metric is a score of a split, such as test.cider.
type Metric struct{ Split, Key string }

// ParseMetric reads a declared primary metric. A study that declares none is
// described by the CIDEr of its test split.
func ParseMetric(declared string) Metric {
	split, key, ok := metrics.ParseKey(declared)
	if !ok {
		return Metric{"test", "cider"}
	}
	return Metric{split, key}
}

func (m Metric) String() string { return m.Split + "." + m.Key }

// Of is the run's score as a fraction of 1, and whether it is completed and has
// a finite one.
func (m Metric) Of(r *store.Run) (float64, bool) {
	v, ok := r.Metrics[m.Split][m.Key]
	return v, ok && r.State == store.Completed && finite(v)
}

// Tested says whether the statistics know how to resample the metric.
func (m Metric) Tested() bool {
	e, _ := metrics.Find(m.Key)
	return e.Tested
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
