package reports

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"glimpse/reports/charts"
)

// costSection sets the scores against what they cost: parameters and time.
func (r *result) costSection() section {
	s := section{Name: "cost", Title: "What it costs"}
	if c := r.headline(); c != nil && !c.interacts() {
		s.Finding = c.cost()
	}
	var figures []figure
	if f, ok := r.costFigure("parameters", "Score against size", "trained parameters (millions)", func(run *run) float64 {
		return float64(run.Parameters) / 1e6
	}); ok {
		figures = append(figures, f)
	}
	unit, per := "minutes", 60.0
	for _, run := range r.Runs {
		if run.completed() && run.Seconds > 2*3600 {
			unit, per = "hours", 3600
		}
	}
	if f, ok := r.costFigure("time", "Score against training time", "time of a trial ("+unit+")", func(run *run) float64 {
		return run.Seconds / per
	}); ok {
		f.Note += " Time is training, validation and test, on the machines named under How to reproduce."
		figures = append(figures, f)
	}
	s.add(part{Figures: figures})
	return s
}

// cost says what the contrast's difference was bought with.
func (c *contrast) cost() string {
	_, sizeB := c.B.counts()
	_, sizeA := c.A.counts()
	timeB, timeA := c.B.seconds(), c.A.seconds()
	if sizeA == 0 || sizeB == 0 || !(timeA > 0) || !(timeB > 0) {
		return ""
	}
	size := "as many parameters as"
	if change := 100 * float64(sizeB-sizeA) / float64(sizeA); math.Abs(change) >= 0.05 {
		more := "more"
		if change < 0 {
			more = "fewer"
		}
		size = fixed(math.Abs(change), 1) + "\u00a0% " + more + " parameters than"
	}
	return fmt.Sprintf("%s has %s %s, and a trial takes %s times as long (%s against %s).", c.B.Label, size, c.A.Label,
		fixed(timeB/timeA, 2), duration(timeB), duration(timeA))
}

// seconds is the mean time of the arm's finished trials, NaN without any.
func (a *arm) seconds() float64 {
	var list []float64
	for _, run := range a.Runs {
		if run.completed() {
			list = append(list, run.Seconds)
		}
	}
	mean, _ := meanSD(list)
	return mean
}

// costFigure sets the primary metric of each finished run against a cost, which
// is 0 where it is unknown.
func (r *result) costFigure(name, title, axis string, of func(*run) float64) (figure, bool) {
	sp := &scatterPlotter{}
	var alt []string
	arms, shown := r.drawn()
	seeds, drawn := seedLimit(arms)
	for _, a := range arms {
		g := scatterGroup{name: a.Label, tint: a.tint()}
		for _, run := range a.Runs {
			v, ok := r.Primary.of(run)
			if cost := of(run); ok && run.completed() && cost > 0 && finite(cost) {
				g.points = append(g.points, point{cost, 100 * v})
			}
		}
		if len(g.points) > 0 {
			g.mean = meanPoint(g.points)
			g.points = evenly(g.points, seeds)
			sp.groups = append(sp.groups, g)
			alt = append(alt, fmt.Sprintf("%s: %s at %s", a.Label, fixed(g.mean.Y, 1), number(g.mean.X)))
		}
	}
	if len(sp.groups) == 0 {
		return figure{}, false
	}
	p := newPlot(axis, true, true)
	p.X.LineStyle.Width = 0
	p.Add(sp)
	// Costs that hardly differ must not look as if they did.
	p.X.Min, p.X.Max = spread(p.X.Min, p.X.Max, 0.08, 0.1*p.X.Max)
	p.Y.Min, p.Y.Max = spread(p.Y.Min, p.Y.Max, 0.08, 1)
	return figure{
		Name:    name,
		Title:   title,
		Alt:     "Dots, a mean for each arm: " + strings.Join(alt, "; ") + " (" + axis + ").",
		Note:    "A dot is one trial; the cross is the arm’s mean." + drawn + shown,
		heading: r.Primary.axis(),
		height:  curveHeight,
		plot:    p,
	}, true
}

