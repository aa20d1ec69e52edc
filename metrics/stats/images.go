package stats

import (
	"fmt"
	"slices"
)

// ImageInterval is the score of one captioner in one metric, with its interval
// over images. All are fractions of 1.
type ImageInterval struct {
	Score float64
	// Low and High are percentiles of the bootstrap over images, of level 1 − α
	// (Koehn 2004, "Statistical significance tests for machine translation
	// evaluation", EMNLP). They cover other images, not other seeds.
	Low, High float64
}

// OverImages returns the interval of one captioner's score over images, by
// metric, for the metrics of the options. It is for captioners without seeds to
// vary, such as an ensemble of all seeds. It returns an error for invalid
// options, fewer than two images, repeated image IDs, or per-image numbers that
// are negative, NaN or infinite.
func OverImages(r Run, o Options) (map[string]ImageInterval, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	arms, err := reduceArms([]Arm{{Name: "captions", Runs: []Run{r}}}, o.Metrics)
	if err == nil {
		err = checkArms(arms)
	}
	if err != nil {
		return nil, fmt.Errorf("interval over images: %w", err)
	}
	t := newTable(arms[0].Runs, o.Metrics)
	_, observed := t.observed()
	drawn := (&bootstrap{t, o.Draws, o.Seed}).scores([]unit{{end: 1}})[0]
	out := map[string]ImageInterval{}
	for m, key := range o.Metrics {
		scores := make([]float64, drawn.draws)
		for d := range scores {
			scores[d] = drawn.on(m, d)[0]
		}
		slices.Sort(scores)
		out[key] = ImageInterval{observed[0][m], quantile(scores, o.Alpha/2), quantile(scores, 1-o.Alpha/2)}
	}
	return out, nil
}
