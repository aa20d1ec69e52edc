package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"glimpse/internal/secret"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/reports/charts"
)

// A table is laid out once for the page and for Markdown.
type table struct {
	Name    string // id in the page
	Caption string
	Columns []column
	Rows    [][]cell // the first cell of a row is its header
}

// PrimaryFirst is the table with the metric that decides beside the names of its rows, where a narrow window
// shows it.
func (t table) PrimaryFirst() table {
	at := slices.IndexFunc(t.Columns, func(c column) bool { return c.Primary })
	if at < 2 {
		return t
	}
	t.Columns = toSecond(t.Columns, at)
	rows := make([][]cell, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = toSecond(row, at)
	}
	t.Rows = rows
	return t
}

// toSecond is a copy of a list with one item moved to the second place.
func toSecond[T any](list []T, at int) []T {
	item := list[at]
	return slices.Insert(slices.Delete(slices.Clone(list), at, at+1), 1, item)
}

type column struct {
	Name    string
	Numeric bool // set flush right
	Primary bool // of the metric that decides
}

type cell struct {
	Text  string
	Class string // colour of an arm, state of a run
	Code  bool   // an identifier
}

// scoreTable has a line for each arm with mean ± SD of every metric.
func (r *result) scoreTable() table {
	arms, shown := r.drawn()
	if shown != "" {
		shown += " The others are in arms.csv."
	}
	t := table{
		Name: "score-table",
		Caption: fmt.Sprintf("Scores on the %s split, in points (×100): mean ± standard deviation over the finished seeds.",
			r.Primary.Split) + shown,
		Columns: []column{{Name: "Arm"}, {Name: "Parameters", Numeric: true}, {Name: "Seeds", Numeric: true}},
	}
	measured := r.shownMetrics()
	for _, m := range measured {
		t.Columns = append(t.Columns, column{Name: metrics.Title(m.Key), Numeric: true, Primary: m == r.Primary})
	}
	for _, a := range arms {
		seeds := fmt.Sprint(len(a.Scores))
		if len(a.Scores) != len(a.Runs) {
			seeds = fmt.Sprintf("%d of %d", len(a.Scores), len(a.Runs))
		}
		row := []cell{a.cell(), {Text: a.parameters()}, {Text: seeds}}
		for _, m := range measured {
			row = append(row, cell{Text: meanText(meanSD(a.values(m)))})
		}
		t.Rows = append(t.Rows, row)
	}
	ratio := metricOf(r.Primary.Split, "length_ratio")
	t.extend(metrics.Title(ratio.Key), arms, func(a *arm) string {
		if mean, _ := meanSD(a.values(ratio)); finite(mean) {
			return fixed(mean, 2)
		}
		return ""
	})
	if t.extend("p", arms, func(a *arm) string {
		if c := r.againstBaseline(a); c != nil && c.Verdict != "" {
			p := pNumber(c.Result.PHolm)
			if c.early() {
				p += " (" + seedsOf(c) + ")"
			}
			return p
		}
		return ""
	}) {
		t.Caption += fmt.Sprintf(" p: against %s, after Holm.", r.Compare.Baseline)
	}
	t.extend(fmt.Sprintf("%s, %s interval", metrics.Title(r.Primary.Key), r.Level), arms, func(a *arm) string {
		if finite(a.Low) && finite(a.High) {
			return interval(a.Low, a.High, 1)
		}
		return ""
	})
	return t
}

// extend adds a column of numbers if any row has one, and says whether.
func (t *table) extend(name string, arms []*arm, of func(*arm) string) bool {
	texts := make([]string, len(arms))
	for i, a := range arms {
		texts[i] = of(a)
	}
	if !slices.ContainsFunc(texts, func(s string) bool { return s != "" }) {
		return false
	}
	t.Columns = append(t.Columns, column{Name: name, Numeric: true})
	for i, text := range texts {
		t.Rows[i] = append(t.Rows[i], cell{Text: cmp.Or(text, "–")})
	}
	return true
}

// againstBaseline is the declared contrast of an arm with the baseline, nil if
// there is none.
func (r *result) againstBaseline(a *arm) *contrast {
	for _, c := range r.Contrasts {
		if c.B == a && c.A.Arm == r.Compare.Baseline {
			return c
		}
	}
	return nil
}

// shownMetrics are the metrics of the primary split that any finished run has,
// in the usual order, with the primary one even if it is an unusual one.
func (r *result) shownMetrics() []metric {
	var shown []metric
	for _, key := range tableMetrics() {
		here := metricOf(r.Primary.Split, key)
		if key == "cider_d" && here != r.Primary { // it differs from CIDEr where a caption is empty, and nowhere else
			continue
		}
		if slices.ContainsFunc(r.Arms, func(a *arm) bool { return len(a.values(here)) > 0 }) {
			shown = append(shown, here)
		}
	}
	if !slices.Contains(shown, r.Primary) {
		shown = append(shown, r.Primary)
	}
	return shown
}

