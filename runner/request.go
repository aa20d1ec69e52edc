package runner

import (
	"context"
	"time"

	"glimpse/internal/store"
)

// heedEvery is how often a runner asks whether it is to stop. Tests ask more often.
var heedEvery = time.Second

// HeedStop calls stop as soon as somebody asks the runners of a study to stop ([store.DB.StopStudy]), from now on until
// release is called. The study need not be recorded yet: its runner may be reading data for minutes before.
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
			// A database that cannot be read now may be read a second later.
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
