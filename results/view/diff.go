package view

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/filter"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/results"
)

// A Diff is what differs between runs; what all of them have alike is left out. It is a contract
// as JSON, whose keys are only ever added to.
type Diff struct {
	Runs        []string     `json:"runs"`        // ids, in the order of all values
	Run         []Difference `json:"run"`         // what became of them, by the names of [Fields]
	Settings    []Difference `json:"settings"`    // by path
	Protocol    []Difference `json:"protocol"`    // by field of the protocol signature
	Hashes      []Difference `json:"hashes"`      // of data, features and whatever else they were made from
	Environment []Difference `json:"environment"` // by path, without what was measured: times and memory
	// Metrics are those of the splits that the runs were finished on, such as test.cider:
	// fractions of 1, CIDEr unscaled.
	Metrics []Difference `json:"metrics"`
}

// A Difference is something that is not the same in all runs.
type Difference struct {
	Name   string   `json:"name"`
	Values []any    `json:"values"` // one a run; nil where it has none
	Texts  []string `json:"-"`      // the values as tables show them, metrics ×100; - where there is none
}

// A DiffPart is one part of a [Diff], with a heading.
type DiffPart struct {
	Title       string
	Differences []Difference
}

// Parts gives the parts that hold a difference, in the order in which they are shown.
func (d *Diff) Parts() []DiffPart {
	return slices.DeleteFunc([]DiffPart{
		{"run", d.Run}, {"settings", d.Settings}, {"protocol", d.Protocol}, {"hashes", d.Hashes},
		{"environment", d.Environment}, {"metrics", d.Metrics},
	}, func(p DiffPart) bool { return len(p.Differences) == 0 })
}

// DiffRuns tells what differs between runs, which may be of several databases. What looks like a
// secret is not in it.
func DiffRuns(runs []store.Run) *Diff {
	d := &Diff{
		Run: diffFields(runs, runDiffers), Settings: diffSettings(runs), Metrics: diffMetrics(runs),
		Protocol: diffLeaves(runs, nil, func(r store.Run) map[string]any { return protocolFields(r.Signature) }),
		Hashes:   shortened(diffLeaves(runs, nil, hashesOf)), Environment: diffLeaves(runs, nil, surroundings),
	}
	for _, r := range runs {
		d.Runs = append(d.Runs, r.ID)
	}
	return d
}

// runDiffers are the fields that tell what became of a run.
var runDiffers = []string{"study", "arm", "state", "failure", "error", "attempt", "epochs", "best_epoch", "seconds", "parameters", tagField}

// diffFields gives the fields of these names that differ.
func diffFields(runs []store.Run, names []string) []Difference {
	var fields []Field
	for _, f := range Fields() {
		if slices.Contains(names, f.Name) {
			fields = append(fields, f)
		}
	}
	return differences(fields, func(f Field) Difference {
		d := Difference{Name: f.Name}
		for _, run := range runs {
			row := Row{Run: run}
			value, has := row.get(f)
			d.add(fieldValue(f, value, has), row.text(f))
		}
		return d
	})
}

// fieldValue is a field's value as JSON has it.
func fieldValue(f Field, v filter.Value, has bool) any {
	switch {
	case !has:
		return nil
	case f.Kind.IsText():
		return v.Text
	}
	return term.Number(v.Number)
}

// diffMetrics gives the metrics that differ, of all splits that one of the runs was finished on.
func diffMetrics(runs []store.Run) []Difference {
	type metric struct {
		split string
		metrics.Entry
	}
	var all []metric
	for _, split := range []string{"test", "val"} {
		final := slices.ContainsFunc(runs, func(r store.Run) bool { of, _ := r.Final(); return of == split })
		for _, entry := range metrics.Catalogue {
			if final {
				all = append(all, metric{split, entry})
			}
		}
	}
	return differences(all, func(m metric) Difference {
		f := metricField(m.split, m.Entry)
		d := Difference{Name: f.Name}
		for _, run := range runs {
			row, value := Row{Run: run}, any(nil)
			if v, has := run.Metrics[m.split][m.Key]; has {
				value = term.Number(v)
			}
			d.add(value, row.text(f))
		}
		return d
	})
}

