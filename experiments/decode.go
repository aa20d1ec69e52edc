package experiments

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decoder fills a study from a tree.
type decoder struct {
	study    *Study
	problems *problems
}

// section decodes a mapping with the keys of a section; "" is the whole file.
func (d *decoder) section(v *value, section string) {
	for _, m := range v.members {
		path := join(section, m.name)
		k := find(path)
		switch {
		case m.name == "" || strings.Contains(m.name, "."):
			d.unknown(m, section)
		case m.kind == mapping && len(children(path)) > 0:
			d.study.places[path] = m.at
			d.section(m.value, path)
		case k == nil && len(children(path)) > 0:
			short := ""
			if shorthands[path] != "" {
				short = "text, or "
			}
			d.problems.add(m.valueAt(), "%s is %s, but must be %sa mapping of %s", path, m.describe(), short, strings.Join(children(path), ", "))
		case k == nil:
			d.unknown(m, section)
		default:
			d.study.places[path] = m.valueAt()
			d.leaf(k, m)
		}
	}
}

// leaf decodes the value of a key.
func (d *decoder) leaf(k *key, m member) {
	switch k.path {
	case "extends": // followed when the file was read
	case "sweep.over":
		d.over(m)
	case "compare.arms":
		d.arms(m)
	case "compare.contrasts":
		d.contrasts(m)
	case "compare.stop.looks":
		d.looks(m)
	case "compare.baseline":
		d.study.Compare.Baseline = d.arm(m.value, "compare.baseline is %s, but must be an arm")
	default:
		text, wrong := k.parse(m.value)
		if wrong != "" {
			if k.path == "sweep.seed" && m.kind == list {
				wrong += "; list the seeds to train with under sweep.over"
			}
			d.problems.add(m.valueAt(), "%s", wrong)
			return
		}
		d.study.set(k.path, text)
	}
}

// unknown reports a key that the section does not have, with a suggestion.
func (d *decoder) unknown(m member, section string) {
	name, in := printable(m.name, 60), ""
	if section != "" {
		in = " in " + section
	}
	hint := suggest(m.name, children(section))
	if section == "sweep" && isSetting(m.name) {
		hint = "; put it under sweep.over"
	} else if full := join(section, m.name); strings.Contains(m.name, ".") && (find(full) != nil || len(children(full)) > 0) {
		hint = fmt.Sprintf("; nest it instead: %s", nested(m.name))
	} else if hint == "" {
		hint = elsewhere(m.name, keyPaths())
	}
	d.problems.add(m.at, "unknown key %q%s%s (its keys: %s)", name, in, hint, strings.Join(children(section), ", "))
}

// nested returns "a: {b: …}" for a.b.
func nested(path string) string {
	name, rest, more := strings.Cut(path, ".")
	if !more {
		return name + ": …"
	}
	return name + ": {" + nested(rest) + "}"
}

