package view

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"glimpse/experiments"
	"glimpse/internal/filter"
	"glimpse/internal/secret"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/results"
)

// A Field is something known of runs, by which they are chosen and sorted and which makes a column.
type Field struct {
	Name    string // as in JSON, such as seed, test.cider or model.hidden
	Heading string // of its column
	Kind    filter.Kind
	Doc     string // a few words; "" where the name says it
	value   func(*Row) (filter.Value, bool)
	show    func(float64) string // of fields that are not texts; nil shows all digits
}

// A Row is a run with what its fields are taken from.
type Row struct {
	store.Run
	label                 string         // what distinguishes it from the other runs of its study
	settings, environment map[string]any // by dotted path; nil until they are asked for
}

func (r *Row) get(f Field) (filter.Value, bool) {
	v, has := f.value(r)
	return v, has && (!f.Kind.IsText() || v.Text != "")
}

// known is a field that can be compared: a number that is not finite is no match for any condition, and ranks nowhere.
func (r *Row) known(f Field) (filter.Value, bool) {
	v, has := r.get(f)
	return v, has && !math.IsNaN(v.Number) && !math.IsInf(v.Number, 0)
}

func text(of func(store.Run) string) func(*Row) (filter.Value, bool) {
	return func(r *Row) (filter.Value, bool) { return filter.Value{Text: of(r.Run)}, true }
}

// quantity is a number that is not known while it is 0.
func quantity(of func(store.Run) float64) func(*Row) (filter.Value, bool) {
	return func(r *Row) (filter.Value, bool) { v := of(r.Run); return filter.Value{Number: v}, v != 0 }
}

func moment(of func(store.Run) time.Time) func(*Row) (filter.Value, bool) {
	return func(r *Row) (filter.Value, bool) {
		at := of(r.Run)
		return filter.Value{Number: float64(at.UnixMilli()) / 1000}, !at.IsZero()
	}
}

// States are those that a run can be in.
var States = []string{store.Queued, store.Running, store.Completed, store.Failed, store.Interrupted, store.Pruned}

// runFields are the fields of a run, in the order of the help, named as in --json. Settings and metrics follow them.
var runFields = []Field{
	{"id", "RUN", filter.Text, "the run's id", text(func(r store.Run) string { return r.ID }), nil},
	{"study", "STUDY", filter.Text, "its study", text(func(r store.Run) string { return r.Study }), nil},
	{"arm", "ARM", filter.Text, "its arm", text(func(r store.Run) string { return r.Arm }), nil},
	{"label", "ARM", filter.Text, "its arm and what else differs within its study",
		func(r *Row) (filter.Value, bool) { return filter.Value{Text: cmp.Or(r.label, r.Arm)}, true }, nil},
	{"state", "STATE", filter.Text, strings.Join(States, ", "), text(func(r store.Run) string { return r.State }), nil},
	{"failure", "FAILURE", filter.Text, "kind of failure", text(func(r store.Run) string { return r.Failure }), nil},
	{"error", "ERROR", filter.Text, "why it failed", text(func(r store.Run) string { return strings.Join(strings.Fields(secret.Redact(r.Error)), " ") }), nil},
	{"attempt", "ATTEMPT", filter.Number, "number of attempts", quantity(func(r store.Run) float64 { return float64(r.Attempt) }), nil},
	{"epochs", "EPOCHS", filter.Number, "epochs trained",
		func(r *Row) (filter.Value, bool) { return filter.Value{Number: float64(r.Epochs)}, true }, nil},
	{"best_epoch", "BEST", filter.Number, "the selected epoch", quantity(func(r store.Run) float64 { return float64(r.BestEpoch) }), nil},
	{"seconds", "TIME", filter.Duration, "computing time", quantity(func(r store.Run) float64 { return r.Seconds }), term.Span},
	{"parameters", "PARAMETERS", filter.Number, "trained parameters", quantity(func(r store.Run) float64 { return float64(r.Parameters) }),
		func(v float64) string { return term.Count(int64(v)) }},
	{"created", "CREATED", filter.Time, "when it was planned (UTC)", moment(func(r store.Run) time.Time { return r.Created }), minute},
	{"started", "STARTED", filter.Time, "when it first started", moment(func(r store.Run) time.Time { return r.Started }), minute},
	{"finished", "FINISHED", filter.Time, "when it ended", moment(func(r store.Run) time.Time { return r.Finished }), minute},
	{"silent_since", "SILENT SINCE", filter.Time, "since when its process has been silent",
		moment(func(r store.Run) time.Time { return results.SilentSince(r, time.Now()) }), minute},
	{tagField, "TAGS", filter.Words, "its tags, and those of its studies",
		func(r *Row) (filter.Value, bool) {
			return filter.Value{Text: strings.Join(results.Tags(r.Run), " ")}, true
		}, nil},
	{"signature", "SIGNATURE", filter.Text, "its protocol signature", text(func(r store.Run) string { return r.Signature }), nil},
	environmentField("host", "machine"), environmentField("device", "cpu or cuda"), environmentField("commit", "commit of the program"),
}

