package experiments

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Declaration is what a study fixes before its first final split is scored: what it compares,
// over which trials, and what counts as a difference. The question, comments and the order of
// YAML keys are not part of it.
type Declaration struct {
	Compare  Compare         `json:"compare"`
	Settings Settings        `json:"settings"` // outside the sweep; without root, content and seed; zero if without effect or omitted
	Sweep    Sweep           `json:"sweep"`    // without the seed axis; zero if without effect
	Seeds    []int64         `json:"seeds"`    // planned, in order
	Trials   []DeclaredTrial `json:"trials"`   // all planned trials: up to the last look
}

// A DeclaredTrial is one of the trials that a study plans.
type DeclaredTrial struct {
	ID    string            `json:"id"`
	Arm   string            `json:"arm"`
	Seed  int64             `json:"seed"`
	Swept map[string]string `json:"swept"` // as in Trial
}

// Declare returns the declaration of a study; trials are all trials of its plan.
func (s *Study) Declare(trials []Trial) Declaration {
	whole := Study{Settings: s.Settings.Bare()}
	whole.Seed = 0
	for _, k := range keys {
		used := func(t Trial) bool { return k.applies == nil || k.applies(&t.Settings) }
		usual := k.omitted && s.get(k.path) == k.fallback
		if isSetting(k.path) && (s.varies(k.path) || usual || !slices.ContainsFunc(trials, used)) {
			whole.field(k.path).SetZero()
		}
	}
	d := Declaration{Compare: s.Compare, Settings: whole.Settings, Sweep: s.Sweep}
	d.Sweep.Over = nil
	for _, a := range s.Sweep.Over {
		if a.Path != "seed" {
			d.Sweep.Over = append(d.Sweep.Over, a)
		}
	}
	if !s.drawing() {
		d.Sweep.Samples, d.Sweep.Seed = 0, 0
	}
	if !s.Searches() {
		d.Sweep.Startup, d.Sweep.Batch = 0, 0
	}
	if !s.Sweep.Prune.Active() {
		d.Sweep.Prune = Prune{}
	}
	for _, t := range trials {
		d.Trials = append(d.Trials, DeclaredTrial{ID: t.ID, Arm: t.Arm, Seed: t.Settings.Seed, Swept: t.Swept})
		if !slices.Contains(d.Seeds, t.Settings.Seed) {
			d.Seeds = append(d.Seeds, t.Settings.Seed)
		}
	}
	return d
}

// JSON returns the declaration as JSON, for [ReadDeclaration].
func (d Declaration) JSON() ([]byte, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("write the declaration: %w", err)
	}
	return text, nil
}

// ReadDeclaration reads a declaration written by [Declaration.JSON].
func ReadDeclaration(raw []byte) (Declaration, error) {
	var d Declaration
	if err := json.Unmarshal(raw, &d); err != nil {
		return Declaration{}, fmt.Errorf("read the declaration of a study: %w", err)
	}
	return d, nil
}

// SHA256 returns the hash of the declaration, in hex. It ignores the order of lists whose order
// has no meaning. It is "" for a declaration that cannot be written, which cannot happen for a
// loaded study.
func (d Declaration) SHA256() string {
	text, err := d.canonical().JSON()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// canonical returns the declaration with each list sorted whose order has no meaning, and without
// the trials of a search, which follow from its results.
func (d Declaration) canonical() Declaration {
	pairs := func(a, b [2]string) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) }
	d.Compare.Contrasts = slices.Clone(d.Compare.Contrasts)
	slices.SortFunc(d.Compare.Contrasts, pairs)
	d.Compare.Interactions = slices.Clone(d.Compare.Interactions)
	slices.SortFunc(d.Compare.Interactions, pairs)
	d.Compare.Named = slices.Clone(d.Compare.Named)
	slices.SortFunc(d.Compare.Named, func(a, b NamedArm) int { return strings.Compare(a.Name, b.Name) })

	d.Sweep.Over = slices.Clone(d.Sweep.Over)
	slices.SortFunc(d.Sweep.Over, func(a, b Axis) int { return strings.Compare(a.Path, b.Path) })
	for i, a := range d.Sweep.Over {
		if a.Draw == "" && d.Sweep.Method != "zip" && !d.interacts(a.Path) {
			d.Sweep.Over[i].Values = slices.Compact(slices.Sorted(slices.Values(a.Values)))
		}
	}
	if !d.Compare.Stop.Active() {
		d.Seeds = slices.Sorted(slices.Values(d.Seeds))
	}
	if d.Sweep.Method == "tpe" {
		d.Trials = nil
	}
	d.Trials = slices.Clone(d.Trials)
	slices.SortFunc(d.Trials, func(a, b DeclaredTrial) int { return strings.Compare(a.ID, b.ID) })
	return d
}

// interacts reports whether an interaction is with this factor: then its other values are
// compared with the first.
func (d Declaration) interacts(path string) bool {
	return slices.ContainsFunc(d.Compare.Interactions, func(pair [2]string) bool { return pair[1] == path })
}
