package reports

import (
	"fmt"

	"glimpse/metrics"
	"glimpse/metrics/stats"
)

// contrastSection is the table of the declared contrasts with how its numbers
// were made.
func (r *result) contrastSection() section {
	s := section{Name: "contrasts", Title: "Contrasts"}
	if len(r.Contrasts) == 0 {
		return s
	}
	t := r.contrastTable()
	s.add(part{Table: &t})
	s.add(part{Fold: "How these numbers were made", Notes: r.methods()})
	return s
}

// contrastTable has a line for each declared contrast.
func (r *result) contrastTable() table {
	t := table{
		Name: "contrast-table",
		Caption: fmt.Sprintf("Declared contrasts in %s: differences of the means, in points (×100).",
			r.Primary.name()),
		Columns: []column{{Name: "Contrast"}, {Name: "Seeds", Numeric: true}, {Name: "Difference", Numeric: true}, {Name: r.Level + " interval", Numeric: true},
			{Name: "p", Numeric: true}, {Name: "p (Holm)", Numeric: true}, {Name: "P(better)", Numeric: true}, {Name: "Detectable", Numeric: true}, {Name: "Verdict"}},
	}
	for _, c := range r.Contrasts {
		row := []cell{{Text: c.name()}, {Text: fmt.Sprintf("%d, %d", len(c.B.Scores), len(c.A.Scores))},
			{Text: "–"}, {Text: interval(c.Low, c.High, 2)}, {Text: "–"}, {Text: "–"}, {Text: "–"}, {Text: "–"}, {Text: "no answer yet"}}
		if finite(c.Difference) {
			row[2].Text = signed(c.Difference, 2)
		}
		if c.Verdict != "" {
			row[4].Text, row[5].Text, row[6].Text = pNumber(c.Result.P), pNumber(c.Result.PHolm), fixed(c.Result.PBetter, 2)
			if d := c.Result.DetectableEffect; d != nil {
				row[7].Text = fixed(*d, 2)
			}
			row[8] = cell{Text: string(c.Verdict), Class: verdictClass(c.Verdict)}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func verdictClass(v stats.Verdict) string {
	if v == stats.Supported || v == stats.Opposite {
		return string(v)
	}
	return "open"
}

// methods say how intervals, p-values and verdicts came about.
func (r *result) methods() []string {
	if r.Analysis == nil {
		return nil
	}
	m := r.Analysis.Methods
	return []string{
		"Interval: " + m.Interval + ".",
		"p: " + m.Test + "; " + m.Adjustment + ".",
		"P(better): the share of pairs of runs, one of each arm, in which the first arm’s is the better one, ties counting half.",
		"Detectable: the smallest true difference, in points, that this study would find in " + number(100*r.Analysis.Options.Power) + " % of cases; " + m.Detectable + ".",
		"Supported: the interval excludes 0, Holm’s p is below α, and the difference reaches the declared minimum. Opposite: the same with the sign turned round.",
		"Assumed: " + m.Assumption + ". Metric definitions: version " + metrics.Version + ".",
	}
}
