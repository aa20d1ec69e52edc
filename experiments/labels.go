package experiments

import (
	"maps"
	"slices"
	"strings"
)

// usualLabel is the label of a cell that has only usual values.
const usualLabel = "usual settings"

// Labels returns what distinguishes each trial of a plan from the others, apart from its seed:
// trial id → label of its cell.
func (s *Study) Labels(trials []Trial) map[string]string {
	labels := map[string]string{}
	for _, c := range s.Declare(trials).Cells() {
		for _, id := range c.Trials {
			labels[id] = c.Label
		}
	}
	return labels
}

// label sets the labels of the cells, in the shortest form in which no two are equal.
func (g *design) label() {
	paths := map[string]bool{}
	for _, c := range g.cells {
		for path := range c.Swept {
			paths[path] = true
		}
	}
	g.short = ShortNames(slices.Sorted(maps.Keys(paths)))
	form := g.labelOfSettings()
	if g.Compare.Compares() {
		form = g.labelOfArm
	}
	seen := map[string]bool{}
	for i := range g.cells {
		g.cells[i].Label = form(&g.cells[i])
		seen[g.cells[i].Label] = true
	}
	if len(seen) < len(g.cells) { // values may contain spaces and =
		for i := range g.cells {
			g.cells[i].Label = g.cells[i].Name
		}
	}
}

// labelOfArm returns the arm, and the factors that vary in it.
func (g *design) labelOfArm(c *Cell) string {
	label := c.Arm
	for _, path := range g.factors {
		if slices.ContainsFunc(g.of[c.Arm], func(i int) bool { return g.cells[i].Level[path] != c.Level[path] }) {
			label += " " + g.short[path] + "=" + c.Level[path]
		}
	}
	return label
}

// labelOfSettings labels the cells of a study without arms by their differences. It leaves out
// usual values, which more than half of the cells have, unless nothing else differs.
func (g *design) labelOfSettings() func(*Cell) string {
	counts := map[string]map[string]int{} // path → value → cells
	for _, c := range g.cells {
		for path, text := range c.Swept {
			if counts[path] == nil {
				counts[path] = map[string]int{}
			}
			counts[path][text]++
		}
	}
	varying := maps.Clone(counts)
	maps.DeleteFunc(varying, func(_ string, values map[string]int) bool { return len(values) < 2 })
	if len(g.cells) == 1 { // the only cell: its full label, which may be empty
		varying = counts
	}
	return func(c *Cell) string {
		var parts []string
		for _, path := range slices.Sorted(maps.Keys(varying)) {
			text := c.Swept[path]
			if len(varying) == 1 || len(g.cells) == 1 || 2*varying[path][text] <= len(g.cells) {
				parts = append(parts, g.short[path]+"="+text)
			}
		}
		switch {
		case len(parts) > 0:
			return strings.Join(parts, " ")
		case len(g.cells) == 1:
			return c.Arm
		}
		return usualLabel
	}
}

// levelLabel returns the level of a cell, without one factor, by short names.
func (g *design) levelLabel(c *Cell, but string) string {
	var parts []string
	for _, path := range g.besides(but) {
		parts = append(parts, g.short[path]+"="+c.Level[path])
	}
	return strings.Join(parts, " ")
}

// ShortNames maps each path to its shortest unique suffix: model.dropout to dropout. A path that
// ends in name is shortened to what precedes it: train.optimizer.name to optimizer. It avoids
// seed, which means the seed of a trial.
func ShortNames(paths []string) map[string]string {
	short := map[string]string{}
	for _, path := range paths {
		parts := strings.Split(strings.TrimSuffix(path, ".name"), ".")
		short[path] = path
		for n := 1; n <= len(parts); n++ {
			end := strings.Join(parts[len(parts)-n:], ".")
			shared := slices.ContainsFunc(paths, func(other string) bool {
				other, mine := strings.TrimSuffix(other, ".name"), other == path
				return !mine && (other == end || strings.HasSuffix(other, "."+end))
			})
			if !shared && end != "seed" {
				short[path] = end
				break
			}
		}
	}
	return short
}
