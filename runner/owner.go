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

// gone reports whether the process of an owner has certainly ended. Of a process elsewhere
// nothing is certain.
func gone(owner store.Owner) bool {
	here := place()
	if here == "" || owner.Place != here || owner.PID <= 0 {
		return false
	}
	start, alive := processStart(owner.PID)
	return !alive || start != "" && owner.Start != "" && start != owner.Start
}

// watcher judges claims by their holders' signs of life, as this process sees them.
type watcher struct {
	now       func() time.Time
	takeovers func(ctx context.Context, run string) (int, error) // see store.DB.Takeovers
	seen      map[string]sighting                                // by run
}

// sighting is the last change that was seen of a claim.
type sighting struct {
	attempt, beats int64
	since          time.Time
}

func newWatcher(db *store.DB) *watcher {
	return &watcher{now: time.Now, takeovers: db.Takeovers, seen: map[string]sighting{}}
}

// dead reports whether the holder of a running run is dead, as of this reading of the run. It has
// to be asked again and again to find out about processes elsewhere: they are dead when nothing
// changed for a whole lease. A process of this place that is gone is dead at once, unless the run
// was taken over before.
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

// doubt is how long a holder that seems to be gone must be silent too, after the run was taken over n times: not at all at
// first, then twice as long each time, up to a lease. Two processes that wrongly take each other for gone thereby soon
// wait for longer than the time between two signs of life.
func doubt(n int, lease time.Duration) time.Duration {
	if n == 0 {
		return 0
	}
	const first, doublings = 16, 4 // of a lease, and until it is whole
	return lease / first << min(n-1, doublings)
}

// Gone reports whether the process that holds a running run has certainly ended.
func Gone(run store.Run) bool { return gone(run.Owner) }
