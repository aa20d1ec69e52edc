package bench

import (
	"context"
	"fmt"
	"time"

	"glimpse/data"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/meteor"
	"glimpse/metrics/ptb"
)

// PartSpeed is how fast a part of scoring or storing is.
type PartSpeed struct {
	Part      string      `json:"part"`
	Rows      int         `json:"rows"`
	PerSecond term.Number `json:"rows_per_s"`
	Seconds   term.Number `json:"seconds"`
}

// stopwatch times parts that are done one after another.
type stopwatch struct {
	begun time.Time
	parts []PartSpeed
}

// start begins a part.
func (w *stopwatch) start() { w.begun = time.Now() }

// stop ends a part of so many rows, and begins the next.
func (w *stopwatch) stop(part string, rows int) {
	seconds := time.Since(w.begun).Seconds()
	w.parts = append(w.parts, PartSpeed{part, rows, term.Number(float64(rows) / seconds), term.Number(seconds)})
	w.start()
}

// ScoreOptions say what is scored.
type ScoreOptions struct {
	Images int // at least 2
	// LoadMeteor loads METEOR's data; it gives nil where there are none.
	LoadMeteor func() (*meteor.Data, error)
}

// Score measures tokenizing and scoring of captions against the references of the data set, METEOR without its data and,
// where they are there, with them.
func Score(ctx context.Context, o Options, s ScoreOptions) (*Report[[]PartSpeed], error) {
	return measure("score", o, func(m *measurement) ([]PartSpeed, error) {
		d, err := m.sets.Load(m.trials[0].Settings)
		if err != nil {
			return nil, err
		}
		var watch stopwatch
		watch.start()
		items := scoreItems(d, s.Images)
		if len(items) == 0 {
			return nil, fmt.Errorf("data set %s holds no captions", d.Name)
		}
		watch.stop("tokenize", len(items))
		if _, err := new(metrics.Scorer).Score(items); err != nil {
			return nil, err
		}
		watch.stop("score, METEOR by exact words and stems", len(items))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		loaded, err := s.LoadMeteor()
		if err != nil || loaded == nil {
			return watch.parts, err
		}
		watch.stop("load METEOR's data", 1)
		if _, err := (&metrics.Scorer{Meteor: loaded}).Score(items); err != nil {
			return nil, err
		}
		watch.stop("score, METEOR with its data", len(items))
		return watch.parts, nil
	})
}

// scoreItems makes n items out of the captions as they were written: the candidate of an image is a caption of the next
// one. Where there are fewer images they come again under new names.
func scoreItems(d *data.Dataset, n int) []metrics.Item {
	var captioned []data.Image
	for _, image := range d.Images {
		if len(image.Captions()) > 0 {
			captioned = append(captioned, image)
		}
	}
	var items []metrics.Item
	for i := 0; i < n && len(captioned) > 0; i++ {
		image, next := captioned[i%len(captioned)], captioned[(i+1)%len(captioned)]
		item := metrics.Item{ID: fmt.Sprint(i), Candidate: ptb.Tokenize(next.Captions()[0])}
		for _, caption := range image.Captions() {
			item.References = append(item.References, ptb.Tokenize(caption))
		}
		items = append(items, item)
	}
	return items
}
