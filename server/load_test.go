package server

import (
	"bufio"
	"context"
	"flag"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"glimpse/internal/store"
)

var (
	viewers = flag.Int("viewers", 0, "so many viewers look at the pages in TestLoad")
	minutes = flag.Float64("minutes", 10, "for so long")
	loadDB  = flag.String("db", "", "databases that they look at, by commas; runners may write them meanwhile")
)

// TestLoad has viewers look at all pages of some databases, as browsers do: each follows the events of
// the server, and fetches its page anew when something has changed, every two seconds at most. It
// tells how often and how fast they were answered, and what that cost the server.
//
//	go test ./server -run TestLoad -v -timeout 1h -viewers 50 -minutes 10 -db results.db
func TestLoad(t *testing.T) {
	if *viewers == 0 {
		t.Skip("-viewers gives no number")
	}
	s := serve(t, Config{Places: strings.Split(*loadDB, ",")})
	pages := pagesOf(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(*minutes*float64(time.Minute)))
	defer cancel()
	began, used := time.Now(), cpuSeconds()
	var l load
	var all sync.WaitGroup
	for i := range *viewers {
		all.Go(func() { l.view(ctx, s, pages[i%len(pages)]) })
	}
	all.Wait()
	slices.Sort(l.took)
	if len(l.took) == 0 {
		t.Fatal("nobody was answered")
	}
	t.Logf("%d viewers of %d pages for %s: %d answers, %d of them unchanged, %.1f MB; half within %s, 95 %% within %s, all within %s",
		*viewers, len(pages), time.Since(began).Round(time.Second), len(l.took), l.unchanged, float64(l.bytes)/1e6,
		l.took[len(l.took)/2], l.took[len(l.took)*95/100], l.took[len(l.took)-1])
	used = cpuSeconds() - used
	t.Logf("%.1f s CPU of server and viewers, %.1f %% of one processor", used, 100*used/time.Since(began).Seconds())
	for fault, times := range l.faults {
		t.Errorf("%d times: %s", times, fault)
	}
}

// pagesOf are the pages of the databases: the start page, the queue, and of each study its page, its captions, a run
// and a comparison.
func pagesOf(t *testing.T, s *served) []string {
	t.Helper()
	pages := []string{"/", "/queue"}
	for _, src := range s.listed() {
		db, err := store.OpenReadOnly(src.path)
		check(t, err)
		defer db.Close()
		studies, err := db.Studies(t.Context())
		check(t, err)
		for _, study := range studies {
			link := studyLink(src, study.Name)
			pages = append(pages, link, link+"/captions")
			runs, err := db.Runs(t.Context(), study.Name)
			check(t, err)
			if len(runs) > 1 {
				two := url.Values{"run": {src.name + "/" + runs[0].ID, src.name + "/" + runs[1].ID}}
				pages = append(pages, runLink(src, runs[0].ID), "/compare?"+two.Encode())
			}
		}
	}
	return pages
}

// A load is what viewers met with.
type load struct {
	mu        sync.Mutex
	took      []time.Duration
	unchanged int
	bytes     int
	faults    map[string]int
}

// view follows a page until the context ends.
func (l *load) view(ctx context.Context, s *served, page string) {
	for ctx.Err() == nil {
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.at("/live"), nil) // a fixed address
		events, err := s.client.Do(request)
		if err != nil {
			l.fault(ctx, err.Error())
			continue
		}
		tag := ""
		for lines := bufio.NewScanner(events.Body); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "data: ") {
				tag = l.fetch(ctx, s, page, tag)
				select {
				case <-time.After(2 * time.Second):
				case <-ctx.Done():
				}
			}
		}
		_ = events.Body.Close()
	}
}

// fetch fetches the page unless it is as it was, and gives its tag.
func (l *load) fetch(ctx context.Context, s *served, page, tag string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.at(page), nil)
	if err != nil {
		l.fault(ctx, err.Error())
		return tag
	}
	request.Header.Set("If-None-Match", tag)
	began := time.Now()
	answer, err := s.client.Do(request)
	if err != nil {
		l.fault(ctx, err.Error())
		return tag
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	switch {
	case err != nil:
		l.fault(ctx, err.Error())
		return tag
	case answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNotModified:
		l.fault(ctx, page+": "+answer.Status)
	case strings.Contains(string(body), "database is locked"):
		l.fault(ctx, page+": database is locked")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, time.Since(began).Round(time.Millisecond))
	l.bytes += len(body)
	if answer.StatusCode == http.StatusNotModified {
		l.unchanged++
	}
	return answer.Header.Get("ETag")
}

// fault counts what went wrong before the end.
func (l *load) fault(ctx context.Context, what string) {
	if ctx.Err() != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.faults == nil {
		l.faults = map[string]int{}
	}
	l.faults[what]++
}