// A scatterGroup is the points of an arm.
type scatterGroup struct {
	name   string
	tint   charts.Tint
	points []point
	mean   point
}

func meanPoint(points []point) point {
	var m point
	for _, p := range points {
		m.X += p.X / float64(len(points))
		m.Y += p.Y / float64(len(points))
	}
	return m
}

// scatterPlotter draws groups of points and writes each group's name beside it.
type scatterPlotter struct{ groups []scatterGroup }

// DataRange implements [plot.DataRanger].
func (sp *scatterPlotter) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, ymin = math.Inf(1), math.Inf(1)
	xmax, ymax = math.Inf(-1), math.Inf(-1)
	for _, g := range sp.groups {
		for _, p := range g.points {
			xmin, xmax = math.Min(xmin, p.X), math.Max(xmax, p.X)
			ymin, ymax = math.Min(ymin, p.Y), math.Max(ymax, p.Y)
		}
	}
	return xmin, xmax, ymin, ymax
}

// Plot implements [plot.Plotter].
func (sp *scatterPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var taken []vg.Rectangle // what a name must not cover
	around := func(at vg.Point, half vg.Length) {
		taken = append(taken, vg.Rectangle{Min: at.Sub(vg.Point{X: half, Y: half}), Max: at.Add(vg.Point{X: half, Y: half})})
	}
	for _, g := range sp.groups {
		for _, q := range g.points {
			at := vg.Point{X: x(q.X), Y: y(q.Y)}
			dot(&c, at, dotRadius, g.tint)
			around(at, dotRadius)
		}
	}
	for _, g := range sp.groups {
		at := vg.Point{X: x(g.mean.X), Y: y(g.mean.Y)}
		for _, line := range []draw.LineStyle{{Color: charts.Paper.Mark, Width: 4.4}, {Color: g.tint.Text, Width: 2}} {
			const arm = 6
			c.StrokeLine2(line, at.X-arm, at.Y-arm, at.X+arm, at.Y+arm)
			c.StrokeLine2(line, at.X-arm, at.Y+arm, at.X+arm, at.Y-arm)
		}
		around(at, 7)
	}
	for _, g := range sp.groups {
		name := bold(labelSize, g.tint.Text)
		text := shorten(g.name, name, nameWidth)
		box, ok := beside(vg.Point{X: x(g.mean.X), Y: y(g.mean.Y)}, name.Width(text), labelSize, c.Rectangle, taken)
		if !ok {
			continue // no room: the text beside the figure says it
		}
		taken = append(taken, box)
		c.FillText(name, vg.Point{X: box.Min.X, Y: box.Min.Y + 3}, text)
	}
}

// beside finds room for a text of the given size near a point: to its right or
// left, a little or more above or below, within the frame.
func beside(at vg.Point, width, height vg.Length, frame vg.Rectangle, taken []vg.Rectangle) (vg.Rectangle, bool) {
	for distance := vg.Length(0); distance < 80; distance += 4 {
		for _, up := range []vg.Length{distance, -distance} {
			for _, left := range []vg.Length{at.X + 10, at.X - 10 - width, at.X - width/2} {
				box := vg.Rectangle{Min: vg.Point{X: left, Y: at.Y + up - height/2}, Max: vg.Point{X: left + width, Y: at.Y + up + height/2}}
				if box.Min.X < frame.Min.X || box.Max.X > frame.Max.X || box.Min.Y < frame.Min.Y || box.Max.Y > frame.Max.Y {
					continue
				}
				if !overlaps(box, taken) {
					return box, true
				}
			}
		}
	}
	return vg.Rectangle{}, false
}

func overlaps(box vg.Rectangle, taken []vg.Rectangle) bool {
	for _, t := range taken {
		if box.Min.X < t.Max.X && t.Min.X < box.Max.X && box.Min.Y < t.Max.Y && t.Min.Y < box.Max.Y {
			return true
		}
	}
	return false
}
