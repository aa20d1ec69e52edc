package view

import (
	"fmt"
	"slices"
	"strings"

	"glimpse/internal/term"
	"glimpse/metrics"
)

// FieldHelp lists the fields, for the help of a verb.
func FieldHelp() string {
	var b strings.Builder
	b.WriteString("Fields (as in --json, except that metrics are ×100 as in the table):\n")
	var settings []string
	for _, f := range Fields() {
		switch section, _, nested := strings.Cut(f.Name, "."); {
		case slices.Contains(metricSplits, section):
		case nested:
			settings = append(settings, f.Name)
		default:
			fmt.Fprintf(&b, "  %-12s %s\n", f.Name, f.Doc)
		}
	}
	var keys []string
	for _, m := range metrics.Catalogue {
		keys = append(keys, m.Key)
	}
	b.WriteString("  test.METRIC, val.METRIC, final.METRIC (test, or val if test was not scored)\n" + indented(strings.Join(keys, ", ")))
	b.WriteString("  any setting\n" + indented(strings.Join(settings, ", ")))
	return strings.TrimRight(b.String(), "\n")
}

// indented breaks a list into lines as wide as a help text, indented below the names of fields.
func indented(text string) string {
	const indent = "               "
	return indent + strings.Join(term.Wrap(text, term.UsualWidth-1-len(indent)), "\n"+indent) + "\n"
}

// CompleteFields gives what the last of a list of fields, such as arm,-test.ci, may be: each with what was
// typed before it.
func CompleteFields(typed string) []string {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	last := typed[len(before):]
	if strings.HasPrefix(last, "-") || strings.HasPrefix(last, "+") {
		before += last[:1]
	}
	return fieldsAfter(before)
}

// CompleteWhere gives likewise what the last field of an expression may be.
func CompleteWhere(typed string) []string {
	return fieldsAfter(typed[:strings.LastIndexAny(typed, " (")+1])
}

func fieldsAfter(before string) []string {
	var words []string
	for _, f := range Fields() {
		words = append(words, before+f.Name)
	}
	return words
}
