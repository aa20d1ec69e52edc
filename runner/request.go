package runner

import (
	"context"
	"time"

	"glimpse/internal/store"
)

// heedEvery is how often a runner checks whether it was asked to stop. Tests check more often.
var heedEvery = time.Second

// HeedStop calls stop as soon as the runners of a study are asked to stop ([store.DB.StopStudy]),
// until release is called. The study need not be recorded yet, since its runner may first read
// data for minutes.
func HeedStop(ctx context.Context, db *store.DB, study string, stop func()) (release func(), err error) {
	before, err := db.BeginRunner(ctx, study)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for sleep(ctx, heedEvery) == nil {
			// A database that cannot be read now may be readable a second later.
			if now, err := db.StopRequests(ctx, study); err == nil && now > before {
				stop()
				return
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}, nil
}
