package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/metrics"
)

// worstShown is how many captions of the lowest scores are shown.
const worstShown = 8

// failureSection shows what goes wrong in the captions: how often, arm by arm,
// and the captions that score lowest.
func (r *result) failureSection() section {
	s := section{Name: "failures", Title: "What goes wrong"}
	t := r.faultTable()
	s.add(part{Table: &t})
	if a, samples := r.worst(); len(samples) > 0 {
		s.add(part{Fold: fmt.Sprintf("The %d lowest-scoring captions of %s; ties: most confident first", len(samples), a.Label), Samples: samples})
	}
	return s
}

// A fault is something wrong with a caption that can be told from what is
// stored.
type fault struct {
	name string
	is   func(words []string, c *store.Caption) bool
}

// faults are those that the table shows, in its order.
var faults = []fault{
	{"Word twice in a row", func(words []string, _ *store.Caption) bool {
		return slices.ContainsFunc(pairs(words), func(p [2]string) bool { return p[0] == p[1] })
	}},
	{"Same pair of words twice", func(words []string, _ *store.Caption) bool {
		seen := map[[2]string]bool{}
		return slices.ContainsFunc(pairs(words), func(p [2]string) bool {
			again := seen[p]
			seen[p] = true
			return again
		})
	}},
	{"No word of a reference", func(_ []string, c *store.Caption) bool { return c.Scored && c.Score.Match[0] == 0 }},
	{"No pair of words of a reference", func(_ []string, c *store.Caption) bool { return c.Scored && c.Score.Match[1] == 0 }},
	{"Empty", func(words []string, _ *store.Caption) bool { return len(words) == 0 }},
}

// pairs are the neighbouring words.
func pairs(words []string) [][2]string {
	var list [][2]string
	for i := 1; i < len(words); i++ {
		list = append(list, [2]string{words[i-1], words[i]})
	}
	return list
}

// faultTable has a line for each arm with the share of captions that have each
// fault, over all finished seeds, and how varied the captions are.
func (r *result) faultTable() table {
	t := table{
		Name: "fault-table",
		Caption: fmt.Sprintf("Share of the captions of the %s split, over all finished seeds. Distinct: different captions; copied: captions found in the training split; vocabulary: number of different words in a run.",
			r.Primary.Split),
		Columns: []column{{Name: "Arm"}},
	}
	for _, f := range faults {
		t.Columns = append(t.Columns, column{Name: f.name, Numeric: true})
	}
	t.Columns = append(t.Columns, column{Name: "Most common caption", Numeric: true})
	arms, _ := r.drawn()
	arms = slices.DeleteFunc(slices.Clone(arms), func(a *arm) bool { return a.captions() == 0 })
	for _, a := range arms {
		t.Rows = append(t.Rows, a.faultRow())
	}
	for _, key := range []string{"distinct", "copied", "vocabulary"} { // the caption says what they are
		m := metricOf(r.Primary.Split, key)
		t.extend(metrics.Title(key), arms, func(a *arm) string {
			mean, _ := meanSD(a.values(m))
			switch {
			case !finite(mean):
				return ""
			case m.scale() == 1:
				return fixed(mean, 0)
			}
			return percent1(mean / m.scale())
		})
	}
	return t
}

// captions is the number of the arm's captions of the primary split.
func (a *arm) captions() int {
	n := 0
	for _, run := range a.Runs {
		n += len(run.captions())
	}
	return n
}

func (a *arm) faultRow() []cell {
	found := make([]int, len(faults))
	common := 0
	for _, run := range a.Runs {
		times := map[string]int{}
		most := 0
		captions := run.captions()
		for i := range captions {
			c := &captions[i]
			words := strings.Fields(c.Words)
			for k, f := range faults {
				if f.is(words, c) {
					found[k]++
				}
			}
			times[c.Words]++
			most = max(most, times[c.Words])
		}
		common += most
	}
	row := []cell{a.cell()}
	all := a.captions()
	for _, n := range append(found, common) {
		row = append(row, cell{Text: percent1(float64(n) / float64(all))})
	}
	return row
}

// worst are the images on which the arm that the question is about scores
// lowest in its typical seed, with what the other arms say of them.
func (r *result) worst() (*arm, []sample) {
	var a *arm
	if c := r.headline(); c != nil && !c.interacts() {
		a = c.B
	} else if arms, _ := r.drawn(); len(arms) > 0 {
		a = slices.MaxFunc(arms, func(x, y *arm) int { return cmp.Compare(x.Mean, y.Mean) })
	}
	if a == nil {
		return nil, nil
	}
	typical := a.typical(r.Primary)
	if typical == nil {
		return nil, nil
	}
	type scored struct {
		image  string
		points float64
		likely float64
	}
	var list []scored
	captions := typical.captions()
	for i := range captions {
		c := &captions[i]
		if v, ok := imagePoints(r.Primary.Key, &c.Score); ok && c.Scored && finite(v) {
			list = append(list, scored{c.Image, v, c.LogProb})
		}
	}
	// Among captions of equal score, those that the model was surest of.
	slices.SortFunc(list, func(x, y scored) int {
		return cmp.Or(cmp.Compare(x.points, y.points), cmp.Compare(y.likely, x.likely), cmp.Compare(x.image, y.image))
	})
	var images []string
	for _, s := range list[:min(len(list), worstShown)] {
		images = append(images, s.image)
	}
	return a, r.samplesOf(images)
}
