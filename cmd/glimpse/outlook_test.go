package main

import (
	"slices"
	"testing"

	"glimpse/metrics/stats"
)

func TestPowerOfAPlan(t *testing.T) {
	for _, c := range []struct {
		minimum float64
		want    []float64
	}{{1, []float64{1, 2, 3}}, {0, []float64{0.5, 1, 1.5}}, {0.7, []float64{0.5, 1, 1.5}}} {
		if got := shownEffects(c.minimum); !slices.Equal(got, c.want) {
			t.Errorf("effects from a minimum of %g: %v, want %v", c.minimum, got, c.want)
		}
	}
	found := []stats.PowerPoint{{Effect: 0, Power: 0.01}, {Effect: 0.5, Power: 0.456}, {Effect: 1, Power: 1}}
	for _, c := range []struct {
		curve  []stats.PowerPoint
		effect float64
		want   string
	}{{found, 0.5, "0.46"}, {found, 2, "1.00"}, {found[:2], 2, "-"}, {nil, 1, "-"}} {
		if got := powerAt(c.curve, c.effect); got != c.want {
			t.Errorf("power at %g: %s, want %s", c.effect, got, c.want)
		}
	}
}
