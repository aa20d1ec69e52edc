package reports

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/reports/attention"
	"glimpse/reports/charts"
)

// This file gives the live charts of the page their data: what the drawn figures beside them show, run by run.

// mark is the run as live charts name it.
func (r *run) mark() charts.Mark { return charts.Mark{ID: r.ID, Seed: r.Seed, State: r.State} }

// live gives the points of a curve for a live chart.
func (c curve) live() []charts.Point {
	list := make([]charts.Point, len(c))
	for i, p := range c {
		list[i] = charts.Point{charts.Number(p.X), charts.Number(p.Y)}
	}
	return list
}

// liveDots is the score of every run of the arms, also of runs that have none.
func (r *result) liveDots(arms []*arm) *charts.Dots {
	live := &charts.Dots{Axis: r.Primary.axis(), Interval: r.ArmInterval}
	for _, a := range arms {
		one := charts.DotArm{Label: a.Label, Colour: a.Colour, Mean: charts.Number(a.Mean), Low: charts.Number(a.Low), High: charts.Number(a.High)}
		for _, run := range a.Runs {
			one.Runs = append(one.Runs, charts.Dot{Mark: run.mark(), Value: r.points(run)})
		}
		live.Arms = append(live.Arms, one)
	}
	return live
}

// points is the primary metric of a completed run in points, [charts.None] without one.
func (r *result) points(run *run) charts.Number {
	if v, ok := r.Primary.of(run); ok && run.completed() {
		return charts.Number(100 * v)
	}
	return charts.None
}

// liveForest is contrasts with their intervals.
func (r *result) liveForest(contrasts []*contrast) *charts.Forest {
	live := &charts.Forest{Axis: "difference in " + r.Primary.axis(), Level: r.Level, Minimum: charts.Number(r.MinimumEffect)}
	for _, c := range contrasts {
		row := charts.ForestRow{
			Label: c.name(), Value: charts.Number(c.Difference), Low: charts.Number(c.Low), High: charts.Number(c.High),
			P: charts.None, Verdict: string(c.Verdict), Decided: c.decided(),
		}
		if c.Result != nil {
			row.P = charts.Number(c.Result.PHolm)
		}
		live.Rows = append(live.Rows, row)
	}
	return live
}

// liveSearch is the trials of a search that were begun, in that order.
func (r *result) liveSearch(parameters []parameter) *charts.Search {
	live := &charts.Search{Axis: r.Primary.axis()}
	for _, p := range parameters {
		live.Parameters = append(live.Parameters, charts.Parameter{Path: p.Path, Label: p.Label, Number: p.Numeric, Log: p.Log, Levels: p.Levels})
	}
	begun := slices.DeleteFunc(slices.Clone(r.Runs), func(run *run) bool { return run.State == store.Queued })
	slices.SortStableFunc(begun, func(a, b *run) int { return a.Started.Compare(b.Started) })
	for _, run := range begun {
		trial := charts.Trial{Mark: run.mark(), Value: r.points(run)}
		for _, p := range parameters {
			trial.Settings = append(trial.Settings, run.Swept[p.Path])
		}
		live.Trials = append(live.Trials, trial)
	}
	return live
}

// history is a chart of the best score so far over the trials of a search.
func (r *result) history(search *charts.Search) charts.Figure {
	best, at := charts.None, 0
	for i, t := range search.Trials {
		if !math.IsNaN(float64(t.Value)) && !(t.Value <= best) {
			best, at = t.Value, i+1
		}
	}
	text := fmt.Sprintf("<p>The best score, %s points, is from trial %d of %d, in the order in which they started.</p>",
		fixed(float64(best), 1), at, len(search.Trials))
	return charts.Figure{
		Name: "history", Title: "Trial by trial: the best score so far", Kind: charts.KindHistory, Source: "#figure-parallel", Static: template.HTML(text),
		Note: "Dots: trials. Line: best score so far. Crosses: trials without a score.",
	}
}

// mostBrowsed is how many captions a page may hold for its reader to search; of more, images are left out evenly.
const mostBrowsed = 8000

// browser is the captions of all images, or of as many as a page can hold, from each arm those of its most typical seed.
func (r *result) browser() (*charts.Captions, bool) {
	arms, _ := r.drawn()
	live := r.newCaptions()
	byImage := map[string]*charts.CaptionImage{}
	var order []string
	for _, a := range arms[:min(len(arms), mostVoices)] {
		typical := a.typical(r.Primary)
		if typical == nil {
			continue
		}
		live.Arms = append(live.Arms, charts.CaptionArm{Label: a.Label, Colour: a.Colour})
		for _, c := range typical.captions() {
			shown := byImage[c.Image]
			if shown == nil {
				shown = &charts.CaptionImage{Name: c.Image}
				byImage[c.Image], order = shown, append(order, c.Image)
			}
			shown.Captions = append(shown.Captions, r.live(len(live.Arms)-1, a, typical, &c))
		}
	}
	if len(live.Arms) == 0 {
		return nil, false
	}
	all := len(order)
	order = evenly(order, max(1, mostBrowsed/len(live.Arms)))
	if len(order) < all {
		live.Selected = fmt.Sprintf("spread evenly over %d", all)
	}
	for i, name := range order {
		one := byImage[name]
		if i < mostScenes {
			if scene, ok := r.scene(name); ok {
				one.Picture, one.Width, one.Height, one.References = scene.url(), scene.Width, scene.Height, scene.References
			}
		}
		live.Images = append(live.Images, *one)
	}
	r.against(live)
	return live, true
}