// values are the arm's scores in a metric, on the scale on which it is shown,
// finished runs only.
func (a *arm) values(m metric) []float64 {
	var values []float64
	for _, run := range a.Runs {
		if v, ok := m.of(run); ok && run.completed() {
			values = append(values, m.scale()*v)
		}
	}
	return values
}

// cell is the arm's name in its colour.
func (a *arm) cell() cell { return cell{Text: a.Label, Class: charts.ArmClass(a.Colour)} }

// tint is the arm's colour.
func (a *arm) tint() charts.Tint { return charts.ArmTint(a.Colour) }

// counts are the parameter counts of the arm's runs, least and greatest, 0
// where none is known.
func (a *arm) counts() (least, greatest int64) {
	for _, run := range a.Runs {
		if run.Parameters > 0 && (least == 0 || run.Parameters < least) {
			least = run.Parameters
		}
		greatest = max(greatest, run.Parameters)
	}
	return least, greatest
}

func (a *arm) parameters() string {
	switch least, greatest := a.counts(); {
	case greatest == 0:
		return "–"
	case least < greatest:
		return thousands(least) + " – " + thousands(greatest)
	default:
		return thousands(greatest)
	}
}

// runTable has a line for each trial.
func (r *result) runTable() table {
	t := table{
		Name: "run-table",
		Caption: fmt.Sprintf("All %s, in the order of the arms. Epochs: selected of trained. Time: working time that counted.",
			count(len(r.Runs), "trial")),
		Columns: []column{{Name: "Run"}, {Name: "Arm"}, {Name: "Seed", Numeric: true}, {Name: "State"},
			{Name: metrics.Title(r.Primary.Key) + " (" + r.Primary.Split + ")", Numeric: true}, {Name: "Epochs", Numeric: true}, {Name: "Time", Numeric: true}, {Name: "Captions sha256"}},
	}
	listed := r.listed()
	if len(listed) < len(r.Runs) {
		t.Caption = fmt.Sprintf("The %d highest-scoring trials of %d; runs.csv has all. In the order of the arms. "+
			"Epochs: selected of trained. Time: working time that counted.", len(listed), len(r.Runs))
	}
	for _, a := range r.Arms {
		for _, run := range a.Runs {
			if !listed[run] {
				continue
			}
			value, epochs := "–", fmt.Sprint(run.Run.Run.Epochs)
			if v, ok := r.Primary.of(run); ok {
				value = fixed(100*v, 1)
			}
			if run.BestEpoch > 0 {
				epochs = fmt.Sprintf("%d of %d", run.BestEpoch, run.Run.Run.Epochs)
			}
			t.Rows = append(t.Rows, []cell{{Text: run.ID, Code: true}, a.cell(), {Text: fmt.Sprint(run.Seed)},
				{Text: r.stateText(run), Class: "state-" + knownState(run.State)}, {Text: value}, {Text: epochs},
				{Text: duration(run.Seconds)}, {Text: abbreviated(run.CaptionsSHA256), Code: run.CaptionsSHA256 != ""}})
		}
	}
	return t
}

// failureTable has a line for each trial that ended without a result.
func (r *result) failureTable() table {
	t := table{
		Name:    "failure-table",
		Caption: "Trials that ended without a result.",
		Columns: []column{{Name: "Run"}, {Name: "Arm"}, {Name: "Seed", Numeric: true}, {Name: "State"}, {Name: "Attempts", Numeric: true}, {Name: "Cause"}},
	}
	for _, a := range r.Arms {
		for _, run := range a.Runs {
			if run.State != store.Failed && run.State != store.Interrupted && run.State != store.Pruned {
				continue
			}
			t.Rows = append(t.Rows, []cell{{Text: run.ID, Code: true}, a.cell(), {Text: fmt.Sprint(run.Seed)},
				{Text: run.State, Class: "state-" + knownState(run.State)}, {Text: fmt.Sprint(run.Attempt)}, {Text: run.cause(), Class: "cause"}})
		}
	}
	t.limit("runs.csv")
	return t
}

// cause is why the run ended without a result.
func (r *run) cause() string {
	parts := slices.DeleteFunc([]string{strings.TrimSpace(r.Failure), strings.TrimSpace(secret.Redact(r.Error))}, func(s string) bool { return s == "" })
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ": ")
	case r.State == store.Interrupted:
		return "stopped from outside; the next run resumes from its last checkpoint"
	}
	return "no cause recorded"
}

// knownState is the state if it is one that the style knows.
func knownState(state string) string {
	if slices.Contains([]string{store.Queued, store.Running, store.Completed, store.Failed, store.Interrupted, store.Pruned}, state) {
		return state
	}
	return "unknown"
}

// abbreviated is the beginning of a hash, enough to tell hashes apart.
func abbreviated(hash string) string {
	if hash == "" {
		return "–"
	}
	return hash[:min(len(hash), 12)]
}
