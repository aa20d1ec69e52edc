package experiments

import "fmt"

// place is where a value was given: a line of a file, or a --set argument.
type place struct {
	file string // "--set" for an override
	line int    // 0 for an override
	text string // the line, or the override's key=value
}

// An Error is one thing wrong with a study, and where.
type Error struct {
	File string // path as given, or "--set"
	Line int    // 1-based; 0 for --set and for a file that cannot be read
	Text string // the offending line, or key=value of a --set
	Msg  string
}

// Error gives "file:line: message" and, below it, the offending line.
func (e *Error) Error() string {
	switch {
	case e.File == "--set":
		return fmt.Sprintf("--set %s: %s", e.Text, e.Msg)
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	case e.Text == "":
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s\n%6d | %s", e.File, e.Line, e.Msg, e.Line, e.Text)
}
