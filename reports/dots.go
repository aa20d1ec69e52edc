package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"glimpse/reports/charts"
)

// dotRadius is the radius of a seed's dot, in points.
const dotRadius vg.Length = 4

// mostDrawn is the most arms that figures and the main table show: beyond it
// names and colours tell nothing apart. Of a search they show fewer, since it
// has figures of its own.
const (
	mostDrawn         = 24
	mostDrawnOfSearch = 8
)

// drawn are the arms that figures show, in the order of the study, with a note
// where they are not all.
func (r *result) drawn() (arms []*arm, note string) {
	most := mostDrawn
	if r.Parameters != nil {
		most = mostDrawnOfSearch
	}
	if len(r.Arms) <= most {
		return r.Arms, ""
	}
	best := slices.SortedStableFunc(slices.Values(r.Arms), func(a, b *arm) int {
		return cmp.Or(cmp.Compare(b.Mean, a.Mean), cmp.Compare(a.Index, b.Index)) // NaN is below every number
	})[:most]
	slices.SortFunc(best, func(a, b *arm) int { return cmp.Compare(a.Index, b.Index) })
	return best, fmt.Sprintf(" Shown: the %d highest means of %d arms.", most, len(r.Arms))
}

// dotsFigure shows the primary metric of each finished run as a dot, and under
// them the arm's mean with its interval.
func dotsFigure(r *result) figure {
	low, high := math.Inf(1), math.Inf(-1)
	cover := func(values ...float64) {
		for _, v := range values {
			if finite(v) {
				low, high = math.Min(low, v), math.Max(high, v)
			}
		}
	}
	var rows []row
	var alt []string
	arms, shown := r.drawn()
	seeds, drawn := seedLimit(arms)
	for _, a := range arms {
		if len(a.Scores) == 0 {
			continue
		}
		for _, s := range a.Scores {
			cover(s.Points)
		}
		cover(a.Low, a.High)
		rows = append(rows, row{label: a.Label, tint: a.tint(), detail: a.summary(),
			marks: func(c *draw.Canvas, x func(float64) vg.Length, y vg.Length) { a.marks(c, x, y, seeds) }})
		alt = append(alt, fmt.Sprintf("%s: %s, from %s to %s", a.Label, a.summary(), fixed(a.Scores.least(), 1), fixed(a.Scores.greatest(), 1)))
	}
	low, high = spread(low, high, 0.06, 1)
	note := "Dots: training runs (one seed each). Below: the arm’s mean"
	if r.ArmInterval != "" {
		note += " with its " + r.ArmInterval + " for other seeds and other images"
	}
	return figure{
		Name:   "scores",
		Title:  "Every seed, by arm: " + r.Primary.name(),
		Alt:    "Dots on a common scale. " + strings.Join(alt, "; ") + ".",
		Note:   note + "." + drawn + shown,
		Kind:   charts.KindDots,
		Data:   r.liveDots(arms),
		height: rowFigureHeight(len(rows)),
		plot:   newRowPlot(r.Primary.axis(), low, high, rowPlotter{rows: rows}),
	}
}

// marks draws the arm's dots at height y, close ones piled up, and below them
// its mean and interval.
func (a *arm) marks(c *draw.Canvas, x func(float64) vg.Length, y vg.Length, most int) {
	scores := evenly(a.Scores, most)
	for i, s := range scores {
		pile := 0
		for _, before := range scores[:i] {
			if math.Abs(float64(x(before.Points)-x(s.Points))) < float64(dotRadius) {
				pile++
			}
		}
		dot(c, vg.Point{X: x(s.Points), Y: y + vg.Length(min(pile, 3))*3}, dotRadius, a.tint())
	}
	line := draw.LineStyle{Color: a.tint().Mark, Width: 1.6}
	below := y - 10
	if finite(a.Low) && finite(a.High) {
		whisker(c, x(a.Low), x(a.High), below, line)
	}
	line.Width = 2.4
	c.StrokeLine2(line, x(a.Mean), below-5, x(a.Mean), below+5)
}