// diffSettings gives the settings that differ, in the order of a resolved file. The content of the
// data is among the hashes.
func diffSettings(runs []store.Run) []Difference {
	var order []string
	absent := map[string]any{}
	for _, s := range experiments.SettingKeys() {
		order = append(order, s.Path)
		if s.Absent != "" {
			absent[s.Path] = s.Absent
		}
	}
	return diffLeaves(runs, order, func(r store.Run) map[string]any {
		leaves := maps.Clone(absent)
		maps.Copy(leaves, store.Flatten(r.Settings))
		maps.DeleteFunc(leaves, func(path string, _ any) bool { return strings.HasPrefix(path, "data.content.") })
		return leaves
	})
}

// protocolFields are the fields of a protocol signature by their names.
func protocolFields(signature string) map[string]any {
	fields := map[string]any{}
	for field := range strings.FieldsSeq(signature) {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	return fields
}

// hashesOf are the hashes that a run recorded and, of runs that have not begun, those of their
// settings.
func hashesOf(r store.Run) map[string]any {
	content := results.ContentOf(r)
	hashes := map[string]any{}
	for name, hash := range map[string]string{"captions": content.Captions, "splits": content.Splits, "pictures": content.Pictures} {
		if hash != "" {
			hashes[name] = hash
		}
	}
	for name, hash := range r.Hashes() {
		hashes[name] = hash
	}
	return hashes
}

// shortened cuts the texts of hashes as far as they still differ.
func shortened(hashes []Difference) []Difference {
	const digits = 12
	for _, d := range hashes {
		short := make([]string, len(d.Texts))
		for i, text := range d.Texts {
			short[i] = text[:min(digits, len(text))]
		}
		if len(slices.Compact(slices.Sorted(slices.Values(short)))) == len(slices.Compact(slices.Sorted(slices.Values(d.Texts)))) {
			copy(d.Texts, short)
		}
	}
	return hashes
}

// surroundings are the leaves of a run's environment, without hashes, the text of differences, and
// what was measured.
func surroundings(r store.Run) map[string]any {
	leaves := store.Flatten(results.Environment(r))
	maps.DeleteFunc(leaves, func(path string, _ any) bool {
		section, _, _ := strings.Cut(path, ".")
		return path == "changes.diff" || slices.Contains([]string{"hashes", "timings", "peak_rss_bytes", "attempts"}, section)
	})
	return leaves
}

// diffLeaves gives the leaves that differ: those of the order given first, the others by path.
func diffLeaves(runs []store.Run, order []string, of func(store.Run) map[string]any) []Difference {
	leaves, known := make([]map[string]any, len(runs)), map[string]bool{}
	for i, run := range runs {
		leaves[i] = of(run)
		for path := range leaves[i] {
			known[path] = true
		}
	}
	for _, path := range order {
		delete(known, path)
	}
	return differences(append(slices.Clone(order), slices.Sorted(maps.Keys(known))...), func(path string) Difference {
		d := Difference{Name: path}
		for _, of := range leaves {
			value, has := of[path]
			d.add(value, leafText(value, has))
		}
		return d
	})
}

// leafText shows a value of JSON.
func leafText(value any, has bool) string {
	if text, ok := value.(string); ok && text != "" {
		return text
	}
	text, err := json.Marshal(value)
	if !has || err != nil {
		return "-"
	}
	return string(text)
}

func (d *Difference) add(value any, text string) {
	d.Values, d.Texts = append(d.Values, value), append(d.Texts, text)
}

// differences keeps what is not the same in all runs.
func differences[T any](of []T, difference func(T) Difference) []Difference {
	found := []Difference{}
	for _, one := range of {
		d := difference(one)
		first, _ := json.Marshal(d.Values[0])
		if slices.ContainsFunc(d.Values[1:], func(v any) bool { text, _ := json.Marshal(v); return string(text) != string(first) }) {
			found = append(found, d)
		}
	}
	return found
}
