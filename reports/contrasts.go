package reports

import (
	"fmt"
	"strconv"

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
	if looks := r.lookTable(); len(looks.Rows) > 0 {
		s.add(part{Table: &looks})
	}
	s.add(part{Fold: "How these numbers were computed", Notes: r.methods()})
	return s
}

// contrastTable has a line for each declared contrast.
func (r *result) contrastTable() table {
	t := table{
		Name: "contrast-table",
		Caption: fmt.Sprintf("Declared contrasts in %s: differences of the means, in points (×100). "+
			"Two Holm-adjusted tests must agree: p permutes the seeds and is conditional on these images; "+
			"the interval’s p also allows for other images.", r.Primary.name()),
		Columns: []column{{Name: "Contrast"}, {Name: "Seeds", Numeric: true}, {Name: "Difference", Numeric: true},
			{Name: r.Level + " interval", Numeric: true}, {Name: "p", Numeric: true}, {Name: "p (Holm)", Numeric: true},
			{Name: "interval’s p (Holm)", Numeric: true}, {Name: "P(better)", Numeric: true},
			{Name: "Detectable", Numeric: true}, {Name: "Verdict"}},
	}
	for _, c := range r.Contrasts {
		t.Rows = append(t.Rows, c.row())
	}
	t.limit("contrasts.csv")
	return t
}

// row is the contrast's line of the table: dashes where nothing was tested.
func (c *contrast) row() []cell {
	none := cell{Text: "–"}
	seedsA, seedsB := c.seeds()
	row := []cell{{Text: c.name()}, {Text: fmt.Sprintf("%d, %d", seedsB, seedsA)},
		none, {Text: interval(c.Low, c.High, 2)}, none, none, none, none, none, {Text: "no answer yet"}}
	if finite(c.Difference) {
		row[2].Text = signed(c.Difference, 2)
	}
	if c.Result != nil && c.Result.Untested != "" {
		row[9].Text = "no answer: " + c.Result.Untested
	}
	if c.Verdict == "" {
		return row
	}
	row[4].Text, row[5].Text = pEstimate(c.Result.P, c.Result.PError), pNumber(c.Result.PHolm)
	row[6].Text, row[7].Text = pNumber(c.Result.PIntervalHolm), fixed(c.Result.PBetter, 2)
	if d := c.Result.DetectableEffect; d != nil {
		row[8].Text = fixed(*d, 2)
	}
	word := string(c.Verdict)
	if c.Result.Futile && c.Verdict == stats.Inconclusive {
		word += ", stopped for futility"
	}
	row[9] = cell{Text: word, Class: verdictClass(c.Verdict)}
	return row
}

// pEstimate is a p-value with its Monte-Carlo error, where it was not computed
// over every split of the seeds.
func pEstimate(p, err float64) string {
	if err == 0 || p < 0.001 {
		return pNumber(p)
	}
	return pNumber(p) + "\u00a0±\u00a0" + strconv.FormatFloat(err, 'g', 1, 64)
}

func verdictClass(v stats.Verdict) string {
	switch v {
	case stats.Supported, stats.Opposite, stats.Equivalent:
		return string(v)
	}
	return "open"
}

// lookTable has a line for each look of a sequential study at each contrast.
func (r *result) lookTable() table {
	t := table{
		Name: "look-table",
		Caption: "Looks: each look is tested at its own level, chosen so that the error rate over all looks is at most α. " +
			"A contrast stops at the look that decides it. The intervals hold for all looks together.",
		Columns: []column{{Name: "Contrast"}, {Name: "Seeds per arm", Numeric: true}, {Name: "Level", Numeric: true},
			{Name: "Difference", Numeric: true}, {Name: "Interval", Numeric: true}, {Name: "p of this look", Numeric: true},
			{Name: "interval’s p", Numeric: true}, {Name: "Outcome"}},
	}
	for _, c := range r.Contrasts {
		if c.Result == nil {
			continue
		}
		for _, l := range c.Result.Looks {
			if c.Verdict == stats.Exploratory {
				l.Decision = "" // it decides nothing
			}
			t.Rows = append(t.Rows, []cell{{Text: c.name()}, {Text: fmt.Sprint(l.Seeds)}, {Text: smallNumber(l.Level)},
				{Text: signed(100*l.Difference, 2)}, {Text: interval(100*l.Low, 100*l.High, 2)},
				{Text: smallNumber(l.P)}, {Text: smallNumber(l.PInterval)}, {Text: l.Decision}})
		}
	}
	t.limit("")
	return t
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
		"P(better): share of pairs of runs, one of each arm, in which the first arm’s run is better; ties count half.",
		"Detectable: the smallest true difference, in points, that this study would detect in " + number(100*r.Analysis.Options.Power) + " % of cases; " + m.Detectable + ".",
		"Supported: the interval excludes 0, both tests are below α after Holm, " +
			"and the difference reaches the declared minimum. " +
			"Opposite: the same with the sign reversed. " +
			"Equivalent: two one-sided tests at α place the difference within ± the declared minimum. " +
			"Inconclusive: none of these has been shown.",
		"Assumed: " + m.Assumption + ". Metric definitions: version " + metrics.Version + ".",
	}
}
