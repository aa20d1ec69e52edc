package inspect

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/internal/term"
)

// Reproduction is how a run compares with what training it again gave. Its JSON is a contract: it is what `glimpse
// reproduce --json` prints.
type Reproduction struct {
	Run             string                               `json:"run"`
	Equal           bool                                 `json:"equal"` // captions and weights, bit for bit
	CaptionsSHA256  [2]string                            `json:"captions_sha256"`
	WeightsSHA256   [2]string                            `json:"weights_sha256"`
	Captions        int                                  `json:"captions"`
	CaptionsDiffer  int                                  `json:"captions_differ"`
	FirstEpoch      int                                  `json:"first_epoch_differing"` // by loss or scores; 0 where none does
	Metrics         map[string]map[string][2]term.Number `json:"metrics"`               // split → key → recorded, again
	EnvironmentDiff []Difference                         `json:"environment_differs"`
	// FeaturesContent are the hashes of the bytes of the features that were trained on, recorded and again; "" where a run
	// has none or did not record it.
	FeaturesContent [2]string `json:"features_content_sha256"`
}

// Difference is a fact that was otherwise when the run was trained again.
type Difference struct {
	Key      string `json:"key"`
	Recorded string `json:"recorded"`
	Again    string `json:"again"`
}

// compareOutcomes compares a run with what training it again gave.
func compareOutcomes(first, again outcome) *Reproduction {
	a, b := first.run, again.run
	r := &Reproduction{
		Run:            a.ID,
		Equal:          a.CaptionsSHA256 == b.CaptionsSHA256 && a.WeightsSHA256 == b.WeightsSHA256,
		CaptionsSHA256: [2]string{a.CaptionsSHA256, b.CaptionsSHA256},
		WeightsSHA256:  [2]string{a.WeightsSHA256, b.WeightsSHA256},
		Captions:       len(again.captions),
		Metrics:        map[string]map[string][2]term.Number{},
	}
	recorded := map[string]string{}
	for _, c := range first.captions {
		recorded[c.Image] = c.Words
	}
	for _, c := range again.captions {
		if words, known := recorded[c.Image]; !known || words != c.Words {
			r.CaptionsDiffer++
		}
	}
	for i, e := range again.epochs {
		if i >= len(first.epochs) || first.epochs[i].Loss != e.Loss || !maps.Equal(first.epochs[i].Val, e.Val) ||
			!maps.Equal(first.epochs[i].Sampled, e.Sampled) {
			r.FirstEpoch = e.Epoch
			break
		}
	}
	for split, values := range a.Metrics {
		r.Metrics[split] = map[string][2]term.Number{}
		for key, value := range values {
			if other, known := b.Metrics[split][key]; known {
				r.Metrics[split][key] = [2]term.Number{term.Number(value), term.Number(other)}
			}
		}
	}
	r.FeaturesContent = [2]string{a.Hashes()["features_content"], b.Hashes()["features_content"]}
	r.EnvironmentDiff = environmentDiff(a.Environment, b.Environment)
	if a.Signature != b.Signature {
		r.EnvironmentDiff = append(r.EnvironmentDiff, Difference{"signature", a.Signature, b.Signature})
	}
	return r
}

// untold is what environmentDiff leaves out: what is never the same, and what is told elsewhere.
var untold = []string{"peak_rss_bytes", "attempts", "command", "changes.diff", "waiting", "hashes.features_content"}

// environmentDiff lists what differs between two environments, but for what is untold.
func environmentDiff(recorded, again json.RawMessage) []Difference {
	values := map[string]*Difference{}
	for i, environment := range []json.RawMessage{recorded, again} {
		for _, pair := range store.Paths(environment) {
			key := pair[0]
			if strings.HasPrefix(key, "timings.") || slices.Contains(untold, key) {
				continue
			}
			if values[key] == nil {
				values[key] = &Difference{Key: key}
			}
			*[]*string{&values[key].Recorded, &values[key].Again}[i] = pair[1]
		}
	}
	differ := []Difference{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if d := values[key]; d.Recorded != d.Again {
			differ = append(differ, *d)
		}
	}
	return differ
}
