package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The mean of 1, 2, 3, 4, 5 is 3, with standard error √(2.5/5). Student's t with 4
// degrees of freedom is 2.776 at .975 and 2.132 at .95.
func TestAgainstReported(t *testing.T) {
	scores := []float64{1, 2, 3, 4, 5}
	se := math.Sqrt(0.5)
	for _, c := range []struct {
		name              string
		reported, minimum float64
		want              ReportedVerdict
	}{
		{"equal, wide enough", 3, 2.132*se + 0.01, AsReported},
		{"equal, too narrow", 3, 2.132*se - 0.01, Unclear},
		{"near, wide enough", 3.5, 2.132*se + 0.51, AsReported},
		{"far above the seeds", 3 + 2.777*se + 0.5 + 0.01, 0.5, BelowReported},
		{"above the seeds, within the interval", 3 + 2.776*se + 0.5 - 0.01, 0.5, Unclear},
		{"far below the seeds", 3 - 2.777*se - 0.5 - 0.01, 0.5, AboveReported},
	} {
		got := AgainstReported(scores, c.reported, c.minimum, 0.05)
		if got.Verdict != c.want {
			t.Errorf("%s: %q, want %q", c.name, got.Verdict, c.want)
		}
		if math.Abs(got.Low-(3-2.7764451*se)) > 1e-6 || math.Abs(got.High-(3+2.7764451*se)) > 1e-6 || got.Mean != 3 || got.N != 5 {
			t.Errorf("%s: mean %v, interval %v to %v of %d", c.name, got.Mean, got.Low, got.High, got.N)
		}
	}
}

// If the true mean is exactly the minimum away from the reported score, equivalence
// is found in a share α of all cases, and a difference beyond the minimum in half as
// many, on that side.
func TestAgainstReportedErrors(t *testing.T) {
	const cases, n = 20000, 5
	g := rand.New(rand.NewPCG(1, 2))
	counts := map[ReportedVerdict]int{}
	for range cases {
		scores := make([]float64, n)
		for i := range scores {
			scores[i] = 80 + 0.5*g.NormFloat64()
		}
		counts[AgainstReported(scores, 81, 1, 0.05).Verdict]++
	}
	if share := float64(counts[AsReported]) / cases; share > 0.055 || share < 0.04 {
		t.Errorf("equivalence in %.4f of cases, want about .05", share)
	}
	if share := float64(counts[BelowReported]) / cases; share > 0.029 || share < 0.021 {
		t.Errorf("a difference in %.4f of cases, want about .025", share)
	}
	if counts[AboveReported] != 0 {
		t.Errorf("%d cases lie above", counts[AboveReported])
	}
}
