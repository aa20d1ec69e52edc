package inspect

import (
	"encoding/json"
	"slices"
	"testing"

	"glimpse/internal/store"
	"glimpse/internal/term"
)

// TestCompareOutcomes holds that what was not reproduced is told with how far, from when on, and what was otherwise.
func TestCompareOutcomes(t *testing.T) {
	make := func(captions, weights, word string, loss, cider float64, environment string) outcome {
		return outcome{
			run: store.Run{
				ID: "aa00", CaptionsSHA256: captions, WeightsSHA256: weights, Environment: json.RawMessage(environment),
				Metrics: map[string]map[string]float64{"test": {"cider": cider}},
			},
			epochs:   []store.Epoch{{Epoch: 1, Loss: 2}, {Epoch: 2, Loss: loss}},
			captions: []store.Caption{{Image: "1", Words: "a dog"}, {Image: "2", Words: word}},
		}
	}
	first := make("c", "w", "a cat", 1, 0.5, `{"threads":1,"cpu":"A","attempts":1,"timings":{"train":3},"hashes":{"features_content":"f"}}`)
	r := compareOutcomes(first, make("c", "w", "a cat", 1, 0.5, `{"threads":1,"cpu":"A","attempts":2}`))
	if !r.Equal || r.CaptionsDiffer != 0 || r.FirstEpoch != 0 || len(r.EnvironmentDiff) != 0 {
		t.Errorf("the same run: %+v", r)
	}
	if r := compareOutcomes(first, make("c", "v", "a cat", 1, 0.5, `{}`)); r.Equal {
		t.Error("other weights are equal")
	}
	r = compareOutcomes(first, make("d", "v", "a cow", 1.5, 0.4, `{"threads":2,"cpu":"A","hashes":{"features_content":"g"}}`))
	if r.Equal || r.Captions != 2 || r.CaptionsDiffer != 1 || r.FirstEpoch != 2 || r.WeightsSHA256 != [2]string{"w", "v"} {
		t.Errorf("another run: %+v", r)
	}
	if got := r.Metrics["test"]["cider"]; got != [2]term.Number{0.5, 0.4} {
		t.Errorf("CIDEr %v, want 0.5 recorded and 0.4 again", got)
	}
	if want := []Difference{{"threads", "1", "2"}}; !slices.Equal(r.EnvironmentDiff, want) || r.FeaturesContent != [2]string{"f", "g"} {
		t.Errorf("environment: %v, want %v; features %v", r.EnvironmentDiff, want, r.FeaturesContent)
	}
}
