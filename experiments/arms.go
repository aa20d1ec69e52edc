package experiments

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"glimpse/internal/term"
)

// armKey is the key under which a point stores the name of a named arm.
const armKey = "compare.arms"

// Compares reports whether the study compares arms at all.
func (c Compare) Compares() bool { return c.Arms != "" || len(c.Named) > 0 }

// ArmPaths returns the paths of the settings in which the arms differ, sorted; none if nothing is
// compared.
func (c Compare) ArmPaths() []string {
	var paths []string
	if c.Arms != "" {
		paths = append(paths, c.Arms)
	}
	for _, arm := range c.Named {
		for path := range arm.Settings {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// ArmsKey returns the name of the arms in an interaction: the swept key, or "arms" if they are
// named.
func (c Compare) ArmsKey() string {
	if c.Arms == "" {
		return "arms"
	}
	return c.Arms
}

// arms returns the names of the arms: swept values in canonical text, or the names of named arms.
func (s *Study) arms() []string {
	var arms []string
	for _, arm := range s.Compare.Named {
		arms = append(arms, arm.Name)
	}
	if a := s.Sweep.axis(s.Compare.Arms); a != nil {
		for _, text := range a.Values {
			if !slices.Contains(arms, text) {
				arms = append(arms, text)
			}
		}
	}
	return arms
}

// varies reports whether a setting is swept or set by an arm.
func (s *Study) varies(path string) bool {
	return s.Sweep.axis(path) != nil || slices.ContainsFunc(s.Compare.Named, func(arm NamedArm) bool {
		_, set := arm.Settings[path]
		return set
	})
}

// variesBelow reports whether a setting of a section is swept or set by an arm.
func (s *Study) variesBelow(section string) bool {
	return slices.ContainsFunc(children(section), func(name string) bool { return s.varies(section + "." + name) })
}

// factors returns the swept keys, other than seed, that vary within an arm, in the order of the
// file; none if nothing is compared.
func (s *Study) factors() []string {
	if !s.Compare.Compares() {
		return nil
	}
	first, varying := map[[2]string]string{}, map[string]bool{} // arm and path → its first value
	for _, p := range s.points() {
		arm := s.armOf(p)
		for path, text := range p {
			if before, known := first[[2]string{arm, path}]; !known {
				first[[2]string{arm, path}] = text
			} else if before != text {
				varying[path] = true
			}
		}
	}
	var paths []string
	for _, a := range s.Sweep.Over {
		if a.Path != "seed" && varying[a.Path] {
			paths = append(paths, a.Path)
		}
	}
	return paths
}

// crossArms extends each point by each named arm.
func (s *Study) crossArms(points []point) []point {
	if len(s.Compare.Named) == 0 {
		return points
	}
	var crossed []point
	for _, p := range points {
		for _, arm := range s.Compare.Named {
			q := p.with(armKey, arm.Name)
			for path, text := range arm.Settings {
				q[path] = text
			}
			crossed = append(crossed, q)
		}
	}
	return crossed
}

// armPath returns the path under which the place of a named arm is stored; the paths of its
// settings start with it.
func armPath(i int) string { return fmt.Sprintf("compare.arms[%d]", i) }

// setByArm returns the place where a named arm sets a path, and whether it does.
func (s *Study) setByArm(name, path string) (place, bool) {
	for i, arm := range s.Compare.Named {
		if _, set := arm.Settings[path]; set && arm.Name == name {
			return s.at(armPath(i) + "." + path), true
		}
	}
	return place{}, false
}

// arms decodes compare.arms: a swept key, or names with settings.
func (d *decoder) arms(m member) {
	if m.kind != mapping {
		text, wrong := find("compare.arms").parse(m.value)
		if wrong != "" {
			d.problems.add(m.valueAt(),
				"%s, or a mapping of names to settings, such as "+
					"{plain: {model.attention: none}, wide: {model.hidden: 600}}", wrong)
		}
		d.study.Compare.Arms = text
		return
	}
	for _, one := range m.members {
		name := printable(one.name, 64)
		if unfit := utf8.RuneCountInString(one.name) > 64 || one.name == "" || strings.TrimSpace(one.name) != one.name ||
			strings.ContainsFunc(one.name, func(r rune) bool { return r == '=' || !unicode.IsPrint(r) }); unfit {
			d.problems.add(one.at,
				"compare.arms: arm name %q must be 1 to 64 printable characters without =", name)
			continue
		}
		arm := NamedArm{Name: one.name, Settings: map[string]string{}}
		path := armPath(len(d.study.Compare.Named))
		d.study.places[path] = one.at
		if one.kind != mapping {
			d.problems.add(one.valueAt(),
				"compare.arms: arm %s is %s, but must be a mapping of settings, such as {model.hidden: 600}; "+
					"{} keeps the study's settings",
				name, one.describe())
		}
		for _, set := range one.members {
			text, at, wrong := ofArm(set)
			if wrong != "" {
				d.problems.add(at, "compare.arms: arm %s: %s", name, wrong)
				continue
			}
			arm.Settings[set.name] = text
			d.study.places[path+"."+set.name] = at
		}
		d.study.Compare.Named = append(d.study.Compare.Named, arm)
	}
}

// ofArm reads one setting of an arm. It returns the canonical text, or what is wrong, and where.
func ofArm(set member) (text string, at place, wrong string) {
	switch {
	case set.name == "seed":
		return "", set.at, "arms are averaged over seeds; list seeds under sweep.over"
	case set.name == "data.root":
		return "", set.at, "data.root is not part of a trial's identity, so arms cannot differ in it"
	case !isSetting(set.name):
		return "", set.at, noSetting(set.name)
	}
	text, wrong = find(set.name).parse(set.value)
	return text, set.valueAt(), wrong
}

// noSetting returns the message for a path that is not a setting, with a suggestion.
func noSetting(name string) string {
	hint := Suggest(name, settingPaths())
	if hint == "" {
		hint = "; write the path of a setting, such as model.hidden"
	}
	return fmt.Sprintf("no setting %q%s", printable(name, 60), hint)
}

// checkNamed checks named arms against the sweep.
func (s *Study) checkNamed(found *problems) {
	c := &s.Compare
	if len(c.Named) < 2 {
		found.add(s.at("compare.arms"), "compare.arms has %s; a comparison needs at least two", term.Plural(len(c.Named), "arm"))
	}
	for i, arm := range c.Named {
		for _, path := range settingPaths() {
			if _, set := arm.Settings[path]; set && s.Sweep.axis(path) != nil {
				found.add(s.at(armPath(i)+"."+path),
					"compare.arms: arm %s sets %s, which sweep.over also sweeps; remove it from one of them", arm.Name, path)
			}
		}
	}
	for _, path := range c.ArmPaths() {
		everywhere := !slices.ContainsFunc(c.Named, func(arm NamedArm) bool {
			_, set := arm.Settings[path]
			return !set
		})
		if base := s.places[path]; everywhere && base.file == override {
			found.add(base, "every arm sets %s, so setting it here has no effect; set compare.arms.NAME.%s=… instead", path, path)
		}
	}
}
