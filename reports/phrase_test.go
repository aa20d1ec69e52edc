package reports

import "testing"

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0\u00a0%", 0.61: "61\u00a0%", 0.6149: "61\u00a0%", 0.545: "54.5\u00a0%", 0.455: "45.5\u00a0%", 1: "100\u00a0%"} {
		if got := percent(share); got != want {
			t.Errorf("%v is %q, want %q", share, got, want)
		}
	}
}
