package stats

import (
	"math"
	"strings"
	"testing"
)

// TestOverImages compares the interval of a mean over images with the normal
// approximation. For 100 images, half scored 0 and half 1, the standard error is
// 0.05.
func TestOverImages(t *testing.T) {
	var ciders []float64
	for i := range 100 {
		ciders = append(ciders, float64(i%2))
	}
	got, err := OverImages(Run{Seed: 1, Images: scored(ciders...)}, Options{Metrics: []string{"cider"}})
	if err != nil {
		t.Fatal(err)
	}
	one := got["cider"]
	if one.Score != 0.5 || math.Abs(one.Low-0.402) > 0.011 || math.Abs(one.High-0.598) > 0.011 {
		t.Errorf("%+v, want 0.5 (0.402 to 0.598)", one)
	}
	if _, err := OverImages(Run{Images: scored(1)}, Options{Metrics: []string{"cider"}}); err == nil || !strings.Contains(err.Error(), "at least 2") {
		t.Errorf("one image: %v", err)
	}
}
