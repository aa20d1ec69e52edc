package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"glimpse/metrics"
	"glimpse/reports/charts"
)

// curveHeight is the height of a figure of learning curves.
const curveHeight vg.Length = 290

// learningSection is the curves of the training loss and of the validation
// metric.
func (r *result) learningSection() section {
	s := section{Name: "learning", Title: "Learning"}
	var figures []figure
	if f, ok := curvesFigure(r, "loss", "Training loss by epoch", "training loss (nats per token)",
		func(e epoch) (float64, bool) { return e.Loss, !e.reinforced() }); ok {
		figures = append(figures, f)
	}
	figures = append(figures, r.reinforcementFigures()...)
	key := r.validationKey()
	name := metrics.Title(key)
	if f, ok := curvesFigure(r, "validation", name+" on the validation split by epoch", name+", validation split (points, ×100)",
		func(e epoch) (float64, bool) { return e.points(key) }); ok {
		figures = append(figures, f)
	}
	s.add(part{Text: r.reinforcementText(), Figures: figures})
	return s
}

// validationKey is the validation metric to draw: the primary one if it was
// measured, else the first that was, in the usual order.
func (r *result) validationKey() string {
	measured := r.validationKeys()
	if slices.Contains(measured, r.Primary.Key) || len(measured) == 0 {
		return r.Primary.Key
	}
	for _, key := range tableMetrics() {
		if slices.Contains(measured, key) {
			return key
		}
	}
	return measured[0]
}

// points is a validation metric of the epoch, and whether it was measured.
func (e epoch) points(key string) (float64, bool) {
	v, ok := e.Val.get(key)
	return 100 * v, ok
}

// A curve is a line through (epoch, value) points.
type curve []point

type point struct{ X, Y float64 }

// armCurves are the learning curves of one arm.
type armCurves struct {
	name  string
	tint  charts.Tint
	seeds []curve // all of them
	mean  curve   // of the completed ones
	low   curve   // mean less one standard deviation over them; none of a single seed
	high  curve   // mean and one standard deviation
	dots  []point // the selected epoch of each seed
}

// average sets the arm's mean and band from some of its lines.
func (ac *armCurves) average(lines []curve) { ac.mean, ac.low, ac.high = meanCurve(lines) }

// curvesFigure shows a per-epoch value of every run with at least one epoch,
// thin, and the mean of each arm with its band, bold. value says whether there is one;
// unit is the title of the vertical axis.
func curvesFigure(r *result, name, title, unit string, value func(epoch) (float64, bool)) (figure, bool) {
	plotter := &curvePlotter{}
	live := &charts.Curves{X: "epoch", Y: unit}
	var alt []string
	arms, shown := r.drawn()
	seeds, drawn := seedLimit(arms)
	for _, a := range arms {
		ac := armCurves{name: a.Label, tint: a.tint()}
		one := charts.CurveArm{Label: a.Label, Colour: a.Colour}
		var whole []curve
		for _, run := range a.Runs {
			var line curve
			trace := charts.CurveRun{Mark: run.mark(), Chosen: run.BestEpoch}
			for _, e := range run.Epochs {
				v, ok := value(e)
				if !ok {
					continue
				}
				trace.Points = append(trace.Points, charts.Point{charts.Number(e.Epoch), charts.Number(v)})
				if !finite(v) {
					continue
				}
				line = append(line, point{float64(e.Epoch), v})
				if e.Epoch == run.BestEpoch {
					ac.dots = append(ac.dots, point{float64(e.Epoch), v})
				}
			}
			if len(trace.Points) > 0 {
				one.Runs = append(one.Runs, trace)
			}
			if len(line) > 0 {
				ac.seeds = append(ac.seeds, line)
				if run.completed() {
					whole = append(whole, line)
				}
			}
		}
		if len(whole) == 0 {
			whole = ac.seeds
		}
		ac.average(whole)
		ac.seeds, ac.dots = evenly(ac.seeds, seeds), evenly(ac.dots, seeds)
		if len(ac.mean) == 0 {
			continue
		}
		plotter.arms = append(plotter.arms, ac)
		one.Count, one.Mean, one.Low, one.High = len(whole), ac.mean.live(), ac.low.live(), ac.high.live()
		live.Arms = append(live.Arms, one)
		first, last := ac.mean[0], ac.mean[len(ac.mean)-1]
		end := number(last.Y)
		if len(ac.high) > 0 {
			end += " ± " + number(ac.high[len(ac.high)-1].Y-last.Y)
		}
		alt = append(alt, fmt.Sprintf("%s: %s in epoch %g, %s in epoch %g", a.Label, number(first.Y), first.X, end, last.X))
	}
	if len(plotter.arms) == 0 {
		return figure{}, false
	}
	p := newPlot("epoch", false, true)
	p.X.Tick.Marker = roundTicks{count: 8, whole: true}
	p.Add(plotter)
	p.Y.Min, p.Y.Max = spread(p.Y.Min, p.Y.Max, 0.04, 1e-6)
	return figure{
		Name:  name,
		Title: title,
		Alt:   "Lines over epochs. Means: " + strings.Join(alt, "; ") + ".",
		Note: "Thin lines: seeds. Bold: mean of the finished seeds, over their common epochs." + plotter.bandNote() +
			" Dots: the epoch selected on the validation split." + drawn + shown,
		Kind:    charts.KindCurves,
		Data:    live,
		heading: unit,
		height:  curveHeight,
		plot:    p,
	}, true
}

