package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/reports"
	"glimpse/results"
)

// homePage lists the studies of all databases.
type homePage struct {
	frame
	Databases []database
	More      bool // there are more databases than are shown
}

// A database is one of the start page.
type database struct {
	Name, Path string
	Failure    string // why it cannot be read, "" where it can
	Studies    []studyLine
}

// A studyLine is a study in a few words.
type studyLine struct {
	Name, Link, Question  string
	Word, Class, Sentence string // of its answer
	Withheld              bool
	Progress              progress
	Best                  string // value, metric and run
	BestLink              string
	Heard                 time.Time
	Failure               string
}

// A progress is how far a study is.
type progress struct {
	Ended, Total                    int
	Running, Silent, Failed, Pruned int
	Left                            time.Duration
	State                           string // in words
}

func studyLink(src *source, name string) string {
	return "/" + src.name + "/study/" + url.PathEscape(name)
}

func runLink(src *source, id string) string { return "/" + src.name + "/run/" + url.PathEscape(id) }

func (s *server) home(ctx context.Context, _ *http.Request) (string, any, error) {
	p := homePage{frame: frame{Title: "Studies", Follows: true}}
	s.mu.Lock()
	p.More = s.more
	s.mu.Unlock()
	for _, src := range s.listed() {
		d := database{Name: src.name, Path: src.path}
		if err := s.readDatabase(ctx, src, &d); err != nil {
			d.Failure = err.Error()
		}
		p.Databases = append(p.Databases, d)
	}
	return "home", p, nil
}

func (s *server) readDatabase(ctx context.Context, src *source, d *database) error {
	db, done, err := src.use()
	if err != nil {
		return err
	}
	defer done()
	studies, err := db.Studies(ctx)
	if err != nil {
		return err
	}
	for i := len(studies) - 1; i >= 0; i-- { // the newest first
		d.Studies = append(d.Studies, s.line(ctx, src, db, studies[i]))
	}
	return nil
}

// line is a study on the start page. What is wrong with one study keeps no other from being shown.
func (s *server) line(ctx context.Context, src *source, db *store.DB, of store.Study) studyLine {
	l := studyLine{Name: of.Name, Link: studyLink(src, of.Name), Question: of.Question}
	st := src.study(of.Name)
	standing, err := st.stand(ctx, src, db)
	if err != nil {
		l.Failure = err.Error()
		return l
	}
	page, failed, pending := s.analyse(ctx, src, st, 0)
	switch {
	case failed != nil:
		l.Word, l.Class, l.Sentence = "No answer", "open", failed.Error()
	case page != nil:
		l.Word, l.Class, l.Sentence = page.Word, page.Class, page.Sentence
	case pending:
		l.Word, l.Class, l.Sentence = "…", "open", "The answer is being computed."
	}
	l.Withheld = standing.withheld != ""
	l.Progress = progressOf(standing)
	l.Heard = standing.heard
	if best := results.Best(standing.runs, standing.primary); best != nil {
		v, _ := standing.primary.Of(best)
		l.Best = fmt.Sprintf("%s %s: %s, seed %d", reports.MetricName(standing.primary), scaled(standing.primary.Key, v),
			armOf(standing, *best), best.Seed)
		l.BestLink = runLink(src, best.ID)
	}
	return l
}

// armOf is what distinguishes a run within its study.
func armOf(s standing, r store.Run) string {
	if label := s.labels[r.ID]; label != "" {
		return label
	}
	return r.Arm
}

// scaled is a metric's value as tables show it.
func scaled(key string, v float64) string {
	e, known := metrics.Find(key)
	if !known {
		return fmt.Sprintf("%.3g", v)
	}
	return fmt.Sprintf("%.*f", e.Digits, e.Scale*v)
}

func progressOf(s standing) progress {
	t := s.tally
	p := progress{Ended: t.Ended(), Total: t.Total, Running: t.Running, Silent: t.Silent, Failed: t.Failed, Pruned: t.Pruned, Left: t.Left}
	switch {
	case p.Ended == p.Total:
		p.State = "ended"
	case p.Running > 0:
		p.State = fmt.Sprintf("%d running", p.Running)
	case p.Silent > 0:
		p.State = "no sign of life"
	default:
		p.State = "not running"
	}
	return p
}
