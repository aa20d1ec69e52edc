package runner

import (
	"context"
	"os"
	"time"

	"glimpse/internal/store"
)

// me identifies this process as the holder of a claim.
func me(lease time.Duration) store.Owner {
	host, _ := os.Hostname()
	start, _ := processStart(os.Getpid())
	return store.Owner{Host: host, Place: place(), PID: os.Getpid(), Start: start, Lease: lease}
}

// gone reports whether the process of an owner has certainly ended. It is never certain for a
// process elsewhere.
func gone(owner store.Owner) bool {
	here := place()
	if here == "" || owner.Place != here || owner.PID <= 0 {
		return false
	}
	start, alive := processStart(owner.PID)
	return !alive || start != "" && owner.Start != "" && start != owner.Start
}

// watcher judges claims by their holders' heartbeats, as seen by this process.
type watcher struct {
	now       func() time.Time
	takeovers func(ctx context.Context, run string) (int, error) // see store.DB.Takeovers
	seen      map[string]sighting                                // by run
}

// sighting is the last observed change of a claim.
type sighting struct {
	attempt, beats int64
	since          time.Time
}

func newWatcher(db *store.DB) *watcher {
	return &watcher{now: time.Now, takeovers: db.Takeovers, seen: map[string]sighting{}}
}

// dead reports whether the holder of a running run is dead, as of this reading of the run. It
// must be called repeatedly to judge processes elsewhere: they are dead if nothing has changed
// for a whole lease. A process of this place that is gone is dead at once, unless the run was
// taken over before.
func (w *watcher) dead(ctx context.Context, run store.Run) (bool, error) {
	lease := run.Owner.Lease
	if lease <= 0 {
		lease = DefaultLease
	}
	silence := lease
	if gone(run.Owner) {
		n, err := w.takeovers(ctx, run.ID)
		if err != nil {
			return false, err
		}
		silence = doubt(n, lease)
	}
	if silence == 0 {
		return true, nil
	}
	now := w.now()
	last, known := w.seen[run.ID]
	if !known || last.attempt != run.Attempt || last.beats != run.Beats {
		w.seen[run.ID] = sighting{run.Attempt, run.Beats, now}
		return false, nil
	}
	return now.Sub(last.since) >= silence, nil
}

// doubt returns how long a holder that seems to be gone must also be silent, after the run was
// taken over n times: not at all at first, then twice as long each time, up to a lease. So two
// processes that wrongly consider each other gone soon wait longer than the time between two
// heartbeats.
func doubt(n int, lease time.Duration) time.Duration {
	if n == 0 {
		return 0
	}
	const first, doublings = 16, 4 // the first is 1/16 of a lease; 4 doublings make it whole
	return lease / first << min(n-1, doublings)
}

// Gone reports whether the process that holds a running run has certainly ended.
func Gone(run store.Run) bool { return gone(run.Owner) }
