package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"

	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/reports"
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

// captionBrowser is the figure in which captions are looked through, over a table that says the
// same.
func captionBrowser(table captionTable, source string) (template.HTML, error) {
	still, err := partOf("captiontable", table)
	if err != nil {
		return "", err
	}
	return charts.Figure{Name: "captions", Title: "Captions, arm by arm", Kind: charts.KindCaptions, Source: source, Static: still}.HTML()
}

// captionData gives what the browser of captions shows, as JSON.
func (s *server) captionData(ctx context.Context, r *http.Request) (*answered, error) {
	src, db, of, done, err := s.opened(ctx, r)
	if err != nil {
		return nil, err
	}
	defer done()
	st := src.study(of.Name)
	page, _, _ := s.analyse(ctx, src, st, 0)
	standing, err := st.stand(ctx, src, db)
	if err != nil {
		return nil, err
	}
	p := captionsPage{Seed: r.URL.Query().Get("seed")}
	data := &charts.Captions{Score: "CIDEr", Classes: reports.WordClasses()}
	images := map[string]*charts.CaptionImage{}
	for i, run := range p.voices(standing) {
		arm := charts.CaptionArm{Label: armOf(standing, run), Colour: i % len(charts.ArmTints)}
		if page != nil {
			arm.Colour = page.Colours[run.ID]
		}
		data.Arms = append(data.Arms, arm)
		said, err := db.Captions(ctx, run.ID, standing.split())
		if err != nil {
			return nil, err
		}
		for k := range said {
			c := &said[k]
			if images[c.Image] == nil {
				images[c.Image] = &charts.CaptionImage{Name: c.Image}
			}
			images[c.Image].Captions = append(images[c.Image].Captions, reports.Said(i, run.Seed, "cider", c))
		}
	}
	data.Against = [2]int{0, max(0, len(data.Arms)-1)}
	for _, one := range slices.SortedFunc(maps.Values(images), func(a, b *charts.CaptionImage) int { return cmp.Compare(a.Name, b.Name) }) {
		data.Images = append(data.Images, *one)
	}
	body, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("study %s: write its captions: %w", of.Name, err)
	}
	return answerOf(http.StatusOK, "application/json", body), nil
}
