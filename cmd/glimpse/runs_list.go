package main

import (
	"fmt"
	"slices"
	"strings"

	"glimpse/internal/filter"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
)

// usualColumns are shown unless others are asked for.
const usualColumns = "id,study,label,seed,state,epochs,final.bleu1,final.bleu4,final.rouge_l,final.cider,seconds"

// runList says which runs are listed, in which order and by which columns.
type runList struct {
	where, sort, columns string // as they were typed

	chosen filter.Filter
	order  []sortKey
	shown  []field
}

type sortKey struct {
	field   field
	largest bool // first
}

// parse reads what was typed; an error points at the place and names the nearest field.
func (l *runList) parse() error {
	fields := allFields()
	kindOf := func(name string) (filter.Kind, error) {
		f, err := findField(fields, name)
		return f.kind, err
	}
	var err error
	if l.chosen, err = filter.Parse(l.where, kindOf); err != nil {
		return fmt.Errorf("--where: %w", err)
	}
	for _, name := range split(l.sort) {
		name, largest := strings.CutPrefix(name, "-")
		f, err := findField(fields, name)
		if err != nil {
			return fmt.Errorf("--sort: %w", err)
		}
		l.order = append(l.order, sortKey{f, largest})
	}
	columns, add := strings.CutPrefix(l.columns, "+")
	if add || columns == "" {
		columns = usualColumns + "," + columns
	}
	for _, name := range split(columns) {
		f, err := findField(fields, name)
		if err != nil {
			return fmt.Errorf("--columns: %w", err)
		}
		l.shown = append(l.shown, f)
	}
	return nil
}

// split parts a list at its commas, and drops what is empty.
func split(list string) []string {
	var parts []string
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// choose gives the chosen runs in order; labels names them.
func (l *runList) choose(runs []store.Run, labels map[string]string) []*runRow {
	fields := map[string]field{}
	for _, f := range allFields() {
		fields[f.name] = f
	}
	rows := []*runRow{}
	for _, run := range runs {
		row := &runRow{Run: run, label: labels[run.ID]}
		if l.chosen(func(name string) (filter.Value, bool) { return row.known(fields[name]) }) {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b *runRow) int {
		for _, key := range l.order {
			if c := key.compare(a, b); c != 0 {
				return c
			}
		}
		return 0
	})
	return rows
}

// compare orders two runs; one that lacks the field comes last either way.
func (k sortKey) compare(a, b *runRow) int {
	v, hasA := a.known(k.field)
	w, hasB := b.known(k.field)
	switch {
	case hasA != hasB && hasA:
		return -1
	case hasA != hasB:
		return 1
	case k.largest:
		return k.field.kind.Compare(w, v)
	}
	return k.field.kind.Compare(v, w)
}

func (l *runList) table(rows []*runRow) *term.Table {
	t := &term.Table{}
	line := func(cell func(field) string) {
		cells := make([]string, len(l.shown))
		for i, f := range l.shown {
			cells[i] = cell(f)
		}
		t.Add(cells...)
	}
	line(func(f field) string { return f.heading })
	for _, row := range rows {
		line(func(f field) string { return f.text(row) })
	}
	return t
}

// fieldHelp lists the fields.
func fieldHelp() string {
	var b strings.Builder
	b.WriteString("Fields (as in --json, but metrics are ×100 as in the table):\n")
	var settings []string
	for _, f := range allFields() {
		switch section, _, nested := strings.Cut(f.name, "."); {
		case slices.Contains(metricSplits, section):
		case nested:
			settings = append(settings, f.name)
		default:
			fmt.Fprintf(&b, "  %-11s %s\n", f.name, f.doc)
		}
	}
	var keys []string
	for _, m := range metrics.Catalogue {
		keys = append(keys, m.Key)
	}
	b.WriteString("  test.METRIC, val.METRIC, final.METRIC (test or, of a run that spared it, val)\n" + wrap(strings.Join(keys, ", "), 14))
	b.WriteString("  any setting\n" + wrap(strings.Join(settings, ", "), 14))
	return strings.TrimRight(b.String(), "\n")
}

// wrap breaks text into lines of at most 80 characters, each indented.
func wrap(text string, indent int) string {
	var b strings.Builder
	line := strings.Repeat(" ", indent)
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) >= 80 {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = strings.Repeat(" ", indent)
		}
		line += word + " "
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}
