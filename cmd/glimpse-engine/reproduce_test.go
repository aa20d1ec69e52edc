package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"glimpse/internal/store"
)

// What came out differently is told with how far, from when on, and what was
// otherwise.
func TestReproductionTellsWhatDiffers(t *testing.T) {
	make := func(captions, weights, word string, loss, cider float64, environment string) *record {
		return &record{
			run: store.Run{
				ID: "aa00", CaptionsSHA256: captions, WeightsSHA256: weights, Environment: json.RawMessage(environment),
				Metrics: map[string]map[string]float64{"test": {"cider": cider}},
			},
			epochs:   []store.Epoch{{Epoch: 1, Loss: 2}, {Epoch: 2, Loss: loss}},
			captions: []store.Caption{{Image: "1", Words: "a dog"}, {Image: "2", Words: word}},
		}
	}
	first := make("c", "w", "a cat", 1, 0.5, `{"threads":1,"cpu":"A","attempts":1,"timings":{"train":3}}`)
	if r := compareRecords(first, make("c", "w", "a cat", 1, 0.5, `{"threads":1,"cpu":"A","attempts":2}`)); !r.Equal || r.CaptionsDiffer != 0 || r.FirstEpoch != 0 || len(r.EnvironmentDiff) != 0 {
		t.Errorf("the same run: %+v", r)
	}
	if r := compareRecords(first, make("c", "v", "a cat", 1, 0.5, `{}`)); r.Equal {
		t.Error("other weights are equal")
	}
	r := compareRecords(first, make("d", "v", "a cow", 1.5, 0.4, `{"threads":2,"cpu":"A"}`))
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 of 2 differ", "weights   different", "differs from epoch 2 on", "test.cider   50.00     40.00  -10.00", "threads      1         2"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, out.String())
		}
	}
	if r.Equal || strings.Contains(out.String(), "cpu") {
		t.Errorf("equal is %v:\n%s", r.Equal, out.String())
	}
}
