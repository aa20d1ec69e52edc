package experiments

import (
	"fmt"
	"strings"
)

// Reference returns a list of all keys of a study as Markdown: a table for each section, with
// meaning, values and default. docs/studies.md contains it.
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

// heading returns the heading of a section's table.
func heading(section string) string {
	if section == "study" {
		return "The study itself"
	}
	return "`" + section + "`"
}

// values returns the values that a key accepts; "" if its meaning says so.
func (k *key) values() string {
	if k.limits == "" && k.listed == nil {
		return ""
	}
	return k.wanted()
}

// usual returns the default, as in a file; "" if there is none, or if the meaning says what it
// depends on.
func (k *key) usual() string {
	if k.fallback == nil || k.fallback == "" {
		return ""
	}
	return fmt.Sprintf("`%v`", k.fallback)
}

// cell escapes what would end a cell of a Markdown table, or be read as HTML.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text)
}
