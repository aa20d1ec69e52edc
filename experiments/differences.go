package experiments

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"glimpse/internal/term"
)

// Differences lists what has changed since the declaration, one line each, by the paths of keys.
// If only the ids of trials have changed, their data differ, and one line gives the number of
// these trials.
func (d Declaration) Differences(now Declaration) []string {
	c := &changes{before: d.canonical(), now: now.canonical()}
	compared := c.before.Compare.Compares()
	if compared != c.now.Compare.Compares() {
		c.add("compare: %s", map[bool]string{true: "it was removed", false: "it was added"}[compared])
		compared = false
	}
	for i := range keys {
		c.key(&keys[i], compared)
	}
	c.seeds()
	if len(c.lines) == 0 {
		c.trials()
	}
	return c.lines
}

// changes collects the differences between two canonical declarations.
type changes struct {
	before, now Declaration
	lines       []string
}

func (c *changes) add(format string, args ...any) {
	c.lines = append(c.lines, fmt.Sprintf(format, args...))
}

// value adds the difference of one value.
func (c *changes) value(path, before, now string) {
	if before != now {
		c.add("%s: %s was declared, now %s", path, cmp.Or(before, "none"), cmp.Or(now, "none"))
	}
}

// key adds the differences in one key; for keys of compare only if both compare.
func (c *changes) key(k *key, compared bool) {
	a, b := &c.before, &c.now
	switch inCompare := strings.HasPrefix(k.path, "compare."); {
	case k.path == "sweep.over":
		for _, path := range union(a.Sweep.Over, b.Sweep.Over, func(x Axis) string { return x.Path }) {
			before, now := a.Sweep.axis(path).text(), b.Sweep.axis(path).text()
			if a.interacts(path) != b.interacts(path) { // the order matters only in one of them, where canonical has kept it
				before, now = a.without(path).Sweep.axis(path).text(), b.without(path).Sweep.axis(path).text()
			}
			c.value("sweep.over."+path, before, now)
		}
	case k.path == "seed" || !isSetting(k.path) && !strings.HasPrefix(k.path, "sweep.") && !inCompare: // not part of a declaration
	case inCompare && !compared:
	case k.path == "compare.arms":
		c.arms()
	case k.path == "compare.contrasts":
		c.held("compare.contrasts", contrastTexts(a.Compare), contrastTexts(b.Compare))
	case k.path == "compare.factors":
		c.value(k.path, cmp.Or(a.Compare.Factors, "average"), cmp.Or(b.Compare.Factors, "average"))
	case k.path == "compare.ensemble":
		c.value(k.path, a.Compare.Ensemble, b.Compare.Ensemble)
	case k.path == "compare.match_parameters":
		c.value(k.path, percent(a.Compare.MatchParameters), percent(b.Compare.MatchParameters))
	case k.path == "compare.stop.looks":
		c.value(k.path, lookText(a.Compare.Stop), lookText(b.Compare.Stop))
	case strings.HasPrefix(k.path, "compare.stop.") && (!a.Compare.Stop.Active() || !b.Compare.Stop.Active()):
	case isSetting(k.path) && (a.varies(k.path) || b.varies(k.path)):
	default:
		c.value(k.path, a.get(k), b.get(k))
	}
}

// get returns the text of a key with a single field; "" for a zero that may mean no effect.
func (d Declaration) get(k *key) string {
	whole := Study{Settings: d.Settings, Sweep: d.Sweep, Compare: d.Compare}
	if k.applies != nil && whole.field(k.path).IsZero() {
		return ""
	}
	text := whole.get(k.path)
	if _, wrong := k.parse(&value{kind: scalar, text: text, tag: k.tag()}); wrong != "" {
		return ""
	}
	return text
}

// without returns the canonical declaration without the interaction with a factor.
func (d Declaration) without(factor string) Declaration {
	with := func(pair [2]string) bool { return pair[1] == factor }
	d.Compare.Interactions = slices.DeleteFunc(slices.Clone(d.Compare.Interactions), with)
	return d.canonical()
}

// varies reports whether a setting is swept or set by an arm.
func (d Declaration) varies(path string) bool {
	return d.Sweep.axis(path) != nil || slices.Contains(d.Compare.ArmPaths(), path)
}

