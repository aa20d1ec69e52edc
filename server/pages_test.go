package server

import (
	"bufio"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"glimpse/internal/store"
)

// TestPages holds that every page of a study that has ended says what it is for, with the numbers
// of the database.
func TestPages(t *testing.T) {
	path := filled(t, small)
	s := serve(t, Config{Places: []string{path}})
	db, err := store.OpenReadOnly(path)
	check(t, err)
	defer db.Close()
	runs, err := db.Runs(context.Background(), "small")
	check(t, err)
	writer, err := store.Open(path)
	check(t, err)
	check(t, writer.SaveNotes(context.Background(), []store.Note{{Run: runs[0].ID, Text: "the machine was busy"}}, nil))
	check(t, writer.Close())
	first, second := "results/"+runs[0].ID, "results/"+runs[1].ID
	within(t, time.Minute, "an analysis", func() bool {
		_, body := s.get(t, "/results/study/small")
		return strings.Contains(body, `id="scores"`)
	})
	for page, texts := range map[string][]string{
		"/":      {"small", "12 of 12 trials, ended", "Best value"},
		"/queue": {"No trial is running"},
		"/results/study/small": {`class="verdict`, `id="learning"`, `data-chart="dots"`, `data-chart="curves"`, "12 of 12 trials",
			runs[0].ID, `aria-sort`},
		"/results/study/small?where=" + url.QueryEscape("seed=1"):          {"4 of 12 trials"},
		"/results/study/small?state=failed":                                {"0 of 12 trials"},
		"/results/study/small?where=" + url.QueryEscape("sed=1"):           {"where: ", "seed"},
		"/results/study/small?columns=" + url.QueryEscape("+model.hidden"): {"model.hidden</a></th>"},
		"/results/study/small/captions?q=zebra":                            {"No stored caption"},
		"/results/study/small/captions?order=difference":                   {"Images 1 to 10 of 10"},
		"/results/study/small/captions.json":                               {`"arms":[`, `"images":[`},
		"/results/run/" + runs[0].ID[:6]:                                   {"completed", "model.hidden", "chosen", "no log here", "the machine was busy"},
		"/compare?run=" + first + "&run=" + second:                         {"2 runs compared", "What else differs", `id="part-settings"`, "The second run minus"},
		"/results/study/small/figures.css":                                 {".plot ."},
		"/assets/charts.js":                                                {"glimpseCharts"},
		"/assets/style.css":                                                {"--arm0"},
	} {
		code, body := s.get(t, page)
		if page == "/results/study/small" {
			_, sorted := s.get(t, page+"?sort=seed")
			body += sorted
		}
		if code != http.StatusOK {
			t.Errorf("%s is answered with %d: %s", page, code, body)
		}
		for _, text := range texts {
			if !strings.Contains(body, text) {
				t.Errorf("%s does not say %q", page, text)
			}
		}
		if regexp.MustCompile(`(?i)<[a-z][^>]* (style|on[a-z]+)="`).MatchString(body) || strings.Contains(body, "<style") {
			t.Errorf("%s has a style or a script of its own, which the policy forbids", page)
		}
	}
}

// complete ends a run with these scores.
func complete(t *testing.T, db *store.DB, id string, metrics map[string]map[string]float64) {
	t.Helper()
	ctx := context.Background()
	run, err := db.Run(ctx, id)
	check(t, err)
	claim, err := db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute})
	check(t, err)
	check(t, db.Complete(ctx, claim, store.Result{Metrics: metrics, BestEpoch: 1}))
}

// TestTestSplitIsHidden holds that no page tells a score of the test split before the study has
// what it declared, and that all do after that.
func TestTestSplitIsHidden(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "results.db")
	db, err := store.Open(path)
	check(t, err)
	defer db.Close()
	compare := json.RawMessage(`{"arms": "model.attention", "baseline": "none", "contrasts": [["soft", "none"]],
		"primary": {"metric": "test.cider", "minimum_effect": 1, "alpha": 0.05}}`)
	check(t, db.SaveStudy(ctx, store.Study{Name: "s", Compare: compare},
		[]store.Run{aRun("aaaaaaaaaaaa", "none", 1), aRun("bbbbbbbbbbbb", "soft", 1)}, store.Declaration{}, nil))
	scores := map[string]map[string]float64{"test": {"cider": 0.4321}, "val": {"cider": 0.3219}}
	complete(t, db, "aaaaaaaaaaaa", scores)
	s := serve(t, Config{Places: []string{path}})
	pages := []string{"/", "/results/study/s", "/results/study/s?columns=id,test.cider,val.cider,final.cider", "/results/run/aaaaaaaaaaaa",
		"/compare?run=results/aaaaaaaaaaaa&run=results/bbbbbbbbbbbb", "/results/study/s/captions"}
	for _, page := range pages {
		_, body := s.get(t, page)
		if strings.Contains(body, "43.2") {
			t.Errorf("%s tells the score of the test split", page)
		}
		if !strings.Contains(body, "hidden") {
			t.Errorf("%s does not say that something is hidden", page)
		}
	}
	if _, body := s.get(t, "/results/study/s?where="+url.QueryEscape("test.cider>40")); !strings.Contains(body, "0 of 2 trials") {
		t.Error("a condition on the test split tells what it is")
	}
	complete(t, db, "bbbbbbbbbbbb", scores)
	within(t, 20*time.Second, "the test split", func() bool {
		_, body := s.get(t, pages[1])
		return strings.Contains(body, "43.2")
	})
}

