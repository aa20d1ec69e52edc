package stats

import (
	"fmt"
	"strings"
)

// Verdict is a study's answer about a contrast in the primary metric.
type Verdict string

const (
	// Supported: the interval lies above 0, both p-values (permutation and
	// interval) are below α after Holm's adjustment over the contrasts, and the
	// difference is at least the declared minimum. If the standard deviation
	// over seeds of one side is more than twice the other's, the interval's test
	// is Cochran and Cox's, which is more conservative. A warning says so if
	// that changes the verdict.
	Supported Verdict = "supported"
	// Opposite: the same conditions with the sign reversed.
	Opposite Verdict = "opposite"
	// Equivalent: two one-sided tests, adjusted in the same way, place the true
	// difference within ± the declared minimum.
	Equivalent Verdict = "equivalent"
	// Inconclusive: none of the above. The study cannot tell.
	Inconclusive Verdict = "inconclusive"
	// Undecided: none of the above yet, and the study has more looks to come.
	Undecided Verdict = "undecided"
	// Exploratory: the metric is not the primary one and gets no verdict.
	Exploratory Verdict = "exploratory"
)

// Methods describes the methods of a [Compare] analysis in words, for reports
// to print.
type Methods struct {
	Interval   string `json:"interval"`
	Percentile string `json:"percentile"`
	Test       string `json:"test"`
	Adjustment string `json:"adjustment"`
	Detectable string `json:"detectable"`
	Assumption string `json:"assumption"`
}

// compareMethods describes the methods. sampled is true if any permutation test
// used random splits instead of all of them.
func compareMethods(sampled bool, looks *Looks) Methods {
	test := "two-sided exact permutation of seed-level scores between arms"
	if sampled {
		test = fmt.Sprintf("two-sided permutation of seed-level scores between arms: "+
			"all splits where there are at most %d, as many random ones elsewhere", mostSplits)
	}
	interval := "t interval; variance between seeds plus crossed-bootstrap variance of images, Satterthwaite degrees of freedom"
	if looks != nil {
		interval += fmt.Sprintf("; repeated over the looks at %s seeds by %s spending", intList(looks.Seeds), SpendingTitle(looks.Spending))
		test += "; sequential p-values over the looks"
	}
	return Methods{
		Interval:   interval,
		Percentile: "percentiles of the crossed hierarchical bootstrap (seeds within arms, images shared); too narrow where seeds are few",
		Test:       test,
		Adjustment: "Holm over the contrasts of one metric, for the permutation test and for the interval's",
		Detectable: "simulation of the whole verdict with the observed spreads",
		Assumption: "seeds and images are random samples; scores of an arm's seeds are roughly normal",
	}
}

