package experiments

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// The limits of a study file. A real one has about 3 KB, 60 values and a depth of 4; one beyond
// these limits is a mistake or an attack.
const (
	maxBytes  = 256 << 10
	maxValues = 10_000 // with aliases expanded, so that they cannot multiply values
	maxDepth  = 12
)

type shape int

const (
	scalar shape = iota
	list
	mapping
)

// A value is a YAML node with its place and with aliases expanded.
type value struct {
	at      place
	kind    shape
	text    string // scalar
	tag     string // scalar: !!str, !!int, !!float, !!bool, !!null, …
	items   []*value
	members []member
}

// A member is one key of a mapping, at the place of the key.
type member struct {
	at   place
	name string
	*value
}

// member returns the member of a name, or nil.
func (v *value) member(name string) *member {
	for i := range v.members {
		if v.members[i].name == name {
			return &v.members[i]
		}
	}
	return nil
}

// describe shows a value inside a message.
func (v *value) describe() string {
	switch {
	case v.kind == list:
		return "a list"
	case v.kind == mapping:
		return "a mapping"
	case v.tag == "!!null":
		return "empty"
	case v.tag == "!!str":
		return `"` + printable(v.text, 60) + `"`
	}
	return printable(v.text, 60)
}

// readFile reads a study file, within the limits.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err == nil && len(source) > maxBytes {
		err = fmt.Errorf("larger than %d KB, the limit for study files", maxBytes>>10)
	}
	return source, err
}

// parseFile turns the bytes of a file into a mapping.
func parseFile(file string, source []byte, problems *problems) *value {
	c := &converter{file: file, lines: strings.Split(string(source), "\n"), problems: problems}
	root := c.parse(source)
	if root != nil {
		spellOut(root)
	}
	return root
}

// converter converts the nodes of one source to values, and adds their faults to problems.
type converter struct {
	file      string
	lines     []string
	printable map[int][]rune // by line, see printableLine
	shift     int            // for an override: the position of its value in the argument, minus its position in the source
	problems  *problems
	values    int
}

// parse returns the source as a mapping, or nil if that is impossible.
func (c *converter) parse(source []byte) *value {
	if line, wrong := badText(source); wrong != "" {
		c.problems.add(c.place(line), "%s", wrong)
		return nil
	}
	source, line, wrong := directives(source)
	if wrong != "" {
		c.problems.add(c.place(line), "%s", wrong)
		return nil
	}
	var doc, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && doc.Content[0].Tag == "!!null" {
		c.problems.add(c.place(1), "the file is empty; add at least study: NAME")
		return nil
	}
	if err == nil {
		if err = decoder.Decode(&more); err == nil {
			c.problems.add(c.place(more.Line), "a second document starts here; write one study per file")
			return nil
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		line, message := syntaxError(err)
		at, advice := c.explain(line, message)
		c.problems.add(at, "not valid YAML: %s%s", message, advice)
		return nil
	}
	root := c.convert(doc.Content[0], 0)
	if c.values > maxValues { // truncated, so other messages could be wrong
		return nil
	}
	if root.kind != mapping {
		c.problems.add(root.at, "the file is %s, but must be a mapping such as study: NAME", root.describe())
		return nil
	}
	return root
}

// badText finds the first line (from 1) that is not plain UTF-8 text.
func badText(source []byte) (line int, wrong string) {
	line = 1
	for at := 0; at < len(source); {
		r, size := utf8.DecodeRune(source[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			return line, "not UTF-8 text"
		case r == '\n':
			line++
		case r != '\t' && r != '\r' && unicode.IsControl(r):
			return line, fmt.Sprintf("control character %U is not allowed in a study file", r)
		}
		at += size
	}
	return 0, ""
}

// convert converts a node. Beyond a limit, which it reports once, it returns nil.
func (c *converter) convert(n *yaml.Node, depth int) *value {
	c.values++
	switch {
	case c.values > maxValues+1: // reported
		return nil
	case c.values > maxValues:
		c.problems.add(c.place(n.Line), "more than %d values in the file, counting aliases; this is the limit", maxValues)
		return nil
	case depth > maxDepth:
		c.problems.add(c.place(n.Line), "nested more than %d levels deep; this is the limit", maxDepth)
		c.values = maxValues + 1
		return nil
	}
	v := &value{at: c.at(n), text: n.Value, tag: n.ShortTag()}
	switch n.Kind {
	case yaml.AliasNode:
		return c.convert(n.Alias, depth+1)
	case yaml.SequenceNode:
		v.kind = list
		for _, item := range n.Content {
			if child := c.convert(item, depth+1); child != nil {
				v.items = append(v.items, child)
			}
		}
	case yaml.MappingNode:
		v.kind = mapping
		for i := 0; i+1 < len(n.Content); i += 2 {
			c.member(v, n.Content[i], n.Content[i+1], depth)
		}
	}
	return v
}

// member adds a key and its value to a mapping.
func (c *converter) member(v *value, name, content *yaml.Node, depth int) {
	at := c.at(name)
	switch {
	case name.Kind != yaml.ScalarNode:
		c.problems.add(at, "a key must be a word, not a list, a mapping or an alias")
	case name.ShortTag() == "!!merge":
		c.problems.add(at, "merge keys (<<) are not supported; put shared keys in a separate file and use extends")
	case v.member(name.Value) != nil:
		c.problems.add(at, "duplicate key %q%s", printable(name.Value, 60), v.member(name.Value).at.first())
	default:
		if child := c.convert(content, depth+1); child != nil {
			v.members = append(v.members, member{at: at, name: name.Value, value: child})
		}
	}
}
