package results

import (
	"glimpse/experiments"
	"glimpse/metrics/stats"
)

// design is what goes into the statistics.
type design struct {
	arms       []stats.Arm
	composites []stats.Composite
	contrasts  []stats.Contrast
	at         map[string]int  // arm → its place
	composed   map[string]bool // names of composites
}

func newDesign() *design { return &design{at: map[string]int{}, composed: map[string]bool{}} }

func (in *design) add(arm stats.Arm) {
	if _, known := in.at[arm.Name]; !known {
		in.at[arm.Name] = len(in.arms)
	}
	in.arms = append(in.arms, arm)
}

// side gives the name of an arm or composite that stands for a side of a
// contrast, and whether all its cells have runs. Cells of a composite are held to
// the seeds that all of them have.
func (in *design) side(s experiments.Side) (name string, ok bool) {
	var cells []stats.Arm
	for _, t := range s.Terms {
		at, known := in.at[t.Cell]
		if !known {
			return "", false
		}
		cells = append(cells, in.arms[at])
	}
	if len(cells) == 1 && s.Terms[0].Weight == 1 {
		return cells[0].Name, true
	}
	if in.composed[s.Name] {
		return s.Name, true
	}
	composite := stats.Composite{Name: s.Name}
	having := map[int64]int{} // seed → cells
	for _, cell := range cells {
		for _, r := range cell.Runs {
			having[r.Seed]++
		}
	}
	for i, cell := range cells {
		shared := stats.Arm{Name: cell.Name}
		for _, r := range cell.Runs {
			if having[r.Seed] == len(cells) {
				shared.Runs = append(shared.Runs, r)
			}
		}
		if len(shared.Runs) == 0 {
			return "", false
		}
		if len(shared.Runs) < len(cell.Runs) {
			shared.Name = cell.Name + " in " + s.Name
			in.add(shared)
		}
		composite.Terms = append(composite.Terms, stats.Term{Arm: shared.Name, Weight: s.Terms[i].Weight})
	}
	in.composites = append(in.composites, composite)
	in.composed[s.Name] = true
	return s.Name, true
}
