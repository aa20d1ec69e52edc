package stats

import (
	"fmt"
	"strings"
)

// Verdict is what a study says about a contrast's primary metric.
type Verdict string

const (
	// Supported: the interval lies above 0, both tests (permutation and
	// interval) stay below α when adjusted over the contrasts by Holm, and
	// the difference is at least the declared minimum. Where one side's seeds
	// spread more than twice as wide as the other's, the interval's test is
	// Cochran and Cox's, which is more careful, and a warning says so if that
	// decides.
	Supported Verdict = "supported"
	// Opposite: the same, with the sign turned round.
	Opposite Verdict = "opposite"
	// Equivalent: two one-sided tests, adjusted likewise, say that the true
	// difference lies within ± the declared minimum.
	Equivalent Verdict = "equivalent"
	// Inconclusive: none of these. The study does not know.
	Inconclusive Verdict = "inconclusive"
	// Undecided: none of these so far, and the study has looks to come.
	Undecided Verdict = "undecided"
	// Exploratory: the metric is not the primary one and is not judged.
	Exploratory Verdict = "exploratory"
)

// Methods names what an analysis rests on, for tables to quote.
type Methods struct {
	Interval   string `json:"interval"`
	Percentile string `json:"percentile"`
	Test       string `json:"test"`
	Adjustment string `json:"adjustment"`
	Detectable string `json:"detectable"`
	Assumption string `json:"assumption"`
}

