package reports

import (
	"fmt"
	"slices"
	"strings"

	"glimpse/metrics/stats"
)

// sweptFields are the fields of a protocol signature that a study may differ
// in on purpose, with the beginnings of the settings whose sweep says so. The
// references and the metrics stay the same then.
var sweptFields = map[string][]string{
	"decode":     {"decode."},
	"vocabulary": {"data.min_count", "data.vocabulary"},
}

// sameProtocol refuses finished runs whose protocol signatures differ, save in
// what the study sweeps, and says in what they differ.
func (r *result) sameProtocol() error {
	free := r.sweptProtocol()
	var first *run
	for _, run := range r.Runs {
		if !run.completed() || run.Signature == "" {
			continue
		}
		if first == nil {
			first = run
			continue
		}
		if found := stats.SignatureDifferences(first.Signature, run.Signature, free...); len(found) > 0 {
			return fmt.Errorf("study %q: run %s (%s, seed %d) and run %s (%s, seed %d) were scored under different protocols and cannot be compared: %s; run the study again, so that all its trials are scored alike",
				r.Study.Name, first.ID, first.Group, first.Seed, run.ID, run.Group, run.Seed, strings.Join(found, "; "))
		}
	}
	return nil
}

// sweptProtocol names the signature's fields that the study sweeps.
func (r *result) sweptProtocol() []string {
	var free []string
	for field, settings := range sweptFields {
		swept := slices.ContainsFunc(r.Runs, func(run *run) bool {
			for path := range run.Swept {
				if slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(path, s) }) {
					return true
				}
			}
			return false
		})
		if swept {
			free = append(free, field)
		}
	}
	slices.Sort(free)
	return free
}
