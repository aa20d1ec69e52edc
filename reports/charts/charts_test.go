package charts

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"glimpse/internal/browser"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0.1 + 0.2: "0.3", 51.234567: "51.2346", math.NaN(): "null", math.Inf(-1): "null", 0: "0", 1e-7: "0.0000001", -12: "-12"} {
		got, err := json.Marshal(Number(v))
		check(t, err)
		if string(got) != want {
			t.Errorf("%g is written as %s, not %s", v, got, want)
		}
	}
}

func TestColours(t *testing.T) {
	for _, c := range []struct {
		labels []string
		want   []int
	}{
		{[]string{"none", "uniform", "soft", "adaptive"}, []int{0, 1, 2, 3}},
		{[]string{"adaptive", "none"}, []int{3, 0}},
		{[]string{"hard", "soft", "gru"}, []int{0, 2, 1}},
		{slices.Repeat([]string{"x"}, 9), []int{0, 1, 2, 3, 4, 5, 6, 0, 1}},
	} {
		if got := Colours(c.labels); !slices.Equal(got, c.want) {
			t.Errorf("%v have the colours %v, not %v", c.labels, got, c.want)
		}
	}
}

// Texts of the data are data: none ends the script element or becomes markup.
func TestFigureEscapes(t *testing.T) {
	const evil = `</script><script>alert(1)</script><!--`
	html, err := Figure{Name: "x", Title: evil, Kind: KindDots, Data: &Dots{Axis: evil}, Static: "<p>still</p>"}.HTML()
	check(t, err)
	if n := strings.Count(string(html), "<script"); n != 1 || !strings.Contains(string(html), "<p>still</p>") {
		t.Errorf("%d script elements in %s", n, html)
	}
}

