package view

import (
	"fmt"
	"slices"
	"strings"

	"glimpse/internal/filter"
	"glimpse/internal/store"
)

// UsualColumns are shown unless others are asked for.
const UsualColumns = "id,study,label,seed,state,epochs,final.bleu1,final.bleu4,final.rouge_l,final.cider,seconds"

// leastColumns are the usual ones that a narrow terminal does without, the least important first.
var leastColumns = []string{"final.rouge_l", "epochs", "final.bleu1", "seconds", "study", "final.bleu4"}

// A List says which runs are listed, in which order and by which columns. It is ready once [List.Parse] has read it.
type List struct {
	State   string // keeps the runs in this state; "" keeps all
	Where   string // an expression of package filter, which keeps the runs for which it is true
	Sort    string // fields, joined by commas; - before one is for the largest first
	Columns string // fields, joined by commas; + before them adds them to the usual ones, which "" stands for

	chosen filter.Filter
	order  []sortKey
	shown  []Field
	least  []string // headings of shown columns that may go, the least important first
	usual  bool     // whether the usual columns are among them
}

type sortKey struct {
	field   Field
	largest bool // first
}

// Parse reads what is asked for. Its error begins with state, where, sort or columns; it points at the place and names the
// nearest field.
func (l *List) Parse() error {
	if l.State != "" && !slices.Contains(States, l.State) {
		return fmt.Errorf("state %q: expected one of %s", l.State, strings.Join(States, ", "))
	}
	fields := Fields()
	kindOf := func(name string) (filter.Kind, error) {
		f, err := findField(fields, name)
		return f.Kind, err
	}
	var err error
	if l.chosen, err = filter.Parse(l.Where, kindOf); err != nil {
		return fmt.Errorf("where: %w", err)
	}
	l.order, l.shown = nil, nil
	for _, name := range split(l.Sort) {
		name, largest := strings.CutPrefix(name, "-")
		f, err := findField(fields, name)
		if err != nil {
			return fmt.Errorf("sort: %w", err)
		}
		l.order = append(l.order, sortKey{f, largest})
	}
	l.least = nil
	if l.Columns == "" {
		for _, name := range leastColumns {
			f, err := findField(fields, name)
			if err != nil {
				return fmt.Errorf("columns: %w", err)
			}
			l.least = append(l.least, f.Heading)
		}
	}
	columns, add := strings.CutPrefix(l.Columns, "+")
	if l.usual = add || columns == ""; l.usual {
		columns = UsualColumns + "," + columns
	}
	for _, name := range split(columns) {
		f, err := findField(fields, name)
		if err != nil {
			return fmt.Errorf("columns: %w", err)
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

// Choose gives the chosen runs in order. Tags join the usual columns where one of the runs has
// any. labels names them by what distinguishes them, as results.LabelsOf does.
func (l *List) Choose(runs []store.Run, labels map[string]string) []*Row {
	fields := map[string]Field{}
	for _, f := range Fields() {
		fields[f.Name] = f
	}
	rows := []*Row{}
	for _, run := range runs {
		if l.State != "" && run.State != l.State {
			continue
		}
		row := &Row{Run: run, label: labels[run.ID]}
		if l.chosen(func(name string) (filter.Value, bool) { return row.known(fields[name]) }) {
			rows = append(rows, row)
		}
	}
	isTag := func(f Field) bool { return f.Name == tagField }
	if l.usual && !slices.ContainsFunc(l.shown, isTag) && slices.ContainsFunc(rows, func(r *Row) bool { return len(r.Tags) > 0 }) {
		l.shown = append(l.shown, fields[tagField])
	}
	slices.SortStableFunc(rows, func(a, b *Row) int {
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
func (k sortKey) compare(a, b *Row) int {
	v, hasA := a.known(k.field)
	w, hasB := b.known(k.field)
	switch {
	case hasA != hasB && hasA:
		return -1
	case hasA != hasB:
		return 1
	case k.largest:
		return k.field.Kind.Compare(w, v)
	}
	return k.field.Kind.Compare(v, w)
}

// Headings are those of the columns.
func (l *List) Headings() []string {
	return l.cells(func(f Field) string { return f.Heading })
}

// Least are the headings of columns that a narrow terminal does without, the least important first: none where columns were
// asked for.
func (l *List) Least() []string { return l.least }

// Cells are the columns of a run.
func (l *List) Cells(row *Row) []string { return l.cells(row.text) }

func (l *List) cells(of func(Field) string) []string {
	cells := make([]string, len(l.shown))
	for i, f := range l.shown {
		cells[i] = of(f)
	}
	return cells
}

// Shown are the fields of the columns, in their order.
func (l *List) Shown() []Field { return slices.Clone(l.shown) }
