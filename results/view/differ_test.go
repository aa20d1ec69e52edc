package view

import (
	"encoding/json"
	"reflect"
	"testing"

	"glimpse/internal/store"
)

// TestDifferences holds that only what differs is told, and that a default that settings leave out is one.
func TestDifferences(t *testing.T) {
	run := func(settings, environment string) store.Run {
		return store.Run{Settings: json.RawMessage(settings), Environment: json.RawMessage(environment)}
	}
	runs := []store.Run{
		run(`{"seed": 1, "model": {"hidden": 512}}`, `{"host": "a", "changes": {"diff": "x"}, "timings": {"train": 1}}`),
		run(`{"seed": 2, "model": {"hidden": 512, "cell": "lstm"}}`, `{"host": "a", "changes": {"diff": "y"}, "device": "cuda"}`),
	}
	if got, want := Settings(runs), []Difference{{"model.cell", []string{"gru", "lstm"}}, {"seed", []string{"1", "2"}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("settings: %v, want %v", got, want)
	}
	if got, want := Environments(runs), []Difference{{"device", []string{"–", "cuda"}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("environments: %v, want %v", got, want)
	}
}
