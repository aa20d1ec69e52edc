package reports

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// forestFigure shows the difference of each contrast with its interval, beside
// the zero line and the band of differences too small to matter.
func forestFigure(r *result) figure {
	low, high := math.Min(0, -r.MinimumEffect), math.Max(0, r.MinimumEffect)
	var rows rowPlotter
	var alt []string
	for _, d := range r.Contrasts {
		if !finite(d.Difference) {
			continue
		}
		for _, v := range []float64{d.Difference, d.Low, d.High} {
			if finite(v) {
				low, high = math.Min(low, v), math.Max(high, v)
			}
		}
		rows = append(rows, row{label: d.name(), tint: ink, detail: d.summary(), marks: d.marks})
		alt = append(alt, fmt.Sprintf("%s: %s, %s", d.name(), d.summary(), d.Verdict))
	}
	low, high = spread(low, high, 0.06, 1)
	p := newRowPlot("difference in "+r.Primary.axis(), low, high, nil)
	p.Add(zeroLine{minimum: r.MinimumEffect}, rows)
	note := "The square is the difference of the means, the line its 95 % interval. Filled squares: supported or opposite; open: inconclusive."
	if r.MinimumEffect > 0 {
		note += fmt.Sprintf(" The grey band holds the differences below the declared minimum of %s points.", number(r.MinimumEffect))
	}
	return figure{
		Name:   "contrasts",
		Title:  "Differences between arms: " + r.Primary.name(),
		Alt:    "Differences with intervals against a line at zero. " + strings.Join(alt, "; ") + ".",
		Note:   note,
		height: rowFigureHeight(len(rows)),
		plot:   p,
	}
}

// marks draws the contrast's interval and difference at height y.
func (d *contrast) marks(c *draw.Canvas, x func(float64) vg.Length, y vg.Length) {
	line := draw.LineStyle{Color: ink.mark, Width: 1.6}
	if finite(d.Low) && finite(d.High) {
		whisker(c, x(d.Low), x(d.High), y, line)
	}
	const half = 4.5
	box := func(half vg.Length) []vg.Point {
		at := x(d.Difference)
		return []vg.Point{{X: at - half, Y: y - half}, {X: at + half, Y: y - half}, {X: at + half, Y: y + half}, {X: at - half, Y: y + half}}
	}
	c.FillPolygon(ink.mark, box(half))
	if !d.decided() {
		c.FillPolygon(paper.mark, box(half-1.6))
	}
}

// zeroLine is the line of no difference, with a band of the differences that
// were declared too small to matter around it.
type zeroLine struct{ minimum float64 }

// Plot implements [plot.Plotter].
func (z zeroLine) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	if z.minimum > 0 {
		left, right := x(-z.minimum), x(z.minimum)
		c.FillPolygon(band.mark, []vg.Point{{X: left, Y: c.Min.Y}, {X: right, Y: c.Min.Y}, {X: right, Y: c.Max.Y}, {X: left, Y: c.Max.Y}})
		edge := draw.LineStyle{Color: muted.mark, Width: 0.75, Dashes: []vg.Length{3, 3}}
		c.StrokeLine2(edge, left, c.Min.Y, left, c.Max.Y)
		c.StrokeLine2(edge, right, c.Min.Y, right, c.Max.Y)
	}
	c.StrokeLine2(draw.LineStyle{Color: ink.mark, Width: 1.2}, x(0), c.Min.Y, x(0), c.Max.Y)
}