// TestNoNumberIsNeverBest holds that a score that is no number is shown, and never ranked before
// one that is.
func TestNoNumberIsNeverBest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.db")
	db := planned(t, path, "s", "", aRun("aaaaaaaaaaaa", "soft", 1), aRun("bbbbbbbbbbbb", "soft", 2))
	complete(t, db, "aaaaaaaaaaaa", map[string]map[string]float64{"test": {"cider": math.NaN()}})
	complete(t, db, "bbbbbbbbbbbb", map[string]map[string]float64{"test": {"cider": 0.1}})
	s := serve(t, Config{Places: []string{path}})
	if _, body := s.get(t, "/"); !strings.Contains(body, "10.0: ") {
		t.Error("the best value is not the finite one")
	}
	for _, sort := range []string{"test.cider", "-test.cider"} {
		_, body := s.get(t, "/results/study/s?sort="+sort)
		good, bad := strings.Index(body, `value="results/bbbbbbbbbbbb"`), strings.Index(body, `value="results/aaaaaaaaaaaa"`)
		if good < 0 || bad < 0 || bad < good || !strings.Contains(body, "NaN") {
			t.Errorf("sorted by %s, places %d and %d", sort, good, bad)
		}
	}
}

// TestQueue holds what is said of a trial at work, and of one that gives no sign of life.
func TestQueue(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "results.db")
	db := planned(t, path, "s", "", aRun("aaaaaaaaaaaa", "soft", 1), aRun("bbbbbbbbbbbb", "soft", 2), aRun("cccccccccccc", "soft", 3))
	for id, lease := range map[string]time.Duration{"aaaaaaaaaaaa": time.Hour, "bbbbbbbbbbbb": time.Millisecond} {
		run, err := db.Run(ctx, id)
		check(t, err)
		_, err = db.Claim(ctx, run, store.Owner{Host: "node-" + id[:1], PID: 7, Lease: lease})
		check(t, err)
	}
	time.Sleep(5 * time.Millisecond) // the second is silent for longer than its lease
	s := serve(t, Config{Places: []string{path}, Stop: noStop})
	_, body := s.get(t, "/queue")
	for _, text := range []string{"process 7 on node-a", "process 7 on node-b", "no sign of life", ">running<", "1 without a sign of life",
		"1 trial waits", "/results/study/s/stop"} {
		if !strings.Contains(body, text) {
			t.Errorf("the queue does not say %q", text)
		}
	}
}

// TestEvents holds that open pages are told when something is written, and that the page is the
// same bytes, or none, until then.
func TestEvents(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "results.db")
	db := planned(t, path, "s", "", aRun("aaaaaaaaaaaa", "soft", 1))
	s := serve(t, Config{Places: []string{path}})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.at("/live"), nil)
	check(t, err)
	answer, err := s.client.Do(request)
	check(t, err)
	defer answer.Body.Close()
	events := make(chan string, 100)
	go func() {
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
				events <- data
			}
		}
	}()
	<-events // how things stand
	page, err := s.client.Get(s.at("/results/study/s"))
	check(t, err)
	check(t, page.Body.Close())
	again, err := http.NewRequest(http.MethodGet, s.at("/queue"), nil)
	check(t, err)
	queue, err := s.client.Get(s.at("/queue"))
	check(t, err)
	check(t, queue.Body.Close())
	again.Header.Set("If-None-Match", queue.Header.Get("ETag"))
	unchanged, err := s.client.Do(again)
	check(t, err)
	check(t, unchanged.Body.Close())
	if unchanged.StatusCode != http.StatusNotModified {
		t.Errorf("an unchanged page is answered with %d", unchanged.StatusCode)
	}
	for len(events) > 0 {
		<-events // that the study was analysed
	}
	run, err := db.Run(ctx, "aaaaaaaaaaaa")
	check(t, err)
	_, err = db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute})
	check(t, err)
	select {
	case <-events:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was told")
	}
	within(t, 20*time.Second, "the trial at work", func() bool {
		_, body := s.get(t, "/queue")
		return strings.Contains(body, "process 1 on h")
	})
}

// TestStreamsAreBounded holds that one page too many is refused, and not the others with it.
func TestStreamsAreBounded(t *testing.T) {
	h := hub{streams: map[chan uint64]bool{}}
	var last chan uint64
	for range mostStreams {
		if last = h.join(); last == nil {
			t.Fatal("refused too early")
		}
	}
	if h.join() != nil {
		t.Error("one too many was let in")
	}
	h.leave(last)
	if h.join() == nil {
		t.Error("the place of one that left is not given again")
	}
}
