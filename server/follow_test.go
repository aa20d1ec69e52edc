package server

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"glimpse/internal/browser"
	"glimpse/internal/store"
	"glimpse/metrics"
)

// TestFollowsAStudy holds that somebody who clicks through every view while a study is written
// beside it sees each follow by itself, that the browser complains of nothing, and that the writer
// never finds the database locked.
func TestFollowsAStudy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.db")
	var runs []store.Run
	for i := range 4 {
		arm := []string{"soft", "none"}[i%2]
		runs = append(runs, aRun(fmt.Sprintf("%012d", 100000000000+i), arm, int64(1+i/2)))
	}
	db := planned(t, path, "s", "Does it follow?", runs...)
	s := serve(t, Config{Places: []string{path}, Stop: noStop, Album: openFake})
	p := opened(t, s, 1280)
	steps := make(chan func(context.Context) error)
	wrote := make(chan error)
	go func() {
		for step := range steps {
			wrote <- step(context.Background())
		}
	}()
	defer close(steps)
	write := func(step func(context.Context) error) {
		t.Helper()
		steps <- step
		check(t, <-wrote)
	}
	claims := map[string]store.Claim{}
	begin := func(id string) func(context.Context) error {
		return func(ctx context.Context) error {
			run, err := db.Run(ctx, id)
			if err != nil {
				return err
			}
			claims[id], err = db.Claim(ctx, run, store.Owner{Host: "desk", PID: 7, Lease: time.Hour})
			return err
		}
	}
	epoch := func(id string, n int) func(context.Context) error {
		return func(ctx context.Context) error {
			return db.SaveCheckpoint(ctx, claims[id], store.Checkpoint{Progress: json.RawMessage(`{}`), Seconds: float64(n), BestEpoch: n,
				Epoch: &store.Epoch{Epoch: n, Loss: 3 / float64(n), Val: map[string]float64{"cider": 0.1 * float64(n)}, LR: 0.001, Seconds: 1}})
		}
	}
	end := func(id string) func(context.Context) error {
		return func(ctx context.Context) error {
			if err := db.SaveCaptions(ctx, claims[id], "test", []store.Caption{{Image: "a b.jpg", Words: "a dog of " + id}}); err != nil {
				return err
			}
			return db.Complete(ctx, claims[id], store.Result{Metrics: map[string]map[string]float64{"test": {"cider": 0.5}, "val": {"cider": 0.2}},
				BestEpoch: 2, Scores: map[string][]metrics.ImageScore{"test": {{ID: "a b.jpg", CIDEr: 0.5, Length: 4}}}})
		}
	}
	shows := func(selector, text string) {
		t.Helper()
		p.Wait(fmt.Sprintf(`document.querySelector(%q)?.textContent.includes(%q)`, selector, text))
	}
	click := func(selector, then string) {
		t.Helper()
		p.Do(chromedp.Click(selector, chromedp.ByQuery), chromedp.WaitReady(then, chromedp.ByQuery))
	}
	first, second := runs[0].ID, runs[1].ID

	shows("#studies", "0 of 4 trials")
	write(begin(first))
	shows("#studies", "1 running")
	click(`a[href="/queue"]`, "#content")
	shows("#content", "process 7 on desk")
	write(begin(second))
	p.Wait(`document.querySelectorAll('#content a[href^="/results/run/"]').length === 2`)
	click(`a[href="/results/study/s"]`, "#trial-table")
	write(epoch(first, 1))
	p.Wait(fmt.Sprintf(`document.querySelector('#trial-table input[value="results/%s"]').closest("tr")
		.textContent.includes("running")`, first))
	click(fmt.Sprintf(`#trial-table a[href="/results/run/%s"]`, first), "#run-epochs")
	write(epoch(first, 2))
	p.Wait(`document.querySelectorAll("#run-epochs tbody tr").length >= 2`)
	p.Wait(`!!document.querySelector("#run-epochs figure.is-live")`)
	const figure = `document.querySelector("#run-epochs figure.is-live")`
	p.Do(chromedp.Click("#run-epochs .chart-controls > button[aria-pressed=false]", chromedp.ByQuery),
		chromedp.Click("#run-epochs .chart-table summary", chromedp.ByQuery))
	write(epoch(first, 3))
	p.Wait(figure + `?.querySelectorAll(".chart-table tbody tr").length === 3`) // as many as epochs, and still open
	if !browser.Eval[bool](p, figure+`.querySelector(".chart-controls > button").getAttribute("aria-pressed") === "true"`) {
		t.Error("what was chosen in a chart is lost when it follows")
	}
	write(end(first))
	shows("#run-head", "completed")
	shows("#run-captions", "a dog of "+first)
	write(epoch(second, 1))
	write(epoch(second, 2))
	p.Do(chromedp.Navigate(s.at("/results/study/s/captions")), chromedp.WaitReady("#caption-list", chromedp.ByQuery))
	write(end(second))
	shows("#caption-list", "a dog of "+second)
	p.Wait(`document.querySelector("#figure-captions .chart-picture img")?.naturalWidth > 0`)
	p.Do(chromedp.Navigate(s.at("/results/study/s")), chromedp.WaitReady("#trial-table", chromedp.ByQuery))
	for _, id := range []string{first, second} {
		p.Do(chromedp.Click(fmt.Sprintf(`#trial-table input[value="results/%s"]`, id), chromedp.ByQuery))
	}
	click(`form[action="/compare"] button`, "#compared")
	shows("#content", "2 runs compared")
	shows("#content", "a dog of "+second)
	if said := browser.Eval[string](p, `document.querySelector("#following").textContent`); said != "Follows what is recorded." {
		t.Errorf("the page says %q", said)
	}
	p.Do(chromedp.Navigate(s.at("/results/study/s/stop")), chromedp.WaitReady(`button[value="stop"]`, chromedp.ByQuery))
}
