package reports

import (
	"fmt"
	"strconv"

	"glimpse/internal/term"
	"glimpse/metrics/audit"
)

// mostAudits is how many audited runs the page shows; audit.csv holds all.
const mostAudits = 3

// auditSection shows what other protocols make of the captions of the runs that
// were audited.
func (r *result) auditSection() section {
	s := section{Name: "audit", Title: "Audit: the same captions under other protocols"}
	audited := r.audited()
	if t := r.reportedTable(); len(t.Rows) > 0 {
		s.add(part{Table: &t})
	}
	for _, run := range audited[:min(len(audited), mostAudits)] {
		t := auditTable(run)
		s.add(part{Table: &t})
	}
	if len(audited) == 0 {
		return s
	}
	var reached, reportable []string
	first := audited[0]
	for _, row := range first.Audit {
		if row.Reaches {
			reached = append(reached, row.Protocol+" ("+row.Split+")")
		}
		if row.Reaches && row.Reportable {
			reportable = append(reportable, row.Protocol)
		}
	}
	s.Finding = fmt.Sprintf("Run %s reaches the claim under %d of %d protocols", first.ID, len(reached), len(first.Audit))
	if len(reached) > 0 {
		s.Finding += ": " + term.Enumerate(few(reached, 8))
	}
	s.Finding += "."
	if len(reached) > 0 && len(reportable) == 0 {
		s.Finding += " None of these may be reported as BLEU."
	}
	if len(audited) > mostAudits {
		s.add(part{Text: fmt.Sprintf("%s more audited: see audit.csv.", count(len(audited)-mostAudits, "run"))})
	}
	return s
}

// audited are the runs with a stored audit, in the order of the arms.
func (r *result) audited() []*run {
	var list []*run
	for _, a := range r.Arms {
		for _, run := range a.Runs {
			if len(run.Audit) > 0 {
				list = append(list, run)
			}
		}
	}
	return list
}

func auditTable(run *run) table {
	claim := run.Audit[0].Claim
	t := table{
		Name: "audit-table-" + run.ID,
		Caption: fmt.Sprintf("Run %s (%s, seed %d), BLEU in points (×100) by protocol; claims on the %s split: BLEU-1 %s, BLEU-2 %s.",
			run.ID, run.Cell.Label, run.Seed, run.Audit[0].Split, fixed(100*claim.BLEU1, 1), fixed(100*claim.BLEU2, 1)),
		Columns: []column{{Name: "Protocol"}, {Name: "Split"}, {Name: "BLEU-1", Numeric: true}, {Name: "BLEU-2", Numeric: true},
			{Name: "BLEU-3", Numeric: true}, {Name: "BLEU-4", Numeric: true}, {Name: "Reaches the claim"}, {Name: "Reportable"}, {Name: "What it does, and why it is reportable or not"}},
	}
	for _, a := range run.Audit {
		row := []cell{{Text: a.Protocol, Code: true}, {Text: a.Split}}
		for _, v := range a.BLEU {
			text := "–"
			if finite(v) {
				text = fixed(100*v, 1)
			}
			row = append(row, cell{Text: text})
		}
		row = append(row, cell{Text: yesNo(a.Reaches)}, cell{Text: yesNo(a.Reportable)}, cell{Text: a.Says + ": " + a.Why, Class: "cause"})
		t.Rows = append(t.Rows, row)
	}
	return t
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func auditCSV(audited []*run) file {
	head := []string{"run", "arm", "seed", "split", "protocol", "images", "bleu1", "bleu2", "bleu3", "bleu4",
		"claim_bleu1", "claim_bleu2", "reaches", "reportable", "says", "source", "why"}
	return csvFile(head, func(add func(...string)) {
		for _, run := range audited {
			for _, a := range run.Audit {
				add(auditLine(run, a)...)
			}
		}
	})
}

func auditLine(run *run, a audit.Row) []string {
	line := []string{run.ID, run.Cell.Name, strconv.FormatInt(run.Seed, 10), a.Split, a.Protocol, strconv.Itoa(a.Images)}
	for _, v := range append(a.BLEU[:], a.Claim.BLEU1, a.Claim.BLEU2) {
		line = append(line, stored(v))
	}
	return append(line, strconv.FormatBool(a.Reaches), strconv.FormatBool(a.Reportable), a.Says, a.Source, a.Why)
}
