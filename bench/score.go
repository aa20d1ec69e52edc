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

// PartSpeed is the speed of one part of scoring or storing.
type PartSpeed struct {
	Part      string      `json:"part"`
	Rows      int         `json:"rows"` // images, or rows of the database
	PerSecond term.Number `json:"rows_per_s"`
	Seconds   term.Number `json:"seconds"`
}

// stopwatch times consecutive parts.
type stopwatch struct {
	begun time.Time
	parts []PartSpeed
}

// start starts a part.
func (w *stopwatch) start() { w.begun = time.Now() }

// stop ends a part with the given number of rows, and starts the next.
func (w *stopwatch) stop(part string, rows int) {
	seconds := time.Since(w.begun).Seconds()
	w.parts = append(w.parts, PartSpeed{part, rows, term.Number(float64(rows) / seconds), term.Number(seconds)})
	w.start()
}

// ScoreOptions are the options of [Score].
type ScoreOptions struct {
	Images int // images to score, at least 2
	// LoadMeteor loads METEOR's data. It returns nil if they are not installed.
	LoadMeteor func() (*meteor.Data, error)
}

// Score measures tokenizing and scoring captions against the references of the data set. METEOR is
// measured without its data and, if they are installed, with them.
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
			return nil, fmt.Errorf("data set %s has no captions", d.Name)
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

// scoreItems makes n items from the original captions: the candidate of an image is a caption of
// the next one. If there are fewer images, they repeat under new IDs.
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
