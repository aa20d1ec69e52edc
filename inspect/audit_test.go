package inspect

import (
	"slices"
	"testing"
)

// TestSampleOf holds that the same images are drawn each time, none twice, and all where there are too few.
func TestSampleOf(t *testing.T) {
	images := []int{3, 5, 8, 13, 21, 34, 55, 89}
	first := sampleOf(images, 4)
	if len(first) != 4 || !slices.Equal(first, sampleOf(images, 4)) || !slices.IsSorted(first) || len(slices.Compact(first)) != 4 {
		t.Errorf("drawn: %v", first)
	}
	if all := sampleOf(images, 100); !slices.Equal(all, images) {
		t.Errorf("of too few: %v", all)
	}
}