// arms adds the differences in compare.arms.
func (c *changes) arms() {
	const byName = "arms by name"
	a, b := c.before.Compare, c.now.Compare
	c.value("compare.arms", cmp.Or(a.Arms, byName), cmp.Or(b.Arms, byName))
	if a.Arms != "" || b.Arms != "" {
		return
	}
	settings := func(arms []NamedArm, name string) map[string]string {
		for _, arm := range arms {
			if arm.Name == name {
				return arm.Settings
			}
		}
		return nil
	}
	name := func(arm NamedArm) string { return arm.Name }
	c.held("compare.arms", texts(a.Named, name), texts(b.Named, name))
	for _, arm := range a.Named {
		before, now := settings(a.Named, arm.Name), settings(b.Named, arm.Name)
		if now == nil {
			continue // removed: already listed
		}
		for _, path := range settingPaths() {
			c.value("compare.arms."+arm.Name+"."+path, before[path], now[path])
		}
	}
}

// held adds what was removed from a list and what was added.
func (c *changes) held(path string, before, now []string) {
	for _, text := range before {
		if !slices.Contains(now, text) {
			c.add("%s: %s was removed", path, text)
		}
	}
	for _, text := range now {
		if !slices.Contains(before, text) {
			c.add("%s: %s was added", path, text)
		}
	}
}

// seeds adds the differences in the seeds.
func (c *changes) seeds() {
	a, b := c.before.Seeds, c.now.Seeds
	lost := slices.DeleteFunc(slices.Clone(a), func(seed int64) bool { return slices.Contains(b, seed) })
	gained := slices.DeleteFunc(slices.Clone(b), func(seed int64) bool { return slices.Contains(a, seed) })
	were := func(seeds []int64) string {
		if len(seeds) == 1 {
			return "was"
		}
		return "were"
	}
	if len(lost) > 0 {
		c.add("seeds: %s %s removed from %s", seedText(lost), were(lost), seedText(a))
	}
	if len(gained) > 0 {
		c.add("seeds: %s %s added to %s", seedText(gained), were(gained), seedText(a))
	}
	if len(lost)+len(gained) == 0 && !slices.Equal(a, b) {
		c.add("seeds: %s were declared in this order, now %s", seedText(a), seedText(b))
	}
}

// trials adds the differences in trials if everything else agrees.
func (c *changes) trials() {
	now := map[string]DeclaredTrial{}
	for _, t := range c.now.Trials {
		now[t.ID] = t
	}
	others, renamed := 0, 0
	for _, t := range c.before.Trials {
		same, known := now[t.ID]
		switch {
		case !known:
			others++
		case same.Arm != t.Arm || same.Seed != t.Seed || !maps.Equal(same.Swept, t.Swept):
			renamed++
		}
	}
	others = max(others, len(c.now.Trials)-len(c.before.Trials))
	if others > 0 {
		c.add("trials: %d of %d have a different identity", others, max(len(c.before.Trials), len(c.now.Trials)))
	} else if renamed > 0 {
		c.add("trials: %d of %d have different swept values", renamed, len(c.before.Trials))
	}
}

// text returns an axis as written in a study file; "" for none.
func (a *Axis) text() string {
	switch {
	case a == nil:
		return ""
	case a.Draw == "":
		return "[" + strings.Join(a.Values, ", ") + "]"
	case a.Draw == "choice":
		return "{choice: [" + strings.Join(a.Values, ", ") + "]}"
	}
	return fmt.Sprintf("{%s: [%s, %s]}", a.Draw, number(a.Low), number(a.High))
}

func contrastTexts(c Compare) []string {
	return append(texts(c.Contrasts, func(pair [2]string) string { return pair[0] + " − " + pair[1] }),
		texts(c.Interactions, func(pair [2]string) string { return "the interaction of " + pair[0] + " with " + pair[1] })...)
}

func lookText(s Stop) string {
	if !s.Active() {
		return ""
	}
	return "[" + strings.Join(texts(s.Looks, strconv.Itoa), ", ") + "]"
}

// seedText lists seeds, with runs of three or more as ranges: 1 to 5, 8 and 9.
func seedText(seeds []int64) string {
	var parts []string
	for i := 0; i < len(seeds); {
		end := i
		for end+1 < len(seeds) && seeds[end+1] == seeds[end]+1 {
			end++
		}
		if end < i+2 {
			end = i
			parts = append(parts, fmt.Sprint(seeds[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d to %d", seeds[i], seeds[end]))
		}
		i = end + 1
	}
	return term.Enumerate(parts)
}

// texts returns the text of each item of a list.
func texts[T any](items []T, text func(T) string) []string {
	var all []string
	for _, item := range items {
		all = append(all, text(item))
	}
	return all
}

// union returns the names in two lists, the first list's first.
func union[T any](a, b []T, name func(T) string) []string {
	return distinct(append(texts(a, name), texts(b, name)...))
}
