package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// ExpectedTrials is the number of runs that a study with looks takes if every arm
// except those of the baseline is better by Effect points.
type ExpectedTrials struct {
	Effect  float64 `json:"effect"`  // in points
	Mean    float64 `json:"mean"`    // mean number of runs over simulated studies
	Largest int     `json:"largest"` // largest number of runs among them
}

// trialStudies is the number of simulated studies per mean. It makes the standard
// error of the mean less than 2 % of the runs between the first and the last look.
const trialStudies = 500

// trials simulates whole studies, in which only arms of undecided contrasts get
// more seeds.
func (p *plan) trials(o Options) ([]ExpectedTrials, error) {
	name := o.Baseline
	if name == "" {
		name = p.contrasts[0].A
	}
	at := slices.IndexFunc(p.units, func(u unit) bool { return u.name == name })
	if at < 0 {
		return nil, fmt.Errorf("stats: no arm or composite %q for a baseline", name)
	}
	effects := []float64{0}
	if o.MinimumEffect > 0 {
		effects = append(effects, o.MinimumEffect, 2*o.MinimumEffect)
	}
	out := make([]ExpectedTrials, len(effects))
	g := rand.New(stream(o.Seed, useTrials, 0))
	row := make([]float64, p.units[len(p.units)-1].end)
	noise := make([]float64, len(row))
	for range trialStudies {
		p.draw(noise, g)
		for i, effect := range effects {
			copy(row, noise)
			for k, u := range p.units {
				if !u.composite && !slices.ContainsFunc(p.units[at].terms, func(t unitTerm) bool { return t.arm == k }) {
					for r := u.first; r < u.end; r++ {
						row[r] += effect
					}
				}
			}
			addComposites(p.units, row)
			n := p.runsOf(row)
			out[i].Effect = effect
			out[i].Mean += float64(n) / trialStudies
			out[i].Largest = max(out[i].Largest, n)
		}
	}
	return out, nil
}

// draw fills the columns of arms with scores without an effect: for each run, the
// sum of its arm's random image effect and its own random seed effect.
func (p *plan) draw(row []float64, g *rand.Rand) {
	for _, u := range p.units {
		if u.composite {
			continue
		}
		images := p.noise.ImageSD / math.Sqrt(2*float64(p.noise.Images)) * g.NormFloat64()
		for r := u.first; r < u.end; r++ {
			row[r] = images + p.noise.SeedSD*g.NormFloat64()
		}
	}
}

// runsOf returns the number of runs that a study takes until its contrasts are
// decided, given the scores of all runs that it could take.
func (p *plan) runsOf(row []float64) int {
	first := p.rule.Seeds[0]
	taken := make([]int, len(p.units))
	courses := make([]*course, len(p.pairs))
	for i, pair := range p.pairs {
		a, b := p.units[pair[0]], p.units[pair[1]]
		courses[i] = newCourse(func(k int) (evidence, bool) {
			n := p.rule.Seeds[k]
			if n > min(a.n(), b.n()) {
				return evidence{}, false
			}
			for _, t := range slices.Concat(a.terms, b.terms) {
				taken[t.arm] = max(taken[t.arm], n)
			}
			e := ofScores(row, a.first, b.first, n, square(p.imageSE(a, b)), p.noise.Images)
			e.permutation = e.permuteRoughly()
			return e, true
		})
	}
	p.rule.follow(courses)
	sum := 0
	for k, u := range p.units {
		if !u.composite {
			sum += max(taken[k], min(first, u.n()))
		}
	}
	return sum
}

// ofScores returns the evidence from n scores of each side, given the variance
// due to images. It leaves out the permutation test.
func ofScores(row []float64, firstA, firstB, n int, byImage float64, images int) evidence {
	e := evidence{a: row[firstA : firstA+n], b: row[firstB : firstB+n]}
	sides := []side{{scores: e.b, sign: 1}, {scores: e.a, sign: -1}}
	e.estimate = newEstimate(sides, byImage, images)
	return e
}

// permuteRoughly is the permutation test for up to powerSplits splits. Beyond
// that, it is the t test to which the permutation test converges.
func (e evidence) permuteRoughly() permutation {
	nA, nB := len(e.a), len(e.b)
	if countSplits(nA+nB, nB) <= powerSplits {
		return permute(e.a, e.b, powerSplits, 0)
	}
	return permutation{p: max(SmallestP(nA, nB), tTest(mean1(e.b)-mean1(e.a), pooledSE(e.a, e.b), float64(nA+nB-2)))}
}
