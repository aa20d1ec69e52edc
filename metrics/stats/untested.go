package stats

import (
	"fmt"
	"slices"
	"strings"
)

// fewestReplicates is the number of runs of an arm, or replicates of a
// composite, below which nothing is known of other seeds.
const fewestReplicates = 2

// reason says why the first n replicates of each of two units, A and B, cannot
// be tested; "" if they can. All numbers of such a contrast but the means would
// look like findings and be none.
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

// seedless says so where the seed changed nothing in an arm of a unit, so that
// its n runs are one.
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

// same reports whether the arms of two units gave the same statistics with every seed that both
// have, of which there are several.
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
