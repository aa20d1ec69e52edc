// Package charts is the charts that reports and live pages share: what they show
// as Go types, and the script and style that make them answer to the hand.
//
// A page holds a chart as a figure with its data and a static stand-in:
//
//	<figure class="chart" id="figure-NAME" data-chart="KIND">
//	<h3>TITLE</h3>
//	<script type="application/json">DATA</script>
//	<div class="chart-static">…a plot or a table…</div>
//	<figcaption>NOTE</figcaption>
//	</figure>
//
// [Figure.HTML] writes it; DATA is the JSON of the type that the [Kind] names.
// Where the page has the script ([Script]) and the style ([Style]), each such
// figure is made live when it comes near the window, and the stand-in is hidden.
// Without script, or with data that cannot be read, the stand-in stays.
//
// In place of DATA the figure may have data-source="URL": the script fetches it
// from there, or takes that of another figure, "#figure-NAME". Pages that change call, of the global glimpseCharts,
//
//	glimpseCharts.mount(element)         // after putting figures into the page
//	glimpseCharts.keep(figure, fresh)    // puts a live figure in the place of its new HTML; toggles and zoom stay
//
// The script writes no inline script or style and evaluates no text, so that a
// page may be served with script-src 'self', style-src 'self' and, for the export
// of PNG, img-src data:. Texts of the data are shown as text, never as HTML.
// Colours are custom properties, which follow the ground of the page.
package charts

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

// A Kind names a way to draw data.
type Kind string

// The kinds of charts, each with the type of its data.
const (
	KindCurves   Kind = "curves"   // *Curves
	KindDots     Kind = "dots"     // *Dots
	KindForest   Kind = "forest"   // *Forest
	KindParallel Kind = "parallel" // *Search
	KindHeat     Kind = "heat"     // *Search, of two parameters or more
	KindEffects  Kind = "effects"  // *Search
	KindHistory  Kind = "history"  // *Search
	KindCaptions Kind = "captions" // *Captions
)

// A Figure is a chart in a page, with what stands there where no script runs.
type Figure struct {
	Name   string        // names the figure's id and exported files: letters, digits and hyphens
	Title  string        // what it shows, in a few words
	Kind   Kind          // how it is drawn
	Data   any           // of the kind's type; nil where Source is set
	Source string        // the URL that gives the data as JSON, or "#figure-NAME"; "" where Data is set
	Static template.HTML // a plot or a table that says the same
	Note   template.HTML // how to read it
}

//go:embed figure.html.tmpl
var figureTemplate string

var figures = template.Must(template.New("figure").Parse(figureTemplate))

// HTML writes the figure as an element of a page. It fails where the data cannot be written as JSON.
func (f Figure) HTML() (template.HTML, error) {
	var b bytes.Buffer
	if err := figures.Execute(&b, f); err != nil {
		return "", fmt.Errorf("write the chart %s: %w", f.Name, err)
	}
	return template.HTML(b.String()), nil
}
