package results

import (
	"testing"
	"time"

	"glimpse/internal/store"
)

func TestStateText(t *testing.T) {
	heard := time.Date(2026, 1, 31, 13, 0, 30, 0, time.FixedZone("", 3600))
	held := store.Run{State: store.Running, Heard: heard, Owner: store.Owner{Lease: time.Minute}}
	for name, c := range map[string]struct {
		change func(*store.Run)
		after  time.Duration
		want   string
	}{
		"a living process":    {func(*store.Run) {}, 59 * time.Second, "running"},
		"its last moment":     {func(*store.Run) {}, time.Minute, "running"},
		"silent":              {func(*store.Run) {}, 61 * time.Second, "running, no sign of life since 2026-01-31 12:00 UTC"},
		"a clock behind":      {func(*store.Run) {}, -time.Hour, "running"},
		"no longer running":   {func(r *store.Run) { r.State = store.Failed }, time.Hour, "failed"},
		"of an older version": {func(r *store.Run) { r.Owner.Lease = 0 }, time.Hour, "running"},
		"never heard of":      {func(r *store.Run) { r.Heard = time.Time{} }, time.Hour, "running"},
	} {
		run := held
		c.change(&run)
		if got := StateText(run, heard.Add(c.after)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
