package term

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"
)

// Series makes Numbers of values; nil stays nil.
func Series(values []float64) []Number {
	if values == nil {
		return nil
	}
	out := make([]Number, len(values))
	for i, v := range values {
		out[i] = Number(v)
	}
	return out
}

// WriteJSON writes one JSON value, indented.
func WriteJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

// Table collects rows of text in aligned columns.
type Table struct{ rows [][]string }

// Add adds a row. What is hidden in a cell is shown ([Line]): no text leaves its cell.
func (t *Table) Add(cells ...string) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = Line(cell)
	}
	t.rows = append(t.rows, row)
}

// Gap adds an empty line, after which columns have widths of their own.
func (t *Table) Gap() { t.rows = append(t.rows, nil) }

// AddLines adds a row with a text of several lines, which stand below one another.
func (t *Table) AddLines(cell, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		t.Add(cell, strings.ReplaceAll(line, "\t", "    "))
		cell = ""
	}
}

// Empty reports whether there is no row.
func (t *Table) Empty() bool { return len(t.rows) == 0 }

// Print writes the rows.
func (t *Table) Print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range t.rows {
		fmt.Fprintln(tw, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return tw.Flush()
}

// Percent shows a metric ×100 with one decimal, or - where it was not measured.
func Percent(values map[string]float64, key string) string {
	v, ok := values[key]
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.1f", 100*v)
}

// Span shows seconds as people say them: 48s, 3m20s, 2h05m.
func Span(seconds float64) string {
	if seconds <= 0 || math.IsNaN(seconds) || math.IsInf(seconds, 0) {
		return "-"
	}
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
}

// Timestamp gives a time in UTC for JSON, or nil for the zero time.
func Timestamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
