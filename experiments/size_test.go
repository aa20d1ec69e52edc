package experiments

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestLargeStudiesCostInProportion holds that what a study file costs grows with its size and not with its square. Memory
// set aside stands for time, since it is the same on a busy machine.
func TestLargeStudiesCostInProportion(t *testing.T) {
	repeat := func(n int, form string) string {
		var parts []string
		for i := range n {
			parts = append(parts, fmt.Sprintf(form, i+1))
		}
		return strings.Join(parts, ", ")
	}
	const primary = "primary: {metric: test.cider, minimum_effect: 1}"
	for name, study := range map[string]func(n int) string{
		"values in one line": func(n int) string { return "x: [" + repeat(n, "%d") + "]" },
		"keys in one line":   func(n int) string { return "model: {" + repeat(n, "k%d: 1") + "}" },
		"named arms": func(n int) string {
			return "compare: {baseline: a1, " + primary + ", arms: {" + repeat(n, "a%d: {model.hidden: %[1]d}") + "}}"
		},
		"factors that zip pairs": func(n int) string {
			return "sweep: {method: zip, over: {train.optimizer.lr: [" + repeat(n, "%de-6") + "], model.hidden: [" + repeat(n, "%d") + "]}}\n" +
				"compare: {baseline: none, arms: {none: {model.attention: none}, soft: {model.attention: soft}}, " + primary +
				", contrasts: [[soft, none], {interaction: [arms, model.hidden]}]}"
		},
	} {
		t.Run(name, func(t *testing.T) {
			cost := func(n int) float64 {
				source := []byte("study: a\n" + study(n) + "\n")
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if s, err := parse("a.yaml", source, nil); err == nil {
					s.Warnings()
				}
				runtime.ReadMemStats(&after)
				return float64(after.TotalAlloc - before.TotalAlloc)
			}
			cost(1) // what is made once
			const n, times = 250, 4
			if few, many := cost(n), cost(times*n); many > 2*times*few {
				t.Errorf("%d cost %.0f KB, %d cost %.0f KB: more than in proportion", n, few/1024, times*n, many/1024)
			}
		})
	}
}
