package experiments

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxExtends limits the files in a chain of extends.
const maxExtends = 8

// Load reads a study file, the files it extends, and the overrides of `--set key=value`;
// overrides take precedence over the file, and the file over those it extends. It checks
// everything, so the result has a plan. Overrides that change the trials make the study a
// variant, with a name of its own ([Study.Variant]). The error is an *Error, or several joined,
// in the order of files and lines.
func Load(path string, sets []string) (*Study, error) {
	source, err := readFile(path)
	if err != nil {
		return nil, &Error{File: path, Msg: "cannot be read: " + reason(err), Err: err}
	}
	return parse(path, source, sets)
}

// Parse reads a resolved study, as [Study.YAML] writes it and the results database stores it,
// from memory; path is only used in errors. It reads no files and rejects a study that extends
// another. Unlike a file, the study may have the name of a variant.
func Parse(path string, source []byte) (*Study, error) {
	found := &problems{}
	root := parseFile(path, source, found)
	if root == nil {
		return nil, found.err()
	}
	if extends := root.member("extends"); extends != nil {
		found.add(extends.at, "extends is not allowed here: a resolved study has all of its keys")
	}
	return decode(path, source, root, found, func(s *Study) { s.checkResolvedName(found) })
}

// parse is Load on bytes already read.
func parse(path string, source []byte, sets []string) (*Study, error) {
	found := &problems{}
	var files []string
	root := inherit(path, source, nil, &files, found)
	if root == nil {
		return nil, found.err()
	}
	for _, arg := range sets {
		if v := parseSet(arg, found); v != nil {
			root = merge(root, v, "")
		}
	}
	return decode(path, source, root, found, func(s *Study) {
		s.Files = files
		s.checkName(found)
		s.Name = variantName(s.Name, sets)
	})
}

