package reports

import (
	"fmt"
	"math"
	"strings"

	"glimpse/internal/store"
	"glimpse/results"
)

// fewestAtPosition is how many captions of a run must reach a word's place for
// its mean to be drawn.
const fewestAtPosition = 20

// byPosition is the mean of a series over the captions of a run, by the place
// of the word from 1, as far as enough captions go.
func byPosition(captions []store.Caption, series func(*store.Caption) []float64) curve {
	var sums []float64
	var counts []int
	for i := range captions {
		for at, v := range series(&captions[i]) {
			if at == len(sums) {
				sums, counts = append(sums, 0), append(counts, 0)
			}
			if finite(v) {
				sums[at] += v
				counts[at]++
			}
		}
	}
	var line curve
	for at, n := range counts {
		if n < fewestAtPosition {
			break
		}
		line = append(line, point{float64(at + 1), sums[at] / float64(n)})
	}
	return line
}

// entropyFigure shows how widely the attention is spread along the caption,
// under the most that it can be: ln R for R regions.
func (r *result) entropyFigure() (figure, string, bool) {
	plotter := &curvePlotter{}
	var alt []string
	arms, shown := r.drawn()
	seeds, drawn := seedLimit(arms)
	regions := r.regions()
	for _, a := range arms {
		ac := armCurves{name: a.Label, tint: a.tint()}
		for _, run := range a.Runs {
			if line := byPosition(run.captions(), func(c *store.Caption) []float64 { return c.Entropy }); len(line) > 0 {
				ac.seeds = append(ac.seeds, line)
			}
		}
		ac.average(ac.seeds)
		ac.seeds = evenly(ac.seeds, seeds)
		if len(ac.mean) == 0 {
			continue
		}
		plotter.arms = append(plotter.arms, ac)
		mean := 0.0
		for _, p := range ac.mean {
			mean += p.Y / float64(len(ac.mean))
		}
		text := fmt.Sprintf("%s %s nats, as wide as uniform attention over %s", a.Label, fixed(mean, 2), count(int(math.Round(math.Exp(mean))), "region"))
		if regions > 0 {
			text += fmt.Sprintf(" of %d", regions)
		}
		alt = append(alt, text)
	}
	if len(plotter.arms) == 0 {
		return figure{}, "", false
	}
	note := "Thin lines: seeds. Bold: their mean." + plotter.bandNote()
	if regions > 0 {
		plotter.limit = &limitLine{math.Log(float64(regions)), fmt.Sprintf("ln %d: uniform attention", regions)}
		note += fmt.Sprintf(" Dashed: ln R, the entropy of uniform attention over all R = %d regions.", regions)
	}
	p := newPlot("position in the caption (1: first word)", false, true)
	p.X.Tick.Marker = roundTicks{count: 8, whole: true}
	p.Add(plotter)
	p.Y.Min, p.Y.Max = spread(p.Y.Min, p.Y.Max, 0.09, 0.1)
	finding := "Mean entropy of the attention: " + strings.Join(few(alt, fewArms), "; ") + "."
	return figure{
		Name:    "entropy",
		Title:   "Entropy of the attention along the caption",
		Alt:     "Lines over word positions. " + finding,
		Note:    note + " Low: attention on one place." + drawn + shown,
		heading: "entropy over the regions (nats)",
		height:  curveHeight,
		plot:    p,
	}, finding, true
}

// regions is the number R of regions that the study's arms look at, 0 where it
// is not known or not the same for all.
func (r *result) regions() int {
	found := 0
	for _, run := range r.Runs {
		n := run.regions()
		if n == 0 || found != 0 && n != found {
			return 0
		}
		found = n
	}
	return found
}

// regions is R by the encoder in the run's settings, 0 for an unknown one and where images have different numbers of regions.
func (r *run) regions() int {
	settings, err := results.Settings(r.Run.Run)
	if err != nil {
		return 0
	}
	features, err := settings.Encoder.Features()
	if err != nil || settings.Encoder.Content.Varies() {
		return 0
	}
	return features.Regions
}
