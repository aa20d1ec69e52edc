package term

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Hidden tells of a character that a terminal obeys instead of showing it: control characters, of
// which an escape sequence begins with one, and those that end a line or turn the direction of
// writing, by which a text shows other than it is. What languages are written with is none.
func Hidden(r rune) bool {
	switch {
	case r < 0x80:
		return r < ' ' || r == 0x7F
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x2028, r == 0x2029: // bidirectional embeddings, overrides and isolates
		return true
	}
	return unicode.IsControl(r)
}

// Printable is a character as a page may hold it: those that are [Hidden] become spaces, but for the
// ends of lines and tabs. HTML forbids control characters.
func Printable(r rune) rune {
	if Hidden(r) && r != '\n' && r != '\t' {
		return ' '
	}
	return r
}

// Line is a text that glimpse did not write, such as a name, a caption or a path, as a terminal may
// show it on one line: characters that are [Hidden] stand there as \n, \t or \u001b, and bytes
// that are no UTF-8 as \x9b.
func Line(text string) string { return clean(text, "") }

// Name is a name of a file on a line that programs may read: as it is, or quoted as a string of Go, where [Line]
// would change it or it begins with a quotation mark.
func Name(name string) string {
	if Line(name) == name && !strings.HasPrefix(name, `"`) {
		return name
	}
	return strconv.Quote(name)
}

// Lines is Line for text of several lines: ends of lines and tabs stay.
func Lines(text string) string { return clean(text, "\n\t") }

// clean shows what is hidden, but for the characters of keep.
func clean(text, keep string) string {
	first := strings.IndexFunc(text, func(r rune) bool {
		return (Hidden(r) || r == utf8.RuneError) && !strings.ContainsRune(keep, r)
	})
	if first < 0 {
		return text
	}
	var b strings.Builder
	b.WriteString(text[:first])
	for rest := text[first:]; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, rest[0])
		case !Hidden(r) || strings.ContainsRune(keep, r):
			b.WriteString(rest[:size])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		default:
			fmt.Fprintf(&b, `\u%04x`, r) // in a text of JSON it stands for the same character
		}
		rest = rest[size:]
	}
	return b.String()
}

// Output passes text on to where people read it, without what a terminal would obey; see
// [Lines]. All that a program prints goes through one. It is safe for concurrent use.
type Output struct {
	to   io.Writer
	mu   sync.Mutex
	rest []byte // the beginning of a character whose end is still to come
}

// NewOutput makes an output to w.
func NewOutput(w io.Writer) *Output { return &Output{to: w} }

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := append(o.rest, p...)
	whole := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if first := text[len(text)-back]; utf8.RuneStart(first) {
			if !utf8.FullRune(text[len(text)-back:]) {
				whole -= back
			}
			break
		}
	}
	o.rest = append([]byte(nil), text[whole:]...)
	if _, err := io.WriteString(o.to, Lines(string(text[:whole]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes what is left of a character that was cut off. It leaves open where the text goes.
func (o *Output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	rest := string(o.rest)
	o.rest = nil
	_, err := io.WriteString(o.to, Lines(rest))
	return err
}

// Data gives the writer for text that other programs are to read as it is, such as tokens: past an [Output], unless it leads
// to a terminal.
func Data(w io.Writer) io.Writer {
	if o, ok := w.(*Output); ok && !IsTerminal(o.to) {
		return o.to
	}
	return w
}
