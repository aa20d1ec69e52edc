package experiments

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// override is the file name for values of --set.
const override = "--set"

// maxProblems is how many errors are shown at once.
const maxProblems = 20

// An Error is one fault in a study, and its place.
type Error struct {
	File string // path as given, or "--set"
	Line int    // 1-based; 0 for --set and for a file that cannot be read
	Text string // the offending line, or key=value of a --set, safe for display
	From int    // the fault in Text: characters From up to, not including, To
	To   int    // not above From if all of Text is at fault
	Msg  string
	Err  error // the system's error, or nil
}

// Error returns "file:line: message" and, below it, the offending line with the fault underlined.
func (e *Error) Error() string {
	switch {
	case e.File == override:
		return fmt.Sprintf("--set %s: %s%s", e.Text, e.Msg, e.excerpt(""))
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	case e.Text == "":
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s%s", e.File, e.Line, e.Msg, e.excerpt(strconv.Itoa(e.Line)))
}

// excerpt returns Text with a number in the margin.
func (e *Error) excerpt(number string) string {
	shown := fmt.Sprintf("\n%6s | %s", number, e.Text)
	if e.To > e.From {
		shown += fmt.Sprintf("\n%6s | %s%s", "", strings.Repeat(" ", e.From), strings.Repeat("^", e.To-e.From))
	}
	return shown
}

// Unwrap returns the cause, so that errors.Is finds fs.ErrNotExist.
func (e *Error) Unwrap() error { return e.Err }

// wrong returns an error at a place.
func (p place) wrong(format string, args ...any) *Error {
	return &Error{File: p.file, Line: p.line, Text: p.text, From: p.from, To: p.to, Msg: fmt.Sprintf(format, args...)}
}

// problems collects errors, each once.
type problems struct {
	list []*Error
	seen map[string]bool
}

func (p *problems) add(at place, format string, args ...any) { p.report(at.wrong(format, args...)) }

func (p *problems) report(e *Error) {
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	if text := e.Error(); !p.seen[text] {
		p.seen[text] = true
		p.list = append(p.list, e)
	}
}

// err returns the errors joined, in the order of files and lines; nil if there are none.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	rank := map[string]int{override: len(p.list)} // after all files
	for i, e := range p.list {
		if _, known := rank[e.File]; !known {
			rank[e.File] = i
		}
	}
	slices.SortStableFunc(p.list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(rank[a.File], rank[b.File]), cmp.Compare(a.Line, b.Line))
	})
	var all []error
	for i, e := range p.list {
		if i == maxProblems {
			all = append(all, fmt.Errorf("and %d more", len(p.list)-i))
			break
		}
		all = append(all, e)
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// suggest returns `; did you mean "x"?` for the nearest of the words; "" if none is near.
func suggest(word string, words []string) string {
	if best := Nearest(word, words); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// Suggest returns `; did you mean x?` for the nearest of some paths, or for those that end in a
// similar name; "" if none is near.
func Suggest(name string, paths []string) string {
	if hint := suggest(name, paths); hint != "" {
		return hint
	}
	return elsewhere(name, paths)
}

// Nearest returns the word with the smallest edit distance, if that is at most a third of the
// word's length (at least 1); else the only one with the same part before the first underscore;
// else "".
func Nearest(word string, words []string) string {
	best, least := "", len(word)+1
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < least && d <= max(1, len(w)/3) {
			best, least = w, d
		}
	}
	first, _, parted := strings.Cut(word, "_")
	if best != "" || !parted || first == "" {
		return best
	}
	for _, w := range words {
		if strings.HasPrefix(w, first+"_") {
			if best != "" {
				return ""
			}
			best = w
		}
	}
	return best
}

// distance returns the edit distance with insertion, deletion, substitution and transposition of
// neighbours (optimal string alignment), over bytes.
func distance(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return max(len(a), len(b))
	}
	before, above := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := above[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(above[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
