package reports

import (
	"encoding/json"
	"math"
	"testing"

	"glimpse/internal/store"
	"glimpse/reports/charts"
)

// A map of attention that cannot be drawn leaves its caption as it is, so that the page has the rest.
func TestShowLooksOfBadMaps(t *testing.T) {
	good := store.AttentionMap{Side: 1, First: 0.5, Step: 1, Alpha: [][]float64{{1}, {1}}}
	for name, c := range map[string]struct {
		change func(*store.AttentionMap)
		shown  bool
	}{
		"good":              {func(*store.AttentionMap) {}, true},
		"no words":          {func(m *store.AttentionMap) { m.Alpha = nil }, false},
		"too few words":     {func(m *store.AttentionMap) { m.Alpha = m.Alpha[:1] }, false},
		"weight not finite": {func(m *store.AttentionMap) { m.Alpha = [][]float64{{math.NaN()}, {1}} }, false},
		"first not finite":  {func(m *store.AttentionMap) { m.First = math.Inf(1) }, false},
		"step not finite":   {func(m *store.AttentionMap) { m.Step = math.NaN() }, false},
	} {
		m, said := good, charts.Said{Words: "a dog"}
		c.change(&m)
		ShowLooks(&said, m, FullWeight(m))
		if _, err := json.Marshal(said); err != nil || (said.Looks != nil) != c.shown {
			t.Errorf("%s: shown %v, not %v; %v", name, said.Looks != nil, c.shown, err)
		}
	}
}
