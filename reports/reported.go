package reports

import (
	"cmp"
	"fmt"
	"slices"

	"glimpse/metrics/audit"
	"glimpse/metrics/stats"
)

// fewestAudits is how many seeds of an arm must have been audited for a comparison with the claim.
const fewestAudits = 3

// usualMinimum is the smallest difference that matters, in points, where the study declares none.
const usualMinimum = 1.0

// way is one protocol on one split.
type way struct{ split, protocol string }

// reportedTable compares the seeds of each audited arm with the claimed scores, protocol by
// protocol. It has no rows if too few were audited.
func (r *result) reportedTable() table {
	minimum := cmp.Or(r.MinimumEffect, usualMinimum)
	alpha := cmp.Or(r.Compare.Primary.Alpha, 0.05)
	t := table{
		Name: "audit-over-seeds",
		Caption: fmt.Sprintf("Audits over seeds, against the claim. Equivalent: two one-sided t tests at α = %s place the mean of the "+
			"seeds within %s of the claim. Below, above: the %s interval is beyond that. The images are the same, so only seeds vary.",
			number(alpha), pointsText(minimum), r.Level),
		Columns: []column{{Name: "Arm"}, {Name: "Split"}, {Name: "Protocol"}, {Name: "Seeds", Numeric: true},
			{Name: "BLEU-1", Numeric: true}, {Name: "claim", Numeric: true}, {Name: "verdict"},
			{Name: "BLEU-2", Numeric: true}, {Name: "claim", Numeric: true}, {Name: "verdict"}},
	}
	for _, a := range r.Arms {
		of, order := map[way][]audit.Row{}, []way{}
		for _, run := range a.Runs {
			for _, row := range run.Audit {
				w := way{row.Split, row.Protocol}
				if !slices.Contains(order, w) {
					order = append(order, w)
				}
				if finite(row.BLEU[0]) && finite(row.BLEU[1]) {
					of[w] = append(of[w], row)
				}
			}
		}
		for _, w := range order {
			rows := of[w]
			if len(rows) < fewestAudits {
				continue
			}
			line := []cell{{Text: a.Label}, {Text: w.split}, {Text: w.protocol, Code: true}, {Text: counted(int64(len(rows)))}}
			for n, claim := range []float64{rows[0].Claim.BLEU1, rows[0].Claim.BLEU2} {
				scores := make([]float64, len(rows))
				for i, row := range rows {
					scores[i] = 100 * row.BLEU[n]
				}
				c := stats.AgainstReported(scores, 100*claim, minimum, alpha)
				line = append(line, cell{Text: fmt.Sprintf("%s [%s, %s]", fixed(c.Mean, 1), fixed(c.Low, 1), fixed(c.High, 1))},
					cell{Text: fixed(c.Value, 1)}, cell{Text: string(c.Verdict)})
			}
			t.Rows = append(t.Rows, line)
		}
	}
	return t
}
