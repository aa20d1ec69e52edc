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

// forestFigure shows the difference of each contrast with its interval, beside
// the zero line and the band of differences too small to matter.
func forestFigure(r *result) figure {
	low, high := math.Min(0, -r.MinimumEffect), math.Max(0, r.MinimumEffect)
	var rows []row
	var alt []string
	known := slices.DeleteFunc(slices.Clone(r.Contrasts), func(c *contrast) bool { return !finite(c.Difference) })
	shown := ""
	if all := len(known); all > mostContrasts {
		order := map[*contrast]int{}
		for i, c := range known {
			order[c] = i
		}
		slices.SortStableFunc(known, func(a, b *contrast) int { return cmp.Compare(math.Abs(b.Difference), math.Abs(a.Difference)) })
		known = known[:mostContrasts]
		slices.SortFunc(known, func(a, b *contrast) int { return cmp.Compare(order[a], order[b]) })
		shown = fmt.Sprintf(" Shown: the %d largest differences of %d; contrasts.csv has all.", mostContrasts, all)
	}
	for _, d := range known {
		for _, v := range []float64{d.Difference, d.Low, d.High} {
			if finite(v) {
				low, high = math.Min(low, v), math.Max(high, v)
			}
		}
		rows = append(rows, row{label: d.name(), tint: charts.Ink, detail: d.summary(), marks: d.marks})
		text := d.name() + ": " + d.summary()
		if d.Verdict != "" {
			text += ", " + string(d.Verdict)
		}
		alt = append(alt, text)
	}
	low, high = spread(low, high, 0.06, 1)
	f := figure{
		Name:  "contrasts",
		Title: "Differences between arms: " + r.Primary.name(),
		Alt:   "Differences with intervals against a line at zero. " + strings.Join(alt, "; ") + ".",
		Note: "The square is the difference of the means, the line its " + r.Level +
			" interval, p after Holm. Filled squares: supported or opposite; open: all others." + shown,
		Kind:   charts.KindForest,
		Data:   r.liveForest(known),
		height: rowFigureHeight(len(rows)),
		plot: newRowPlot("difference in "+r.Primary.axis(), low, high,
			rowPlotter{rows: rows, under: func(c *draw.Canvas, x func(float64) vg.Length, low, high vg.Length) {
				zeroLine(c, x, r.MinimumEffect, low, high)
			}}),
	}
	if r.MinimumEffect > 0 {
		f.heading = "grey: smaller than the declared minimum of " + pointsText(r.MinimumEffect)
		f.height += headingHeight
	}
	return f
}

// marks draws the contrast's interval and difference at height y.
func (d *contrast) marks(c *draw.Canvas, x func(float64) vg.Length, y vg.Length) {
	line := draw.LineStyle{Color: charts.Ink.Mark, Width: 1.6}
	if finite(d.Low) && finite(d.High) {
		whisker(c, x(d.Low), x(d.High), y, line)
	}
	const half = 4.5
	box := func(half vg.Length) []vg.Point {
		at := x(d.Difference)
		return []vg.Point{{X: at - half, Y: y - half}, {X: at + half, Y: y - half}, {X: at + half, Y: y + half}, {X: at - half, Y: y + half}}
	}
	c.FillPolygon(charts.Ink.Mark, box(half))
	if !d.decided() {
		c.FillPolygon(charts.Paper.Mark, box(half-1.6))
	}
}

// zeroLine draws the line of no difference, with a band of the differences that
// were declared too small to matter around it.
func zeroLine(c *draw.Canvas, x func(float64) vg.Length, minimum float64, low, high vg.Length) {
	if minimum > 0 {
		left, right := x(-minimum), x(minimum)
		c.FillPolygon(charts.Band.Mark, []vg.Point{{X: left, Y: low}, {X: right, Y: low}, {X: right, Y: high}, {X: left, Y: high}})
		edge := draw.LineStyle{Color: charts.Muted.Mark, Width: 0.75, Dashes: []vg.Length{3, 3}}
		c.StrokeLine2(edge, left, low, left, high)
		c.StrokeLine2(edge, right, low, right, high)
	}
	c.StrokeLine2(draw.LineStyle{Color: charts.Ink.Mark, Width: 1.2}, x(0), low, x(0), high)
}
