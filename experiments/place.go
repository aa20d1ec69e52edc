package experiments

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// place is where a value was given: a part of a line of a file, or of a --set argument.
type place struct {
	file     string // the file; override for a --set
	line     int    // 0 for an override
	text     string // the line, or the override's key=value, safe for display
	from, to int    // the characters of text at this place; none for all of it
}

// first returns a hint to the first occurrence, for a later line of the same file.
func (p place) first() string {
	if p.line == 0 {
		return ""
	}
	return fmt.Sprintf("; the first is on line %d", p.line)
}

// maxShown is how many characters of a line are shown.
const maxShown = 120

// show sets the displayed text of a line, in printable characters; the place is those from up to,
// not including, to. It shortens a long line around them.
func (p place) show(runes []rune, from, to int) place {
	if len(runes) <= maxShown {
		p.text, p.from, p.to = string(runes), from, min(to, len(runes))
		return p
	}
	start := max(0, min(from-maxShown/2, len(runes)-maxShown))
	cut := slices.Clone(runes[start:min(len(runes), start+maxShown)])
	if start > 0 {
		cut[0] = '…'
	}
	if start+maxShown < len(runes) {
		cut[len(cut)-1] = '…'
	}
	p.text, p.from, p.to = string(cut), from-start, min(to-start, len(cut))
	return p
}

// printable makes text safe for a terminal and no longer than width runes.
func printable(text string, width int) string {
	runes := printableRunes(text)
	if len(runes) > width {
		runes = append(runes[:width-1], '…')
	}
	return string(runes)
}

func printableRunes(text string) []rune {
	runes := []rune(strings.TrimRight(text, " \t\r\n"))
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = ' '
		}
	}
	return runes
}

// place returns the place of a line of the source, from 1. An override has no lines: all of it is
// one place.
func (c *converter) place(line int) place { return c.part(line, 0, 0) }

// part returns the place of a part of a line, with characters counted from 0.
func (c *converter) part(line, from, to int) place {
	if c.file == override {
		return place{file: override}.show(c.printableLine(1), from, to)
	}
	line = max(1, min(line, len(c.lines)))
	return place{file: c.file, line: line}.show(c.printableLine(line), from, to)
}

// printableLine returns the printable characters of a line, from 1. It caches them, since one
// line may contain all values of a file.
func (c *converter) printableLine(line int) []rune {
	runes, known := c.printable[line]
	if !known {
		runes = printableRunes(c.lines[line-1])
		if c.printable == nil {
			c.printable = map[int][]rune{}
		}
		c.printable[line] = runes
	}
	return runes
}

// at returns the place of a node: all of a word or number, the start of anything else.
func (c *converter) at(n *yaml.Node) place {
	from, width := n.Column-1+c.shift, 1
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		width = utf8.RuneCountInString(n.Value)
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			width += 2
		}
	}
	return c.part(n.Line, from, from+width)
}

// valueAt returns the place of a member's value if it is on the line of its key, else the place
// of the key.
func (m member) valueAt() place {
	at := m.value.at
	if at.file != m.at.file || at.line != m.at.line || at.from >= at.to {
		return m.at
	}
	return at
}
