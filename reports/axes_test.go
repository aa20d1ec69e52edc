package reports

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"glimpse/internal/term"
)

func TestRoundTicks(t *testing.T) {
	for _, test := range []struct {
		ticks     roundTicks
		low, high float64
		want      string
	}{
		{roundTicks{count: 6}, 48.7, 61.2, "50 55 60"},
		{roundTicks{count: 6}, -1.2, 2.4, "−1 0 1 2"},
		{roundTicks{count: 6}, 0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{roundTicks{count: 8, whole: true}, 1, 3, "1 2 3"},
		{roundTicks{count: 8, whole: true}, 1, 40, "5 10 15 20 25 30 35 40"},
		{roundTicks{count: 6}, 0.0001, 0.0004, "0.00010 0.00015 0.00020 0.00025 0.00030 0.00035 0.00040"},
		{roundTicks{count: 6}, 3, 3, ""},
		{roundTicks{count: 6}, math.Inf(-1), 3, ""},
	} {
		var got []string
		for _, tick := range test.ticks.Ticks(test.low, test.high) {
			got = append(got, tick.Label)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("ticks from %g to %g are %v, not %s", test.low, test.high, got, test.want)
		}
	}
}

func TestPhrases(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{fixed(-0.004, 2), "0.00"},
		{fixed(-0.006, 2), "−0.01"},
		{signed(1.234, 2), "+1.23"},
		{signed(0.001, 2), "0.00"},
		{signed(-1.5, 1), "−1.5"},
		{number(0.05), "0.05"},
		{number(1234567), "1234567"},
		{number(math.NaN()), "–"},
		{thousands(999), "999"},
		{thousands(5234688), "5\u202F234\u202F688"},
		{count(1, "seed"), "1 seed"},
		{count(0, "seed"), "0 seeds"},
		{pValue(0.0004), "p\u00a0<\u00a00.001"},
		{pNumber(0.0237), "0.024"},
		{pNumber(0.314), "0.31"},
		{smallNumber(0.0000081), "< 0.00001"},
		{smallNumber(0.000224), "0.00022"},
		{smallNumber(0.0018), "0.0018"},
		{smallNumber(0.087), "0.087"},
		{smallNumber(0.83), "0.83"},
		{smallNumber(1), "1.00"},
		{meanText(50.24, math.NaN()), "50.2"},
		{meanText(50.25, 0.61), "50.2\u00a0±\u00a00.6"},
		{meanText(math.NaN(), math.NaN()), "–"},
		{term.Enumerate([]string{"a", "b", "c"}), "a, b and c"},
		{duration(3.26), "3.3 s"},
		{duration(250), "4 min 10 s"},
		{duration(3661), "1 h 01 min"},
		{duration(math.NaN()), "–"},
		{fileName("../a b"), "a-b"},
		{fileName("研究"), "study"},
		{clean("a\x00b\u2028c\xff"), "a b c\uFFFD"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestApart(t *testing.T) {
	got := apart([]vg.Length{50, 49, 48, 3}, 10, 0, 45)
	for i, want := range []vg.Length{45, 35, 25, 3} {
		if got[i] != want {
			t.Errorf("heights are %v, want 45 35 25 3", got)
			break
		}
	}
}

func TestMeanCurveStopsWithTheFirstSeed(t *testing.T) {
	got, low, high := meanCurve([]curve{{{1, 2}, {2, 4}, {3, 9}}, {{1, 4}, {2, 8}}})
	if len(got) != 2 || got[0] != (point{1, 3}) || got[1] != (point{2, 6}) {
		t.Errorf("the mean is %v", got)
	}
	// The standard deviation of 4 and 8 is √8.
	if len(low) != 2 || len(high) != 2 || math.Abs(6-low[1].Y-math.Sqrt(8)) > 1e-12 || math.Abs(high[1].Y-6-math.Sqrt(8)) > 1e-12 {
		t.Errorf("the band goes from %v to %v", low, high)
	}
	if _, low, high := meanCurve([]curve{{{1, 2}, {2, 4}}}); low != nil || high != nil {
		t.Errorf("one seed has a band from %v to %v", low, high)
	}
}

func TestBandNote(t *testing.T) {
	several, single := armCurves{name: "soft", high: curve{{1, 2}}}, armCurves{name: "none"}
	for _, test := range []struct {
		arms []armCurves
		want string
	}{
		{[]armCurves{several, several}, " Band: ± one standard deviation over these seeds."},
		{[]armCurves{single, several}, " Band: ± one standard deviation over these seeds; none for none, which has one seed."},
		{[]armCurves{single, single}, " No band, because each arm has one seed."},
	} {
		if got := (&curvePlotter{arms: test.arms}).bandNote(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestEvenly(t *testing.T) {
	if got := strings.Join(evenly(strings.Split("abcdefghij", ""), 3), ""); got != "bfi" {
		t.Errorf("picked %s", got)
	}
}