// meanCurve is the mean over the epochs that all lines have, since the mean of
// the few that went on longer would jump where the others stopped, and what is
// one standard deviation over the lines below and above it; one line has none.
func meanCurve(lines []curve) (mean, low, high curve) {
	values := map[float64][]float64{}
	for _, line := range lines {
		for _, p := range line {
			values[p.X] = append(values[p.X], p.Y)
		}
	}
	for _, x := range slices.Sorted(maps.Keys(values)) {
		if len(values[x]) < len(lines) {
			continue
		}
		m, sd := meanSD(values[x])
		mean = append(mean, point{x, m})
		if len(lines) > 1 {
			low, high = append(low, point{x, m - sd}), append(high, point{x, m + sd})
		}
	}
	return mean, low, high
}

// bandNote says what the bands are, and which arms have none.
func (cp *curvePlotter) bandNote() string {
	var single []string
	for _, a := range cp.arms {
		if len(a.high) == 0 {
			single = append(single, a.name)
		}
	}
	switch {
	case len(single) == len(cp.arms):
		return " No band, because each arm has one seed."
	case len(single) > 0:
		return " Band: ± one standard deviation over these seeds; none for " + strings.Join(few(single, fewArms), ", ") + ", which has one seed."
	}
	return " Band: ± one standard deviation over these seeds."
}

// curvePlotter draws learning curves and names them at their ends.
type curvePlotter struct {
	arms  []armCurves
	limit *limitLine // nil for none
}

// A limitLine is a value that the curves cannot pass, with its name.
type limitLine struct {
	y    float64
	name string
}

// DataRange implements [plot.DataRanger].
func (cp *curvePlotter) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, ymin = math.Inf(1), math.Inf(1)
	xmax, ymax = math.Inf(-1), math.Inf(-1)
	for _, a := range cp.arms {
		for _, line := range append([]curve{a.low, a.high}, a.seeds...) {
			for _, p := range line {
				xmin, xmax = math.Min(xmin, p.X), math.Max(xmax, p.X)
				ymin, ymax = math.Min(ymin, p.Y), math.Max(ymax, p.Y)
			}
		}
	}
	if cp.limit != nil {
		ymin, ymax = math.Min(ymin, cp.limit.y), math.Max(ymax, cp.limit.y)
	}
	return xmin, xmax, ymin, ymax
}

// nameWidth is the most that the name of a curve may take, in points.
const nameWidth vg.Length = 110

