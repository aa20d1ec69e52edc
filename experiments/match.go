package experiments

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// MatchParameters counts the parameters of every trial, for the plan. If the study sets
// compare.match_parameters, it also widens model.hidden of the smaller arms until their counts
// match the largest within the tolerance. Arms are matched among trials that are otherwise equal,
// and before ids are computed: call it once, between Load and Plan.
//
// count returns the parameters of a captioner with these settings. It must not decrease as
// model.hidden grows, and is called about a dozen times per arm.
func (s *Study) MatchParameters(count func(Settings) int64) error {
	s.widths, s.counts = nil, nil
	trials, err := s.Plan()
	if err != nil {
		return err
	}
	widths, counts := map[string]int{}, map[string]int64{}
	largest := map[string]int64{} // group → largest count
	for _, t := range trials {
		kin := t.Settings.kin()
		if _, known := counts[kin]; !known {
			counts[kin] = count(t.Settings)
		}
		if counts[kin] <= 0 {
			return fmt.Errorf("counting the parameters of trial %s (arm %s) gave %d, but a captioner has some", t.ID, t.Arm, counts[kin])
		}
		largest[s.group(t)] = max(largest[s.group(t)], counts[kin])
	}
	for _, t := range trials {
		kin, target := t.Settings.kin(), largest[s.group(t)]
		if _, done := widths[kin]; done || s.Compare.MatchParameters == 0 {
			continue
		}
		width, n := widen(t.Settings, count, counts[kin], target, s.Compare.MatchParameters)
		if gap := math.Abs(float64(n-target)) / float64(target); gap > s.Compare.MatchParameters {
			return s.at("compare.match_parameters").wrong("compare.match_parameters: arm %s cannot get closer than %d parameters (model.hidden %d) to the largest arm's %d, %.1f%% off; allow a larger difference or use larger models",
				t.Arm, n, width, target, 100*gap)
		}
		widths[kin], counts[kin] = width, n
	}
	s.widths, s.counts = widths, counts
	return nil
}

// group identifies the trials that t is matched with: those that differ from it in the arm, in
// what zip pairs with the arm, and in the seed.
func (s *Study) group(t Trial) string {
	var parts []string
	for i := range s.Sweep.Over {
		if a := &s.Sweep.Over[i]; a.Path != s.Compare.Arms && (len(s.Compare.Named) > 0 || !s.paired(a)) {
			parts = append(parts, t.Swept[a.Path]) // "" for the seed
		}
	}
	return strings.Join(parts, "\x00")
}

// widen finds the hidden size, not below the current one, whose count is nearest to target: a
// multiple of 8, which is faster, if one is within the tolerance, else any.
func widen(s Settings, count func(Settings) int64, present, target int64, tolerance float64) (width int, n int64) {
	narrowest := s.Model.Hidden
	if float64(target-present) <= tolerance*float64(target) {
		return narrowest, present
	}
	at := func(width int) int64 {
		s.Model.Hidden = width
		return count(s)
	}
	widest := int(find("model.hidden").allowed().high)
	over := narrowest + sort.Search(widest-narrowest, func(i int) bool { return at(narrowest+i) >= target })
	nearest := func(widths ...int) {
		width, n = narrowest, present
		for _, w := range widths {
			if w < narrowest || w > widest {
				continue
			}
			if c := at(w); abs(c-target) < abs(n-target) {
				width, n = w, c
			}
		}
	}
	nearest(over/8*8, over/8*8+8)
	if float64(abs(n-target)) > tolerance*float64(target) {
		nearest(over-1, over)
	}
	return width, n
}

func abs(n int64) int64 { return max(n, -n) }
