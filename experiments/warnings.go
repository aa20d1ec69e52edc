package experiments

import (
	"fmt"
	"slices"
	"strings"

	"glimpse/internal/secret"
	"glimpse/internal/term"
	"glimpse/metrics"
)

// enoughSeeds is how many seeds an arm should have, whatever the test.
const enoughSeeds = 5

// Warnings returns a sentence for each thing that a study may do but should not: too few seeds
// for its significance level, keys without effect, arms that mix settings or differ in size. The
// study must have passed Load.
func (s *Study) Warnings() []string {
	var warnings []string
	warn := func(path, format string, args ...any) {
		where := ""
		if at := s.at(path); at.file == override {
			where = "--set " + at.text + ": "
		} else if at.line > 0 {
			where = fmt.Sprintf("%s:%d: ", at.file, at.line)
		}
		warnings = append(warnings, where+fmt.Sprintf(format, args...))
	}
	trials, equal := s.expand(&problems{})
	if s.Compare.Compares() {
		s.warnComparison(s.Declare(trials), warn)
	}
	for _, k := range keys {
		if k.applies == nil || !s.given(k.path) {
			continue
		}
		used := false
		for i := range trials {
			used = used || k.applies(&trials[i].Settings)
		}
		if !used {
			warn(k.path, "%s has no effect in any trial of this study", k.path)
		}
	}
	if text, err := s.YAML(); err == nil && secret.Count(string(text)) > 0 {
		warn("", "contains what looks like a password or a token; a study is stored with its results and printed in its report")
	}
	if equal > 0 {
		warn("sweep", "%d of the sweep's trials are duplicates and run only once", equal)
	}
	return warnings
}

// warnComparison warns about what would weaken the study's answer.
func (s *Study) warnComparison(d Declaration, warn func(path, format string, args ...any)) {
	c := s.Compare
	seeds := max(1, len(d.Seeds)) // up to the last look
	if a := s.Sweep.axis("seed"); a != nil && len(distinct(a.Values)) > seeds {
		warn("compare.stop", "the last look is at %d of %d seeds; the others are not trained", seeds, len(distinct(a.Values)))
	}
	if tests := max(1, len(d.Contrasts())); seeds < enoughSeeds || smallestP(seeds)*float64(tests) >= c.Primary.Alpha {
		warn("sweep.over.seed", "%s per arm: the smallest possible permutation p is %.2g; after Holm over %s it is %.2g, with alpha %g; use at least %d seeds",
			term.Plural(seeds, "seed"), smallestP(seeds), term.Plural(tests, "contrast"), min(1, smallestP(seeds)*float64(tests)), c.Primary.Alpha, neededSeeds(tests, c.Primary.Alpha))
	}
	if s.given("compare.factors") && len(s.factors()) == 0 {
		warn("compare.factors", "compare.factors has no effect: only arms and seeds are swept")
	}
	if c.MatchParameters == 0 && sizeMatters(c.ArmPaths()) {
		warn("compare", "compare.match_parameters is off: arms may differ in size, which may explain their differences")
	}
	if s.Sweep.Prune.Active() {
		warn("sweep.prune", "sweep.prune stops seeds that start badly, so the mean of the others is biased upwards; search first, then compare without it")
	}
	if split, key, _ := metrics.ParseKey(c.Primary.Metric); split == "val" {
		warn("compare.primary.metric", "compare.primary.metric is on the validation split, which also selects the epochs; test.%s would be independent", key)
	}
}

// neededSeeds returns how many seeds an arm needs so that p of an exact permutation test can be
// below alpha after Holm over this many contrasts.
func neededSeeds(contrasts int, alpha float64) int {
	need := enoughSeeds
	for smallestP(need)*float64(max(1, contrasts)) >= alpha && need < 100 {
		need++
	}
	return need
}

// sizeMatters reports whether a difference in size between the arms would be unintended: not if
// the arms are values of model.hidden.
func sizeMatters(paths []string) bool {
	return !slices.Contains(paths, "model.hidden") &&
		slices.ContainsFunc(paths, func(path string) bool { return strings.HasPrefix(path, "model.") })
}

// smallestP returns the smallest two-sided p of an exact permutation test of n against n values:
// two of the (2n choose n) ways to split them are extreme.
func smallestP(n int) float64 {
	ways := 1.0
	for i := 1; i <= n; i++ {
		ways *= float64(n+i) / float64(i)
	}
	return 2 / ways
}
