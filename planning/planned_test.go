package planning

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"glimpse/internal/store"
	"glimpse/results"
)

// TestDeclare holds when a declaration is refused, amended or warned of.
func TestDeclare(t *testing.T) {
	frozen := results.Standing{Frozen: &results.Declaration{}, Differences: []string{"alpha is 0.05 against 0.01"}}
	foreign := []results.Foreign{{Run: store.Run{ID: "aa"}, Differences: []string{"captions differ"}}}
	for _, c := range []struct {
		name    string
		planned Planned
		amend   string
		err     string
		remarks []string // their beginnings
	}{
		{"as declared", Planned{}, "", "", nil},
		{"nothing to amend", Planned{}, "why", "--amend: there is nothing to amend", nil},
		{"refused", Planned{Standing: frozen, Foreign: foreign}, "", "the declaration of study s was frozen", []string{"note: x.db has the same settings on other data"}},
		{"amended", Planned{Standing: frozen}, "why", "", []string{"note: recorded as an amendment, declared after scoring: why"}},
		{"late", Planned{Standing: results.Standing{Scored: 1, Trials: 2}}, "", "", []string{"warning: 1 of 2 trials had been scored before"}},
	} {
		remarks, err := c.planned.Declare("s", "x.db", c.amend)
		if (err != nil) != (c.err != "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.err)
		}
		if !slices.EqualFunc(remarks, c.remarks, strings.HasPrefix) {
			t.Errorf("%s: remarks %q, want %q", c.name, remarks, c.remarks)
		}
		if declared := errors.As(err, new(*results.DeclarationError)); declared != (c.name == "refused") {
			t.Errorf("%s: a DeclarationError: %v", c.name, declared)
		}
		if got := c.planned.Standing.Now.Reason; (got == "why") != (c.name == "amended") {
			t.Errorf("%s: the reason %q is recorded", c.name, got)
		}
	}
}

// TestCheckData holds that completed runs of the study itself on other data are refused, and no others.
func TestCheckData(t *testing.T) {
	for _, c := range []struct {
		state, study string
		refused      bool
	}{{store.Completed, "s", true}, {store.Completed, "other", false}, {store.Failed, "s", false}} {
		p := Planned{Foreign: []results.Foreign{{Run: store.Run{ID: "aa", State: c.state, Studies: []string{c.study}}}}}
		if err := p.CheckData("s", "x.db"); (err != nil) != c.refused {
			t.Errorf("a run that is %s, of study %s: %v", c.state, c.study, err)
		}
	}
}
