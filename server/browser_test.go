package server

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"glimpse/internal/browser"
	"glimpse/internal/store"
)

var (
	shots   = flag.String("shots", "", "a folder for screenshots of every page")
	shotsDB = flag.String("shots-db", "", "the database that they are of")
	shotsOf = flag.String("shots-of", "", "only pages with these names, by commas; a name may be NAME=ADDRESS")
)

// TestShots takes a picture of every page and prints it, for somebody to look at:
//
//	go test ./server -run TestShots -shots DIR -shots-db results.db
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("-shots names no folder")
	}
	s := serve(t, Config{Places: []string{*shotsDB}, Stop: noStop})
	paths := map[string]string{
		"home": "/", "queue": "/queue", "study": "/results/study/flickr8k-attention", "search": "/results/study/flickr8k-search",
		"run": "/results/run/5db0ff063e71", "compare": "/compare?run=results/5db0ff063e71&run=results/1c7f5cde2170",
		"captions": "/results/study/flickr8k-attention/captions", "stop": "/results/study/flickr8k-attention/stop",
	}
	if *shotsOf != "" {
		all := paths
		paths = map[string]string{}
		for _, one := range strings.Split(*shotsOf, ",") {
			name, address, given := strings.Cut(one, "=")
			if !given {
				address = all[name]
			}
			paths[name] = address
		}
	}
	for range 8 {
		s.get(t, "/") // so that all is analysed
		time.Sleep(2 * time.Second)
	}
	for name, path := range paths {
		p := opened(t, s, 1280)
		for _, kind := range []struct {
			name          string
			width, height int64
			dark          bool
		}{{"desktop", 1280, 900, false}, {"phone", 390, 844, false}, {"dark", 1280, 900, true}} {
			scheme := "light"
			if kind.dark {
				scheme = "dark"
			}
			var picture []byte
			p.Do(chromedp.EmulateViewport(kind.width, kind.height),
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				chromedp.Navigate(s.at(path)), chromedp.Sleep(1500*time.Millisecond), chromedp.FullScreenshot(&picture, 90))
			check(t, os.WriteFile(filepath.Join(*shots, name+"-"+kind.name+".jpg"), picture, 0o644))
		}
		var printed []byte
		p.Do(emulation.SetEmulatedMedia(), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(s.at(path)),
			chromedp.Sleep(1500*time.Millisecond),
			chromedp.ActionFunc(func(ctx context.Context) (err error) {
				printed, _, err = page.PrintToPDF().WithPaperWidth(8.27).WithPaperHeight(11.69).
					WithMarginTop(.4).WithMarginBottom(.4).WithMarginLeft(.4).WithMarginRight(.4).Do(ctx)
				return err
			}))
		check(t, os.WriteFile(filepath.Join(*shots, name+".pdf"), printed, 0o644))
	}
}

// TestLivePage holds that a page follows what is written, and that scroll, focus, folds and ticks
// stay where they are.
func TestLivePage(t *testing.T) {
	background := context.Background()
	path := filepath.Join(t.TempDir(), "results.db")
	db := planned(t, path, "s", "Does it follow?", aRun("aaaaaaaaaaaa", "soft", 1), aRun("bbbbbbbbbbbb", "none", 1))
	s := serve(t, Config{Places: []string{path}, Stop: noStop})
	p := opened(t, s, 1280)
	const tick = `document.querySelector('#trial-table input[value="results/bbbbbbbbbbbb"]')`
	var before, after struct {
		Top     float64 // of what has the focus, in the window
		Focus   string
		Ticked  bool
		Columns bool
	}
	look := `({top: Math.round(` + tick + `.getBoundingClientRect().top), ticked: ` + tick + `.checked,
		focus: document.activeElement.value || "", columns: document.querySelector("#columns").open})`
	p.Do(chromedp.EmulateViewport(500, 400), chromedp.Navigate(s.at("/results/study/s")),
		chromedp.WaitReady("#trial-table", chromedp.ByQuery), chromedp.Sleep(3*time.Second), // until the first analysis is shown
		chromedp.Evaluate(`document.querySelector("#columns").open = true; `+tick+`.click(); `+tick+`.focus(); scrollTo(0, 300)`, nil),
		chromedp.Evaluate(look, &before))
	run, err := db.Run(background, "aaaaaaaaaaaa")
	check(t, err)
	_, err = db.Claim(background, run, store.Owner{Host: "h", PID: 1, Lease: time.Hour})
	check(t, err)
	p.Wait(`document.querySelector("#trial-table").textContent.includes("running")`)
	p.Do(chromedp.Evaluate(look, &after))
	if before != after || !after.Ticked || !after.Columns || after.Focus != "results/bbbbbbbbbbbb" {
		t.Errorf("before the change %+v, and after it %+v", before, after)
	}
}