// GlyphBoxes implements [plot.GlyphBoxer]: it keeps room for the names.
func (cp *curvePlotter) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	var widest vg.Length
	for _, a := range cp.arms {
		name := bold(labelSize, a.tint.Text)
		widest = max(widest, name.Width(shorten(a.name, name, nameWidth)))
	}
	return []plot.GlyphBox{{X: 1, Y: 0.5, Rectangle: vg.Rectangle{Max: vg.Point{X: widest + 9, Y: 1}}}}
}

// Plot implements [plot.Plotter].
func (cp *curvePlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	stroke := func(line curve, style draw.LineStyle) {
		points := make([]vg.Point, len(line))
		for i, p := range line {
			points[i] = vg.Point{X: x(p.X), Y: y(p.Y)}
		}
		if len(points) == 1 { // a line needs two ends
			points = append([]vg.Point{{X: points[0].X - 3, Y: points[0].Y}}, vg.Point{X: points[0].X + 3, Y: points[0].Y})
		}
		c.StrokeLines(style, points)
	}
	if cp.limit != nil {
		at := y(cp.limit.y)
		c.StrokeLine2(draw.LineStyle{Color: charts.Muted.Mark, Width: 1, Dashes: []vg.Length{4, 3}}, c.Min.X, at, c.Max.X, at)
		c.FillText(words(tickSize, charts.Muted.Mark), vg.Point{X: c.Min.X + 2, Y: at + 4}, cp.limit.name)
	}
	for _, a := range cp.arms { // all bands first, so that none covers a line
		if len(a.high) < 2 {
			continue
		}
		var outline []vg.Point
		for _, p := range a.high {
			outline = append(outline, vg.Point{X: x(p.X), Y: y(p.Y)})
		}
		for _, p := range slices.Backward(a.low) {
			outline = append(outline, vg.Point{X: x(p.X), Y: y(p.Y)})
		}
		c.FillPolygon(charts.Faded(a.tint.Mark, 0.18), outline)
	}
	for _, a := range cp.arms {
		for _, line := range a.seeds {
			stroke(line, draw.LineStyle{Color: charts.Faded(a.tint.Mark, 0.4), Width: 0.6})
		}
	}
	for _, a := range cp.arms {
		for _, d := range a.dots {
			dot(&c, vg.Point{X: x(d.X), Y: y(d.Y)}, 2.2, a.tint)
		}
		stroke(a.mean, draw.LineStyle{Color: a.tint.Mark, Width: 2.4})
	}
	cp.names(c, y)
}

// names writes each arm's name beside the end of its curve, as near to it as
// the other names let it.
func (cp *curvePlotter) names(c draw.Canvas, y func(float64) vg.Length) {
	type place struct {
		arm armCurves
		y   vg.Length
	}
	places := make([]place, len(cp.arms))
	for i, a := range cp.arms {
		places[i] = place{a, y(a.mean[len(a.mean)-1].Y)}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(b.y, a.y) })
	heights := make([]vg.Length, len(places))
	for i, p := range places {
		heights[i] = p.y
	}
	heights = apart(heights, labelSize+2.5, c.Min.Y, c.Max.Y)
	for i, p := range places {
		name := bold(labelSize, p.arm.tint.Text)
		name.YAlign = draw.YCenter
		c.FillText(name, vg.Point{X: c.Max.X + 9, Y: heights[i]}, shorten(p.arm.name, name, nameWidth))
	}
}

// apart moves heights, which fall, until neighbours are at least gap apart and
// all lie between low and high, as far as there is room.
func apart(heights []vg.Length, gap, low, high vg.Length) []vg.Length {
	moved := slices.Clone(heights)
	for i := range moved {
		moved[i] = min(moved[i], high)
		if i > 0 {
			moved[i] = min(moved[i], moved[i-1]-gap)
		}
	}
	for i := len(moved) - 1; i >= 0; i-- {
		floor := low + vg.Length(len(moved)-1-i)*gap
		moved[i] = max(moved[i], floor)
	}
	return moved
}
