package bench

import (
	"math"
	"testing"

	"glimpse/data"
	"glimpse/internal/term"
)

func TestQuartiles(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   [3]term.Number
	}{
		{[]float64{7}, [3]term.Number{7, 7, 7}},
		{[]float64{4, 1, 3, 2, 5}, [3]term.Number{2, 3, 4}},
		{[]float64{1, 2}, [3]term.Number{1.25, 1.5, 1.75}},
	} {
		if got := quartiles(c.values); got != c.want {
			t.Errorf("quartiles of %v: %v, want %v", c.values, got, c.want)
		}
	}
	if got := quartiles(nil); !math.IsNaN(float64(got[1])) {
		t.Errorf("the median of an empty sample is %v, want NaN", got[1])
	}
}

// TestContents checks that padding, and rows without a caption, are not counted.
func TestContents(t *testing.T) {
	b := data.Batch{Images: []int{0, 1}, C: 2, T: 4, Tokens: []int64{
		1, 5, 2, 0,
		1, 5, 6, 2,
		1, 2, 0, 0,
		0, 0, 0, 0,
	}}
	if captions, words := contents(b); captions != 3 || words != 6 {
		t.Errorf("%d captions of %d words to predict, want 3 of 6", captions, words)
	}
}

func TestStatusField(t *testing.T) {
	status := []byte("Name:\tglimpse\nVmHWM:\t    2000 kB\nRssAnon:\t 1000 kB\n")
	if got := statusField(status, "VmHWM"); got != 2.048 {
		t.Errorf("VmHWM is %v MB, want 2.048", got)
	}
	if got := statusField(status, "VmSwap"); !math.IsNaN(got) {
		t.Errorf("a missing field is %v, want NaN", got)
	}
}
