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

// A Declaration is what a study fixes before its first final split is scored: what it compares, over which trials, and
// what counts as a difference. The order of YAML keys, comments and the question are not part of it.
type Declaration struct {
	Compare  Compare         `json:"compare"`
	Settings Settings        `json:"settings"` // outside the sweep; no root, content or seed; zero where without effect or omitted
	Sweep    Sweep           `json:"sweep"`    // without the seed axis; zero where without effect
	Seeds    []int64         `json:"seeds"`    // planned, in order
	Trials   []DeclaredTrial `json:"trials"`   // all that are planned: up to the last look
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

// JSON writes the declaration as ReadDeclaration reads it.
func (d Declaration) JSON() ([]byte, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("writing the declaration: %w", err)
	}
	return text, nil
}

// ReadDeclaration reads what JSON wrote.
func ReadDeclaration(raw []byte) (Declaration, error) {
	var d Declaration
	if err := json.Unmarshal(raw, &d); err != nil {
		return Declaration{}, fmt.Errorf("reading the declaration of a study: %w", err)
	}
	return d, nil
}

// SHA256 is the hash of all that is declared, in hex. Lists whose order has no meaning may be in any order. It is ""
// for a declaration that cannot be written, which does not happen for a study that loads.
func (d Declaration) SHA256() string {
	text, err := d.canonical().JSON()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// canonical is the declaration with every list sorted whose order has no meaning. The trials of a search follow from its
// results and are left out.
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

// interacts reports whether an interaction is with a factor: its first value is then what others
// are held against.
func (d Declaration) interacts(path string) bool {
	return slices.ContainsFunc(d.Compare.Interactions, func(pair [2]string) bool { return pair[1] == path })
}
