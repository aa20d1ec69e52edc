package term

import (
	"fmt"
	"io"
	"os"
)

// Style is how text is set off on a terminal.
type Style string

// The styles: ANSI's select graphic rendition codes (ECMA-48, 8.3.117).
const (
	Bold   Style = "1"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
)

// Styledln writes a line of text, in a style where w shows colours: on a terminal that is not
// dumb, unless $NO_COLOR is set to anything but "" (https://no-color.org). What is hidden in the
// text is shown ([Line]), and it is broken as by [Paragraphs].
func Styledln(w io.Writer, style Style, text string) error {
	line := broken(w, Line(text))
	if file, ok := fileOf(w); ok && IsTerminal(file) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		w, line = file, "\x1b["+string(style)+"m"+line+"\x1b[0m" // past an Output, which would show the escape sequences
	}
	_, err := fmt.Fprintln(w, line)
	return err
}
