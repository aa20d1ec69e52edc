package term

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"
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
	var text strings.Builder
	tw := tabwriter.NewWriter(&text, 0, 0, columnGap, ' ', 0)
	for _, row := range t.rows {
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	tw.Flush() // a Builder takes all
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// columnGap is the number of spaces between columns.
const columnGap = 2

// Fit drops columns until the table is no wider than width characters: first that whose heading, in the first row, comes
// first in least, and so on. Where one that went later was so wide that some before it fit again, those stay. Columns that
// least does not name stay, whatever the width. It gives the headings of the dropped. The table must have one header, and
// no gap behind it.
func (t *Table) Fit(width int, least ...string) (dropped []string) {
	whole := *t
	for _, heading := range least {
		if t.width() <= width {
			break
		}
		if whole.column(heading) >= 0 {
			dropped = append(dropped, heading)
			*t = *whole.without(dropped)
		}
	}
	for i := len(dropped) - 2; i >= 0; i-- {
		fewer := slices.Delete(slices.Clone(dropped), i, i+1)
		if fitting := whole.without(fewer); fitting.width() <= width {
			dropped, *t = fewer, *fitting
		}
	}
	return dropped
}

// column is where a heading stands in the header, or -1.
func (t *Table) column(heading string) int {
	for _, row := range t.rows {
		if len(row) > 0 { // behind a gap at the beginning
			return slices.Index(row, heading)
		}
	}
	return -1
}

// without is the table without some columns.
func (t *Table) without(headings []string) *Table {
	out := &Table{rows: slices.Clone(t.rows)}
	for _, heading := range headings {
		at := out.column(heading)
		for i, row := range out.rows {
			if at < len(row) {
				out.rows[i] = slices.Delete(slices.Clone(row), at, at+1)
			}
		}
	}
	return out
}

// width is that of the widest line as Print writes it.
func (t *Table) width() int {
	var columns []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(columns) {
				columns = append(columns, 0)
			}
			columns[i] = max(columns[i], utf8.RuneCountInString(cell))
		}
	}
	width := 0
	for _, row := range t.rows {
		line := 0
		for i, cell := range row {
			if i == len(row)-1 {
				line += utf8.RuneCountInString(cell)
			} else {
				line += columns[i] + columnGap
			}
		}
		width = max(width, line)
	}
	return width
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