// elsewhere suggests the paths that end in a similar name.
func elsewhere(name string, paths []string) string {
	last := func(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
	var names, meant []string
	for _, path := range paths {
		names = append(names, last(path))
	}
	best := Nearest(last(name), names)
	for i, path := range paths {
		if best != "" && names[i] == best {
			meant = append(meant, path)
		}
	}
	if len(meant) == 0 || len(meant) > 3 {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", strings.Join(meant, " or "))
}

// over decodes the swept keys.
func (d *decoder) over(m member) {
	if m.kind != mapping {
		d.problems.add(m.valueAt(), "sweep.over is %s, but must be a mapping of keys to lists, such as {model.hidden: [256, 512]}", m.describe())
		return
	}
	for _, axis := range m.members {
		switch {
		case axis.name == "data.root":
			d.problems.add(axis.at, "data.root cannot be swept: it is not part of a trial's identity")
		case !isSetting(axis.name):
			d.problems.add(axis.at, "sweep.over: %s", noSetting(axis.name))
		default:
			d.study.places["sweep.over."+axis.name] = axis.at
			d.axis(find(axis.name), axis)
		}
	}
}

// axis decodes one swept key.
func (d *decoder) axis(k *key, m member) {
	a := Axis{Path: k.path}
	switch {
	case m.kind == list:
		a.Values = d.values(k, m.value)
	case m.kind == mapping && len(m.members) == 1 && slices.Contains(draws, m.members[0].name):
		a.Draw = m.members[0].name
		if a.Draw != "choice" {
			d.bounds(k, &a, m)
		} else if choices := m.members[0].value; choices.kind == list {
			a.Values = d.values(k, choices)
		} else {
			d.problems.add(m.valueAt(), "sweep.over: the choice for %s is %s, but must be a list", k.path, choices.describe())
		}
	default:
		d.problems.add(m.valueAt(), "sweep.over: %s is %s, but must be a list such as [1, 2] or, with method random, a range such as {log: [a, b]}, {uniform: [a, b]}, {int: [a, b]} or {choice: [a, b]}", k.path, m.describe())
	}
	d.study.Sweep.Over = append(d.study.Sweep.Over, a)
}

// values decodes a list of values of a key.
func (d *decoder) values(k *key, v *value) []string {
	var texts []string
	if len(v.items) == 0 {
		d.problems.add(v.at, "sweep.over: the list of %s is empty", k.path)
	}
	for _, item := range v.items {
		text, wrong := k.parse(item)
		if wrong != "" {
			d.problems.add(item.at, "sweep.over: %s", wrong)
			continue
		}
		texts = append(texts, text)
	}
	return texts
}

// bounds decodes the [low, high] of a range.
func (d *decoder) bounds(k *key, a *Axis, m member) {
	whole := k.kind == reflect.Int || k.kind == reflect.Int64
	pair := m.members[0].value
	switch {
	case k.isText() || k.kind == reflect.Bool:
		d.problems.add(m.valueAt(), "sweep.over: %s takes words, so {%s: …} does not apply; use {choice: […]}", k.path, a.Draw)
		return
	case a.Draw == "int" && !whole:
		d.problems.add(m.valueAt(), "sweep.over: %s is a real number; use {uniform: [a, b]} or {log: [a, b]}", k.path)
		return
	case a.Draw == "uniform" && whole:
		d.problems.add(m.valueAt(), "sweep.over: %s is a whole number; use {int: [a, b]} or {log: [a, b]}", k.path)
		return
	case pair.kind != list || len(pair.items) != 2:
		d.problems.add(m.valueAt(), "sweep.over: the range of %s must be two numbers: {%s: [low, high]}", k.path, a.Draw)
		return
	}
	ends := d.values(k, pair)
	if len(ends) != 2 {
		return
	}
	a.Low, a.High = float(ends[0]), float(ends[1])
	switch {
	case a.Low >= a.High:
		d.problems.add(m.valueAt(), "sweep.over: the range of %s is %s to %s; the first number must be the smaller one", k.path, ends[0], ends[1])
	case a.Draw == "log" && a.Low <= 0:
		d.problems.add(m.valueAt(), "sweep.over: the log range of %s starts at %s, but must start above 0", k.path, ends[0])
	}
}

// contrasts decodes the pairs of arms, and the interactions among them.
func (d *decoder) contrasts(m member) {
	d.study.Compare.Contrasts = [][2]string{}
	const wanted = "compare.contrasts has %s, but must be a list of pairs of arms, such as [[soft, none]]"
	if m.kind != list {
		d.problems.add(m.valueAt(), wanted, m.describe())
		return
	}
	for _, item := range m.items {
		if item.kind == mapping {
			d.interaction(item)
			continue
		}
		if item.kind != list || len(item.items) != 2 {
			held := item.describe()
			if item.kind == list {
				held = fmt.Sprintf("a list of %d", len(item.items))
			}
			d.problems.add(item.at, wanted, held)
			continue
		}
		pair := [2]string{d.arm(item.items[0], wanted), d.arm(item.items[1], wanted)}
		d.study.places[contrastPath(len(d.study.Compare.Contrasts))] = item.at
		d.study.Compare.Contrasts = append(d.study.Compare.Contrasts, pair)
	}
}

// interaction decodes one interaction.
func (d *decoder) interaction(item *value) {
	if len(item.members) != 1 || item.members[0].name != "interaction" {
		var names []string
		for _, m := range item.members {
			names = append(names, printable(m.name, 60))
		}
		d.problems.add(item.at, "compare.contrasts has a mapping of %s, but must have pairs such as [soft, none] "+
			"or {interaction: [model.attention, model.dropout]}%s",
			orNothing(names), suggest(strings.Join(names, " "), []string{"interaction"}))
		return
	}
	content := item.members[0].value
	if content.kind != list || len(content.items) != 2 || content.items[0].kind != scalar || content.items[1].kind != scalar {
		d.problems.add(item.at, "compare.contrasts: an interaction takes the key of the arms and another swept key, "+
			"such as {interaction: [model.attention, model.dropout]}")
		return
	}
	d.study.places[interactionPath(len(d.study.Compare.Interactions))] = item.at
	d.study.Compare.Interactions = append(d.study.Compare.Interactions, [2]string{content.items[0].text, content.items[1].text})
}

// looks decodes the numbers of seeds at which to look at the results.
func (d *decoder) looks(m member) {
	const wanted = "compare.stop.looks has %s, but must be a list of numbers of seeds, such as [5, 8, 12]"
	if m.kind != list || len(m.items) == 0 {
		held := m.describe()
		if m.kind == list {
			held = "nothing"
		}
		d.problems.add(m.valueAt(), wanted, held)
		return
	}
	for _, item := range m.items {
		n, err := strconv.Atoi(item.text)
		if item.kind != scalar || item.tag != "!!int" || err != nil {
			d.problems.add(item.at, wanted, item.describe())
			continue
		}
		d.study.Compare.Stop.Looks = append(d.study.Compare.Stop.Looks, n)
	}
}

// arm decodes the name of an arm: any scalar, since arms may be numbers.
func (d *decoder) arm(v *value, wanted string) string {
	if v.kind != scalar || v.tag == "!!null" {
		d.problems.add(v.at, wanted, v.describe())
		return ""
	}
	return v.text
}
