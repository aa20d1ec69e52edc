package reports

import (
	"fmt"

	"glimpse/experiments"
	"glimpse/internal/term"
	"glimpse/metrics/stats"
	"glimpse/results"
)

// amendmentSection shows what was declared after scores were known, apart from
// the answer.
func (r *result) amendmentSection() section {
	s := section{Name: "amendments", Title: "Exploratory, declared after scoring"}
	for _, a := range r.Amended {
		d := a.Declaration
		text := fmt.Sprintf("Amendment %d, declared on %s (UTC), after the first of these scores were known. Reason: %s.",
			d.Number, day(d.Declared), d.Reason)
		if differences := r.Study.Declared.Differences(d.Declaration); len(differences) > 0 {
			text += " It differs from the first declaration: " + term.Enumerate(few(differences, 6)) + "."
		}
		s.add(part{Text: text})
		if len(a.Contrasts) > 0 {
			t := r.amendmentTable(a)
			s.add(part{Table: &t})
		}
		s.add(part{Notes: a.Remarks})
	}
	return s
}

// amendmentTable has a line for each contrast of an amendment. It has no verdict:
// whoever knows the scores can choose what to ask of them.
func (r *result) amendmentTable(a *results.Analysis) table {
	m := metric{a.Primary}
	t := table{
		Name: fmt.Sprintf("amendment-%d-table", a.Declaration.Number),
		Caption: fmt.Sprintf("Contrasts of amendment %d in %s, in points (×100). Exploratory: these results confirm nothing.",
			a.Declaration.Number, m.name()),
		Columns: []column{{Name: "Contrast"}, {Name: "Seeds", Numeric: true}, {Name: "Difference", Numeric: true},
			{Name: "Interval", Numeric: true}, {Name: "p (Holm)", Numeric: true}, {Name: "Standing"}},
	}
	for _, c := range a.Contrasts {
		row := []cell{{Text: c.Label}, {Text: "–"}, {Text: "–"}, {Text: "–"}, {Text: "–"}, {Text: "no answer yet"}}
		if c.Verdict != "" {
			row = []cell{{Text: c.Label}, {Text: fmt.Sprintf("%d, %d", c.Result.NB, c.Result.NA)},
				{Text: signed(100*c.Result.Difference, 2)}, {Text: interval(100*c.Result.Low, 100*c.Result.High, 2)},
				{Text: pNumber(c.Result.PHolm)}, {Text: "exploratory"}}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// declarationFacts say when the study was declared, and give the hash that
// identifies the declaration.
func (r *result) declarationFacts() []fact {
	d := r.Study.Declared
	facts := []fact{{Name: "declaration sha256", Values: []string{d.SHA256}, Code: true}}
	switch {
	case !d.Compare.Compares():
		return nil
	case !d.Recorded:
		facts = append(facts, fact{Name: "declared", Values: []string{
			day(d.Declared) + " (UTC); inferred, since older databases recorded no declarations",
		}})
	default:
		facts = append(facts, fact{Name: "declared", Values: []string{day(d.Declared) + " (UTC)"}})
	}
	if !d.Frozen.IsZero() {
		facts = append(facts, fact{Name: "first scored", Values: []string{day(d.Frozen) + " (UTC)"}})
	}
	if d.Commit != "" {
		facts = append(facts, fact{Name: "declared at commit", Values: []string{d.Commit}, Code: true})
	}
	if stop := d.Compare.Stop; stop.Active() {
		facts = append(facts, fact{Name: "stopping rule", Values: []string{stopText(stop)}})
	}
	return facts
}

// stopText is the stopping rule in words.
func stopText(s experiments.Stop) string {
	text := "looks at " + term.Enumerate(wholeNumbers(s.Looks)) + " seeds per arm, " + stats.SpendingTitle(s.Spending) + " spending"
	if s.Futility > 0 {
		text += ", futility below a conditional power of " + number(s.Futility)
	}
	return text
}

func wholeNumbers(list []int) []string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = fmt.Sprint(n)
	}
	return texts
}
