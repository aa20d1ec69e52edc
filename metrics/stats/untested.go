package stats

import (
	"fmt"
	"slices"
	"strings"
)

// fewestReplicates is the number of runs of an arm, or replicates of a composite,
// below which the variance over seeds cannot be estimated.
const fewestReplicates = 2

// reason returns why the first nA and nB replicates of units A and B cannot be
// tested, or "" if they can. Apart from the means, all numbers of an untested
// contrast would be meaningless but look like results.
func (c *comparison) reason(a, b unit, nA, nB int) string {
	var few []string
	if nB < fewestReplicates {
		few = append(few, "one seed in "+b.String())
	}
	if nA < fewestReplicates {
		few = append(few, "one seed in "+a.String())
	}
	if few != nil {
		return strings.Join(few, "; ")
	}
	if c.same(a, b, nA, nB) {
		return fmt.Sprintf("%s and %s gave the same statistics for every image with each seed: "+
			"the setting changed nothing", b, a)
	}
	if why := c.seedless(b, nB); why != "" {
		return why
	}
	return c.seedless(a, nA)
}

// seedless returns a reason if the seed changed nothing in an arm of a unit, so
// that its n runs count as one, and otherwise "".
func (c *comparison) seedless(u unit, n int) string {
	for _, t := range u.terms {
		a := c.arms[t.arm]
		if !slices.ContainsFunc(a.Runs[1:n], func(r Run) bool { return !r.same(a.Runs[0]) }) {
			return fmt.Sprintf("the %d seeds of arm %s gave the same statistics for every image: "+
				"the seed changed nothing, so there are no replicates", n, a.Name)
		}
	}
	return ""
}

// same reports whether the arms of two units gave the same statistics for every
// seed that both have, provided that there are at least two such seeds.
func (c *comparison) same(a, b unit, nA, nB int) bool {
	if len(a.terms) != len(b.terms) {
		return false
	}
	for i, t := range a.terms {
		if t.weight != b.terms[i].weight {
			return false
		}
		common := 0
		for _, r := range c.arms[t.arm].Runs[:nA] {
			for _, q := range c.arms[b.terms[i].arm].Runs[:nB] {
				switch {
				case r.Seed != q.Seed:
				case !r.same(q):
					return false
				default:
					common++
				}
			}
		}
		if common < fewestReplicates {
			return false
		}
	}
	return true
}
