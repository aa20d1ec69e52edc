package experiments

import (
	"fmt"
	"strings"
)

// Reference lists every key of a study as Markdown: a table for each section, with what a key means, what it takes and
// its default. docs/studies.md holds it.
func Reference() string {
	var out strings.Builder
	section := ""
	for i := range keys {
		k := &keys[i]
		name, _, nested := strings.Cut(k.path, ".")
		if !nested {
			name = "study"
		}
		if name != section {
			section = name
			fmt.Fprintf(&out, "\n### %s\n\n| key | meaning | values | default |\n| --- | --- | --- | --- |\n", heading(section))
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", k.path, cell(k.doc), cell(k.values()), cell(k.usual()))
	}
	return strings.TrimPrefix(out.String(), "\n")
}

// heading names the table of a section.
func heading(section string) string {
	if section == "study" {
		return "The study itself"
	}
	return "`" + section + "`"
}

// values says what a key takes; empty if its meaning says it.
func (k *key) values() string {
	if k.limits == "" && k.listed == nil {
		return ""
	}
	return k.wanted()
}

// usual is the default, as in a file; empty if there is none, or where the meaning says what it
// depends on.
func (k *key) usual() string {
	if k.fallback == nil || k.fallback == "" {
		return ""
	}
	return fmt.Sprintf("`%v`", k.fallback)
}

// cell escapes what would end a cell of a Markdown table, or be taken for HTML.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text)
}
