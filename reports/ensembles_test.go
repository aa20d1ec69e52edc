package reports

import (
	"math"
	"strings"
	"testing"

	"glimpse/internal/store"
	"glimpse/results"
)

// TestEnsembleSection holds what is said of arms whose seeds score more together, and less, and of a stale one.
func TestEnsembleSection(t *testing.T) {
	of := func(label string, score, mean float64, stale bool) *results.Ensemble {
		return &results.Ensemble{
			Ensemble: store.Ensemble{Cell: label, Split: "test", Members: []string{"a", "b"}, Metrics: map[string]float64{"cider": score}},
			Label:    label, Low: score - 0.02, High: score + 0.02, Mean: mean, Stale: stale,
		}
	}
	r := &result{evidence: &evidence{Primary: metricOf("test", "cider")}, Level: "95 %"}
	if s := r.ensembleSection(); len(s.Parts) > 0 {
		t.Errorf("without ensembles there is a section: %+v", s)
	}
	r.Ensembles = []*results.Ensemble{of("all", 0.66, 0.62, false)}
	want := "Together, the seeds of all score 66.0 points of CIDEr (test), 4.0 more than the mean of its single seeds."
	if s := r.ensembleSection(); s.Finding != want {
		t.Errorf("%q, want %q", s.Finding, want)
	}
	r.Ensembles[0].Mean = math.NaN() // a seed was deleted
	if s := r.ensembleSection(); s.Finding != "" {
		t.Errorf("without the mean of the seeds: %q", s.Finding)
	}
	r.Ensembles = []*results.Ensemble{of("none", 0.48, 0.49, false), of("soft", 0.53, 0.5, true)}
	s := r.ensembleSection()
	want = "Together, the seeds of soft score highest: 53.0 points of CIDEr (test), 3.0 more than the mean of its single seeds. " +
		"Ensembles score higher than single seeds in 1 of 2 arms."
	if s.Finding != want {
		t.Errorf("%q, want %q", s.Finding, want)
	}
	if notes := s.Parts[len(s.Parts)-1].Notes; len(notes) != 1 || !strings.Contains(notes[0], "completed now: soft.") {
		t.Errorf("notes %q", notes)
	}
	row := s.Parts[0].Table.Rows[0]
	if last := row[len(row)-2:]; row[0].Text != "none" || !strings.Contains(last[0].Text, "46.0") || last[1].Text != "49.0" {
		t.Errorf("%+v", row)
	}
}
