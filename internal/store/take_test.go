package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glimpse/metrics"
)

// taken is a run that is claimed in one database and worked on in another.
type taken struct {
	here, there *DB
	claim       Claim // here
	work        Claim // there
}

// newTaken claims a run here, for the second time, and there by the same number.
func newTaken(t *testing.T) *taken {
	t.Helper()
	ctx, w := context.Background(), &taken{here: open(t), there: open(t)}
	for _, db := range []*DB{w.here, w.there} {
		if err := db.SaveStudy(ctx, Study{Name: "s", Compare: json.RawMessage(`{"arms":"a"}`)}, runs(1), Declaration{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		run, err := w.here.Run(ctx, runs(1)[0].ID)
		if err == nil {
			w.claim, err = w.here.Claim(ctx, run, Owner{Host: "slurm", Place: "jobs /shared", Lease: time.Hour})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run, err := w.there.Run(ctx, w.claim.Run)
	if err == nil {
		w.work, err = w.there.ClaimAs(ctx, run, w.claim.Attempt, Owner{Host: "n1"})
	}
	if err == nil {
		err = w.there.SaveCheckpoint(ctx, w.work, Checkpoint{Progress: json.RawMessage(`{"last":"c"}`), Epoch: &Epoch{Epoch: 1}, BestEpoch: 1})
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// end completes the run there.
func (w *taken) end(t *testing.T, words string) {
	t.Helper()
	err := w.there.SaveCaptions(t.Context(), w.work, "test", []Caption{{Image: "a.jpg", Words: words}})
	if err == nil {
		err = w.there.Complete(t.Context(), w.work, Result{
			Scores: map[string][]metrics.ImageScore{"test": {{ID: "a.jpg"}}}, Metrics: map[string]map[string]float64{"test": {"cider": 1}},
			BestEpoch: 1, CaptionsSHA256: words, WeightsSHA256: "w",
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// take takes, and checks what comes of it.
func (w *taken) take(t *testing.T, alive bool, outcome, state string) Run {
	t.Helper()
	m, claim, err := w.here.Take(t.Context(), w.there.Path(), w.claim, alive)
	if err != nil || m.Outcome != outcome {
		t.Fatalf("%+v, %v, want %s", m, err, outcome)
	}
	w.claim = claim
	run, err := w.here.Run(t.Context(), w.claim.Run)
	if err != nil || run.State != state {
		t.Fatalf("the run is %s, %v, want %s", run.State, err, state)
	}
	if err := w.here.Check(t.Context()); err != nil {
		t.Error(err)
	}
	return run
}

func TestTake(t *testing.T) {
	w := newTaken(t)
	run := w.take(t, true, MergeReplaced, Running)
	if run.Epochs != 1 || run.Owner.Place != "jobs /shared" || run.Attempt != 2 || w.claim.Attempt != 2 {
		t.Errorf("at work: %+v, claim %+v", run, w.claim)
	}
	if err := w.there.Interrupt(t.Context(), w.work); err != nil {
		t.Fatal(err)
	}
	w.take(t, true, MergeReplaced, Running) // it is in the queue again
	again, err := w.there.Run(t.Context(), w.work.Run)
	if err == nil {
		w.work, err = w.there.ClaimAs(t.Context(), again, again.Attempt+1, Owner{Host: "n2"})
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.here.Stop(t.Context(), []string{w.claim.Run}); err != nil {
		t.Fatal(err)
	}
	if run = w.take(t, false, MergeReplaced, Running); run.Attempt != 3 || w.claim.Attempt != 3 || !run.Stopped {
		t.Errorf("started again: %+v, claim %+v", run, w.claim)
	}
	w.end(t, "a dog")
	if run = w.take(t, false, MergeReplaced, Completed); run.CaptionsSHA256 != "a dog" {
		t.Errorf("%+v", run)
	}
	attempts, err := w.here.Attempts(t.Context(), run.ID)
	if err != nil || len(attempts) != 3 || attempts[0].Outcome != "lost" || attempts[0].Host != "slurm" ||
		attempts[2].Outcome != Completed || attempts[2].Host != "n2" {
		t.Errorf("%+v, %v", attempts, err)
	}
	w.take(t, false, MergeSame, Completed)
}

// TestTakeOfLostClaims holds that a result counts whoever holds the claim by now, and nothing else
// does.
func TestTakeOfLostClaims(t *testing.T) {
	w := newTaken(t)
	if err := w.here.Interrupt(t.Context(), w.claim); err != nil {
		t.Fatal(err)
	}
	w.take(t, true, MergeKept, Interrupted)
	w.end(t, "a dog")
	w.take(t, true, MergeReplaced, Completed)
	other := newTaken(t)
	other.end(t, "a cat")
	m, _, err := w.here.Take(t.Context(), other.there.Path(), w.claim, true)
	if err != nil || m.Outcome != MergeConflict || m.Detail == "" {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestTakeOfTheEarlier holds that no attempt stays open where an earlier one, which the cluster ran
// beside it, ends the run.
func TestTakeOfTheEarlier(t *testing.T) {
	w, later := newTaken(t), newTaken(t)
	w.claim.Run, later.here = later.claim.Run, w.here
	again, err := later.there.Run(t.Context(), later.work.Run)
	if err == nil {
		later.work, err = later.there.ClaimAs(t.Context(), again, again.Attempt+1, Owner{Host: "n2"})
	}
	if err != nil {
		t.Fatal(err)
	}
	later.take(t, true, MergeReplaced, Running)
	w.claim = later.claim
	w.end(t, "a dog")
	run := w.take(t, true, MergeReplaced, Completed)
	attempts, err := w.here.Attempts(t.Context(), run.ID)
	if err != nil || len(attempts) != 3 || run.Attempt != 3 || attempts[1].Outcome != Completed ||
		attempts[2].Outcome != "lost" || attempts[2].Ended.IsZero() {
		t.Errorf("%+v, attempt %d, %v", attempts, run.Attempt, err)
	}
}

func TestTakeOfFailures(t *testing.T) {
	w := newTaken(t)
	if err := w.there.Fail(t.Context(), w.work, "loss", "the loss is NaN"); err != nil {
		t.Fatal(err)
	}
	if run := w.take(t, true, MergeReplaced, Failed); run.Error != "the loss is NaN" || run.Epochs != 1 {
		t.Errorf("%+v", run)
	}
	if err := w.here.Fail(t.Context(), w.claim, "loss", "with the log"); err != nil { // the last word
		t.Error(err)
	}
}

// TestTakeOfUnreadableFiles holds that a file which cannot be opened or read is told from a failure
// of the database here.
func TestTakeOfUnreadableFiles(t *testing.T) {
	w := newTaken(t)
	w.end(t, strings.Repeat("a dog ", 2000))
	if err := w.there.Close(); err != nil {
		t.Fatal(err)
	}
	good := read(t, w.there.Path())
	damaged := bytes.Clone(good)
	page := bytes.Index(damaged, []byte("a dog a dog")) / 4096 * 4096 // one that nothing reads but the caption
	copy(damaged[page:], bytes.Repeat([]byte{0xff}, 4096))
	for name, raw := range map[string][]byte{
		"no database": []byte("no database"), "empty": nil, "cut short": good[:len(good)/2],
		"not checked when it is opened": append(damaged, make([]byte, checkLimit)...),
	} {
		path := filepath.Join(t.TempDir(), "results.db")
		write(t, path, raw)
		if len(raw) > checkLimit {
			db, err := OpenReadOnly(path)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			_ = db.Close()
		}
		_, claim, err := w.here.Take(t.Context(), path, w.claim, true)
		var other *OtherError
		if !errors.As(err, &other) || other.Path != path || claim != w.claim || strings.Contains(err.Error(), w.here.Path()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.here.writer.Exec("PRAGMA query_only = true"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "results.db")
	write(t, path, good)
	if _, _, err := w.here.Take(t.Context(), path, w.claim, true); !errors.As(err, new(*FileError)) || errors.As(err, new(*OtherError)) ||
		strings.Contains(err.Error(), path) {
		t.Errorf("the database here fails: %v", err)
	}
	if _, err := w.here.writer.Exec("PRAGMA query_only = false"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.here.Take(t.Context(), path, w.claim, true); err != nil {
		t.Error(err)
	}
}

// TestClaimAs holds that numbers of attempts only grow.
func TestClaimAs(t *testing.T) {
	w := newTaken(t)
	run, err := w.there.Run(t.Context(), w.work.Run)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.there.ClaimAs(t.Context(), run, run.Attempt, Owner{}); !errors.Is(err, ErrTaken) {
		t.Error(err)
	}
}
