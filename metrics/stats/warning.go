package stats

import (
	"fmt"
	"slices"

	"glimpse/metrics"
)

// advisedSeeds is the number of runs per arm below which there is a warning. With
// 4 against 4 runs, the permutation test cannot be below α = 0.05 if there are two
// contrasts.
const advisedSeeds = 5

// fewImages is the number of images below which there is a warning, because
// bootstrap draws represent the tails of the images' distribution poorly.
const fewImages = 100

// armWarnings returns the warnings about the whole analysis.
func armWarnings(arms []Arm) []string {
	var out []string
	if n := arms[0].Runs[0].images(); n < fewImages {
		out = append(out, fmt.Sprintf("only %d images: intervals are rough below %d", n, fewImages))
	}
	for _, a := range arms {
		switch n := len(a.Runs); {
		case n == 1:
			out = append(out, fmt.Sprintf("arm %s has one run: an interval or a test needs a second seed", a.Name))
		case n < advisedSeeds:
			out = append(out, fmt.Sprintf("arm %s has %d runs: at least %d are advised", a.Name, n, advisedSeeds))
		}
		if r := twins(a.Runs); r != nil {
			out = append(out, fmt.Sprintf("arm %s: seeds %d and %d gave the same statistics for every image: "+
				"check that training uses the seed", a.Name, r[0], r[1]))
		}
	}
	return out
}

// twins returns the seeds of two runs with equal statistics, or nil if there are
// none.
func twins(runs []Run) []int64 {
	first := make(map[uint64]int64, len(runs)) // digest → seed
	for _, r := range runs {
		if seed, twin := first[r.kept.digest]; twin {
			return []int64{seed, r.Seed}
		}
		first[r.kept.digest] = r.Seed
	}
	return nil
}

// metricWarnings returns the warnings about metrics.
func metricWarnings(keys []string, arms []Arm) []string {
	var out []string
	for _, key := range keys {
		if metrics.IsMETEOR(key) && slices.ContainsFunc(arms, func(a Arm) bool { return !haveCounts(a.Runs) }) {
			out = append(out, key+": a run lacks METEOR's counts, so this is the mean over images, not the corpus score")
		}
	}
	return out
}

// warn adds the warnings about one tested contrast.
func (r *Result) warn(alpha float64, contrasts int) {
	if r.SmallestP >= alpha && r.NextLook == 0 && !r.Futile && r.Verdict != Equivalent {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d against %d runs can reach p = %.3g at best, never below %g: "+
			"inconclusive whatever the difference", r.NB, r.NA, r.SmallestP, alpha))
	}
	if !r.PExact {
		r.Warnings = append(r.Warnings, fmt.Sprintf("p is from %d random splits of the runs, not all of them: "+
			"its standard error is %.2g", mostSplits, r.PError))
	}
	if r.PInterval < alpha && r.PIntervalHolm >= alpha {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the interval leaves 0 out, but its p over %d contrasts is %.3g",
			contrasts, r.PIntervalHolm))
	}
	if r.SeedSE == 0 {
		r.Warnings = append(r.Warnings, "all seeds have equal scores: the interval covers only other images")
	}
}
