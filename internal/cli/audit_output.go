package cli

import (
	"fmt"
	"io"
	"strings"

	"glimpse/inspect"
	"glimpse/internal/term"
	"glimpse/metrics/audit"
)

func printAudit(w io.Writer, a *inspect.Audit) error {
	t := &term.Table{}
	t.Add("run", a.Run, fmt.Sprintf("%s, %s, seed %d", a.Study, a.Arm, a.Seed))
	t.Add("signature", a.Signature)
	if err := t.Print(w); err != nil {
		return err
	}
	for first := 0; first < len(a.Rows); {
		last := first
		for last < len(a.Rows) && a.Rows[last].Split == a.Rows[first].Split {
			last++
		}
		if err := printAuditSplit(w, a.Rows[first:last]); err != nil {
			return err
		}
		first = last
	}
	for _, missing := range a.Missing {
		if _, err := fmt.Fprintf(w, "\nnot audited: %s", term.Line(missing)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}

// printAuditSplit shows the rows of one split, and which protocols reach the claim.
func printAuditSplit(w io.Writer, rows []audit.Row) error {
	claim := rows[0].Claim
	t := &term.Table{}
	t.Gap()
	t.Add(strings.ToUpper(rows[0].Split)+" ×100", "BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4",
		"IMAGES", "CLAIM", "IN A PAPER", "WHAT IS COUNTED; WHY IT MAY OR MAY NOT BE REPORTED")
	var reaching []string
	for _, r := range rows {
		reaches, report := "-", "no"
		if r.Reaches {
			reaches = "reached"
			reaching = append(reaching, r.Protocol)
		}
		if r.Reportable {
			report = "yes"
		}
		cells := []string{r.Protocol}
		for _, v := range r.BLEU {
			cells = append(cells, fmt.Sprintf("%.1f", 100*v))
		}
		t.Add(append(cells, term.Count(int64(r.Images)), reaches, report, r.Says+"; "+r.Why)...)
	}
	if err := t.Print(w); err != nil {
		return err
	}
	answer := "no protocol"
	if len(reaching) > 0 {
		answer = strings.Join(reaching, ", ")
	}
	_, err := fmt.Fprintf(w, "the claimed %g and %g are reached by: %s\n", 100*claim.BLEU1, 100*claim.BLEU2, answer)
	return err
}
