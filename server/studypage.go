package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"glimpse/internal/store"
	"glimpse/reports"
	"glimpse/results"
)

// studyPatience is how long the page of a study waits for its first analysis.
const studyPatience = 500 * time.Millisecond

// studyPage shows a study.
type studyPage struct {
	frame
	Database, Name, Question string
	Answer                   *reports.Excerpt // nil before the first
	Failure                  string           // of the analysis
	Pending                  bool             // another one is being computed
	Withheld                 string
	Progress                 progress
	Heard                    time.Time
	Captions, Stop           string // addresses
	Notes                    []store.Note
	Sections                 []reports.ExcerptSection
	Trials                   trials
	Path                     string // of the page, without its query
}

// opened gives the study that a request names, with its database.
func (s *server) opened(ctx context.Context, r *http.Request) (src *source, db *store.DB, of store.Study, done func(), err error) {
	if src, db, done, err = s.using(r.PathValue("db")); err != nil {
		return nil, nil, of, nil, err
	}
	if name := r.PathValue("study"); name != "" {
		if of, err = db.Study(ctx, name); err != nil {
			done()
			return nil, nil, of, nil, err
		}
	}
	return src, db, of, done, nil
}

func (s *server) study(ctx context.Context, r *http.Request) (string, any, error) {
	src, db, of, done, err := s.opened(ctx, r)
	if err != nil {
		return "", nil, err
	}
	defer done()
	st := src.study(of.Name)
	standing, err := st.stand(ctx, src, db)
	if err != nil {
		return "", nil, err
	}
	page, failed, pending := s.analyse(ctx, src, st, studyPatience)
	if page != nil && !pending { // it may have told whether the test split is hidden
		if standing, err = st.stand(ctx, src, db); err != nil {
			return "", nil, err
		}
	}
	link := studyLink(src, of.Name)
	p := studyPage{
		frame:    frame{Title: of.Name, Trail: []crumb{{"Studies", "/"}}, Follows: true},
		Database: src.name, Name: of.Name, Question: of.Question, Answer: page, Pending: pending, Withheld: standing.withheld,
		Progress: progressOf(standing), Heard: standing.heard, Captions: link + "/captions", Path: link,
	}
	if p.Notes, err = results.Notes(ctx, db, of.Name); err != nil {
		return "", nil, err
	}
	if failed != nil {
		p.Failure = failed.Error()
	}
	colours := map[string]int{}
	if page != nil && (standing.withheld == "") == (page.Withheld == "") { // else it is of another moment
		p.Sections, colours = page.Sections, page.Colours
		p.Style = fmt.Sprintf("%s/figures.css?of=%x", link, st.digestNow())
	} else {
		p.Answer = nil
	}
	if s.Stop != nil && p.Progress.Ended < p.Progress.Total {
		p.Stop = link + "/stop"
	}
	p.Trials = trialsOf(r, src, standing, colours)
	return "study", p, nil
}

// digestNow is the digest of the last analysis.
func (st *study) digestNow() uint64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.of
}

// figureStyle gives the style sheet of a study's figures.
func (s *server) figureStyle(w http.ResponseWriter, r *http.Request) {
	src := s.source(r.PathValue("db"))
	if src == nil {
		http.NotFound(w, r)
		return
	}
	src.mu.Lock()
	st := src.studies[r.PathValue("study")]
	src.mu.Unlock()
	css := ""
	if st != nil {
		st.mu.Lock()
		if st.analysis != nil {
			css = st.analysis.Style
		}
		st.mu.Unlock()
	}
	answerOf(http.StatusOK, "text/css", []byte(css)).to(w, r)
}
