package server

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"glimpse/internal/store"
	"glimpse/reports"
	"glimpse/results"
	"glimpse/runner"
)

// A study is what is known of a study of a source, read again as far as it changed.
type study struct {
	name string

	mu       sync.Mutex
	at       uint64 // the version of the source that standing is of, 0 before the first
	standing standing
	recorded *results.Study // as it was when the digest changed
	digest   uint64         // of all that the analysis depends on
	tallier  runner.Tallier

	analysis  *reports.Excerpt // the last one; nil before the first
	failed    error            // of the last one
	of        uint64           // its digest
	took      time.Duration
	ended     time.Time
	computing bool
}

// A standing is how a study stands.
type standing struct {
	runs     []store.Run // in the order of the plan; without test scores where these are withheld
	labels   map[string]string
	tally    runner.Tally
	heard    time.Time // the last sign of life of any run
	primary  results.Metric
	withheld string // why the test split is hidden, "" where it is not
}

// split is the one whose captions are shown.
func (s standing) split() string {
	if s.withheld != "" || s.primary.Split == "val" {
		return "val"
	}
	return "test"
}

// study gives the state of a study, which must be one of the database.
func (s *source) study(name string) *study {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.studies[name] == nil {
		s.studies[name] = &study{name: name}
	}
	return s.studies[name]
}

// stand reads how the study stands, unless nothing was written since it was read.
func (st *study) stand(ctx context.Context, s *source, db *store.DB) (standing, error) {
	version := s.current()
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.at == version {
		return st.told(time.Now())
	}
	if err := st.read(ctx, db); err != nil {
		return standing{}, err
	}
	st.at = version
	return st.told(time.Now())
}

// read reads the runs as far as they changed, and what was declared where any of them stands
// otherwise.
func (st *study) read(ctx context.Context, db *store.DB) error {
	if st.recorded != nil {
		runs, err := db.Refresh(ctx, st.name, st.standing.runs)
		if err != nil {
			return err
		}
		st.standing.runs = runs
		if digestOf(runs) == st.digest {
			return nil
		}
	}
	recorded, err := results.Open(ctx, db, st.name)
	if err != nil {
		return err
	}
	labels, err := results.Labels(ctx, db, st.name)
	if err != nil {
		return err
	}
	runs := make([]store.Run, len(recorded.Runs))
	for i, r := range recorded.Runs {
		runs[i] = r.Run
	}
	st.recorded, st.standing.runs, st.standing.labels = recorded, runs, labels
	st.standing.primary, st.digest = recorded.Primary, digestOf(runs)
	return nil
}

// told is the standing as it may be told now.
func (st *study) told(now time.Time) (standing, error) {
	told := st.standing
	var err error
	if told.tally, err = st.tallier.Tally(told.runs, now); err != nil {
		return told, err
	}
	told.withheld = st.recorded.Withheld(nil)
	if st.analysis != nil && st.of == st.digest {
		told.withheld = st.analysis.Withheld
	}
	for _, r := range told.runs {
		for _, at := range []time.Time{r.Heard, r.Finished, r.Started} {
			if at.After(told.heard) {
				told.heard = at
			}
		}
	}
	if told.withheld != "" {
		told.runs = withoutTest(told.runs)
		if told.primary.Split == "test" {
			told.primary.Split = "val"
		}
	}
	return told, nil
}

// withoutTest are runs without what is known of their test split.
func withoutTest(runs []store.Run) []store.Run {
	hidden := make([]store.Run, len(runs))
	for i, r := range runs {
		hidden[i] = hideTest(r)
	}
	return hidden
}

// hideTest is a run without what is known of its test split.
func hideTest(r store.Run) store.Run {
	kept := map[string]map[string]float64{}
	for split, values := range r.Metrics {
		if split != "test" {
			kept[split] = values
		}
	}
	r.Metrics = kept
	return r
}

// digestOf changes with all of a study's runs that an analysis depends on.
func digestOf(runs []store.Run) uint64 {
	h := fnv.New64a()
	for _, r := range runs {
		fmt.Fprintln(h, r.ID, r.State, r.Epochs, r.Finished.UnixMilli()) // a hash takes every write
	}
	return h.Sum64()
}

// calm is how many times as long as an analysis took it is left to stand before it is computed
// again, so that pages of a study that runs cost it little.
const calm = 30

// analyse gives the last analysis, and begins another where that is no longer of what the
// database holds. It waits for the first one for as long as patience lets it; without patience it
// begins none while another is computed. pending tells that the one given is not the newest.
func (s *server) analyse(
	ctx context.Context, src *source, st *study, patience time.Duration,
) (page *reports.Excerpt, failed error, pending bool) {
	done := make(chan struct{})
	st.mu.Lock()
	stale := st.ended.IsZero() || st.of != st.digest
	if stale && !st.computing && time.Since(st.ended) > calm*st.took && (patience > 0 || len(s.analyses) == 0) {
		st.computing = true
		go s.compute(src, st, done)
	} else {
		close(done)
	}
	page, failed = st.analysis, st.failed
	st.mu.Unlock()
	if page != nil || patience == 0 {
		return page, failed, stale
	}
	select {
	case <-done:
	case <-time.After(patience):
	case <-ctx.Done():
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.analysis, st.failed, st.ended.IsZero() || st.of != st.digest
}

// compute analyses a study; one at a time of all, so that those who train keep their processors.
func (s *server) compute(src *source, st *study, done chan<- struct{}) {
	defer close(done)
	s.analyses <- struct{}{}
	var page *reports.Excerpt
	st.mu.Lock()
	digest := st.digest
	st.mu.Unlock()
	began := time.Now()
	err := src.with(func(db *store.DB) (err error) {
		page, err = reports.ReadExcerpt(s.ctx, db, st.name)
		return err
	})
	<-s.analyses
	st.mu.Lock()
	if st.failed = err; err == nil {
		st.analysis = page
	}
	st.of, st.took, st.ended, st.computing = digest, time.Since(began), time.Now(), false
	st.mu.Unlock()
	s.changed()
}
