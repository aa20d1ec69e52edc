package experiments

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	// Messages of yaml.v3's parser, unlike its scanner's, count lines from 0.
	fromZero = regexp.MustCompile(`^did not find expected (node content|key|'|<)`)
)

// syntaxError splits a message of the YAML parser; lines count from 1.
func syntaxError(err error) (line int, message string) {
	m := yamlError.FindStringSubmatch(err.Error())
	if m == nil {
		return 1, err.Error()
	}
	message = strings.TrimPrefix(err.Error(), m[0])
	line, _ = strconv.Atoi(m[1]) // without a line it is 0, which means the first line
	if fromZero.MatchString(message) {
		line++
	}
	return line, message
}

// version matches the only directive with which a study may start. Both versions read a study in
// the same way.
var version = regexp.MustCompile(`^%YAML[ \t]+1\.[12][ \t\r]*(#.*)?$`)

// directives turns the directive %YAML at the start of a source into a comment, since the parser
// only knows 1.1, and reports any other directive with its line. Lines and columns are unchanged.
func directives(source []byte) (without []byte, line int, wrong string) {
	at, found := 0, false
	for text := range strings.Lines(string(source)) {
		line++
		begun := strings.TrimPrefix(text, "\ufeff")
		plain := strings.TrimSpace(begun)
		switch {
		case plain == "" || plain[0] == '#':
		case begun[0] != '%':
			return source, 0, ""
		case found:
			return nil, line, "a second directive; a study may start with one, %YAML 1.1 or 1.2"
		case !version.MatchString(plain):
			return nil, line, fmt.Sprintf("directive %s is not allowed; a study may only start with %%YAML 1.1 or 1.2", printable(plain, 60))
		default:
			found = true
			source = slices.Clone(source)
			source[at+strings.IndexByte(text, '%')] = '#'
		}
		at += len(text)
	}
	return source, 0, ""
}

// A slip is a common mistake in YAML. The first group of its pattern matches the fault.
type slip struct {
	pattern *regexp.Regexp
	advice  string
}

var (
	tabbed = slip{regexp.MustCompile(`^ *(\t+)`), "indent with spaces, not tabs"}
	slips  = []slip{
		{regexp.MustCompile(`^\s*(//.*|/\*.*)`), "start comments with #"},
		{regexp.MustCompile(`^\s*(?:- )?([A-Za-z_][\w.]*:)[^\s/]`), "put a space after the colon"},
		{regexp.MustCompile(`^\s*(-[^\s-].*)`), "put a space after the dash"},
		{regexp.MustCompile(`^\s*([A-Za-z_][\w.]* *=.*)`), "write key: value, with a colon"},
		{regexp.MustCompile(`^\s*(?:- )?[A-Za-z_][\w.]*: +([^\s'"\[{|>&*!#][^#]*:(?:\s.*|$))`), "quote text that contains a colon"},
		{regexp.MustCompile(`^\s*(?:- )?[A-Za-z_][\w.]*: +([@%` + "`" + `].*)`), "quote text that starts with this character"},
		{regexp.MustCompile(`^\s*([A-Za-z_][\w.]* .*)`), "separate key and value with a colon and a space"},
	}
	keyed = regexp.MustCompile(`^( *)(?:- )?[A-Za-z_][\w.]*: +[^\s#]`)
)

// explain finds the likely slip behind an error of the YAML parser near a line (from 1). The
// parser names the line where it failed, or a neighbour, and rarely what to do.
func (c *converter) explain(line int, message string) (place, string) {
	unclosed := ""
	switch {
	case strings.HasPrefix(message, "did not find expected ',' or"):
		unclosed = "; close the bracket, and separate its items with commas"
	case strings.HasSuffix(message, "unexpected end of stream"):
		unclosed = "; a quote starts here and is never closed"
	}
	if unclosed != "" || c.file == override {
		return c.place(line), unclosed
	}
	try := func(s slip, line int) (place, bool) {
		if line < 1 || line > len(c.lines) {
			return place{}, false
		}
		text := c.lines[line-1]
		m := s.pattern.FindStringSubmatchIndex(text)
		if m == nil {
			return place{}, false
		}
		from := utf8.RuneCountInString(text[:m[2]])
		return c.part(line, from, from+utf8.RuneCountInString(text[m[2]:m[3]])), true
	}
	for _, near := range []int{line, line + 1, line - 1} {
		if at, found := try(tabbed, near); found {
			return at, "; " + tabbed.advice
		}
	}
	if advice := c.misaligned(line); advice != "" {
		text := c.lines[line-1]
		return c.part(line, 0, len(text)-len(strings.TrimLeft(text, " "))), advice
	}
	for _, near := range []int{line - 1, line} {
		for _, s := range slips {
			if at, found := try(s, near); found {
				return at, "; " + s.advice
			}
		}
	}
	return c.place(line), ""
}

// misaligned returns advice for a key that does not start in the same column as a key above it;
// "" if it does.
func (c *converter) misaligned(line int) string {
	if line < 2 || line > len(c.lines) {
		return ""
	}
	m := keyed.FindStringSubmatch(c.lines[line-1])
	if m == nil {
		return ""
	}
	indent := len(m[1])
	for above := line - 1; above > 0; above-- {
		text := c.lines[above-1]
		content := strings.TrimLeft(text, " ")
		if content == "" || content[0] == '#' {
			continue
		}
		beside := len(text) - len(content)
		switch {
		case beside == indent:
			return ""
		case beside < indent && keyed.MatchString(text):
			return fmt.Sprintf("; the key starts in column %d, deeper than the key on line %d, which already has a value: start both in the same column", indent+1, above)
		case beside < indent:
			return fmt.Sprintf("; the key starts in column %d, where no key above it starts: start the keys of a section in the same column", indent+1)
		}
	}
	return ""
}