// newCaptions is a chart of captions without any.
func (r *result) newCaptions() *charts.Captions {
	return &charts.Captions{Score: metrics.Title(r.Primary.Key), Classes: WordClasses()}
}

// against compares the arms of the main contrast where both are shown, else the first with the last.
func (r *result) against(live *charts.Captions) {
	live.Against = [2]int{0, len(live.Arms) - 1}
	c := r.headline()
	if c == nil || c.interacts() {
		return
	}
	place := func(a *arm) int {
		return slices.IndexFunc(live.Arms, func(shown charts.CaptionArm) bool { return shown.Label == a.Label })
	}
	if a, b := place(c.A), place(c.B); a >= 0 && b >= 0 {
		live.Against = [2]int{a, b}
	}
}

// live is a caption of a run as live charts show it; at is the place of its arm among those shown.
func (r *result) live(at int, a *arm, run *run, c *store.Caption) charts.Said {
	said := Said(at, run.Seed, r.Primary.Key, c)
	if a.images != nil {
		if i, known := a.images.of.at[c.Image]; known {
			if v, ok := a.images.mean(i); ok {
				mean := charts.Number(math.Round(10*v) / 10)
				said.Mean = &mean
			}
		}
	}
	return said
}

// Said is a caption as live charts show it, with its score in a metric; at is the place of its arm among those shown.
func Said(at int, seed int64, key string, c *store.Caption) charts.Said {
	words := strings.Fields(c.Words)
	said := charts.Said{Arm: at, Seed: seed, Words: strings.Join(words, " "), Classes: classDigits(words), Score: charts.None}
	if v, ok := imagePoints(key, &c.Score); ok && c.Scored {
		said.Score = charts.Number(math.Round(10*v) / 10)
	}
	for _, b := range c.Beta[:min(len(c.Beta), len(words))] {
		said.Beta = append(said.Beta, charts.Number(math.Round(100*b)/100))
	}
	return said
}

// classDigits gives for each word the place of its class in [WordClasses] as a digit.
func classDigits(words []string) string {
	digits := make([]byte, len(words))
	for i, class := range classes(words) {
		digits[i] = '0' + byte(slices.Index(wordClasses, class))
	}
	return string(digits)
}

// FullWeight is the weight that lifts the veil wholly where maps of an image share a scale, as [attention.Full] is.
func FullWeight(maps ...store.AttentionMap) float64 {
	full := 0.0
	for _, m := range maps {
		for _, alpha := range m.Alpha {
			full = max(full, attention.FullOf(alpha))
		}
	}
	return full
}

// ShowLooks adds where a run looked before each word of a caption, on a scale that ends with full ([FullWeight]). A map adds
// nothing if its caption has another number of words, or if it holds what is not a number.
func ShowLooks(said *charts.Said, m store.AttentionMap, full float64) {
	if len(m.Alpha) == 0 || len(m.Alpha) != len(strings.Fields(said.Words)) || !finite(m.First) || !finite(m.Step) || !finite(full) {
		return
	}
	said.Regions, said.Full = &charts.Regions{Side: m.Side, First: m.First, Step: m.Step}, full
	for _, alpha := range m.Alpha {
		said.Looks = append(said.Looks, lookBytes(alpha, full))
	}
}

// lookBytes are the weights of a word on the regions in 255ths of full.
func lookBytes(alpha []float64, full float64) []byte {
	look := make([]byte, len(alpha))
	for i, v := range alpha {
		look[i] = byte(math.Round(255 * min(max(v/full, 0), 1)))
	}
	return look
}

// pictureBrowser is the illustrated images of a list with what the arms of a contrast said of them.
func (r *result) pictureBrowser(c *contrast, list []imageDifference) *charts.Captions {
	live := r.newCaptions()
	live.Selected = "those that changed most"
	arms := []*arm{c.A, c.B}
	for _, a := range arms {
		live.Arms = append(live.Arms, charts.CaptionArm{Label: a.Label, Colour: a.Colour})
	}
	live.Against = [2]int{0, 1}
	for _, d := range list {
		k := slices.IndexFunc(r.Illustration.Pictures, func(p store.Picture) bool { return p.Image == d.Image })
		if k < 0 {
			continue
		}
		picture := r.Illustration.Pictures[k]
		shown := charts.CaptionImage{Name: d.Image, Ground: pictureClass(k), Width: picture.Width, Height: picture.Height}
		var maps []store.AttentionMap
		for _, a := range arms {
			maps = append(maps, r.mapOf(a.first(), d.Image))
		}
		full := FullWeight(maps...)
		for _, seed := range r.telling(c, d.Image) {
			for i, a := range arms {
				run := a.ofSeed(seed)
				if run == nil {
					continue
				}
				caption, found := run.captionOf(d.Image)
				if !found {
					continue
				}
				said := r.live(i, a, run, caption)
				if maps[i].Run == run.ID {
					ShowLooks(&said, maps[i], full)
				}
				shown.Captions = append(shown.Captions, said)
			}
		}
		live.Images = append(live.Images, shown)
	}
	return live
}
