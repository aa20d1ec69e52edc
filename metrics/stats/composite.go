package stats

import (
	"fmt"
	"math"
	"strings"
)

// Composite is a weighted sum of arms, computed seed by seed: the score of its
// replicate r is Σ weight · score of the arm's run r. All its arms must have the
// same seeds in the same order. A contrast can name a composite instead of an
// arm, but no arm may be on both sides of a contrast.
//
// With weights 1/C over C cells of a factorial study, it is the mean over the
// levels of another factor, and the contrast of two such composites is a main
// effect. With weights +1 and −1, it is the effect of a factor at one level of
// another, and the contrast of two such composites is an interaction.
//
// The permutation test of two composites exchanges whole replicates. It is exact
// if the replicates of both composites are exchangeable under the null
// hypothesis, which holds if the runs of the arms are.
type Composite struct {
	Name  string `json:"name"`
	Terms []Term `json:"terms"`
}

// Term is an arm of a composite and its weight.
type Term struct {
	Arm    string  `json:"arm"`
	Weight float64 `json:"weight"` // finite, not 0
}

// unit is an arm or a composite, as one side of a contrast. A row of scores has
// a column for each replicate of each unit, arms first.
type unit struct {
	name       string
	first, end int // half-open range of columns
	seeds      []int64
	terms      []unitTerm // one of weight 1 for an arm
	composite  bool
}

// unitTerm is an arm in a unit: its index, its first column and its weight.
type unitTerm struct {
	arm, first int
	weight     float64
}

func (u unit) n() int { return u.end - u.first }

func (u unit) String() string {
	if u.composite {
		return "composite " + u.name
	}
	return "arm " + u.name
}

// addComposites computes the composites' columns of a row from those of the arms.
func addComposites(units []unit, row []float64) {
	for _, u := range units {
		if !u.composite {
			continue
		}
		for r := range u.n() {
			sum := 0.0
			for _, t := range u.terms {
				sum += t.weight * row[t.first+r]
			}
			row[u.first+r] = sum
		}
	}
}

// newUnits assigns columns to the arms and then to the composites. A composite
// has as many replicates as its arms have runs. If mayDiffer is set, its arms may
// have different numbers of runs, and it has as many replicates as the smallest.
func newUnits(names []string, seeds [][]int64, composites []Composite, mayDiffer bool) ([]unit, error) {
	var units []unit
	column := 0
	add := func(u unit) {
		u.first, u.end = column, column+len(u.seeds)
		column = u.end
		units = append(units, u)
	}
	at := make(map[string]int, len(names))
	for i, name := range names {
		at[name] = i
		add(unit{name: name, seeds: seeds[i], terms: []unitTerm{{i, column, 1}}})
	}
	if err := checkComposites(names, composites); err != nil {
		return nil, err
	}
	for _, c := range composites {
		u := unit{name: c.Name, composite: true}
		for _, t := range c.Terms {
			k := at[t.Arm]
			u.terms = append(u.terms, unitTerm{k, units[k].first, t.Weight})
			if u.seeds == nil || mayDiffer && len(seeds[k]) < len(u.seeds) {
				u.seeds = seeds[k]
			}
		}
		for _, t := range u.terms {
			arm := units[t.arm]
			if mayDiffer {
				arm.seeds = arm.seeds[:len(u.seeds)]
			}
			if err := sameSeeds(c, arm, u.seeds); err != nil {
				return nil, err
			}
		}
		add(u)
	}
	return units, nil
}

// unitsOf is newUnits for arms with runs.
func unitsOf(arms []Arm, composites []Composite, mayDiffer bool) ([]unit, error) {
	names, seeds := make([]string, len(arms)), make([][]int64, len(arms))
	for i, a := range arms {
		names[i] = a.Name
		for _, r := range a.Runs {
			seeds[i] = append(seeds[i], r.Seed)
		}
	}
	return newUnits(names, seeds, composites, mayDiffer)
}

// findSides returns the indices of each contrast's units, as {A, B}.
func findSides(units []unit, contrasts []Contrast) ([][2]int, error) {
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = u.name
	}
	pairs, err := findContrasts(names, contrasts)
	if err != nil {
		return nil, err
	}
	for i, p := range pairs {
		if err := checkSides(contrasts[i], units[p[0]], units[p[1]]); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// checkComposites rejects composites that are not weighted sums of these arms.
func checkComposites(arms []string, composites []Composite) error {
	known, taken := map[string]bool{}, map[string]bool{}
	for _, arm := range arms {
		known[arm], taken[arm] = true, true
	}
	for i, c := range composites {
		switch {
		case c.Name == "":
			return fmt.Errorf("stats: composite %d has no name", i+1)
		case taken[c.Name]:
			return fmt.Errorf("stats: the name of composite %q is already used by another arm or composite", c.Name)
		case len(c.Terms) == 0:
			return fmt.Errorf("stats: composite %s has no arms", c.Name)
		}
		taken[c.Name] = true
		terms := map[string]bool{}
		for _, t := range c.Terms {
			switch {
			case !known[t.Arm]:
				return fmt.Errorf("stats: composite %s: no arm %q (arms: %s)", c.Name, t.Arm, strings.Join(arms, ", "))
			case terms[t.Arm]:
				return fmt.Errorf("stats: composite %s has arm %s twice", c.Name, t.Arm)
			case math.IsNaN(t.Weight) || math.IsInf(t.Weight, 0) || t.Weight == 0:
				return fmt.Errorf("stats: composite %s: the weight of arm %s is %v, but must be finite and not 0",
					c.Name, t.Arm, t.Weight)
			}
			terms[t.Arm] = true
		}
	}
	return nil
}

// sameSeeds returns an error if an arm of a composite has other seeds than the
// given ones.
func sameSeeds(c Composite, arm unit, seeds []int64) error {
	first := c.Terms[0].Arm
	for r := range max(len(seeds), len(arm.seeds)) {
		var what string
		switch {
		case r >= len(arm.seeds):
			what = fmt.Sprintf("arm %s has no run of seed %d, but arm %s has", arm.name, seeds[r], first)
		case r >= len(seeds):
			what = fmt.Sprintf("arm %s has no run of seed %d, but arm %s has", first, arm.seeds[r], arm.name)
		case arm.seeds[r] != seeds[r]:
			what = fmt.Sprintf("run %d of arm %s has seed %d, but that of arm %s has seed %d", r+1, arm.name, arm.seeds[r], first, seeds[r])
		default:
			continue
		}
		return fmt.Errorf("stats: composite %s: %s: its arms need the same seeds in the same order", c.Name, what)
	}
	return nil
}

// checkSides rejects a contrast of two units that share an arm. The same runs
// would be on both sides, and neither the tests nor the interval would be valid.
func checkSides(c Contrast, a, b unit) error {
	ofA := make(map[int]bool, len(a.terms))
	for _, t := range a.terms {
		ofA[t.arm] = true
	}
	for _, t := range b.terms {
		if ofA[t.arm] {
			return fmt.Errorf("stats: contrast %s has runs of one arm on both sides: its sides must not share an arm", c)
		}
	}
	return nil
}
