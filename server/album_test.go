package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"glimpse/internal/browser"
	"glimpse/internal/store"
	"glimpse/metrics"
)

// fakeAlbum knows two images.
type fakeAlbum struct{}

func (fakeAlbum) References(image string) []string {
	if image == "a b.jpg" || image == "broken.jpg" {
		return []string{"a dog <b>runs</b>"}
	}
	return nil
}

func (fakeAlbum) Thumbnail(image string, most int) ([]byte, error) {
	if image == "broken.jpg" {
		return nil, errors.New("it is cut short")
	}
	return onePixel, nil
}

// onePixel is a picture.
var onePixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x00\x00\x00\x00\x00," +
	"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// captioned is a database with a completed run that captioned an image, of which it is known where
// the run looked.
func captioned(t *testing.T) (path string) {
	t.Helper()
	ctx := context.Background()
	path = filepath.Join(t.TempDir(), "results.db")
	db := planned(t, path, "s", "", aRun("aaaaaaaaaaaa", "soft", 1), aRun("bbbbbbbbbbbb", "none", 1))
	for _, id := range []string{"aaaaaaaaaaaa", "bbbbbbbbbbbb"} {
		run, err := db.Run(ctx, id)
		check(t, err)
		claim, err := db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute})
		check(t, err)
		check(t, db.SaveCaptions(ctx, claim, "test", []store.Caption{{Image: "a b.jpg", Words: "a dog"}, {Image: "kept.jpg", Words: "a cat"}}))
		scores := []metrics.ImageScore{{ID: "a b.jpg", CIDEr: 0.5, Length: 2}, {ID: "kept.jpg", CIDEr: 0.25, Length: 2}}
		check(t, db.Complete(ctx, claim, store.Result{Metrics: map[string]map[string]float64{"test": {"cider": 0.4}}, BestEpoch: 1,
			Scores: map[string][]metrics.ImageScore{"test": scores}}))
	}
	check(t, db.SaveIllustration(ctx, "s", store.Illustration{
		Pictures: []store.Picture{{Image: "kept.jpg", Width: 40, Height: 30, JPEG: []byte("from the database")}},
		Maps: []store.AttentionMap{{Run: "aaaaaaaaaaaa", Image: "a b.jpg", Side: 2, First: 0.25, Step: 0.5,
			Alpha: [][]float64{{0.7, 0.1, 0.1, 0.1}, {0.1, 0.1, 0.1, 0.7}}}},
	}))
	return path
}

func openFake(context.Context, *store.DB, string) (Album, error) { return fakeAlbum{}, nil }

// TestCaptionsHavePictures holds that captions come with picture, references and attention, as far
// as these are at hand, on all pages that show captions.
func TestCaptionsHavePictures(t *testing.T) {
	s := serve(t, Config{Places: []string{captioned(t)}, Album: openFake})
	const picture = "/results/study/s/picture?image="
	for _, data := range []string{"/results/study/s/captions.json", "/results/run/aaaaaaaaaaaa/captions.json",
		"/compare/captions.json?run=results/aaaaaaaaaaaa&run=results/bbbbbbbbbbbb"} {
		_, body := s.get(t, data)
		for _, text := range []string{`"picture":"` + picture + "a+b.jpg", `"picture":"` + picture + "kept.jpg", `"width":40`,
			`\u003cb\u003e`, `"looks":["`, `"full":0.7`, `"side":2`} {
			if !strings.Contains(body, text) {
				t.Errorf("%s lacks %s: %s", data, text, body)
			}
		}
	}
	for image, want := range map[string]string{"a b.jpg": string(onePixel), "kept.jpg": "from the database"} {
		if code, body := s.get(t, picture+url.QueryEscape(image)); code != http.StatusOK || body != want {
			t.Errorf("the picture %s is answered with %d, %q", image, code, body)
		}
	}
	for _, image := range []string{"", "other.jpg", "../results.db", "/etc/passwd", "broken.jpg"} {
		if code, _ := s.get(t, picture+url.QueryEscape(image)); code != http.StatusNotFound {
			t.Errorf("the picture %q is answered with %d", image, code)
		}
	}
}

// TestNoAlbum holds that a page says why it has no pictures of the data set.
func TestNoAlbum(t *testing.T) {
	s := serve(t, Config{Places: []string{captioned(t)}, Album: func(context.Context, *store.DB, string) (Album, error) {
		return nil, errors.New("its folder is not there")
	}})
	if _, body := s.get(t, "/results/study/s/captions"); !strings.Contains(body, "its folder is not there") {
		t.Error("the page does not say why there are no pictures")
	}
	if _, body := s.get(t, "/results/study/s/captions.json"); strings.Contains(body, "references") || !strings.Contains(body, "kept.jpg") {
		t.Error("without a data set, the pictures of the database alone are shown")
	}
}