func TestScriptHoldsEveryFile(t *testing.T) {
	files, err := os.ReadDir("js")
	check(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	listed := slices.Sorted(slices.Values(scripts))
	if !slices.Equal(names, listed) {
		t.Errorf("js has %v, the script %v", names, listed)
	}
	own := strings.Replace(Script(), library, "", 1)
	for _, text := range []string{"eval(", "new Function", "</script", "innerHTML", ".html("} { // D3 has innerHTML, for .html
		if strings.Contains(own, text) {
			t.Errorf("the script has %s", text)
		}
	}
	if strings.Contains(library, "</script") {
		t.Error("D3 would end a script element")
	}
}

// examples are a figure of each kind, with runs that have no score among them.
func examples() []Figure {
	mark := func(i int, state string) Mark { return Mark{ID: fmt.Sprintf("run%d", i), Seed: int64(i), State: state} }
	curves := &Curves{X: "epoch", Y: "CIDEr"}
	dots := &Dots{Axis: "CIDEr", Interval: "95 % interval"}
	for i, label := range []string{"none", "soft"} {
		one := CurveArm{Label: label, Colour: i, Count: 2}
		arm := DotArm{Label: label, Colour: i, Mean: Number(50 + i), Low: Number(48 + i), High: Number(52 + i)}
		for e := 1; e <= 6; e++ {
			one.Mean = append(one.Mean, Point{Number(e), Number(10*e + i)})
			one.Low = append(one.Low, Point{Number(e), Number(10*e + i - 1)})
			one.High = append(one.High, Point{Number(e), Number(10*e + i + 1)})
		}
		for k, state := range []string{"completed", "completed", "failed"} {
			run := CurveRun{Mark: mark(k, state), Chosen: 5}
			for e := 1; e <= 6; e++ {
				run.Points = append(run.Points, Point{Number(e), Number(10*e + i + 2*k - 1)})
			}
			value := Number(49 + i + 2*k)
			if state == "failed" {
				run.Points[3][1], value = None, None
			}
			one.Runs = append(one.Runs, run)
			arm.Runs = append(arm.Runs, Dot{mark(k, state), value})
		}
		curves.Arms, dots.Arms = append(curves.Arms, one), append(dots.Arms, arm)
	}
	search := &Search{Axis: "CIDEr", Parameters: []Parameter{
		{Path: "model.hidden", Label: "hidden", Number: true, Levels: []string{"48", "96"}},
		{Path: "optimizer.lr", Label: "lr", Number: true, Log: true, Levels: []string{"0.0001", "0.001", "0.01"}},
		{Path: "model.attention", Label: "attention", Levels: []string{"none", "soft"}},
	}}
	for i := range 12 {
		trial := Trial{mark(i, "completed"), Number(40 + i), []string{[]string{"48", "96"}[i%2], []string{"0.0001", "0.001", "0.01"}[i%3], []string{"none", "soft"}[i/6]}}
		if i == 11 { // it would be the best
			trial.State = "pruned"
		}
		search.Trials = append(search.Trials, trial)
	}
	half := Number(51.5)
	captions := &Captions{
		Arms: []CaptionArm{{"none", 0}, {"soft", 1}}, Score: "CIDEr", Against: [2]int{0, 1}, Classes: []string{"nouns", "verbs"},
	}
	for i, words := range []string{"dog runs", "cat sits"} {
		captions.Images = append(captions.Images, CaptionImage{
			Name: fmt.Sprintf("%d.jpg", i), Picture: "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=", Width: 40, Height: 30, References: []string{"a reference"},
			Captions: []Said{
				{Arm: 0, Seed: 1, Words: words, Classes: "01", Score: Number(10 * i)},
				{Arm: 1, Seed: 1, Words: words + " fast", Classes: "010", Score: 50, Mean: &half, Beta: []Number{0.1, 0.2, 0.3},
					Looks: [][]byte{{255, 0, 0, 0}, {0, 255, 0, 0}, {0, 0, 0, 255}}, Full: 0.8,
					Regions: &Regions{Side: 2, First: 0.25, Step: 0.5}},
			},
		})
	}
	var list []Figure
	for _, f := range []struct {
		kind Kind
		data any
	}{
		{KindCurves, curves}, {KindDots, dots}, {KindForest, &Forest{Axis: "difference", Level: "95 %", Minimum: 1, Rows: []ForestRow{
			{"soft − none", 2, 0.5, 3.5, 0.01, "supported", true}, {"soft − uniform", 0.4, None, None, None, "", false}}}},
		{KindParallel, search}, {KindHeat, search}, {KindEffects, search}, {KindHistory, search}, {KindCaptions, captions},
	} {
		list = append(list, Figure{Name: string(f.kind), Title: "Example of " + string(f.kind), Kind: f.kind, Data: f.data, Static: "<p>still</p>", Note: "A note."})
	}
	return list
}

// served serves a page with the examples under a strict policy, and gives its URL.
func served(t testing.TB) string {
	t.Helper()
	var body strings.Builder
	for _, f := range examples() {
		html, err := f.HTML()
		check(t, err)
		body.WriteString(string(html))
	}
	page := template.Must(template.New("page").Parse(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Charts</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/charts.css"></head><body><main><h1>Charts</h1><h2>All</h2>{{.}}</main><script src="/charts.js"></script></body></html>`))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'")
		switch r.URL.Path {
		case "/charts.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, Script())
		case "/charts.css":
			w.Header().Set("Content-Type", "text/css")
			fmt.Fprint(w, Style(), "figure { width: 600px }")
		default:
			check(t, page.Execute(w, template.HTML(body.String())))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// shownAll makes every chart of the page live: they become so when they come near the window.
func shownAll(p *browser.Page) {
	p.Wait(`(() => { const next = document.querySelector("figure.chart:not(.is-live)"); next?.scrollIntoView(); return !next })()`)
}

func TestChartsInBrowser(t *testing.T) {
	p := browser.Open(t, served(t), 1280, 900)
	shownAll(p)
	text := func(selector string) string {
		t.Helper()
		return browser.Eval[string](p, fmt.Sprintf(`document.querySelector(%q).innerText`, selector))
	}
	number := func(selector string) int {
		t.Helper()
		return browser.Eval[int](p, fmt.Sprintf(`document.querySelectorAll(%q).length`, selector))
	}
	has := func(what, text string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q: %s", what, part, text)
			}
		}
	}
	if number(".chart-static:not([hidden])") > 0 {
		t.Error("a stand-in is still shown")
	}

	p.Point("#figure-curves svg", 0.3, 0.5)
	has("the tip of curves", text("#figure-curves .chart-tip"), "epoch 2", "none: 20.0 ± 1.00 (2 seeds)", "soft: 21.0")
	p.Do(chromedp.Click("#figure-curves .chart-arm", chromedp.ByQuery)) // the arm none
	p.Point("#figure-curves svg", 0.3, 0.5)
	if tip := text("#figure-curves .chart-tip"); strings.Contains(tip, "none") {
		t.Errorf("an arm that is switched off is told of: %s", tip)
	}
	p.Do(chromedp.Click(`#figure-curves .chart-controls > button`, chromedp.ByQuery)) // every seed
	if n := number("#figure-curves .chart-trace"); n != 3 {
		t.Errorf("%d traces, not the 3 of the arm", n)
	}
	if n := number("#figure-curves .chart-bad"); n != 1 {
		t.Errorf("%d marks of an epoch without a number", n)
	}
	p.Drag("#figure-curves svg", 0.4, 0.5, 0.75, 0.5)
	p.Point("#figure-curves svg", 0.1, 0.5)
	has("the tip after zooming", text("#figure-curves .chart-tip"), "epoch 3")
	p.Do(chromedp.Focus("#figure-curves .chart-stage", chromedp.ByQuery), chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.ArrowRight))
	has("the tip by keys", text("#figure-curves .chart-tip"), "epoch 4", "▸ soft")
	p.Do(chromedp.Evaluate(`(() => { const s = document.querySelector("#figure-curves input[type=range]"); s.value = 0.5; s.dispatchEvent(new Event("input")) })()`, nil))
	has("the note of curves", text("#figure-curves .chart-note"), "Smoothed", "0.5")

	if n := number("#figure-dots circle.chart-dot"); n != 4 {
		t.Errorf("%d dots of 4 scores", n)
	}
	if n := number("#figure-dots .chart-bad"); n != 2 {
		t.Errorf("%d marks of runs without a score, not 2", n)
	}
	p.Do(chromedp.Evaluate(`document.querySelector("#figure-dots .chart-stage").focus()`, nil), chromedp.KeyEvent(kb.ArrowDown))
	has("dots by keys", text("#figure-dots .chart-tip"), "seed 0", "none: 49.0")

	has("the history", browser.Eval[string](p, `[...document.querySelectorAll("#figure-history .chart-top")].map((e) => e.getAttribute("r")).join()`), "5.5")
	p.Do(chromedp.Evaluate(`(() => { const s = document.querySelector("#figure-history .chart-stage"); s.focus(); for (let i = 0; i < 12; i++) s.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"})) })()`, nil))
	has("a pruned trial", text("#figure-history .chart-tip"), "run11: pruned")

	p.Drag("#figure-parallel svg", 34.0/600, 0.1, 34.0/600, 0.5)
	has("the brush", text("#figure-parallel .chart-controls"), "6 of 12 trials")

	p.Do(chromedp.SendKeys(`#figure-captions input[type=search]`, "dog", chromedp.ByQuery))
	has("what is found", text("#figure-captions .chart-note"), "1 of 2 images")
	p.Point("#figure-captions .chart-sentence[tabindex] .chart-word", 0.5, 0.5)
	has("the word", text("#figure-captions"), "dog, β 0.10, clear: 80 % on a region")
	if browser.Eval[bool](p, `document.querySelector("#figure-captions canvas").hidden`) {
		t.Error("no veil lies over the picture")
	}

	p.Do(chromedp.Click("#figure-dots .chart-table summary", chromedp.ByQuery))
	p.Wait(`document.querySelectorAll("#figure-dots tbody tr").length === 6`)
	saved := browser.Eval[[]string](p, `(async () => {
		const saved = [];
		URL.createObjectURL = (blob) => { saved.push(blob); return "data:," };
		const click = HTMLAnchorElement.prototype.click;
		HTMLAnchorElement.prototype.click = () => {};
		for (const b of document.querySelectorAll("#figure-dots .chart-exports button")) b.click();
		for (let i = 0; i < 100 && saved.length < 3; i++) await new Promise((done) => setTimeout(done, 50));
		HTMLAnchorElement.prototype.click = click;
		return Promise.all(saved.map(async (b) => b.type + " " + (await b.text()).slice(0, 60)));
	})()`)
	has("what is saved", strings.Join(saved, "\n"), "image/svg+xml <svg", "image/png", "text/csv arm,seed,run,state,CIDEr")
}

// A live figure that takes the place of its new HTML shows the new data, and what was switched off
// or chosen stays so; with another arm or parameter it is made anew.
func TestKeep(t *testing.T) {
	p := browser.Open(t, served(t), 1280, 900)
	shownAll(p)
	keep := func(figure, change string) {
		t.Helper()
		p.Do(chromedp.Evaluate(fmt.Sprintf(`(() => {
			const figure = document.querySelector("#figure-%s"), fresh = figure.cloneNode(true);
			fresh.querySelector(".chart-live").remove();
			const script = fresh.querySelector("script"), data = JSON.parse(script.textContent);
			%s;
			script.textContent = JSON.stringify(data);
			figure.replaceWith(fresh);
			glimpseCharts.keep(figure, fresh);
		})()`, figure, change), nil))
	}
	p.Do(chromedp.Click("#figure-dots .chart-arm", chromedp.ByQuery))
	keep("dots", `data.arms[1].runs.push({id: "new", seed: 9, state: "completed", value: 53})`)
	p.Wait(`document.querySelectorAll("#figure-dots circle.chart-dot").length === 3`) // of the arm that is shown
	arms := browser.Eval[int](p, `document.querySelectorAll("#figure-dots .chart-arm").length`)
	keep("dots", `data.arms.push({...data.arms[1], label: "another"})`)
	p.Wait(fmt.Sprintf(`document.querySelectorAll("#figure-dots .chart-arm").length === %d`, arms+1))
	if n := browser.Eval[int](p, `document.querySelectorAll("#figure-dots .chart-live").length`); n != 1 {
		t.Errorf("the figure has %d charts", n)
	}

	// The upper half of the scores from 40 to 50 is chosen. A trial with 90 moves them down.
	p.Drag("#figure-parallel svg", 566.0/600, 0.1, 566.0/600, 0.515)
	chosen := func(of string) {
		t.Helper()
		p.Wait(fmt.Sprintf(`document.querySelector("#figure-parallel .chart-range").innerText === %q`, of))
	}
	chosen("5 of 12 trials")
	keep("parallel", `data.trials.push({...data.trials[0], id: "new", value: 90})`)
	chosen("6 of 13 trials")
	keep("parallel", `data.parameters.push({...data.parameters[0], path: "another"}); for (const t of data.trials) t.settings.push("48")`)
	chosen("Drag along an axis to choose trials")
	if n := browser.Eval[int](p, `document.querySelectorAll("#figure-parallel .chart-name").length`); n != 5 {
		t.Errorf("the figure has %d axes, not 5", n)
	}
}
