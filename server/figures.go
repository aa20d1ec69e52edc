package server

import (
	"html/template"
	"slices"

	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/reports/charts"
)

// mostPoints is how many epochs of a curve are sent: of longer ones points are taken evenly, with
// the first and the last.
const mostPoints = 500

// A traced run is one whose curve is drawn.
type traced struct {
	label  string
	run    store.Run
	epochs []store.Epoch
}

// curvesOf draws a value of the epochs of runs, a line for each; "" where none has it.
func curvesOf(name, title, unit string, runs []traced, value func(store.Epoch) (float64, bool)) (template.HTML, error) {
	data := &charts.Curves{X: "epoch", Y: unit}
	for i, t := range runs {
		mark := charts.Mark{ID: t.run.ID, Seed: t.run.Seed, State: t.run.State}
		line := charts.CurveRun{Mark: mark, Chosen: t.run.BestEpoch}
		for _, e := range t.epochs {
			if v, has := value(e); has {
				line.Points = append(line.Points, charts.Point{charts.Number(e.Epoch), charts.Number(v)})
			}
		}
		if len(line.Points) > 0 {
			line.Points = thinned(line.Points)
			data.Arms = append(data.Arms, charts.CurveArm{Label: t.label, Colour: i % len(charts.ArmTints), Count: 1,
				Mean: line.Points, Runs: []charts.CurveRun{line}})
		}
	}
	if len(data.Arms) == 0 {
		return "", nil
	}
	return charts.Figure{Name: name, Title: title, Kind: charts.KindCurves, Data: data,
		Static: `<p class="small">The table below has the values.</p>`}.HTML()
}

// thinned takes points evenly, so that no more are left than are sent.
func thinned(points []charts.Point) []charts.Point {
	if len(points) <= mostPoints {
		return points
	}
	kept := make([]charts.Point, mostPoints)
	for i := range kept {
		kept[i] = points[i*(len(points)-1)/(mostPoints-1)]
	}
	return kept
}

// epochFigures are the curves of runs: the loss, and the validation metric, whose key is given too.
func epochFigures(runs []traced) (figures []template.HTML, key string, err error) {
	key = validationKey(runs)
	loss, err := curvesOf("loss", "Training loss by epoch", "training loss (nats per token)", runs,
		func(e store.Epoch) (float64, bool) { return e.Loss, e.Sampled == nil })
	if err != nil {
		return nil, key, err
	}
	entry, _ := metrics.Find(key)
	val, err := curvesOf("validation", entry.Column()+" on the validation split by epoch",
		entry.Column()+", validation split (×100)", runs, func(e store.Epoch) (float64, bool) {
			v, has := e.Val[key]
			return entry.Scale * v, has
		})
	return slices.DeleteFunc([]template.HTML{val, loss}, func(f template.HTML) bool { return f == "" }), key, err
}

// validationKey is CIDEr or, where nobody measured it, the first metric that was.
func validationKey(runs []traced) string {
	measured := map[string]bool{}
	for _, t := range runs {
		for _, e := range t.epochs {
			for key := range e.Val {
				measured[key] = true
			}
		}
	}
	if measured["cider"] {
		return "cider"
	}
	for _, key := range metrics.Shown() {
		if measured[key] {
			return key
		}
	}
	return ""
}
