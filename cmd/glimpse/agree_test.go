package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"glimpse/experiments"
	"glimpse/internal/cli/clitest"
	"glimpse/internal/store"
	"glimpse/results"
)

// outcome is one verb's result for one contrast.
type outcome struct {
	difference, low, high, p, holm float64
	verdict                        string
}

// same compares outcomes; a missing number is NaN in both.
func (o outcome) same(other outcome) bool {
	near := func(x, y float64) bool { return math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) < 1e-9 }
	return near(o.difference, other.difference) && near(o.low, other.low) && near(o.high, other.high) && near(o.p, other.p) && near(o.holm, other.holm) &&
		o.verdict == other.verdict
}

// TestPlanReportAndCompareAgree checks that the three verbs list the same contrasts, and that
// report and compare give the same p, interval and verdict for each.
func TestPlanReportAndCompareAgree(t *testing.T) {
	for _, s := range agreeing {
		t.Run(s.name, func(t *testing.T) {
			clitest.Sandbox(t, nil)
			declared := stage(t, s)
			planned := plannedContrasts(t)
			reported := reportedContrasts(t)
			contrasts := declared.Contrasts()
			if len(planned) != len(contrasts) || len(reported) != len(contrasts) {
				t.Fatalf("%d contrasts are declared, %d planned, %d reported", len(contrasts), len(planned), len(reported))
			}
			for i, c := range contrasts {
				if planned[i] != c.Label {
					t.Errorf("contrast %d is %q in the plan, and %q declared", i+1, planned[i], c.Label)
				}
				if c.Kind == "interaction" {
					continue // compare takes arms, and not differences of them
				}
				compared, refused := comparedContrast(t, c)
				if refused != "" {
					if want := "has no completed runs"; reported[i].verdict != "" || !strings.Contains(refused, want) {
						t.Errorf("%s: compare says %q, want %q, and the report judges it %q", c.Label, refused, want, reported[i].verdict)
					}
					continue
				}
				if !compared.same(reported[i]) {
					t.Errorf("%s:\ncompare %+v\nreport  %+v", c.Label, compared, reported[i])
				}
			}
		})
	}
}

func plannedContrasts(t *testing.T) []string {
	t.Helper()
	code, stdout, stderr := call(t, "plan", "staged.yaml", "--json")
	var p struct{ Contrasts []string }
	if err := json.Unmarshal([]byte(stdout), &p); code != 0 || err != nil {
		t.Fatalf("plan: exit code %d, %v\n%s", code, err, stderr)
	}
	return p.Contrasts
}

func reportedContrasts(t *testing.T) []outcome {
	t.Helper()
	if code, _, stderr := call(t, "report", "staged", "-o", "report"); code != 0 {
		t.Fatalf("report: exit code %d\n%s", code, stderr)
	}
	raw, err := os.ReadFile(filepath.Join("report", "contrasts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []outcome
	for _, line := range lines[1:] {
		of := func(name string) float64 {
			for i, head := range lines[0] {
				if head == name && line[i] != "" {
					v, _ := strconv.ParseFloat(line[i], 64)
					return v
				}
			}
			return math.NaN()
		}
		list = append(list, outcome{of("difference"), of("interval_low"), of("interval_high"), of("p"), of("p_holm"), line[len(line)-1]})
	}
	return list
}

// comparedContrast gets one contrast from compare; refused is the error message if there is none.
func comparedContrast(t *testing.T, c experiments.Contrast) (o outcome, refused string) {
	code, stdout, stderr := call(t, "compare", c.A.Label, c.B.Label, "--study", "staged", "--json")
	if code != 0 {
		return o, strings.TrimSpace(stderr)
	}
	var found struct {
		Options   struct{ Primary string }
		Contrasts []struct {
			Metric            string
			Difference        *float64
			Low, High, P      *float64
			Holm              *float64 `json:"p_holm"`
			Verdict, Untested string
		}
	}
	if err := json.Unmarshal([]byte(stdout), &found); err != nil {
		return o, err.Error()
	}
	number := func(v *float64) float64 {
		if v == nil {
			return math.NaN()
		}
		return *v
	}
	for _, r := range found.Contrasts {
		if r.Metric != found.Options.Primary {
			continue
		}
		verdict := r.Verdict
		if r.Untested != "" {
			verdict = ""
		}
		return outcome{number(r.Difference), number(r.Low), number(r.High), number(r.P), number(r.Holm), verdict}, ""
	}
	return o, "no result in the primary metric"
}

// TestDataArePartOfTheIdentity checks the settings of a planned trial;
// testdata/engine/identity.txtar changes the data.
func TestDataArePartOfTheIdentity(t *testing.T) {
	clitest.Sandbox(t, nil)
	stage(t, agreeing[0])
	if code, stdout, stderr := call(t, "plan", "staged.yaml"); code != 0 || !strings.Contains(stdout, "10 trials, 10 complete") {
		t.Fatalf("plan of the same data: exit code %d\n%s%s", code, stdout, stderr)
	}
	db, err := store.OpenReadOnly("results.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	runs, err := db.Runs(context.Background(), "staged")
	if err != nil {
		t.Fatal(err)
	}
	if content := results.ContentOf(runs[0]); content.Captions == "" || content.Splits == "" || content.Pictures == "" {
		t.Errorf("a run's identity holds %+v of its data", content)
	}
}
