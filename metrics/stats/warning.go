package stats

import (
	"fmt"
	"slices"
)

// advisedSeeds is the number of runs an arm below which a study is warned of:
// with 4 against 4 the permutation test cannot pass α = 0.05 once two
// contrasts share it.
const advisedSeeds = 5

// fewImages is the number of images below which the draws say little about
// the tails of the images' distribution.
const fewImages = 100

// armWarnings are what a reader has to know of the whole analysis.
func armWarnings(arms []Arm) []string {
	var out []string
	if n := len(arms[0].Runs[0].Images); n < fewImages {
		out = append(out, fmt.Sprintf("only %d images: intervals are rough below %d", n, fewImages))
	}
	for _, a := range arms {
		switch n := len(a.Runs); {
		case n == 1:
			out = append(out, fmt.Sprintf("arm %s has one run: its intervals ignore what another seed would change", a.Name))
		case n < advisedSeeds:
			out = append(out, fmt.Sprintf("arm %s has %d runs: at least %d are advised", a.Name, n, advisedSeeds))
		}
		if r := twins(a.Runs); r != nil {
			out = append(out, fmt.Sprintf("arm %s: seeds %d and %d gave the same statistics for every image: does the seed reach the training?", a.Name, r[0], r[1]))
		}
	}
	return out
}

// twins returns the seeds of two runs with equal statistics, nil if none.
func twins(runs []Run) []int64 {
	for i, r := range runs {
		for _, q := range runs[:i] {
			if slices.Equal(q.Images, r.Images) {
				return []int64{q.Seed, r.Seed}
			}
		}
	}
	return nil
}

// contrastWarnings are what a reader has to know of one contrast.
func contrastWarnings(r Result, a, b []float64, alpha float64) []string {
	var out []string
	if r.SmallestP >= alpha {
		out = append(out, fmt.Sprintf("%d against %d runs can reach p = %.3g at best, never below %g: inconclusive whatever the difference", r.NB, r.NA, r.SmallestP, alpha))
	}
	if !r.PExact {
		out = append(out, fmt.Sprintf("p is from %d random splits of the runs, not all of them", mostSplits))
	}
	if r.NA > 1 && r.NB > 1 && variance(a) == 0 && variance(b) == 0 {
		out = append(out, "no difference between seeds: the interval knows only of images")
	}
	return out
}
