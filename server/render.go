package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"

	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/reports"
	"glimpse/reports/charts"
)

//go:embed templates/*.html.tmpl
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// templates are parsed, as assets are made, once there is a server: other verbs need neither.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"moment": moment, "state": reports.StateClass, "plural": term.Plural, "span": span, "line": term.Line,
	}).ParseFS(templateFiles, "templates/*.html.tmpl"))
})

// A frame is what every page has.
type frame struct {
	Title   string
	Trail   []crumb
	Follows bool   // what is recorded
	Style   string // address of the style sheet of figures, "" for none
}

// A crumb is a page above the present one.
type crumb struct{ Text, Link string }

// A message is a page that says one thing.
type message struct {
	frame
	Text string
	Back crumb
}

// A problem is an error with the code that it is answered with.
type problem struct {
	code        int
	title, text string
}

func (p *problem) Error() string { return p.title + ": " + p.text }

func notFound(title, text string) error { return &problem{http.StatusNotFound, title, text} }

// partOf writes a part of a page.
func partOf(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	return template.HTML(b.String()), nil
}

// A maker makes a page of a request: the name of its template and what goes into it.
type maker func(ctx context.Context, r *http.Request) (name string, data any, err error)

// pageTime is how long a page may take.
const pageTime = writeTimeout - 5*time.Second

// page answers with what a maker gives.
func (s *server) page(make maker) http.HandlerFunc {
	return s.cached(func(ctx context.Context, r *http.Request) (*answered, error) {
		name, data, err := make(ctx, r)
		if err != nil {
			return nil, err
		}
		return answer(http.StatusOK, name, data), nil
	})
}

// cached answers all who ask with the same bytes, as long as nothing has changed.
func (s *server) cached(make func(ctx context.Context, r *http.Request) (*answered, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.pages.get(r.URL.RequestURI(), s.current(), func() *answered {
			ctx, cancel := context.WithTimeout(s.ctx, pageTime)
			defer cancel()
			a, err := make(ctx, r)
			if err != nil {
				code, m := explain(err)
				return answer(code, "message", m)
			}
			return a
		}).to(w, r)
	}
}

// explain makes a page of an error.
func explain(err error) (code int, m message) {
	var p *problem
	var ambiguous *store.AmbiguousError
	switch {
	case errors.As(err, &p):
		return p.code, message{frame: frame{Title: p.title}, Text: p.text}
	case errors.Is(err, store.ErrNotFound), errors.As(err, &ambiguous):
		return http.StatusNotFound, message{frame: frame{Title: "Not found"}, Text: err.Error()}
	}
	return http.StatusServiceUnavailable, message{frame: frame{Title: "Cannot be shown now"}, Text: err.Error()}
}

// An answered request is what was answered.
type answered struct {
	code int
	kind string // its media type
	body []byte
	tag  string
}

// answerOf is an answer whose tag follows its bytes.
func answerOf(code int, kind string, body []byte) *answered {
	sum := sha256.Sum256(body)
	return &answered{code, kind + "; charset=utf-8", body, `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// answer writes a page into memory, so that none is sent in part.
func answer(code int, name string, data any) *answered {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, data); err != nil {
		code = http.StatusInternalServerError
		b.Reset()
		fmt.Fprintf(&b, "Cannot write the page %s: %v", name, err)
	}
	return answerOf(code, "text/html", bytes.Map(term.Printable, b.Bytes()))
}

func (a *answered) to(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", a.tag)
	h.Set("Cache-Control", "private, no-cache")
	if a.code == http.StatusOK && r.Header.Get("If-None-Match") == a.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(a.code)
	_, _ = w.Write(a.body) // to whoever still listens
}

func (s *server) write(w http.ResponseWriter, code int, name string, data any) {
	a := answer(code, name, data)
	w.Header().Set("Content-Type", a.kind)
	w.WriteHeader(a.code)
	_, _ = w.Write(a.body)
}

// mostPages is how many pages are kept to be sent again.
const mostPages = 64

// A pageCache keeps the pages of the present version.
type pageCache struct {
	mu      sync.Mutex
	version uint64
	pages   map[string]*cachedPage
}

type cachedPage struct {
	once sync.Once
	*answered
}

// get gives the page of an address at a version, which make makes once, however many ask for it.
func (c *pageCache) get(address string, version uint64, make func() *answered) *answered {
	c.mu.Lock()
	if c.version != version || c.pages == nil || len(c.pages) >= mostPages {
		c.version, c.pages = version, map[string]*cachedPage{}
	}
	page := c.pages[address]
	if page == nil {
		page = &cachedPage{}
		c.pages[address] = page
	}
	c.mu.Unlock()
	page.once.Do(func() { page.answered = make() })
	return page.answered
}

// assets are the style sheet and the scripts, by name.
var assets = sync.OnceValue(func() map[string]*answered {
	file := func(name string) []byte {
		body, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		return body
	}
	return map[string]*answered{
		"style.css": answerOf(http.StatusOK, "text/css", append([]byte(reports.Style()), file("style.css")...)),
		"live.js":   answerOf(http.StatusOK, "text/javascript", file("live.js")),
		"charts.js": answerOf(http.StatusOK, "text/javascript", []byte(charts.Script())),
	}
})

// asset gives a style sheet or script.
func (s *server) asset(w http.ResponseWriter, r *http.Request) {
	a := assets()[r.PathValue("name")]
	if a == nil {
		http.NotFound(w, r)
		return
	}
	a.to(w, r)
}

// moment is a time as an element, which the script turns into how long ago that is.
func moment(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, t.Format(time.RFC3339), t.Format("2006-01-02 15:04 UTC")))
}

func span(d time.Duration) string { return term.Span(d.Seconds()) }
