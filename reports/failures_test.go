package reports

import (
	"strings"
	"testing"

	"glimpse/internal/store"
	"glimpse/metrics"
)

func TestFaultsOfCaptions(t *testing.T) {
	for _, test := range []struct {
		words string
		match [4]int
		want  string
	}{
		{"a dog dog runs", [4]int{3, 1}, "Word twice in a row"},
		{"a dog and a dog", [4]int{3, 1}, "Same pair of words twice"},
		{"zebra on grass", [4]int{1, 0}, "No pair of words of a reference"},
		{"zebra", [4]int{}, "No word of a reference; No pair of words of a reference"},
		{"", [4]int{}, "No word of a reference; No pair of words of a reference; Empty"},
		{"a dog runs", [4]int{3, 2, 1}, ""},
	} {
		c := store.Caption{Words: test.words, Scored: true, Score: metrics.ImageScore{Match: test.match}}
		var found []string
		for _, f := range faults {
			if f.is(strings.Fields(test.words), &c) {
				found = append(found, f.name)
			}
		}
		if got := strings.Join(found, "; "); got != test.want {
			t.Errorf("%q has the faults %q, not %q", test.words, got, test.want)
		}
	}
}
