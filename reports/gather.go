package reports

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"glimpse/internal/store"
)

type epoch = store.Epoch

// A run is a trial with what the report shows of it.
type run struct {
	store.Run
	Group    string           // the arm with whatever else is swept, see groupOf
	Epochs   []epoch          // in order
	Captions []store.Caption  // of the primary split, by image; completed runs only
	Audit    []store.AuditRow // the last audit, nil without one
	Readings []store.Reading  // of the captions, by image; nil where they were not read again
}

// completed says whether the run has its final scores.
func (r *run) completed() bool { return r.State == store.Completed }

// comparison is what the study declared, see experiments.Compare.
type comparison struct {
	Arms      string      `json:"arms"`
	Baseline  string      `json:"baseline"`
	Contrasts [][2]string `json:"contrasts"`
	Primary   struct {
		Metric        string  `json:"metric"`
		MinimumEffect float64 `json:"minimum_effect"`
		Alpha         float64 `json:"alpha"`
	} `json:"primary"`
	MatchParameters float64 `json:"match_parameters"`
}

// evidence is what the store holds of a study.
type evidence struct {
	Study        store.Study
	Compare      comparison
	Primary      metric
	Runs         []*run // in the order of the plan
	Illustration store.Illustration
}

// gather reads a study from the store.
func gather(ctx context.Context, db *store.DB, name string) (*evidence, error) {
	study, err := db.Study(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	e := &evidence{Study: study}
	if len(study.Compare) > 0 {
		if err := json.Unmarshal(study.Compare, &e.Compare); err != nil {
			return nil, fmt.Errorf("read the comparison that study %q declares: %w", name, err)
		}
	}
	e.Primary = parseMetric(e.Compare.Primary.Metric)
	if e.Illustration, err = db.Illustration(ctx, name); err != nil {
		return nil, err
	}
	stored, err := db.Runs(ctx, name)
	if err != nil {
		return nil, err
	}
	if e.Compare.Primary.Metric == "" && !slices.ContainsFunc(stored, func(s store.Run) bool { return len(s.Metrics[e.Primary.Split]) > 0 }) &&
		slices.ContainsFunc(stored, func(s store.Run) bool { return len(s.Metrics["val"]) > 0 }) {
		e.Primary.Split = "val" // a search that spares the test split
	}
	for _, s := range stored {
		r := &run{Run: s, Group: groupOf(s, e.Compare.Arms)}
		if r.Epochs, err = db.Epochs(ctx, s.ID); err != nil {
			return nil, err
		}
		if r.completed() {
			if r.Captions, err = db.Captions(ctx, s.ID, e.Primary.Split); err != nil {
				return nil, err
			}
			if r.Audit, err = db.Audit(ctx, s.ID); err != nil {
				return nil, err
			}
			if r.Readings, err = db.Readings(ctx, s.ID, e.Primary.Split); err != nil {
				return nil, err
			}
			slices.SortFunc(r.Captions, func(a, b store.Caption) int { return cmp.Compare(a.Image, b.Image) })
		}
		e.Runs = append(e.Runs, r)
	}
	return e, nil
}

// groupOf names the group of runs that differ in their seed alone: the arm,
// followed by the values of what is swept besides the arms.
func groupOf(r store.Run, arms string) string {
	return r.Arm + settingOf(r, arms)
}

// settingOf is the part of a run's group that is not its arm: "" where nothing
// but arms and seeds is swept.
func settingOf(r store.Run, arms string) string {
	if arms == "" {
		return "" // the arm is made of all swept values
	}
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(r.Swept)) {
		if path != arms {
			fmt.Fprintf(&b, " %s=%s", path, r.Swept[path])
		}
	}
	return b.String()
}

// A metric is a score of a split: "test.cider".
type metric struct{ Split, Key string }

// parseMetric reads a declared primary metric; a study that declares none is
// described by the CIDEr of its test split.
func parseMetric(declared string) metric {
	split, key, ok := strings.Cut(declared, ".")
	if !ok || split == "" || key == "" {
		return metric{"test", "cider"}
	}
	return metric{split, key}
}

// metricNames are the metrics of the main table, in its order, with their
// usual names.
var metricNames = []struct{ Key, Name string }{
	{"bleu1", "BLEU-1"}, {"bleu2", "BLEU-2"}, {"bleu3", "BLEU-3"}, {"bleu4", "BLEU-4"},
	{"meteor", "METEOR"}, {"meteor-exact-stem", "METEOR (exact, stem)"},
	{"rouge_l", "ROUGE-L"}, {"cider", "CIDEr"}, {"cider_d", "CIDEr-D"},
}

// metricName gives the usual name of a key; an unknown key is its own name.
func metricName(key string) string {
	for _, m := range metricNames {
		if m.Key == key {
			return m.Name
		}
	}
	return key
}

// name is the metric in words: "CIDEr (test)".
func (m metric) name() string { return metricName(m.Key) + " (" + m.Split + ")" }

// axis is the title of an axis of the metric, with its unit.
func (m metric) axis() string { return metricName(m.Key) + ", " + m.Split + " split (points, ×100)" }

// of is the run's score as a fraction of 1, and whether it has a finite one.
func (m metric) of(r *run) (float64, bool) {
	v, ok := r.Metrics[m.Split][m.Key]
	return v, ok && finite(v)
}
