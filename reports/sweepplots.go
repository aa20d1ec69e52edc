package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"glimpse/metrics"
	"glimpse/reports/charts"
)

// effectFigure shows the score of each trial over one parameter, and the mean
// of its groups.
func (r *result) effectFigure(number int, e effect, trials []searched) figure {
	p := newPlot(e.axis(), false, true)
	p.X.Min, p.X.Max = -0.06, 1.06
	p.X.Tick.Marker = plot.ConstantTicks(e.ticks())
	ep := &effectPlotter{effect: e}
	note := "Dots: trials. Bars: means of all trials at or near the value."
	if len(trials) > mostMarks {
		note += fmt.Sprintf(" %d of %s are drawn, spread evenly over the ranking.", mostMarks, count(len(trials), "trial"))
	}
	for _, t := range evenly(trials, mostMarks) {
		ep.points = append(ep.points, point{e.place(t.Swept[e.Path]), t.Points})
	}
	p.Add(ep)
	p.X.Min, p.X.Max = -0.06, 1.06
	p.Y.Min, p.Y.Max = spread(p.Y.Min, p.Y.Max, 0.06, 1)
	var alt []string
	for i, m := range e.Means {
		if finite(m) {
			alt = append(alt, e.bins[i]+": "+fixed(m, 1))
		}
	}
	return figure{
		Name:    fmt.Sprintf("effect-%d", number),
		Title:   "Effect of " + e.Path,
		Alt:     "Dots over the parameter. Mean score by value: " + strings.Join(few(alt, 12), "; ") + ".",
		Note:    note,
		heading: r.Primary.axis(),
		height:  230,
		plot:    p,
	}
}

// ticks label the parameter's scale: its values, or some of a numeric one.
func (p *parameter) ticks() []plot.Tick {
	var ticks []plot.Tick
	if !p.Numeric || len(p.Levels) <= mostLevels {
		for _, l := range p.Levels {
			label := l
			if p.Numeric {
				label = number(numeric(l))
			}
			ticks = append(ticks, plot.Tick{Value: p.place(l), Label: shorten(label, words(tickSize, charts.Muted.Mark), figureWidth*0.8/vg.Length(len(p.Levels)))})
		}
		return apartTicks(ticks, 0.12)
	}
	if !p.Log {
		for _, t := range (roundTicks{count: 4}).Ticks(p.low, p.high) {
			ticks = append(ticks, plot.Tick{Value: (t.Value - p.low) / (p.high - p.low), Label: t.Label})
		}
		return ticks
	}
	for decade := math.Floor(math.Log10(p.low)); decade <= math.Log10(p.high); decade++ {
		for _, factor := range []float64{1, 3} {
			if v := factor * math.Pow(10, decade); v >= p.low*0.999 && v <= p.high*1.001 {
				ticks = append(ticks, plot.Tick{Value: p.place(strconv.FormatFloat(v, 'g', -1, 64)), Label: number(v)})
			}
		}
	}
	return ticks
}

// apartTicks leaves out the labels of ticks that are too near the one before.
func apartTicks(ticks []plot.Tick, gap float64) []plot.Tick {
	last := math.Inf(-1)
	for i := range ticks {
		if ticks[i].Value-last < gap {
			ticks[i].Label = ""
			continue
		}
		last = ticks[i].Value
	}
	return ticks
}

// effectPlotter draws trials as dots and the means of a parameter's groups as
// bars.
type effectPlotter struct {
	effect effect
	points []point
}

// DataRange implements [plot.DataRanger].
func (ep *effectPlotter) DataRange() (xmin, xmax, ymin, ymax float64) {
	sp := scatterPlotter{groups: []scatterGroup{{points: ep.points}}}
	return sp.DataRange()
}

// Plot implements [plot.Plotter].
func (ep *effectPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, q := range ep.points {
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: charts.Faded(charts.ArmTint(0).Mark, 0.55), Radius: 2.6, Shape: draw.CircleGlyph{}}, vg.Point{X: x(q.X), Y: y(q.Y)})
	}
	e := ep.effect
	for i, m := range e.Means {
		if !finite(m) {
			continue
		}
		left, right := float64(i)/float64(len(e.bins)), float64(i+1)/float64(len(e.bins))
		if len(e.bins) == len(e.Levels) {
			at := e.place(e.Levels[i])
			left, right = at-0.04, at+0.04
		}
		for _, line := range []draw.LineStyle{{Color: charts.Paper.Mark, Width: 4.6}, {Color: charts.Ink.Mark, Width: 2.2}} {
			c.StrokeLine2(line, x(left)+1, y(m), x(right)-1, y(m))
		}
	}
}