// tagField is the field of a run's tags, which is shown unasked where a listed run has any.
const tagField = "tag"

// metricSplits are the prefixes of metrics: final is the test split or, of a run that spared it, the validation split.
var metricSplits = []string{"test", "val", "final"}

func minute(seconds float64) string {
	return time.UnixMilli(int64(seconds * 1000)).UTC().Format("2006-01-02 15:04")
}

// pathValue is a field's value in flattened JSON.
func pathValue(of map[string]any, path string, kind filter.Kind) (filter.Value, bool) {
	switch v := of[path].(type) {
	case string:
		return filter.Value{Text: v}, kind == filter.Text
	case bool:
		return filter.Value{Text: strconv.FormatBool(v)}, kind == filter.Text
	case float64:
		return filter.Value{Number: v}, kind == filter.Number
	}
	return filter.Value{}, false
}

func environmentField(key, doc string) Field {
	return Field{key, strings.ToUpper(key), filter.Text, doc, func(r *Row) (filter.Value, bool) {
		if r.environment == nil {
			r.environment = store.Flatten(r.Environment)
		}
		return pathValue(r.environment, key, filter.Text)
	}, nil}
}

func settingField(s experiments.Setting) Field {
	kind := filter.Number
	if s.Text {
		kind = filter.Text
	}
	return Field{s.Path, s.Path, kind, s.Doc, func(r *Row) (filter.Value, bool) {
		if r.settings == nil {
			r.settings = store.Flatten(r.Settings)
		}
		v, has := pathValue(r.settings, s.Path, kind)
		if !has && s.Absent != "" {
			return filter.Value{Text: s.Absent}, true
		}
		return v, has
	}, nil}
}

// metricField is a metric of a split, scaled and headed as in the catalogue.
func metricField(split string, m metrics.Entry) Field {
	heading := split + " " + m.Column()
	if split == "final" {
		heading = m.Column()
	}
	return Field{split + "." + m.Key, heading, filter.Number, "", func(r *Row) (filter.Value, bool) {
		scores := r.Metrics[split]
		if split == "final" {
			_, scores = r.Final()
		}
		v, has := scores[m.Key]
		return filter.Value{Number: m.Scale * v}, has
	}, func(v float64) string { return strconv.FormatFloat(v, 'f', m.Digits, 64) }}
}

// Fields are those of runs, of metrics (SPLIT.METRIC, ×100 as in tables) and of settings, in the order of the help.
func Fields() []Field {
	fields := slices.Clone(runFields)
	for _, split := range metricSplits {
		for _, m := range metrics.Catalogue {
			fields = append(fields, metricField(split, m))
		}
	}
	for _, s := range experiments.SettingKeys() {
		if f := settingField(s); f.Name == "seed" {
			f.Heading, f.Doc = "SEED", "its seed"
			f.value = func(r *Row) (filter.Value, bool) { return filter.Value{Number: float64(r.Seed)}, true }
			fields = slices.Insert(fields, 3, f)
		} else {
			fields = append(fields, f)
		}
	}
	return fields
}

// findField gives a field by its name, or an error that names the nearest.
func findField(fields []Field, name string) (Field, error) {
	names := make([]string, len(fields))
	for i, f := range fields {
		if names[i] = f.Name; f.Name == name {
			return f, nil
		}
	}
	return Field{}, fmt.Errorf("no field %q%s (`glimpse runs --help` lists them)", name, experiments.Suggest(name, names))
}

// text shows the value of a field, - where the run has none.
func (r *Row) text(f Field) string {
	v, has := r.get(f)
	switch {
	case !has:
		return "-"
	case f.Name == "state":
		return results.StateText(r.Run, time.Now())
	case f.Kind.IsText():
		return v.Text
	case f.show != nil && !math.IsNaN(v.Number) && !math.IsInf(v.Number, 0):
		return f.show(v.Number)
	}
	return strconv.FormatFloat(v.Number, 'g', -1, 64)
}

// Numeric tells whether the field is compared as a number, and so set flush right.
func (f Field) Numeric() bool { return !f.Kind.IsText() }
