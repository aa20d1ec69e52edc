package view

import (
	"encoding/json"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/results"
)

// A Difference is a setting, or a fact of the environment, in which runs differ.
type Difference struct {
	Path   string
	Values []string // of the runs, in their order; "–" for none
}

// Settings are those in which runs differ, by path. A setting that a run leaves out has its default, where that is known.
func Settings(runs []store.Run) []Difference {
	absent := map[string]string{}
	for _, s := range experiments.SettingKeys() {
		absent[s.Path] = s.Absent
	}
	return differing(runs, func(r store.Run) json.RawMessage { return r.Settings }, absent)
}

// Environments are the facts of their environments in which runs differ, by path: what looks like a secret is left out, and so are
// the texts of changed files and what was measured.
func Environments(runs []store.Run) []Difference {
	all := differing(runs, results.Environment, nil)
	return slices.DeleteFunc(all, func(d Difference) bool {
		return d.Path == "changes.diff" || d.Path == "peak_rss_bytes" || strings.HasPrefix(d.Path, "timings.")
	})
}

func differing(runs []store.Run, of func(store.Run) json.RawMessage, absent map[string]string) []Difference {
	values := map[string][]string{}
	for i, r := range runs {
		for _, pair := range store.Paths(of(r)) {
			if values[pair[0]] == nil {
				values[pair[0]] = make([]string, len(runs))
			}
			values[pair[0]][i] = pair[1]
		}
	}
	var list []Difference
	for path, of := range values {
		for i := range of {
			if of[i] == "" {
				if of[i] = absent[path]; of[i] == "" {
					of[i] = "–"
				}
			}
		}
		if slices.ContainsFunc(of, func(v string) bool { return v != of[0] }) {
			list = append(list, Difference{path, of})
		}
	}
	slices.SortFunc(list, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	return list
}
