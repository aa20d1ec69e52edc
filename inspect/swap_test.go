package inspect

import (
	"slices"
	"strings"
	"testing"

	"glimpse/data"
	"glimpse/internal/store"
)

// TestCycle holds that each image has another one's picture, and the same one each time.
func TestCycle(t *testing.T) {
	for n := 2; n < 50; n++ {
		order := cycle(n)
		if !slices.Equal(order, cycle(n)) {
			t.Errorf("%d: another order each time", n)
		}
		seen := make([]bool, n)
		for i, other := range order {
			if other == i || seen[other] {
				t.Fatalf("%d: %v", n, order)
			}
			seen[other] = true
		}
	}
}

// TestSameReading holds that captions of another training are noticed.
func TestSameReading(t *testing.T) {
	written := store.Caption{Words: "a dog", LogProb: -3, Beta: []float64{0.9, 0.2}}
	for _, c := range []struct {
		name      string
		reading   data.Reading
		maxLength int
		want      string // "" for none
	}{
		{"the same", data.Reading{LogProb: []float64{-0.5, -1.5}, End: -1, Beta: []float64{0.9, 0.2}}, 24, ""},
		{"rounded otherwise", data.Reading{LogProb: []float64{-0.501, -1.5}, End: -1, Beta: []float64{0.901, 0.2}}, 24, ""},
		{"decoding stopped before </s>", data.Reading{LogProb: []float64{-1, -2}, End: -9, Beta: []float64{0.9, 0.2}}, 2, ""},
		{"less likely", data.Reading{LogProb: []float64{-0.5, -1.5}, End: -1.5, Beta: []float64{0.9, 0.2}}, 24, "was recorded with a log probability of -3.000, but now has -3.500"},
		{"another β", data.Reading{LogProb: []float64{-0.5, -1.5}, End: -1, Beta: []float64{0.9, 0.3}}, 24, "β differs from the recorded one"},
		{"no β", data.Reading{LogProb: []float64{-0.5, -1.5}, End: -1}, 24, "β differs from the recorded one"},
	} {
		err := sameReading(c.reading, written, c.maxLength, exactTolerance)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestAverageable holds that an arm is averaged over its seeds and nothing else.
func TestAverageable(t *testing.T) {
	run := func(id, arm, hidden string) store.Run {
		return store.Run{ID: id, Arm: arm, Swept: map[string]string{"model.hidden": hidden}}
	}
	if err := averageable([]store.Run{run("a", "none", "1"), run("b", "soft", "2"), run("c", "none", "1")}); err != nil {
		t.Errorf("arms that differ: %v", err)
	}
	err := averageable([]store.Run{run("a", "none", "1"), run("b", "soft", "2"), run("c", "none", "2")})
	if want := "runs a and c of arm none differ in more than their seed"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("an arm of two sizes: %v, want %q", err, want)
	}
}

func TestNear(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want bool
	}{
		{nil, nil, true},
		{[]float64{0.5, 0.1}, []float64{0.505, 0.1}, true},
		{[]float64{0.5, 0.1}, []float64{0.52, 0.1}, false},
		{[]float64{0.5, 0.1}, []float64{0.5, 0.08}, false},
		{[]float64{0.5}, []float64{0.5, 0.1}, false},
	} {
		if got := near(c.a, c.b, exactTolerance); got != c.want {
			t.Errorf("near(%v, %v) = %v", c.a, c.b, got)
		}
	}
}
