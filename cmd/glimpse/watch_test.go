package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"glimpse/internal/store"
	"glimpse/internal/term"
)

func TestWatchTellsWhatChanged(t *testing.T) {
	out, now := &bytes.Buffer{}, time.Unix(1000, 0)
	w := watcher{p: term.NewProgress(out), before: map[string]store.Run{}, silent: map[string]bool{}}
	w.epochs = func(run string) ([]store.Epoch, error) {
		return []store.Epoch{{Epoch: 1, Loss: 3.25, Val: map[string]float64{"cider": 0.4}}, {Epoch: 2, Loss: -0.5, Sampled: map[string]float64{"reward": 1}}}, nil
	}
	settings := json.RawMessage(`{"train":{"epochs":4}}`)
	a := store.Run{ID: "aaaaaaaa", Arm: "none", Seed: 1, State: store.Running, Settings: settings, Attempt: 1}
	b := store.Run{ID: "bbbbbbbb", Arm: "soft", Seed: 1, State: store.Queued, Settings: settings}
	look := func() (bool, error) {
		now = now.Add(time.Minute)
		return w.look("demo", []store.Run{a, b}, now)
	}
	if done, err := look(); done || err != nil {
		t.Fatalf("%v, %v", done, err)
	}
	a.Heard, a.Owner.Lease = now, time.Minute
	now = now.Add(time.Hour)
	for range 2 { // reported only once
		if done, err := look(); done || err != nil {
			t.Fatalf("%v, %v", done, err)
		}
	}
	const silent = "aaaaaa none seed 1 running, no sign of life since 1970-01-01 00:17 UTC\n"
	if n := strings.Count(out.String(), silent); n != 1 {
		t.Errorf("%q is said %d times:\n%s", silent, n, out)
	}
	a.Epochs, a.Heard = 1, now.Add(time.Minute)
	if done, err := look(); done || err != nil {
		t.Fatalf("%v, %v", done, err)
	}
	a.State, a.Epochs, a.Seconds = store.Completed, 4, 100
	a.Metrics = map[string]map[string]float64{"test": {"cider": 0.5}}
	if done, err := look(); done || err != nil {
		t.Fatalf("%v, %v", done, err)
	}
	b.State, b.Error = store.Pruned, "below the median"
	if done, err := look(); !done || err != nil {
		t.Errorf("a pruned trial is not waited for: %v, %v", done, err)
	}
	b.State, b.Error = store.Failed, "the loss is not finite"
	done, err := look()
	if !done || err == nil || !strings.Contains(err.Error(), "1 of 2 trials failed") {
		t.Errorf("at the end: %v, %v", done, err)
	}
	var late bytes.Buffer
	after := watcher{p: term.NewProgress(&late), before: map[string]store.Run{}, silent: map[string]bool{}}
	if done, err := after.look("demo", []store.Run{a}, now); !done || err != nil || late.String() != "demo: 1 of 1 trials complete, 0 failed\n" {
		t.Errorf("of a study that has ended: %v, %v, %q", done, err, late.String())
	}
	for _, want := range []string{
		"demo: 0 of 2 trials done\n", "aaaaaa none seed 1 epoch 1/4  loss 3.250  val CIDEr 40.0\n", "aaaaaa none seed 1 epoch 2/4  reward 0.500\n", "aaaaaa none seed 1 complete  test CIDEr 50.0\n",
		"bbbbbb soft seed 1 failed: the loss is not finite\n", "demo: 1 of 2 trials complete, 1 failed\n", "demo: 1 of 2 trials complete, 0 failed, 1 pruned\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("escape sequences in a pipe")
	}
}
