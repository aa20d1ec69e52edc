package exports

import (
	"slices"
	"testing"

	"glimpse/internal/store"
)

// What reinforcement samples has curves of its own, and its loss is none of cross entropy's.
func TestCurvesOfReinforcement(t *testing.T) {
	r := Run{Epochs: []store.Epoch{
		{Epoch: 1, Loss: 2.5, LR: 1e-3, Val: map[string]float64{"cider": 0.5}},
		{Epoch: 2, Loss: -0.8, LR: 2e-5, Val: map[string]float64{"cider": 0.6}, Sampled: map[string]float64{"reward": 0.8, "entropy": 1.5}},
	}}
	curves := map[string][]int{}
	for _, p := range r.points() {
		curves[p.name] = append(curves[p.name], p.step)
	}
	for name, want := range map[string][]int{
		"train/loss": {1}, "train/lr": {1, 2}, "val/cider": {1, 2}, "sampled/reward": {2}, "sampled/entropy": {2},
	} {
		if !slices.Equal(curves[name], want) {
			t.Errorf("%s has epochs %v, want %v", name, curves[name], want)
		}
	}
}
