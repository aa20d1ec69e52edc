package results

import (
	"fmt"

	"glimpse/internal/store"
)

// Withheld says, in a sentence, why nobody should look at the test split of the study yet: its
// declared trials have not ended or, of a sequential study, it is between two looks. It is ""
// where there is nothing to wait for. a is the analysis of what is declared; without one (nil) a
// sequential study waits for it.
func (s *Study) Withheld(a *Analysis) string {
	d := s.Declared
	if !d.Compare.Compares() || s.Primary.Split != "test" || d.Late() {
		return ""
	}
	if d.Compare.Stop.Active() {
		return betweenLooks(a)
	}
	waiting := 0
	for _, n := range pending(s.ArmsOf(d), false) {
		waiting += n
	}
	if waiting == 0 {
		return ""
	}
	have := "have"
	if waiting == 1 {
		have = "has"
	}
	return fmt.Sprintf("The test split stays hidden until all %d declared trials have ended; %d %s not. "+
		"This prevents stopping at a convenient moment, which the study did not declare.",
		len(d.Trials), waiting, have)
}

// betweenLooks says what a sequential study waits for.
func betweenLooks(a *Analysis) string {
	if a == nil {
		return "The test split stays hidden until the looks of this sequential study are computed."
	}
	next, looked := 0, ""
	for _, c := range a.Contrasts {
		if c.Result != nil && len(c.Result.Looks) > 0 {
			looked = " Results of earlier looks are shown."
		}
		if target := c.target(a.Declaration.Compare.Stop); c.Result == nil || !c.Result.Decided {
			next = max(next, target)
		}
	}
	if next == 0 {
		return ""
	}
	return fmt.Sprintf("The scores of single trials stay hidden until the study is decided; the next look is at %d seeds per arm.%s", next, looked)
}

// Best gives the completed run with the highest finite score in a metric, the first of equals;
// nil without one.
func Best(runs []store.Run, m Metric) *store.Run {
	var best *store.Run
	highest := 0.0
	for i := range runs {
		if v, ok := m.Of(&runs[i]); ok && (best == nil || v > highest) {
			best, highest = &runs[i], v
		}
	}
	return best
}
