package stats

import "math"

// Reported is how the scores of seeds, in points (×100), lie to one that somebody reports without
// seeds of its own. The images are the same, so that the seeds are all that varies.
type Reported struct {
	Value     float64 // the reported score, in points
	Mean      float64 // of the seeds
	Low, High float64 // of the mean, at level 1 − α, by Student's t
	N         int
	Verdict   ReportedVerdict
}

// ReportedVerdict says whether seeds score as reported.
type ReportedVerdict string

const (
	// AsReported: two one-sided t tests at α place the mean within ± the minimum of the reported score
	// (TOST: Schuirmann 1987).
	AsReported ReportedVerdict = "equivalent"
	// BelowReported and AboveReported: the interval lies beyond the minimum, below or above.
	BelowReported ReportedVerdict = "below"
	AboveReported ReportedVerdict = "above"
	// Unclear: neither.
	Unclear ReportedVerdict = "inconclusive"
)

// AgainstReported compares scores of at least two seeds with a reported one, all in points, where
// differences below minimum do not matter.
func AgainstReported(scores []float64, reported, minimum, alpha float64) Reported {
	n := float64(len(scores))
	r := Reported{Value: reported, Mean: mean1(scores), N: len(scores), Verdict: Unclear}
	se, df := math.Sqrt(variance(scores)/n), n-1
	half := tQuantile(1-alpha/2, df) * se
	r.Low, r.High = r.Mean-half, r.Mean+half
	within := tQuantile(1-alpha, df) * se
	switch {
	case math.Abs(r.Mean-reported)+within < minimum:
		r.Verdict = AsReported
	case r.High < reported-minimum:
		r.Verdict = BelowReported
	case r.Low > reported+minimum:
		r.Verdict = AboveReported
	}
	return r
}
