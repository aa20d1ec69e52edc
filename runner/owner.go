package runner

import (
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

// gone tells whether the process of an owner has certainly ended. Of a process
// elsewhere nothing is certain.
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
	now  func() time.Time
	seen map[string]sighting // by run
}

// sighting is the last change that was seen of a claim.
type sighting struct {
	attempt, beats int64
	since          time.Time
}

func newWatcher() *watcher {
	return &watcher{now: time.Now, seen: map[string]sighting{}}
}

// dead tells whether the holder of a running run is dead, as of this reading of
// the run. It has to be asked again and again to find out about processes
// elsewhere: they are dead when nothing changed for a whole lease.
func (w *watcher) dead(run store.Run) bool {
	if gone(run.Owner) {
		return true
	}
	now := w.now()
	last, known := w.seen[run.ID]
	if !known || last.attempt != run.Attempt || last.beats != run.Beats {
		w.seen[run.ID] = sighting{run.Attempt, run.Beats, now}
		return false
	}
	lease := run.Owner.Lease
	if lease <= 0 {
		lease = DefaultLease
	}
	return now.Sub(last.since) >= lease
}

// Gone tells whether the process that holds a running run has certainly ended.
func Gone(run store.Run) bool { return gone(run.Owner) }
