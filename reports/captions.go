package reports

import (
	"context"
	"slices"

	"glimpse/internal/store"
)

// mostHeld is how many captions are kept in memory for the parts of the page that
// come back to them: those of a large study of few arms.
const mostHeld = 150_000

// captionReader reads captions when a part of the page asks for them: of the thousands of
// runs of a search the page shows a few. It forgets those asked for longest ago.
type captionReader struct {
	read  func(*run) ([]store.Caption, error)
	held  map[*run][]store.Caption
	order []*run // the one asked for last comes last
	count int    // captions held
	err   error  // the first; what is read later is nothing
}

// newCaptionReader reads captions of a split. Its context is that of the report, which outlives it.
func newCaptionReader(ctx context.Context, db *store.DB, split string) *captionReader {
	return &captionReader{held: map[*run][]store.Caption{}, read: func(r *run) ([]store.Caption, error) {
		return db.Captions(ctx, r.ID, split)
	}}
}

// captions are those of the primary split, by image; of completed runs only.
func (r *run) captions() []store.Caption {
	if r.said == nil || !r.completed() {
		return nil
	}
	return r.said.of(r)
}

func (c *captionReader) of(r *run) []store.Caption {
	captions, held := c.held[r]
	if held {
		c.order = slices.DeleteFunc(c.order, func(o *run) bool { return o == r })
	} else if c.err == nil {
		captions, c.err = c.read(r)
		c.held[r], c.count = captions, c.count+len(captions)
	}
	c.order = append(c.order, r)
	for c.count > mostHeld && len(c.order) > 1 {
		oldest := c.order[0]
		c.order, c.count = c.order[1:], c.count-len(c.held[oldest])
		delete(c.held, oldest)
	}
	return captions
}
