package experiments

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Cell is a group of trials that differ only in their seed.
type Cell struct {
	Name   string            // the arm and the other swept values, by full paths; unique
	Label  string            // only what differs, for display; unique
	Arm    string            // as in Trial
	Level  map[string]string // path → value of the swept keys that vary within an arm
	Swept  map[string]string // path → value of all swept keys, as in Trial
	Trials []string          // ids, in the order of the seeds
}

// A Contrast is the difference B − A.
type Contrast struct {
	// Kind is pair if the arms have one cell each, average over the cells of two arms, level for
	// one cell of each, or interaction for the difference between two arms in the effect of a
	// factor.
	Kind  string
	B, A  Side
	Label string // for display, such as soft − none at dropout=0.3
}

// A Side is a weighted sum of cells. Its weights sum to 0 in an interaction, and to 1 otherwise.
type Side struct {
	Name  string // unique over arms, cells and sides of the study: equal names mean equal sums
	Label string
	Arm   string
	Terms []Term
}

// A Term is one cell, by its name, with its weight.
type Term struct {
	Cell   string
	Weight float64
}

// Cells groups the trials that differ only in their seed, in the order of the plan.
func (d Declaration) Cells() []Cell { return d.design().cells }

// Contrasts lists the contrasts of the study. First come the declared pairs, each once or once
// per level; then the interactions, one for each arm except the baseline and each value of the
// factor except the first.
func (d Declaration) Contrasts() []Contrast {
	g := d.design()
	var all []Contrast
	for _, pair := range d.Compare.Contrasts {
		all = append(all, g.pair(pair)...)
	}
	for _, pair := range d.Compare.Interactions {
		all = append(all, g.interaction(pair)...)
	}
	return all
}

// A design is a declaration with its cells.
type design struct {
	Declaration
	cells   []Cell
	factors []string         // paths that vary within an arm, sorted
	of      map[string][]int // arm → its cells
	arms    []string         // in the order of the plan
	at      map[string]int   // arm and level → its cell
	short   map[string]string
	others  map[string][]string // factor → the other factors; cached
}

