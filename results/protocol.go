package results

import (
	"fmt"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics/stats"
)

// sweptFields are the fields of a protocol signature that a study may differ
// in on purpose, with the beginnings of the settings whose sweep says so. The
// references and the metrics stay the same then.
var sweptFields = map[string][]string{
	"decode":     {"decode."},
	"vocabulary": {"data.min_count", "data.vocabulary"},
}

// SweptProtocol names the signature's fields in which the study's runs differ
// on purpose.
func (s *Study) SweptProtocol() []string { return sweptProtocol(s.Runs) }

func sweptProtocol(runs []*Run) []string {
	var free []string
	for field, settings := range sweptFields {
		swept := slices.ContainsFunc(runs, func(r *Run) bool {
			for path := range r.Swept {
				if slices.ContainsFunc(settings, func(prefix string) bool { return strings.HasPrefix(path, prefix) }) {
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

// sameProtocol refuses completed runs whose protocol signatures or data differ,
// save in what the study sweeps, and says in what they differ.
func (s *Study) sameProtocol(runs []*Run) error {
	free := sweptProtocol(runs)
	var first *Run
	for _, r := range runs {
		if r.State != store.Completed || r.Signature == "" {
			continue
		}
		if first == nil {
			first = r
			continue
		}
		found := append(stats.SignatureDifferences(first.Signature, r.Signature, free...), dataDifferences(first.Run, r.Run)...)
		if len(found) > 0 {
			return fmt.Errorf("study %q: run %s (%s) and run %s (%s) were scored under different protocols "+
				"and cannot be compared: %s; run the study again in another --db, so that all its trials are scored alike",
				s.Name, first.ID, s.place(first), r.ID, s.place(r), strings.Join(found, "; "))
		}
	}
	return nil
}

// SameProtocol refuses runs that were scored under different protocols or on
// different data, and says in what they differ.
func SameProtocol(runs []store.Run) error {
	for _, r := range runs[1:] {
		found := append(stats.SignatureDifferences(runs[0].Signature, r.Signature), dataDifferences(runs[0], r)...)
		if len(found) > 0 {
			return fmt.Errorf("run %s (%s, seed %d) and run %s (%s, seed %d) were scored under different protocols "+
				"and cannot be compared: %s",
				runs[0].ID, runs[0].Arm, runs[0].Seed, r.ID, r.Arm, r.Seed, strings.Join(found, "; "))
		}
	}
	return nil
}

// ContentOf is what is known of the data that a run was made with: from its
// settings or, for runs made before data were part of them, from what it recorded.
// Unknown parts are empty.
func ContentOf(r store.Run) experiments.Content {
	if s, err := Settings(r); err == nil && s.Data.Content != (experiments.Content{}) {
		return s.Data.Content
	}
	hashes := r.Hashes()
	return experiments.Content{Captions: hashes["captions"], Splits: hashes["splits"], Pictures: hashes["pictures"]}
}

// dataDifferences lists how the data of two runs differ, beyond what their
// signatures say. Runs made before pictures were hashed are known by the features
// that one encoder made of them.
func dataDifferences(a, b store.Run) []string {
	if found := ContentOf(a).Differences(ContentOf(b)); len(found) > 0 {
		return found
	}
	x, y := a.Hashes(), b.Hashes()
	settingsA, errA := Settings(a)
	settingsB, errB := Settings(b)
	if errA != nil || errB != nil || settingsA.Encoder != settingsB.Encoder || x["features"] == "" || y["features"] == "" ||
		x["encoder_weights"] != y["encoder_weights"] || x["features"] == y["features"] {
		return nil
	}
	return []string{featureDifference(x["features"], y["features"])}
}

func featureDifference(a, b string) string {
	return fmt.Sprintf("features of the pictures %.8s against %.8s", a, b)
}
