package term

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Wrap breaks a text at its spaces into lines of at most width characters. A longer word has a line of its own.
func Wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// Paragraphs writes lines of text. On a terminal each is broken at the terminal's width, and what follows its first line is
// indented; elsewhere each stays one line, for whoever searches them. What is hidden in a text is shown ([Line]).
func Paragraphs(w io.Writer, texts ...string) error {
	for _, text := range texts {
		text = Line(text)
		if IsTerminal(w) {
			const indent = "  "
			text = strings.Join(Wrap(text, max(Width(w)-len(indent), narrowest)), "\n"+indent)
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}

// PrintWrapped is Print for a table whose last column holds sentences: on a terminal they are broken to fit it.
func (t *Table) PrintWrapped(w io.Writer) error {
	if IsTerminal(w) {
		t = t.wrapped(Width(w))
	}
	return t.Print(w)
}

// wrapped is the table with the last cell of each row broken, so that lines have at most width characters as far as the
// other columns leave room for that.
func (t *Table) wrapped(width int) *Table {
	last := 0
	for _, row := range t.rows {
		last = max(last, len(row)-1)
	}
	room := width
	for column := range last {
		widest := 0
		for _, row := range t.rows {
			if column < len(row) {
				widest = max(widest, utf8.RuneCountInString(row[column]))
			}
		}
		room -= widest + columnGap
	}
	out := &Table{}
	for _, row := range t.rows {
		if len(row) <= last {
			out.rows = append(out.rows, row)
			continue
		}
		for i, line := range Wrap(row[last], max(room, narrowest)) {
			part := make([]string, last, last+1)
			if i == 0 {
				copy(part, row)
			}
			out.rows = append(out.rows, append(part, line))
		}
	}
	return out
}

// narrowest is the least number of characters that a text is broken to: below that, nothing could be read.
const narrowest = 20