// compareMethods names the methods; sampled says that some permutation test did
// not see every split.
func compareMethods(sampled bool, looks *Looks) Methods {
	test := "two-sided exact permutation of seed-level scores between arms"
	if sampled {
		test = fmt.Sprintf("two-sided permutation of seed-level scores between arms: "+
			"all splits where there are at most %d, as many random ones elsewhere", mostSplits)
	}
	interval := "t interval; variance between seeds plus crossed-bootstrap variance of images, Satterthwaite degrees of freedom"
	if looks != nil {
		interval += fmt.Sprintf("; repeated over the looks at %s seeds by %s spending", intList(looks.Seeds), looks.Spending)
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
	// SD is the standard deviation over seeds (MultEval's s_opt), null for
	// one run.
	SD *float64 `json:"sd"`
	// SSel is the standard deviation over draws of images of one run's
	// score, averaged over the runs (MultEval's s_sel).
	SSel float64 `json:"s_sel"`
	// Low and High bound the arm's mean for other seeds and other images. They
	// are NaN, null in JSON, where the seeds tell nothing: there is one, or it
	// changed nothing.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Result is one contrast in one metric. Scores and their differences are
// fractions of 1.
//
// Where Untested is set there is nothing but the means and their difference:
// every other number is NaN, null in JSON, but for SmallestP, which is 1, and
// there is no verdict (Undecided before the first look of a study with looks).
//
// In a study with looks (Options.Looks) the numbers are those of the last look
// that the contrast has had, n_a and n_b being the runs it took; runs that come
// later do not change them, though Holm's p-values fall with those of other
// contrasts. Its p-values are sequential ones, over all looks so
// far, and its interval is the repeated confidence interval, which holds at all
// looks together (Jennison & Turnbull 1989, "Interim analyses: the repeated
// confidence interval approach", JRSS B 51:305–361).
type Result struct {
	Contrast
	Metric string `json:"metric"`
	// Untested says why there is no test: an arm has one run, the seed changed
	// no statistic of an arm, or the two sides have the same statistics with
	// each seed, so that the setting changed nothing.
	Untested string `json:"untested,omitempty"`

	NB    int     `json:"n_b"`
	NA    int     `json:"n_a"`
	MeanB float64 `json:"mean_b"`
	MeanA float64 `json:"mean_a"`

	Difference float64 `json:"difference"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	// SE² = SeedSE² + ImageSE²: the parts of other seeds and other images.
	SE      float64 `json:"se"`
	SeedSE  float64 `json:"seed_se"`
	ImageSE float64 `json:"image_se"`
	DF      float64 `json:"df"`

	PercentileLow  float64 `json:"percentile_low"`
	PercentileHigh float64 `json:"percentile_high"`

	// P is the permutation test over seeds, PHolm that adjusted over the
	// contrasts. With looks P is the smallest overall α at which some look so
	// far would have rejected, and Looks has the p of each.
	P     float64 `json:"p"`
	PHolm float64 `json:"p_holm"`
	// PInterval is the t test that the interval stands for, over seeds and
	// images: below α where the interval leaves 0 out. PIntervalHolm is that
	// adjusted over the contrasts. With looks it is sequential, as P is: below α
	// where the interval of some look so far left 0 out.
	PInterval     float64 `json:"p_interval"`
	PIntervalHolm float64 `json:"p_interval_holm"`
	// PEquivalence is the larger p of two one-sided t tests against ± the
	// minimum effect, PEquivalenceHolm that adjusted over the contrasts;
	// sequential with looks. Both are NaN, null in JSON, for metrics other than
	// the primary one and where no minimum is declared. EquivalenceLow and
	// EquivalenceHigh are the interval that this test stands for, of level
	// 1 − 2α.
	PEquivalence     float64 `json:"p_equivalence"`
	PEquivalenceHolm float64 `json:"p_equivalence_holm"`
	EquivalenceLow   float64 `json:"equivalence_low"`
	EquivalenceHigh  float64 `json:"equivalence_high"`
	// PExact is false if the splits were too many to look at each; PError is then the standard
	// error of P that random splits leave, and 0 elsewhere. With looks both are of the look that
	// gave P.
	PExact bool    `json:"p_exact"`
	PError float64 `json:"p_error"`
	// SmallestP is the smallest PHolm that these numbers of runs can reach.
	SmallestP float64 `json:"smallest_p"`
	// PBetter is P(B > A), the share of pairs of runs in which B's is the
	// better one, ties counting half (Agarwal et al. 2021).
	PBetter float64 `json:"p_better"`

	// Looks has the looks so far of a study with looks. Decided says that the primary metric
	// needs no more seeds for this contrast: it has a verdict, the last look is done, or it is
	// Futile, unlikely to get one. NextLook is the number of runs an arm that it waits for; 0 if
	// decided.
	Looks    []Look `json:"looks,omitempty"`
	Decided  bool   `json:"decided,omitempty"`
	Futile   bool   `json:"futile,omitempty"`
	NextLook int    `json:"next_look,omitempty"`

	// Verdict is "" if there was no test.
	Verdict Verdict `json:"verdict"`
	// DetectableEffect is the smallest true difference, in points, that a
	// study with these spreads finds with the power asked for; null if none, or
	// if there is no spread at all.
	DetectableEffect *float64 `json:"detectable_effect"`
	Warnings         []string `json:"warnings,omitempty"`
}

// Look is what one look at a contrast found. Scores are fractions of 1.
type Look struct {
	Seeds int `json:"seeds"` // runs of an arm
	// Level is the two-sided level of a test at this look at Holm's strictest
	// step, α over the number of contrasts.
	Level      float64 `json:"level"`
	Difference float64 `json:"difference"`
	// Low and High are the repeated confidence interval.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// P is the permutation test and PInterval the interval's, of this look
	// alone.
	P         float64 `json:"p"`
	PInterval float64 `json:"p_interval"`
	// Decision is the verdict that the look brought, "futile", "continue", or "" if it could not
	// test or the metric is not judged.
	Decision string `json:"decision"`
}

// Analysis is the outcome of [Compare].
type Analysis struct {
	Options  Options   `json:"options"`
	Images   int       `json:"images"`
	Methods  Methods   `json:"methods"`
	Arms     []Summary `json:"arms"`      // by arm, then composite, then metric
	Results  []Result  `json:"contrasts"` // by metric, then contrast
	Warnings []string  `json:"warnings,omitempty"`
}

// intList writes numbers with commas between them.
func intList(n []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(n), "[]"), " ", ", ")
}

// Result returns a contrast's result in a metric; nil if there is none.
func (a *Analysis) Result(c Contrast, metric string) *Result {
	for i := range a.Results {
		if r := &a.Results[i]; r.Contrast == c && r.Metric == metric {
			return r
		}
	}
	return nil
}

// Summary returns an arm's summary in a metric; nil if there is none.
func (a *Analysis) Summary(arm, metric string) *Summary {
	for i := range a.Arms {
		if s := &a.Arms[i]; s.Arm == arm && s.Metric == metric {
			return s
		}
	}
	return nil
}
