package runner

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"glimpse/internal/store"
)

func TestOwnProcessIsNotGone(t *testing.T) {
	if gone(me(time.Minute)) {
		t.Error("this process is gone")
	}
}

func TestGone(t *testing.T) {
	if place() == "" {
		t.Skip("processes cannot be told apart on this system")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	owner := me(time.Minute)
	owner.PID = cmd.Process.Pid
	owner.Start, _ = processStart(owner.PID)
	wait(t, "the child to end", func() bool { return gone(owner) }) // as a zombie: nobody waited for it
	_ = cmd.Wait()
	for name, c := range map[string]struct {
		change func(*store.Owner)
		want   bool
	}{
		"ended":                {func(*store.Owner) {}, true},
		"of another place":     {func(o *store.Owner) { o.Place = "elsewhere" }, false},
		"of no place":          {func(o *store.Owner) { o.Place = "" }, false},
		"id used again":        {func(o *store.Owner) { o.PID, o.Start = os.Getpid(), "1" }, true},
		"alive, start unknown": {func(o *store.Owner) { o.PID, o.Start = os.Getpid(), "" }, false},
		"no process":           {func(o *store.Owner) { o.PID = 0 }, false},
	} {
		changed := owner
		c.change(&changed)
		if gone(changed) != c.want {
			t.Errorf("%s: gone is %v", name, !c.want)
		}
	}
}

// TestTakeoversAreDoubted: whoever takes a run over, at once where its holder is gone, does so ever more slowly if that
// happens again, and never if the holder gives signs of life meanwhile.
func TestTakeoversAreDoubted(t *testing.T) {
	if place() == "" {
		t.Skip("processes cannot be told apart on this system")
	}
	owner := me(time.Minute)
	owner.Start = "1" // not that of this process: whoever has its id now is another
	for takeovers, want := range []time.Duration{
		0, 3750 * time.Millisecond, 7500 * time.Millisecond, 15 * time.Second, 30 * time.Second, time.Minute, time.Minute, time.Minute,
	} {
		now := time.Unix(1e9, 0)
		w := newWatcher(nil)
		w.now = func() time.Time { return now }
		w.takeovers = func(context.Context, string) (int, error) { return takeovers, nil }
		run := store.Run{ID: "a", Attempt: int64(takeovers + 1), Beats: 5, Owner: owner}
		dead := func() bool {
			dead, err := w.dead(t.Context(), run)
			if err != nil {
				t.Error(err)
			}
			return dead
		}
		if got := dead(); got != (want == 0) {
			t.Errorf("taken over %d times, it is taken over at once: %v", takeovers, got)
		}
		if want == 0 {
			continue
		}
		if now = now.Add(want - time.Second); dead() {
			t.Errorf("taken over %d times, it is taken over again after %v", takeovers, want-time.Second)
		}
		run.Beats++
		if now = now.Add(time.Second); dead() {
			t.Errorf("taken over %d times, it is taken over in spite of a sign of life", takeovers)
		}
		if now = now.Add(want); !dead() {
			t.Errorf("taken over %d times, it is not taken over after %v", takeovers, want)
		}
	}
	w := newWatcher(nil)
	w.takeovers = func(context.Context, string) (int, error) { return 0, store.ErrDisk }
	if _, err := w.dead(t.Context(), store.Run{ID: "a", Owner: owner}); !errors.Is(err, store.ErrDisk) {
		t.Errorf("a database that fails: %v", err)
	}
}

func TestWatcherJudgesByWhatItSees(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := newWatcher(nil)
	w.now = func() time.Time { return now }
	run := store.Run{ID: "a", Attempt: 1, Beats: 5, Owner: store.Owner{Host: "elsewhere", PID: 1, Lease: time.Minute}}
	for _, step := range []struct {
		pass  time.Duration
		beats int64
		dead  bool
	}{
		{0, 5, false},
		{59 * time.Second, 5, false},
		{time.Second, 6, false},       // a sign of life in the last moment
		{59 * time.Second, 6, false},  // and time starts anew
		{2 * time.Second, 6, true},    // silent for a lease
		{0, 7, false},                 // it was only slow
		{24 * time.Hour, 8, false},    // so was this process: it looked too rarely
		{61 * time.Second, 8, true},   // silent again
		{time.Second, 8, true},        // and still
		{-2 * time.Minute, 8, false},  // a clock set back delays, no more
		{200 * time.Second, 8, true},  //
		{time.Second, 9000000, false}, //
	} {
		now = now.Add(step.pass)
		run.Beats = step.beats
		if got, err := w.dead(t.Context(), run); got != step.dead || err != nil {
			t.Errorf("at %v with %d beats: dead is %v, %v", now, step.beats, got, err)
		}
	}
	run.Attempt = 2
	now = now.Add(time.Hour)
	if dead, err := w.dead(t.Context(), run); dead || err != nil {
		t.Error("a new attempt is judged by the silence of the old")
	}
}
