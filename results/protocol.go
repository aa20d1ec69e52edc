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
	var firstData origin
	for _, r := range runs {
		if r.State != store.Completed || r.Signature == "" {
			continue
		}
		if first == nil {
			first, firstData = r, originOf(r.Run)
			continue
		}
		found := append(stats.SignatureDifferences(first.Signature, r.Signature, free...), firstData.differences(originOf(r.Run))...)
		if len(found) > 0 {
			return fmt.Errorf("study %q: run %s (%s) and run %s (%s) were scored under different protocols "+
				"and cannot be compared: %s; run the study again with another --db, so that all its trials are scored alike",
				s.Name, first.ID, s.place(first), r.ID, s.place(r), strings.Join(found, "; "))
		}
	}
	return nil
}

// SameProtocol refuses runs that were scored under different protocols or on
// different data, and says in what they differ.
func SameProtocol(runs []store.Run) error {
	for _, r := range runs[1:] {
		found := append(stats.SignatureDifferences(runs[0].Signature, r.Signature), originOf(runs[0]).differences(originOf(r))...)
		if len(found) > 0 {
			return fmt.Errorf("run %s (%s, seed %d) and run %s (%s, seed %d) were scored under different protocols "+
				"and cannot be compared: %s",
				runs[0].ID, runs[0].Arm, runs[0].Seed, r.ID, r.Arm, r.Seed, strings.Join(found, "; "))
		}
	}
	return nil
}

// SameData tells whether runs were made with the same data, as far as that is known: their protocols may differ.
func SameData(a, b store.Run) bool {
	return a.Signature == "" || b.Signature == "" ||
		len(stats.SignatureDifferences(a.Signature, b.Signature, "tokenizer", "vocabulary", "decode", "metrics")) == 0 &&
			len(originOf(a).differences(originOf(b))) == 0
}

// ContentOf is what is known of the data that a run was made with: from its
// settings or, for runs made before data were part of them, from what it recorded.
// Unknown parts are empty.
func ContentOf(r store.Run) experiments.Content {
	if s, err := Settings(r); err == nil && s.Data.Content != (experiments.Content{}) {
		return s.Data.Content
	}
	return recordedContent(r.Hashes())
}

// recordedContent is the content that a run recorded among its hashes.
func recordedContent(hashes map[string]string) experiments.Content {
	return experiments.Content{Captions: hashes["captions"], Splits: hashes["splits"], Pictures: hashes["pictures"]}
}

// An origin is what is known of the data that a run was made with: its content ([ContentOf]), and what
// the encoder made of the pictures.
type origin struct {
	content experiments.Content
	hashes  map[string]string
	encoder *experiments.Encoder // nil where the settings cannot be read
}

func originOf(r store.Run) origin {
	o := origin{hashes: r.Hashes()}
	s, err := Settings(r)
	if err == nil {
		o.encoder = &s.Encoder
		o.content = s.Data.Content
	}
	if o.content == (experiments.Content{}) {
		o.content = recordedContent(o.hashes)
	}
	return o
}

// differences lists how the data of two runs differ, beyond what their
// signatures say. Runs made before pictures were hashed are known by the features
// that one encoder made of them.
func (o origin) differences(other origin) []string {
	if found := o.content.Differences(other.content); len(found) > 0 {
		return found
	}
	x, y := o.hashes, other.hashes
	if o.encoder == nil || other.encoder == nil || *o.encoder != *other.encoder || x["features"] == "" || y["features"] == "" ||
		x["encoder_weights"] != y["encoder_weights"] || x["features"] == y["features"] {
		return nil
	}
	return []string{featureDifference(x["features"], y["features"])}
}

func featureDifference(a, b string) string {
	return fmt.Sprintf("features of the pictures %.8s against %.8s", a, b)
}
