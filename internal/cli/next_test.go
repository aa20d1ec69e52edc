package cli

import (
	"os"
	"strings"
	"testing"

	"glimpse/internal/store"
)

func TestNextStepsWithoutDatabase(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GLIMPSE_DB", "")
	for _, c := range []struct {
		file, here, first string // a file that is added
	}{
		{"", "There is no study here.", "glimpse new mine"},
		{"a b.yaml", "1 study here; none has been run yet.", "glimpse plan 'a b.yaml'"},
		{"demo.yaml", "2 studies here; none has been run yet.", "glimpse plan demo.yaml"},
	} {
		if c.file != "" {
			if err := os.WriteFile(c.file, nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		here, steps, err := NextSteps(t.Context())
		if err != nil || here != c.here || steps[0].Command != c.first {
			t.Errorf("%q: %q, %v, %v; want %q, %q", c.file, here, steps, err, c.here, c.first)
		}
	}
}

func TestStepOf(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("demo.yaml", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, states, want, does string }{
		{"demo", "completed completed", "glimpse report demo", "write its report: 2 of 2 trials complete"},
		{"demo", "completed running", "glimpse watch demo", "follow it: 1 of 2 trials complete"},
		{"demo", "completed failed", "glimpse run demo.yaml", "resume it: 1 of 2 trials complete"},
		{"demo@seed=2", "queued", "glimpse run STUDY.yaml", "resume demo@seed=2: 0 of 1 trial complete"},
	} {
		var runs []store.Run
		for state := range strings.FieldsSeq(c.states) {
			runs = append(runs, store.Run{State: state})
		}
		if got := stepOf(c.name, runs); got != (Step{c.want, c.does}) {
			t.Errorf("%s: %v, want %s: %s", c.states, got, c.want, c.does)
		}
	}
}