// mostAxes is the most parameters that are drawn side by side.
const mostAxes = 6

// parallelFigure draws each trial as a line over the parameters to its score.
func (r *result) parallelFigure(parameters []parameter, trials []searched) figure {
	pp := &parallelPlotter{parameters: parameters[:min(len(parameters), mostAxes)], trials: trials, score: metrics.Title(r.Primary.Key)}
	const best = mostMarks / 10
	if len(trials) > mostMarks {
		pp.trials = slices.Concat(trials[:best], evenly(trials[best:], mostMarks-best))
	}
	pp.best = max(1, len(pp.trials)/10)
	pp.low, pp.high = spread(trials[len(trials)-1].Points, trials[0].Points, 0, 1)
	p := newPlot("", false, false)
	p.HideAxes()
	p.Add(pp)
	var alt []string
	for _, q := range pp.parameters {
		alt = append(alt, q.Label+" "+trials[0].Swept[q.Path])
	}
	note := fmt.Sprintf("Lines: trials, from their settings to their score (points, ×100). Blue: the best %s.", count(pp.best, "trial"))
	if len(trials) > mostMarks {
		note += fmt.Sprintf(" Grey: %d of the other %d, spread evenly over the ranking.", mostMarks-best, len(trials)-best)
	}
	if len(parameters) > mostAxes {
		note += fmt.Sprintf(" Shown: %d of %d parameters.", mostAxes, len(parameters))
	}
	return figure{
		Name:  "parallel",
		Title: "Settings and scores, trial by trial",
		Alt: fmt.Sprintf("Parallel axes, one for each parameter and the last for %s. The best of %s has %s and scores %s.",
			pp.score, count(len(trials), "trial"), strings.Join(alt, ", "), fixed(trials[0].Points, 1)),
		Note:   note,
		height: curveHeight,
		plot:   p,
	}
}

type parallelPlotter struct {
	parameters []parameter
	trials     []searched // the best first
	best       int        // how many are marked
	low, high  float64
	score      string
}

// Plot implements [plot.Plotter].
func (pp *parallelPlotter) Plot(c draw.Canvas, _ *plot.Plot) {
	const head, foot, side = 34, 6, 26
	axes := len(pp.parameters) + 1
	step := (c.Max.X - c.Min.X - 2*side) / vg.Length(axes-1)
	across := func(i int) vg.Length { return c.Min.X + side + vg.Length(i)*step }
	up := func(share float64) vg.Length {
		return c.Min.Y + foot + vg.Length(share)*(c.Max.Y-c.Min.Y-head-foot)
	}
	for i := len(pp.trials) - 1; i >= 0; i-- { // the best on top
		t := pp.trials[i]
		line := make([]vg.Point, 0, axes)
		for k := range pp.parameters {
			p := &pp.parameters[k]
			line = append(line, vg.Point{X: across(k), Y: up(p.place(t.Swept[p.Path]))})
		}
		line = append(line, vg.Point{X: across(axes - 1), Y: up((t.Points - pp.low) / (pp.high - pp.low))})
		style := draw.LineStyle{Color: charts.Faded(charts.Muted.Mark, 0.4), Width: 0.7}
		if i < pp.best {
			style = draw.LineStyle{Color: charts.ArmTint(0).Mark, Width: 1.8}
		}
		c.StrokeLines(style, line)
	}
	for k := range axes {
		name, ticks := pp.score, []plot.Tick{{Value: 0, Label: fixed(pp.low, 1)}, {Value: 1, Label: fixed(pp.high, 1)}}
		if k < len(pp.parameters) {
			p := &pp.parameters[k]
			name, ticks = p.Label, apartTicks(p.ticks(), 0.07)
		}
		c.StrokeLine2(draw.LineStyle{Color: charts.Ink.Mark, Width: 0.9}, across(k), up(0), across(k), up(1))
		style := bold(tickSize, charts.Ink.Text)
		style.XAlign = draw.XCenter
		// Neighbouring names stand on two lines, so that each has room.
		c.FillText(style, vg.Point{X: across(k), Y: c.Max.Y - 10 - vg.Length(k%2)*13}, shorten(name, style, min(2*step, 2*side+step)-6))
		for _, t := range ticks {
			small := words(tickSize-1.5, charts.Ink.Text)
			small.YAlign = draw.YCenter
			text := shorten(t.Label, small, step-8)
			at := vg.Point{X: across(k) + 3, Y: up(t.Value)}
			if k == axes-1 {
				small.XAlign = draw.XRight
				at.X -= 6
			}
			width := small.Width(text)
			left := at.X
			if k == axes-1 {
				left -= width
			}
			if text != "" {
				c.FillPolygon(charts.Paper.Mark, []vg.Point{{X: left - 1, Y: at.Y - 5}, {X: left + width + 1, Y: at.Y - 5}, {X: left + width + 1, Y: at.Y + 5}, {X: left - 1, Y: at.Y + 5}})
			}
			c.FillText(small, at, text)
		}
	}
}