// decode makes a study from a tree. name checks the study's name and fills in what the tree does
// not contain.
func decode(path string, source []byte, root *value, found *problems, name func(*Study)) (*Study, error) {
	s := &Study{Path: path, Source: source, places: map[string]place{"": place{file: path, line: 1}.show(printableRunes(firstLine(source)), 0, 0)}}
	s.fillDefaults()
	d := &decoder{study: s, problems: found}
	d.section(root, "")
	name(s)
	if !s.given("compare.stop") {
		s.Compare.Stop = Stop{} // without the defaults of its keys
	}
	if s.Compare.Factors == find("compare.factors").fallback {
		s.Compare.Factors = ""
	}
	if s.Compare.Ensemble == find("compare.ensemble").fallback {
		s.Compare.Ensemble = ""
	}
	if len(found.list) == 0 { // a faulty sweep has no valid arms or trials
		s.checkSweep(found)
	}
	if s.Searches() && !s.given("decode.split") && s.Sweep.axis("decode.split") == nil {
		s.Decode.Split = "val"
	}
	if len(found.list) == 0 {
		s.deriveBase()
		s.checkCompare(found)
		s.checkTrials(found)
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// reason returns a system error without the path, which the message has already.
func reason(err error) string {
	var pathError *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file"
	case errors.As(err, &pathError):
		return pathError.Err.Error()
	}
	return err.Error()
}

func firstLine(source []byte) string {
	line, _, _ := strings.Cut(string(source), "\n")
	return line
}

// inherit parses a file and merges it over the one it extends, if any. chain are the absolute
// paths that led here; it appends the path of each file it reads to files.
func inherit(path string, source []byte, chain []string, files *[]string, found *problems) *value {
	*files = append(*files, path)
	root := parseFile(path, source, found)
	if root == nil {
		return nil
	}
	extends := root.member("extends")
	if extends == nil {
		return root
	}
	name, wrong := find("extends").parse(extends.value)
	if wrong != "" || name == "" {
		found.add(extends.valueAt(), "extends is %s, but must be the path of a study file, relative to this one", extends.describe())
		return root
	}
	base := name
	if !filepath.IsAbs(base) {
		base = filepath.Join(filepath.Dir(path), base)
	}
	self, _ := filepath.Abs(path)
	next, _ := filepath.Abs(base)
	chain = append(slices.Clone(chain), self)
	if slices.Contains(chain, next) || len(chain) == maxExtends {
		found.add(extends.valueAt(), "extends %s is a cycle, or a chain of more than %d files", name, maxExtends)
		return root
	}
	inherited, err := readFile(base)
	if err != nil {
		wrong := extends.valueAt().wrong("extends %s cannot be read: %s", base, reason(err))
		wrong.Err = err
		found.report(wrong)
		return root
	}
	under := inherit(base, inherited, chain, files, found)
	if under == nil {
		return root
	}
	// Names are never inherited: two studies with one name would mix in results.db.
	under.members = slices.DeleteFunc(under.members, func(m member) bool { return m.name == "study" })
	return merge(under, root, "")
}

// merge merges a mapping over another: mappings member by member; other values, and swept keys,
// are replaced.
func merge(under, over *value, path string) *value {
	merged := &value{at: over.at, kind: mapping, members: slices.Clone(under.members)}
	for _, m := range over.members {
		below := under.member(m.name)
		switch {
		case below == nil:
			merged.members = append(merged.members, m)
			continue
		case below.kind == mapping && m.kind == mapping && path != "sweep.over":
			m.value = merge(below.value, m.value, join(path, m.name))
		}
		*merged.member(m.name) = m
	}
	return merged
}

// join returns the path of a name in a section.
func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// parseSet turns the argument of a --set into a mapping with one leaf.
func parseSet(arg string, found *problems) *value {
	c := &converter{file: override, lines: []string{arg}, problems: found}
	path, text, ok := strings.Cut(arg, "=")
	path = strings.TrimSpace(path)
	switch {
	case !ok || path == "":
		found.add(c.place(0), "write key=value, such as train.epochs=3")
		return nil
	case path == "extends":
		found.add(c.place(0), "extends belongs in the file and cannot be set")
		return nil
	}
	names := strings.Split(path, ".")
	if swept, ok := strings.CutPrefix(path, "sweep.over."); ok {
		names = []string{"sweep", "over", swept}
	} else if named, ok := strings.CutPrefix(path, "compare.arms."); ok {
		names = append([]string{"compare", "arms"}, strings.SplitN(named, ".", 2)...) // the arm, and the setting, if any
	}
	v := c.set(path, text)
	if v == nil {
		return nil
	}
	end := utf8.RuneCountInString(arg[:strings.Index(arg, path)+len(path)])
	for _, name := range slices.Backward(names) {
		start := end - utf8.RuneCountInString(name)
		at := c.part(0, start, end)
		v = &value{at: at, kind: mapping, members: []member{{at: at, name: name, value: v}}}
		end = start - 1
	}
	spellOut(v)
	return v
}

// shorthands are the sections that may be given as a single value, each with the key of that
// value.
var shorthands = map[string]string{"data.captions": "path"}

// spellOut expands each shorthand to a section: data.captions: FILE to {path: FILE}.
func spellOut(root *value) {
	for path, name := range shorthands {
		short := &member{value: root}
		for step := range strings.SplitSeq(path, ".") {
			if short = short.member(step); short == nil {
				break
			}
		}
		if short != nil && short.kind == scalar {
			short.value = &value{at: short.at, kind: mapping, members: []member{{at: short.at, name: name, value: short.value}}}
		}
	}
}

// set reads the value of a --set: literally if the key takes text, else as YAML.
func (c *converter) set(path, text string) *value {
	before := utf8.RuneCountInString(strings.TrimSuffix(c.lines[0], text))
	mapped := (path == "compare.arms" || len(children(path)) > 0) && strings.HasPrefix(strings.TrimSpace(text), "{")
	if k := find(path); k != nil && k.isText() && !mapped {
		return &value{at: c.part(0, before, before+utf8.RuneCountInString(text)), text: text, tag: "!!str"}
	}
	if strings.TrimSpace(text) == "" {
		return &value{at: c.place(0), tag: "!!null"}
	}
	// Scalars, lists and mappings all parse as the only member of a mapping.
	const name = "set: "
	c.shift = before - len(name)
	root := c.parse([]byte(name + text))
	if root == nil {
		return nil
	}
	if len(root.members) != 1 {
		c.problems.add(c.place(0), "write one value: a word, a number, or a list such as [1, 2]")
		return nil
	}
	return root.members[0].value
}
