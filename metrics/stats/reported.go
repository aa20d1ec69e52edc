package stats

import "math"

// Reported compares the scores of several seeds with a single score reported by
// others. All scores are in points (×100) and on the same images, so only seeds
// vary.
type Reported struct {
	Value     float64 // the reported score
	Mean      float64 // over the seeds
	Low, High float64 // t interval of the mean, of level 1 − α
	N         int     // number of seeds
	Verdict   ReportedVerdict
}

// ReportedVerdict says whether the seeds score as reported.
type ReportedVerdict string

const (
	// AsReported: two one-sided t tests at level α place the mean within ± the
	// minimum of the reported score (TOST; Schuirmann 1987, Journal of
	// Pharmacokinetics and Biopharmaceutics 15:657–680).
	AsReported ReportedVerdict = "equivalent"
	// BelowReported: the whole interval is more than the minimum below the
	// reported score.
	BelowReported ReportedVerdict = "below"
	// AboveReported: the whole interval is more than the minimum above it.
	AboveReported ReportedVerdict = "above"
	// Unclear: none of these.
	Unclear ReportedVerdict = "inconclusive"
)

// AgainstReported compares the scores of at least two seeds with a reported
// score. Scores and minimum, the smallest difference that matters, are in points;
// alpha is the error rate.
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