// heatFigure shows the mean score for each pair of values of two parameters.
func (r *result) heatFigure(across, up parameter, trials []searched) figure {
	hp := &heatPlotter{across: across, up: up, sums: map[[2]int]float64{}, counts: map[[2]int]float64{}}
	for _, t := range trials {
		at := [2]int{across.bin(t.Swept[across.Path]), up.bin(t.Swept[up.Path])}
		hp.sums[at] += t.Points
		hp.counts[at]++
	}
	hp.low, hp.high = math.Inf(1), math.Inf(-1)
	var best [2]int
	for at := range hp.sums {
		m := hp.sums[at] / hp.counts[at]
		hp.low = math.Min(hp.low, m)
		if m > hp.high || m == hp.high && (at[0] < best[0] || at[0] == best[0] && at[1] < best[1]) {
			hp.high, best = m, at
		}
	}
	p := newPlot(across.axis(), false, false)
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(binTicks(across, figureWidth*0.7)), plot.ConstantTicks(binTicks(up, 400))
	p.Add(hp)
	p.X.Min, p.X.Max = -0.5, float64(len(across.bins))-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(len(up.bins))-0.5
	p.X.Padding, p.Y.Padding = 0, 0
	return figure{
		Name:  "heat",
		Title: "Mean score by " + across.Label + " and " + up.Label,
		Alt: fmt.Sprintf("A grid of mean scores from %s to %s. The highest is at %s %s and %s %s.", fixed(hp.low, 1), fixed(hp.high, 1),
			across.Label, across.bins[best[0]], up.Label, up.bins[best[1]]),
		Note:    "Cells: means of their trials, in points (×100); darker is higher. Empty cells have no finished trial.",
		heading: up.axis(),
		height:  vg.Length(len(up.bins))*34 + 80,
		plot:    p,
	}
}

// binTicks label the groups of a parameter, in as much room as there is.
func binTicks(p parameter, room vg.Length) []plot.Tick {
	var ticks []plot.Tick
	for i, b := range p.bins {
		if p.Numeric && len(p.bins) == len(p.Levels) {
			b = number(numeric(b))
		}
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: shorten(b, words(tickSize, charts.Muted.Mark), min(room/vg.Length(len(p.bins)), 90))})
	}
	return ticks
}

type heatPlotter struct {
	across, up   parameter
	sums, counts map[[2]int]float64
	low, high    float64
}

// Plot implements [plot.Plotter].
func (hp *heatPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i := range hp.across.bins {
		for k := range hp.up.bins {
			at := [2]int{i, k}
			if hp.counts[at] == 0 {
				continue
			}
			mean := hp.sums[at] / hp.counts[at]
			share := 1.0
			if hp.high > hp.low {
				share = (mean - hp.low) / (hp.high - hp.low)
			}
			left, right := x(float64(i)-0.5)+1, x(float64(i)+0.5)-1
			low, high := y(float64(k)-0.5)+1, y(float64(k)+0.5)-1
			fill := charts.HeatTints[min(int(share*float64(len(charts.HeatTints))), len(charts.HeatTints)-1)]
			c.FillPolygon(fill.Mark, []vg.Point{{X: left, Y: low}, {X: right, Y: low}, {X: right, Y: high}, {X: left, Y: high}})
			style := words(labelSize, charts.Ink.Text)
			style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
			c.FillText(style, vg.Point{X: (left + right) / 2, Y: (low + high) / 2}, fixed(mean, 1))
		}
	}
}
