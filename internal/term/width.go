package term

import (
	"io"
	"os"

	terminal "golang.org/x/term"
)

// UsualWidth is the width, in characters, that text is laid out for where no terminal says its own.
const UsualWidth = 80

// Width is how many characters a line of w has: those of the terminal, else [UsualWidth].
func Width(w io.Writer) int {
	if file, ok := fileOf(w); ok {
		if width, _, err := terminal.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return UsualWidth
}

// fileOf is the file that w writes to, past an [Output].
func fileOf(w io.Writer) (*os.File, bool) {
	if o, ok := w.(*Output); ok {
		w = o.to
	}
	file, ok := w.(*os.File)
	return file, ok
}
