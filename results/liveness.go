package results

import (
	"time"

	"glimpse/internal/store"
)

// SilentSince tells since when nothing was heard of the process that works on a run, if that is longer than a living
// one is silent: longer than the lease of its claim; else the zero time. It compares that process's clock with now, and
// so is for people to read: whether a run may be taken over, package runner finds out without comparing clocks.
func SilentSince(run store.Run, now time.Time) time.Time {
	lease := run.Owner.Lease
	if run.State != store.Running || lease <= 0 || run.Heard.IsZero() || now.Sub(run.Heard) <= lease {
		return time.Time{}
	}
	return run.Heard
}

// StateText is a run's state for people: "failed", or "running, no sign of life since 2026-01-31 12:00 UTC".
func StateText(run store.Run, now time.Time) string {
	since := SilentSince(run, now)
	if since.IsZero() {
		return run.State
	}
	return run.State + ", no sign of life since " + since.UTC().Format("2006-01-02 15:04 UTC")
}
