package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// What the page shows at most of a large study, so that it can still be opened and read; its tables as CSV have all.
const (
	mostRows      = 1000 // of a table
	mostMarks     = 1000 // trials in a figure
	mostContrasts = 48   // in a figure
	mostPhrases   = 24   // in a sentence or fact
	mostNotices   = 12   // of one kind
)

// evenly takes n items spread over the list, from the middles of n equal
// parts; all of a list that is not longer.
func evenly[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	picked := make([]T, n)
	for i := range picked {
		picked[i] = list[(2*i+1)*len(list)/(2*n)]
	}
	return picked
}

// limit cuts a table to what the page shows, and says so, and which file has all of it, if one has.
func (t *table) limit(file string) {
	all := len(t.Rows)
	if all <= mostRows {
		return
	}
	t.Rows = t.Rows[:mostRows]
	t.Caption += fmt.Sprintf(" Shown: the first %d of %d", mostRows, all)
	if file != "" {
		t.Caption += "; " + file + " has all"
	}
	t.Caption += "."
}

// seedLimit is how many seeds of each of the arms a figure draws, with a note where that is not all of them.
func seedLimit(arms []*arm) (most int, note string) {
	all := 0
	for _, a := range arms {
		all += len(a.Runs)
	}
	if all <= mostMarks {
		return all, ""
	}
	most = max(1, mostMarks/len(arms))
	return most, fmt.Sprintf(" At most %d seeds per arm are drawn, spread evenly; means cover all.", most)
}

// listed are the runs that the table of trials shows: all, or those of the highest
// scores.
func (r *result) listed() map[*run]bool {
	shown := make(map[*run]bool, len(r.Runs))
	ranked := r.Runs
	if len(ranked) > mostRows {
		points := func(run *run) float64 {
			if v, ok := r.Primary.of(run); ok {
				return v
			}
			return math.Inf(-1)
		}
		ranked = slices.SortedStableFunc(slices.Values(ranked), func(a, b *run) int { return cmp.Compare(points(b), points(a)) })[:mostRows]
	}
	for _, run := range ranked {
		shown[run] = true
	}
	return shown
}
