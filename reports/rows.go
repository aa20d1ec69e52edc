package reports

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"glimpse/reports/charts"
)

const (
	// rowHeight is the usual height of one row: a line of text over a track of
	// marks.
	rowHeight vg.Length = 50
	// rowMarks is how far below the top of its row the data are drawn.
	rowMarks vg.Length = 31
)

// A row is one line of a row plot. Its label stands above its track, so that
// a long name takes no width from the data.
type row struct {
	label  string
	tint   charts.Tint // of the label
	detail string      // in grey, at the right end of the label's line
	// marks draws the data at height y; x turns values into places.
	marks func(c *draw.Canvas, x func(float64) vg.Length, y vg.Length)
}

// rowPlotter draws rows from top to bottom over a shared horizontal axis.
type rowPlotter struct {
	rows   []row
	height vg.Length // of a row; 0 is the usual one
	// under, if there is one, draws beneath the marks of each row, between
	// the heights low and high.
	under func(c *draw.Canvas, x func(float64) vg.Length, low, high vg.Length)
}

// Plot implements [plot.Plotter].
func (rp rowPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	height := rp.height
	if height == 0 {
		height = rowHeight
	}
	for i, r := range rp.rows {
		top := c.Max.Y - vg.Length(i)*height
		rp.track(&c, p, top-height+4, top-20)
		detail := words(labelSize, charts.Muted.Mark)
		detail.XAlign = draw.XRight
		width := detail.Width(r.detail)
		name := bold(labelSize, r.tint.Text)
		c.FillText(name, vg.Point{X: c.Min.X, Y: top - 14}, shorten(r.label, name, c.Max.X-c.Min.X-width-10))
		c.FillText(detail, vg.Point{X: c.Max.X, Y: top - 14}, r.detail)
		r.marks(&c, x, top-rowMarks)
	}
}

// track draws what lies beneath the marks of one row. The grid lines stop
// there, so that they run through no text.
func (rp rowPlotter) track(c *draw.Canvas, p *plot.Plot, low, high vg.Length) {
	x, _ := p.Transforms(c)
	for _, tick := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		c.StrokeLine2(draw.LineStyle{Color: charts.Grid.Mark, Width: 0.75}, x(tick.Value), low, x(tick.Value), high)
	}
	if rp.under != nil {
		rp.under(c, x, low, high)
	}
}

// rowFigureHeight is the height of a figure of n rows with its axis.
func rowFigureHeight(n int) vg.Length { return vg.Length(n)*rowHeight + 52 }

// newRowPlot is a plot of rows over the axis from low to high.
func newRowPlot(xLabel string, low, high float64, rows rowPlotter) *plot.Plot {
	p := newPlot(xLabel, false, false)
	p.HideY()
	p.Y.Padding = 0
	p.X.Min, p.X.Max = low, high
	p.Y.Min, p.Y.Max = 0, 1
	p.Add(rows)
	return p
}

// shorten cuts text to a width, with an ellipsis where something is lost.
func shorten(text string, style draw.TextStyle, width vg.Length) string {
	runes := []rune(clean(text))
	if style.Width(string(runes)) <= width {
		return string(runes)
	}
	for len(runes) > 1 && style.Width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// dot is a filled circle with a rim in the colour of the ground, which keeps
// overlapping dots apart.
func dot(c *draw.Canvas, at vg.Point, radius vg.Length, t charts.Tint) {
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: charts.Paper.Mark, Radius: radius + 0.8, Shape: draw.CircleGlyph{}}, at)
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: t.Mark, Radius: radius, Shape: draw.CircleGlyph{}}, at)
}

// whisker is a horizontal interval with caps.
func whisker(c *draw.Canvas, from, to, y vg.Length, style draw.LineStyle) {
	c.StrokeLine2(style, from, y, to, y)
	const cap = 4
	c.StrokeLine2(style, from, y-cap, from, y+cap)
	c.StrokeLine2(style, to, y-cap, to, y+cap)
}