// Summary describes the scores of one arm or composite in one metric, as
// fractions of 1.
type Summary struct {
	Arm    string    `json:"arm"`
	Metric string    `json:"metric"`
	N      int       `json:"n"`
	Seeds  []int64   `json:"seeds"`
	Scores []float64 `json:"scores"` // in the order of Seeds
	Mean   float64   `json:"mean"`
	// SD is the standard deviation over seeds (MultEval's s_opt); null for one
	// run.
	SD *float64 `json:"sd"`
	// SSel is the standard deviation of a run's score over bootstrap draws of
	// the images, averaged over the runs (MultEval's s_sel).
	SSel float64 `json:"s_sel"`
	// Low and High are the confidence interval of the arm's mean over seeds and
	// images. They are NaN, null in JSON, if there is only one seed, or if the
	// seed did not change the score.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Result is one contrast in one metric. Scores and their differences are
// fractions of 1.
//
// If Untested is set, only the means and their difference are known. SmallestP
// is then 1, every other number is NaN (null in JSON), and there is no verdict,
// except for Undecided before the first look of a study with looks.
//
// In a study with looks (Options.Looks), the numbers are those of the contrast's
// latest look, which used NA and NB runs. Later runs do not change them, except
// that Holm-adjusted p-values fall when those of other contrasts do. The
// p-values are sequential, over all looks so far. The interval is the repeated
// confidence interval, which is valid at all looks together (Jennison &
// Turnbull 1989, "Interim analyses: the repeated confidence interval approach",
// JRSS B 51:305–361).
type Result struct {
	Contrast
	Metric string `json:"metric"`
	// Untested says why there is no test: a side has fewer than two runs, the
	// seed changed no statistic of an arm, both sides have the same statistics
	// for each seed, so that the setting changed nothing, or the first look has
	// not been reached. It is empty if there is a test.
	Untested string `json:"untested,omitempty"`

	NB    int     `json:"n_b"` // runs of B
	NA    int     `json:"n_a"`
	MeanB float64 `json:"mean_b"`
	MeanA float64 `json:"mean_a"`

	Difference float64 `json:"difference"` // MeanB − MeanA
	// Low and High are the confidence interval of the difference.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// SE is the standard error of the difference: SE² = SeedSE² + ImageSE², due
	// to seeds and to images.
	SE      float64 `json:"se"`
	SeedSE  float64 `json:"seed_se"`
	ImageSE float64 `json:"image_se"`
	DF      float64 `json:"df"` // Satterthwaite's degrees of freedom

	// PercentileLow and PercentileHigh are the percentile interval of the
	// crossed bootstrap.
	PercentileLow  float64 `json:"percentile_low"`
	PercentileHigh float64 `json:"percentile_high"`

	// P is the p-value of the permutation test over seeds; PHolm is P adjusted
	// over the contrasts. With looks, P is the smallest overall α at which any
	// look so far would have rejected, and Looks has the p of each look.
	P     float64 `json:"p"`
	PHolm float64 `json:"p_holm"`
	// PInterval is the p-value of the interval's t test, over seeds and images:
	// it is below α if the interval excludes 0. PIntervalHolm is PInterval
	// adjusted over the contrasts. With looks, PInterval is sequential like P: it
	// is below α if the interval of any look so far excluded 0.
	PInterval     float64 `json:"p_interval"`
	PIntervalHolm float64 `json:"p_interval_holm"`
	// PCarefulHolm is the p of the interval's test that the verdict uses:
	// PIntervalHolm or, if the seeds of one side spread more than twice as wide as
	// the other's, that of a more careful test.
	PCarefulHolm float64 `json:"p_careful_holm"`
	// PEquivalence is the larger p of two one-sided t tests against ± the
	// minimum effect; PEquivalenceHolm is PEquivalence adjusted over the
	// contrasts. Both are sequential with looks, and NaN, null in JSON, for other
	// metrics than the primary one and if no minimum is declared. EquivalenceLow
	// and EquivalenceHigh are the interval that corresponds to this test, of
	// level 1 − 2α.
	PEquivalence     float64 `json:"p_equivalence"`
	PEquivalenceHolm float64 `json:"p_equivalence_holm"`
	EquivalenceLow   float64 `json:"equivalence_low"`
	EquivalenceHigh  float64 `json:"equivalence_high"`
	// PExact is true if the permutation test evaluated every split. Otherwise it
	// used random splits, and PError is the resulting standard error of P; PError
	// is 0 for an exact test. With looks, both belong to the look that gave P.
	PExact bool    `json:"p_exact"`
	PError float64 `json:"p_error"`
	// SmallestP is the smallest PHolm that these numbers of runs can reach.
	SmallestP float64 `json:"smallest_p"`
	// PBetter estimates P(B > A): the share of pairs of runs in which B's score
	// is higher, ties counting half (the probability of improvement of Agarwal et
	// al. 2021).
	PBetter float64 `json:"p_better"`

	// Looks are the looks so far of a study with looks. Decided is true if this
	// contrast needs no more seeds: in the primary metric it has a verdict, the
	// last look is done, or it is Futile, which means unlikely to get a verdict.
	// NextLook is the number of runs per arm at the next look; 0 if decided.
	Looks    []Look `json:"looks,omitempty"`
	Decided  bool   `json:"decided,omitempty"`
	Futile   bool   `json:"futile,omitempty"`
	NextLook int    `json:"next_look,omitempty"`

	// Verdict is "" if there was no test.
	Verdict Verdict `json:"verdict"`
	// DetectableEffect is the smallest true difference, in points, that a study
	// with these spreads detects with the requested power. It is null if there is
	// no such difference, or if the scores do not vary at all.
	DetectableEffect *float64 `json:"detectable_effect"`
	Warnings         []string `json:"warnings,omitempty"`
}

// Look is the outcome of one look at a contrast. Scores are fractions of 1.
type Look struct {
	Seeds int `json:"seeds"` // runs per arm
	// Level is the nominal two-sided level of a test at this look, at Holm's
	// strictest step: for an overall α divided by the number of contrasts.
	Level      float64 `json:"level"`
	Difference float64 `json:"difference"`
	// Low and High are the repeated confidence interval.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// P and PInterval are the p-values of the permutation test and of the
	// interval's t test, of this look alone.
	P         float64 `json:"p"`
	PInterval float64 `json:"p_interval"`
	// Decision is the verdict reached at this look, "futile" or "continue". It is
	// "" if there was no test, or if the metric gets no verdict.
	Decision string `json:"decision"`
}

// Analysis is the outcome of [Compare].
type Analysis struct {
	Options  Options   `json:"options"` // with defaults filled in
	Images   int       `json:"images"`  // number of test images
	Methods  Methods   `json:"methods"`
	Arms     []Summary `json:"arms"`      // arms, then composites; each by metric
	Results  []Result  `json:"contrasts"` // by metric, then contrast
	Warnings []string  `json:"warnings,omitempty"`
}

// intList formats numbers as "5, 8, 12".
func intList(n []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(n), "[]"), " ", ", ")
}

// Result returns the result of a contrast in a metric, or nil if there is none.
func (a *Analysis) Result(c Contrast, metric string) *Result {
	for i := range a.Results {
		if r := &a.Results[i]; r.Contrast == c && r.Metric == metric {
			return r
		}
	}
	return nil
}

// Summary returns the summary of an arm or composite in a metric, or nil if
// there is none.
func (a *Analysis) Summary(arm, metric string) *Summary {
	for i := range a.Arms {
		if s := &a.Arms[i]; s.Arm == arm && s.Metric == metric {
			return s
		}
	}
	return nil
}
