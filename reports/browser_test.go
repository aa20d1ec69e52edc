package reports

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"glimpse/internal/browser"
)

// The report is one file: it opens from disk, asks nobody for anything, and its charts answer.
func TestReportInBrowser(t *testing.T) {
	dir := t.TempDir()
	check(t, Write(context.Background(), usual(t, finished(3, levels, "none", "soft", "adaptive")), "attention", dir))
	p := browser.Open(t, "file://"+filepath.Join(dir, "index.html"), 390, 844)
	if wide := browser.Eval[int](p, "document.documentElement.scrollWidth"); wide > 390 {
		t.Errorf("the page is %d pixels wide in a window of 390", wide)
	}
	folded := browser.Eval[int](p, "document.documentElement.scrollHeight")
	p.Do(chromedp.Click(`nav a[href="#learning"]`, chromedp.ByQuery))
	p.Wait(`document.querySelector("#learning").closest("section").querySelector("details").open`)
	p.Do(chromedp.Evaluate(`document.querySelectorAll("details").forEach((d) => { d.open = true })`, nil))
	if open := browser.Eval[int](p, "document.documentElement.scrollHeight"); open < 2*folded {
		t.Errorf("the page is %d pixels high folded, and %d open", folded, open)
	}
	p.Wait(`(() => { const next = document.querySelector("figure.chart:not(.is-live)"); next?.scrollIntoView(); return !next })()`)
	if n := browser.Eval[int](p, `document.querySelectorAll("figure.is-live").length`); n != 5 {
		t.Errorf("%d live charts, not 5: dots, forest, two of curves, captions", n)
	}
	p.Axe("the report, 390 pixels wide")
	p.Do(chromedp.EmulateViewport(1280, 900))
	p.Axe("the report, 1280 pixels wide")
	check(t, browser.Keep("report", read(t, dir)["index.html"]))
	if asked := browser.Eval[int](p, `performance.getEntriesByType("resource").filter((e) => !e.name.startsWith("data:")).length`); asked > 0 {
		t.Errorf("the page asked for %d other files", asked)
	}
}

func TestScenesAreShown(t *testing.T) {
	db := usual(t, finished(1, levels, "none", "soft"))
	dir := t.TempDir()
	drawn := []byte("a picture")
	check(t, WriteWithScenes(context.Background(), db, "attention", dir, func(string) (Scene, error) {
		return Scene{JPEG: drawn, Width: 96, Height: 96, References: []string{"what is to be seen"}}, nil
	}))
	page := string(read(t, dir)["index.html"])
	if n := strings.Count(page, `<img src="data:image/jpeg;base64,`+base64.StdEncoding.EncodeToString(drawn)); n != 2*sampleSize {
		t.Errorf("%d scenes stand beside the captions and what goes wrong, not %d", n, 2*sampleSize)
	}
	if n := strings.Count(page, `"references":["what is to be seen"]`); n != fixtureImages {
		t.Errorf("%d images have references, not %d", n, fixtureImages)
	}
	broken := errors.New("no scene of that name")
	err := WriteWithScenes(context.Background(), db, "attention", dir, func(string) (Scene, error) { return Scene{}, broken })
	if !errors.Is(err, broken) {
		t.Errorf("a scene that is not there: %v", err)
	}
}

// The seed that changed is the one that moves most in the way of the mean, and not the lowest.
func TestChangedSeed(t *testing.T) {
	e, err := gather(context.Background(), usual(t, finished(3, levels, "none", "adaptive")), "attention")
	check(t, err)
	r, err := analyse(context.Background(), e)
	check(t, err)
	c := r.headline()
	for _, d := range c.imageDifferences()[:5] {
		seed, ok := r.changedSeed(c, d.Image)
		if !ok {
			t.Fatalf("no seed of %s changed", d.Image)
		}
		of := func(seed int64) float64 {
			b, _ := r.captionPoints(c.B.ofSeed(seed), d.Image)
			a, _ := r.captionPoints(c.A.ofSeed(seed), d.Image)
			return b - a
		}
		for other := int64(1); other <= 3; other++ {
			if d.Points < 0 && of(other) < of(seed) || d.Points > 0 && of(other) > of(seed) {
				t.Errorf("%s: seed %d changed by %g, seed %d by %g", d.Image, seed, of(seed), other, of(other))
			}
		}
	}
}