// design groups the trials.
func (d Declaration) design() *design {
	g := &design{Declaration: d, of: map[string][]int{}, at: map[string]int{}, others: map[string][]string{}}
	index, rank := map[string]int{}, map[string]int{} // cell → index, trial → rank of its seed
	ofArms := d.Compare.ArmPaths()
	for _, t := range d.Trials {
		name := d.cellName(t, ofArms)
		i, known := index[name]
		if !known {
			i = len(g.cells)
			index[name] = i
			g.cells = append(g.cells, Cell{Name: name, Arm: t.Arm, Level: map[string]string{}, Swept: t.Swept})
			if g.of[t.Arm] == nil {
				g.arms = append(g.arms, t.Arm)
			}
			g.of[t.Arm] = append(g.of[t.Arm], i)
		}
		g.cells[i].Trials = append(g.cells[i].Trials, t.ID)
		rank[t.ID] = slices.Index(d.Seeds, t.Seed)
	}
	g.findFactors()
	for i := range g.cells {
		c := &g.cells[i]
		slices.SortStableFunc(c.Trials, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
		for _, path := range g.factors {
			c.Level[path] = c.Swept[path]
		}
		g.at[c.Arm+"\x00"+g.level(c, "")] = i
	}
	g.label()
	return g
}

// cellName returns the name of a trial's cell: the arm, followed by the swept values of paths in
// which the arms do not differ.
func (d Declaration) cellName(t DeclaredTrial, ofArms []string) string {
	if !d.Compare.Compares() {
		return t.Arm // it consists of all swept values
	}
	name := t.Arm
	for _, path := range slices.Sorted(maps.Keys(t.Swept)) {
		if !slices.Contains(ofArms, path) {
			name += " " + path + "=" + t.Swept[path]
		}
	}
	return name
}

// findFactors finds the swept paths that vary within an arm.
func (g *design) findFactors() {
	if !g.Compare.Compares() {
		return
	}
	ofArms, varying := g.Compare.ArmPaths(), map[string]bool{}
	for _, cells := range g.of {
		for _, i := range cells {
			for path, text := range g.cells[i].Swept {
				if text != g.cells[cells[0]].Swept[path] && !slices.Contains(ofArms, path) {
					varying[path] = true
				}
			}
		}
	}
	g.factors = slices.Sorted(maps.Keys(varying))
}

// level identifies the level of a cell, ignoring one factor.
func (g *design) level(c *Cell, but string) string {
	var parts []string
	for _, path := range g.besides(but) {
		parts = append(parts, c.Level[path])
	}
	return strings.Join(parts, "\x00")
}

// besides returns the factors except one, and except those that zip pairs with it value for
// value, since they belong to it.
func (g *design) besides(factor string) []string {
	if factor == "" {
		return g.factors
	}
	others, known := g.others[factor]
	if !known {
		for _, path := range g.factors {
			if path != factor && !(g.follows(path, factor) && g.follows(factor, path)) {
				others = append(others, path)
			}
		}
		g.others[factor] = others
	}
	return others
}

// follows reports whether each value of a factor occurs with only one value of path.
func (g *design) follows(path, factor string) bool {
	with := map[string]string{}
	for i := range g.cells {
		value, level := g.cells[i].Level[factor], g.cells[i].Level[path]
		if earlier, known := with[value]; known && earlier != level {
			return false
		}
		with[value] = level
	}
	return true
}

// pair returns the contrasts of two declared arms; none if they have no level in common.
func (g *design) pair(pair [2]string) []Contrast {
	var bs, as []*Cell // at the same levels
	for _, i := range g.of[pair[0]] {
		if a, known := g.at[pair[1]+"\x00"+g.level(&g.cells[i], "")]; known {
			bs, as = append(bs, &g.cells[i]), append(as, &g.cells[a])
		}
	}
	var all []Contrast
	switch {
	case len(bs) == 0:
	case len(g.factors) == 0:
		all = append(all, Contrast{Kind: "pair", B: single(bs[0]), A: single(as[0])})
	case g.Compare.Factors == "each":
		for i := range bs {
			level := " at " + g.levelLabel(bs[i], "")
			all = append(all, Contrast{
				Kind: "level", B: single(bs[i]), A: single(as[i]), Label: pair[0] + " − " + pair[1] + level,
			})
		}
	default:
		all = append(all, Contrast{Kind: "average", B: g.mean(pair[0], bs), A: g.mean(pair[1], as)})
	}
	for i := range all {
		if all[i].Label == "" {
			all[i].Label = all[i].B.Label + " − " + all[i].A.Label
		}
	}
	return all
}

// single returns a side with one cell.
func single(c *Cell) Side {
	return Side{Name: c.Name, Label: c.Label, Arm: c.Arm, Terms: []Term{{c.Name, 1}}}
}

// mean returns a side with the mean of an arm's cells, named after the arm if they are all its
// cells.
func (g *design) mean(arm string, cells []*Cell) Side {
	if len(cells) == 1 && len(g.of[arm]) > 1 {
		return single(cells[0])
	}
	side := Side{Name: arm, Label: arm, Arm: arm}
	var levels, labels []string
	for _, c := range cells {
		side.Terms = append(side.Terms, Term{c.Name, 1 / float64(len(cells))})
		levels, labels = append(levels, strings.TrimPrefix(c.Name, arm+" ")), append(labels, g.levelLabel(c, ""))
	}
	if len(cells) < len(g.of[arm]) {
		side.Name += " (" + strings.Join(levels, "; ") + ")"
		side.Label += " (" + strings.Join(labels, "; ") + ")"
	}
	return side
}

// interaction returns the contrasts of an interaction with a factor; none unless an arm other
// than the baseline has two of its values at which the baseline has cells too.
func (g *design) interaction(pair [2]string) []Contrast {
	factor := pair[1]
	values := g.values(factor)
	baseline := g.byValue(g.Compare.Baseline, factor)
	var all []Contrast
	for _, arm := range g.arms {
		cells := g.byValue(arm, factor)
		for i, value := range values {
			if arm == g.Compare.Baseline || i == 0 {
				continue
			}
			b, a := g.steps(cells, factor, values[0], value), g.steps(baseline, factor, values[0], value)
			var both []string // levels of the other factors
			for _, c := range cells[value] {
				if rest := g.level(c, factor); b[rest] != nil && a[rest] != nil {
					both = append(both, rest)
				}
			}
			if len(both) == 0 {
				continue
			}
			all = append(all, Contrast{
				Kind: "interaction", B: g.change(arm, factor, b, both), A: g.change(g.Compare.Baseline, factor, a, both),
				Label: fmt.Sprintf("(%s − %s) at %s=%s less at %s", arm, g.Compare.Baseline, g.short[factor], value, values[0]),
			})
		}
	}
	return all
}

// values returns the values of a factor, in the order of the sweep.
func (g *design) values(factor string) []string {
	if a := g.Sweep.axis(factor); a != nil {
		return distinct(a.Values)
	}
	return nil
}

// byValue groups the cells of an arm by the value of a factor.
func (g *design) byValue(arm, factor string) map[string][]*Cell {
	cells := map[string][]*Cell{}
	for _, i := range g.of[arm] {
		value := g.cells[i].Level[factor]
		cells[value] = append(cells[value], &g.cells[i])
	}
	return cells
}

// steps finds the cells of an arm at two values of a factor, by the level of the other factors.
func (g *design) steps(cells map[string][]*Cell, factor, from, to string) map[string]*[2]*Cell {
	found := map[string]*[2]*Cell{}
	for _, c := range cells[from] {
		found[g.level(c, factor)] = &[2]*Cell{c, nil}
	}
	for _, c := range cells[to] {
		if pair := found[g.level(c, factor)]; pair != nil {
			pair[1] = c
		}
	}
	maps.DeleteFunc(found, func(_ string, pair *[2]*Cell) bool { return pair[1] == nil })
	return found
}

// change returns a side of an interaction: the effect of a factor on an arm, averaged over some
// levels of the other factors.
func (g *design) change(arm, factor string, steps map[string]*[2]*Cell, levels []string) Side {
	side := Side{Arm: arm}
	var among []string
	weight := 1 / float64(len(levels))
	for _, rest := range levels {
		from, to := steps[rest][0], steps[rest][1]
		side.Terms = append(side.Terms, Term{to.Name, weight}, Term{from.Name, -weight})
		among = append(among, g.levelLabel(from, factor))
		side.Name = fmt.Sprintf("%s: %s=%s − %s", arm, factor, to.Level[factor], from.Level[factor])
		side.Label = fmt.Sprintf("%s, %s %s − %s", arm, g.short[factor], to.Level[factor], from.Level[factor])
	}
	if len(levels) < len(steps) {
		side.Name += " (" + strings.Join(among, "; ") + ")"
		side.Label += " (" + strings.Join(among, "; ") + ")"
	}
	return side
}
