package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"glimpse/metrics"
	"glimpse/results"
)

// ensembleSection shows what the seeds of each arm caption together, apart from the arms: it has no spread over seeds.
func (r *result) ensembleSection() section {
	s := section{Name: "ensembles", Title: "All seeds together"}
	if len(r.Ensembles) == 0 {
		return s
	}
	best := r.Ensembles[0]
	gains := 0
	for _, e := range r.Ensembles {
		if score := e.Metrics[r.Primary.Key]; score > e.Mean {
			gains++
		}
		if e.Metrics[r.Primary.Key] > best.Metrics[r.Primary.Key] {
			best = e
		}
	}
	score := fmt.Sprintf("%s points of %s, %s", fixed(100*best.Metrics[r.Primary.Key], 1), r.Primary.name(),
		moreText(best.Metrics[r.Primary.Key]-best.Mean))
	switch {
	case !finite(best.Mean): // a seed was deleted since
	case len(r.Ensembles) == 1:
		s.Finding = fmt.Sprintf("Together, the seeds of %s score %s than the mean of its single seeds.", best.Label, score)
	default:
		s.Finding = fmt.Sprintf("Together, the seeds of %s score highest: %s than the mean of its single seeds. "+
			"Ensembles score higher than single seeds in %d of %d arms.", best.Label, score, gains, len(r.Ensembles))
	}
	t := r.ensembleTable()
	s.add(part{Table: &t})
	s.add(part{Text: "Here each arm is one captioner: at each step of the beam search, the probability of a word is the mean over the " +
		"seeds. So there is no spread over seeds and no test; the interval covers other images only."})
	var stale []string
	for _, e := range r.Ensembles {
		if e.Stale {
			stale = append(stale, e.Label)
		}
	}
	if len(stale) > 0 {
		s.add(part{Notes: []string{"Stale, since other seeds are completed now: " + strings.Join(stale, ", ") + ". `glimpse run` remakes them."}})
	}
	return s
}

// moreText says how many points more, or fewer.
func moreText(difference float64) string {
	if difference < 0 {
		return fixed(-100*difference, 1) + " fewer"
	}
	return fixed(100*difference, 1) + " more"
}

// ensembleTable has a line for each ensemble.
func (r *result) ensembleTable() table {
	t := table{
		Name: "ensemble-table",
		Caption: fmt.Sprintf("Scores of all seeds of an arm together on the %s split, in points (×100), and the %s interval of %s over images only.",
			r.Primary.Split, r.Level, metrics.Title(r.Primary.Key)),
		Columns: []column{{Name: "Arm"}, {Name: "Seeds", Numeric: true}},
	}
	measured := r.shownMetrics()
	for _, m := range measured {
		t.Columns = append(t.Columns, column{Name: metrics.Title(m.Key), Numeric: true, Primary: m == r.Primary})
	}
	t.Columns = append(t.Columns, column{Name: "Over images", Numeric: true}, column{Name: "Mean of the seeds", Numeric: true})
	for _, e := range r.Ensembles {
		row := []cell{r.ensembleCell(e), {Text: fmt.Sprint(len(e.Members))}}
		for _, m := range measured {
			text := "–"
			if v, has := e.Metrics[m.Key]; has && finite(v) {
				text = fixed(m.scale()*v, 1)
			}
			row = append(row, cell{Text: text})
		}
		t.Rows = append(t.Rows, append(row, cell{Text: interval(100*e.Low, 100*e.High, 1)}, cell{Text: meanText(100*e.Mean, math.NaN())}))
	}
	return t
}

// ensembleCell names an ensemble as its arm, where the arm is shown.
func (r *result) ensembleCell(e *results.Ensemble) cell {
	if a := r.byName[e.Cell]; a != nil {
		return a.cell()
	}
	return cell{Text: e.Label}
}

// ensemblesCSV has a line for each ensemble and metric, as fractions of 1.
func (r *result) ensemblesCSV() file {
	head := []string{"arm", "split", "metric", "seeds", "score", "interval_low", "interval_high", "runs", "stale"}
	return csvFile(head, func(add func(...string)) {
		for _, e := range r.Ensembles {
			for _, m := range r.shownMetrics() {
				v, has := e.Metrics[m.Key]
				low, high := "", ""
				if m == r.Primary {
					low, high = derived(e.Low), derived(e.High)
				}
				add(e.Cell, e.Split, m.Key, strconv.Itoa(len(e.Members)), storedIf(v, has), low, high,
					strings.Join(e.Members, " "), strconv.FormatBool(e.Stale))
			}
		}
	})
}