// TestComparedDataDiffer holds that runs of different data are compared without pictures and
// references, which are those of one of them.
func TestComparedDataDiffer(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "results.db")
	ids := []string{"aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"}
	signatures := []string{"data=x@1 decode=beam:3", "data=x@1 decode=beam:1", "data=x@2 decode=beam:3"}
	db := planned(t, path, "s", "", aRun(ids[0], "soft", 1), aRun(ids[1], "soft", 2), aRun(ids[2], "soft", 3))
	for i, id := range ids {
		run, err := db.Run(ctx, id)
		check(t, err)
		claim, err := db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute})
		check(t, err)
		check(t, db.Start(ctx, claim, store.Start{Signature: signatures[i]}))
		check(t, db.SaveCaptions(ctx, claim, "test", []store.Caption{{Image: "a b.jpg", Words: "a dog"}}))
		check(t, db.Complete(ctx, claim, store.Result{Metrics: map[string]map[string]float64{"test": {"cider": 0}}, BestEpoch: 1,
			Scores: map[string][]metrics.ImageScore{"test": {{ID: "a b.jpg", Length: 2}}}}))
	}
	s := serve(t, Config{Places: []string{path}, Album: openFake})
	for second, same := range map[string]bool{ids[1]: true, ids[2]: false} {
		runs := "run=results/" + ids[0] + "&run=results/" + second
		_, page := s.get(t, "/compare?"+runs)
		_, data := s.get(t, "/compare/captions.json?"+runs)
		if strings.Contains(page, differentData) == same || strings.Contains(data, "references") != same ||
			strings.Contains(data, "picture") != same || !strings.Contains(data, "a dog") {
			t.Errorf("same data: %v, and the page has %s", same, data)
		}
	}
}

// TestAlbumOfReplacedDatabase holds that a study of a database that takes another's place has its own
// pictures.
func TestAlbumOfReplacedDatabase(t *testing.T) {
	path, other := captioned(t), captioned(t)
	var opens atomic.Int32
	s := serve(t, Config{Places: []string{path}, Album: func(context.Context, *store.DB, string) (Album, error) {
		if opens.Add(1) > 1 {
			return nil, errors.New("its folder is not there")
		}
		return fakeAlbum{}, nil
	}})
	const picture = "/results/study/s/picture?image=a+b.jpg"
	for range 2 {
		if code, _ := s.get(t, picture); code != http.StatusOK || opens.Load() != 1 {
			t.Fatalf("answered with %d, opened %d times", code, opens.Load())
		}
	}
	check(t, os.Rename(other, path))
	within(t, 20*time.Second, "the other database's pictures", func() bool {
		code, _ := s.get(t, picture)
		return code == http.StatusNotFound
	})
}

// panickingAlbum has pictures that break the program.
type panickingAlbum struct{ fakeAlbum }

func (a panickingAlbum) Thumbnail(image string, most int) ([]byte, error) {
	if image == "broken.jpg" {
		panic("a fault")
	}
	return a.fakeAlbum.Thumbnail(image, most)
}

// TestAlbumPanics holds that a fault in a data set or a picture costs no other page and no other
// picture.
func TestAlbumPanics(t *testing.T) {
	s := serve(t, Config{Places: []string{captioned(t)}, Album: func(context.Context, *store.DB, string) (Album, error) {
		return panickingAlbum{}, nil
	}})
	for range mostShrinking + 1 {
		code, body := s.get(t, "/results/study/s/picture?image=broken.jpg")
		if code != http.StatusNotFound || !strings.Contains(body, "a fault") {
			t.Errorf("the picture is answered with %d, %q", code, body)
		}
	}
	if code, _ := s.get(t, "/results/study/s/picture?image=a+b.jpg"); code != http.StatusOK {
		t.Errorf("another picture is answered with %d", code)
	}
	s = serve(t, Config{Places: []string{captioned(t)}, Album: func(context.Context, *store.DB, string) (Album, error) { panic("a fault") }})
	for range 2 {
		if _, body := s.get(t, "/results/study/s/captions"); !strings.Contains(body, "a fault") {
			t.Error("the page does not say why there are no pictures")
		}
	}
}

// TestThumbnailIsNotAwaited holds that a request that has ended waits for no picture of others.
func TestThumbnailIsNotAwaited(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	busy := make(chan struct{})
	if _, err := (&openAlbum{album: fakeAlbum{}}).thumbnail(ctx, "a b.jpg", busy); !errors.Is(err, context.Canceled) {
		t.Errorf("the answer is %v", err)
	}
}

// TestAttentionUnderThePointer holds that a run's page shows the picture, and where the run looked
// before the word under the pointer.
func TestAttentionUnderThePointer(t *testing.T) {
	s := serve(t, Config{Places: []string{captioned(t)}, Album: openFake})
	p := opened(t, s, 1280)
	p.Do(chromedp.Navigate(s.at("/results/run/aaaaaaaaaaaa")), chromedp.WaitReady("#captions", chromedp.ByQuery))
	p.Wait(`(() => {
		document.querySelector("#figure-captions").scrollIntoView();
		return document.querySelector("#figure-captions .chart-picture img")?.complete;
	})()`)
	p.Point("#figure-captions .chart-sentence[tabindex] .chart-word", 0.5, 0.5)
	p.Wait(`document.querySelector("#figure-captions .chart-told").textContent.includes("clear: 70 % on a region")`)
	if browser.Eval[bool](p, `document.querySelector("#figure-captions canvas").hidden`) {
		t.Error("the picture has no veil")
	}
	if n := browser.Eval[int](p, `document.querySelectorAll("#figure-captions details li b").length`); n != 0 {
		t.Error("a reference caption is taken for HTML")
	}
}
