package stats

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Published results must not change: every key of the golden file must still exist,
// with the same value to the last bit. New keys are allowed.
func TestPublishedNumbersStay(t *testing.T) {
	arms := captions(rand.New(rand.NewPCG(11, 12)), 3, 5, 80)
	contrasts := []Contrast{{"arm1", "arm0"}, {"arm2", "arm1"}, {"arm2", "arm0"}}
	o := Options{Draws: 400, Seed: 5, MinimumEffect: 1, Metrics: []string{"cider", "bleu4", "meteor"}}
	compared, err := Compare(arms, contrasts, o)
	if err != nil {
		t.Fatal(err)
	}
	planned, err := Plan([]PlannedArm{{"arm0", 5}, {"arm1", 6}, {"arm2", 8}}, contrasts, Flickr8kCIDEr, o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(map[string]any{"compare": compared, "plan": planned}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/published.golden.json"
	if *update {
		if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal(old, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	contains(t, "", want, got)
}

// contains reports an error for everything in want that got lacks.
func contains(t *testing.T, at string, want, got any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		for key, value := range w {
			contains(t, at+"."+key, value, g[key])
		}
	case []any:
		g, _ := got.([]any)
		if len(g) != len(w) {
			t.Errorf("%s has %d entries, want %d", at, len(g), len(w))
			return
		}
		for i := range w {
			contains(t, fmt.Sprintf("%s[%d]", at, i), w[i], g[i])
		}
	default:
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s is %v, want %v", at, got, want)
		}
	}
}
