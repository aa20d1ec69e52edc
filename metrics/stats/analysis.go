package stats

// Verdict is what a study says about a contrast's primary metric.
type Verdict string

const (
	// Supported: the interval lies above 0, both tests (permutation and
	// interval) stay below α when adjusted over the contrasts by Holm, and
	// the difference is at least the declared minimum.
	Supported Verdict = "supported"
	// Opposite: the same, with the sign turned round.
	Opposite Verdict = "opposite"
	// Inconclusive: neither.
	Inconclusive Verdict = "inconclusive"
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

func compareMethods() Methods {
	return Methods{
		Interval:   "t interval; variance between seeds plus crossed-bootstrap variance of images, Satterthwaite degrees of freedom",
		Percentile: "percentiles of the crossed hierarchical bootstrap (seeds within arms, images shared); too narrow where seeds are few",
		Test:       "two-sided exact permutation of seed-level scores between arms",
		Adjustment: "Holm over the contrasts of one metric, for the permutation test and for the interval's",
		Detectable: "simulation of the whole verdict with the observed spreads",
		Assumption: "seeds and images are random samples; scores of an arm's seeds are roughly normal",
	}
}

// Summary describes one arm's scores in one metric, as fractions of 1.
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
	// Low and High bound the arm's mean for other seeds and other images.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Result is one contrast in one metric. Scores and their differences are
// fractions of 1.
type Result struct {
	Contrast
	Metric string  `json:"metric"`
	NB     int     `json:"n_b"`
	NA     int     `json:"n_a"`
	MeanB  float64 `json:"mean_b"`
	MeanA  float64 `json:"mean_a"`

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
	// contrasts.
	P     float64 `json:"p"`
	PHolm float64 `json:"p_holm"`
	// PInterval is the t test that the interval stands for, over seeds and
	// images: below α where the interval leaves 0 out. PIntervalHolm is that
	// adjusted over the contrasts.
	PInterval     float64 `json:"p_interval"`
	PIntervalHolm float64 `json:"p_interval_holm"`
	// PExact is false where the splits were too many to look at each.
	PExact bool `json:"p_exact"`
	// SmallestP is the smallest PHolm that these numbers of runs can reach.
	SmallestP float64 `json:"smallest_p"`
	// PBetter is P(B > A), the share of pairs of runs in which B's is the
	// better one, ties counting half (Agarwal et al. 2021).
	PBetter float64 `json:"p_better"`

	Verdict Verdict `json:"verdict"`
	// DetectableEffect is the smallest true difference, in points, that a
	// study with these spreads finds with the power asked for; null if none.
	DetectableEffect *float64 `json:"detectable_effect"`
	Warnings         []string `json:"warnings,omitempty"`
}

// Analysis is the outcome of [Compare].
type Analysis struct {
	Options  Options   `json:"options"`
	Images   int       `json:"images"`
	Methods  Methods   `json:"methods"`
	Arms     []Summary `json:"arms"`      // by arm, then metric
	Results  []Result  `json:"contrasts"` // by metric, then contrast
	Warnings []string  `json:"warnings,omitempty"`
}

// Result returns a contrast's result in a metric, nil if there is none.
func (a *Analysis) Result(c Contrast, metric string) *Result {
	for i := range a.Results {
		if r := &a.Results[i]; r.Contrast == c && r.Metric == metric {
			return r
		}
	}
	return nil
}

// Summary returns an arm's summary in a metric, nil if there is none.
func (a *Analysis) Summary(arm, metric string) *Summary {
	for i := range a.Arms {
		if s := &a.Arms[i]; s.Arm == arm && s.Metric == metric {
			return s
		}
	}
	return nil
}
