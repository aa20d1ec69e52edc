package term

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Wrap breaks a text at its spaces into lines of at most width characters. A longer word has a line of its own. Spaces
// within a line stay as many as they are.
func Wrap(text string, width int) []string {
	var lines []string
	line, length, spaces := "", 0, 0
	for word := range strings.SplitSeq(strings.TrimSpace(text), " ") {
		if word == "" {
			spaces++
			continue
		}
		size := utf8.RuneCountInString(word)
		switch {
		case line == "":
			line, length = word, size
		case length+spaces+size <= width:
			line, length = line+strings.Repeat(" ", spaces)+word, length+spaces+size
		default:
			lines = append(lines, line)
			line, length = word, size
		}
		spaces = 1
	}
	return append(lines, line)
}

// Paragraphs writes lines of text. On a terminal each is broken at the terminal's width, and what follows its first line is
// indented; elsewhere each stays one line, for whoever searches them. What is hidden in a text is shown ([Line]).
func Paragraphs(w io.Writer, texts ...string) error {
	for _, text := range texts {
		if _, err := fmt.Fprintln(w, broken(w, Line(text))); err != nil {
			return err
		}
	}
	return nil
}

// Message writes a text of one or several lines as Paragraphs does, but for lines that begin with a space, such as those
// that quote a file: they are laid out already.
func Message(w io.Writer, text string) error {
	lines := strings.Split(Lines(text), "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, " ") {
			lines[i] = broken(w, line)
		}
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// broken breaks a line at the width of w, if that is a terminal.
func broken(w io.Writer, line string) string {
	if !IsTerminal(w) {
		return line
	}
	return hanging(line, max(Width(w), narrowest))
}

// hanging is a text in lines of at most width characters, with all but the first indented.
func hanging(text string, width int) string {
	const indent = "  "
	text = strings.TrimSpace(text)
	first := Wrap(text, width)[0]
	if first == text {
		return text
	}
	return first + "\n" + indent + strings.Join(Wrap(text[len(first):], width-len(indent)), "\n"+indent)
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