// TestPrintedCharts holds that a printed page has its charts, those too that nobody scrolled to, each
// with its key.
func TestPrintedCharts(t *testing.T) {
	path := filled(t, small)
	s := serve(t, Config{Places: []string{path}})
	db, err := store.OpenReadOnly(path)
	check(t, err)
	defer db.Close()
	runs, err := db.Runs(t.Context(), "small")
	check(t, err)
	p := opened(t, s, 390)
	p.Do(chromedp.EmulateViewport(390, 200), chromedp.Navigate(s.at("/compare?run=results/"+runs[0].ID+"&run=results/"+runs[1].ID)),
		chromedp.WaitReady("figure.chart", chromedp.ByQuery))
	if n := browser.Eval[int](p, `document.querySelectorAll("figure[data-chart=curves].is-live").length`); n != 0 {
		t.Fatalf("%d charts are drawn before anyone sees them", n)
	}
	p.Do(emulation.SetEmulatedMedia().WithMedia("print"), chromedp.Evaluate(`dispatchEvent(new Event("beforeprint"))`, nil))
	p.Wait(`document.querySelectorAll("figure[data-chart=curves].is-live svg path").length > 3`)
	if n := browser.Eval[int](p, `[...document.querySelectorAll(".chart-arm")].filter((b) => b.checkVisibility()).length`); n != 4 {
		t.Errorf("%d arms are in the keys of two charts, not 4", n)
	}
}

// TestStopInBrowser holds that a study is stopped by two clicks, and not by one.
func TestStopInBrowser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.db")
	planned(t, path, "s", "", aRun("aaaaaaaaaaaa", "soft", 1))
	stopped := make(chan string, 1)
	s := serve(t, Config{Places: []string{path}, Stop: func(_ context.Context, _, study string) ([]store.Run, error) {
		stopped <- study
		return nil, nil
	}})
	p := opened(t, s, 1280)
	p.Do(chromedp.Navigate(s.at("/queue")), chromedp.Click(`a[href$="/stop"]`, chromedp.ByQuery),
		chromedp.WaitVisible(`button[value="stop"]`, chromedp.ByQuery))
	if len(stopped) > 0 {
		t.Error("one click stopped the study")
	}
	p.Do(chromedp.Click(`button[value="stop"]`, chromedp.ByQuery), chromedp.WaitVisible(`main a[href="/queue"]`, chromedp.ByQuery))
	if len(stopped) != 1 || <-stopped != "s" {
		t.Error("the study was not stopped")
	}
}

// TestPagesInBrowser holds that every page, wide and narrow, loads without a complaint of the
// browser and fits its width, and that charts come alive under the policy. With the flags of
// package browser, `just check-pages` has axe-core and html-validate look at them.
func TestPagesInBrowser(t *testing.T) {
	path := filled(t, small)
	s := serve(t, Config{Places: []string{path}, Stop: noStop, Album: openFake})
	db, err := store.OpenReadOnly(path)
	check(t, err)
	defer db.Close()
	runs, err := db.Runs(context.Background(), "small")
	check(t, err)
	within(t, time.Minute, "an analysis", func() bool {
		_, body := s.get(t, "/results/study/small")
		return strings.Contains(body, `id="scores"`)
	})
	p := opened(t, s, 1280)
	for name, page := range map[string]string{
		"home": "/", "queue": "/queue", "study": "/results/study/small", "captions": "/results/study/small/captions",
		"run": "/results/run/" + runs[0].ID, "stop": "/results/study/small/stop",
		"compare": "/compare?run=results/" + runs[0].ID + "&run=results/" + runs[1].ID,
	} {
		_, sent := s.get(t, page)
		check(t, browser.Keep(name, []byte(sent)))
		for _, width := range []int64{1280, 390} {
			p.Do(chromedp.EmulateViewport(width, 5000), chromedp.Navigate(s.at(page)), chromedp.WaitReady("#content", chromedp.ByQuery))
			p.Wait(`document.querySelectorAll("figure.is-live").length === document.querySelectorAll("figure[data-chart]").length`)
			over := browser.Eval[int](p, `document.documentElement.scrollWidth - innerWidth`)
			if over > 0 {
				t.Errorf("%s is %d pixels wider than %d", page, over, width)
			}
			p.Axe(fmt.Sprintf("%s, %d pixels wide", page, width))
		}
	}
}

// opened opens the link of a server, and waits until the page behind its welcome is there.
func opened(t *testing.T, s *served, width int64) *browser.Page {
	t.Helper()
	p := browser.Open(t, s.Link(), width, 900)
	p.Do(chromedp.WaitReady("#content", chromedp.ByQuery))
	return p
}
