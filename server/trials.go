package server

import (
	"net/http"
	"net/url"
	"strings"

	"glimpse/reports"
	"glimpse/reports/charts"
	"glimpse/results/view"
)

// rowsOfPage is how many trials a page of the table has.
const rowsOfPage = 500

// trials is the table of a study's trials, with what was asked of it.
type trials struct {
	State, Where, Sort, Columns string
	Problem                     string // with what was asked
	States                      []string
	Choices                     []choice // of columns
	Heads                       []head
	Rows                        []trialRow
	Total                       int
	paging
}

// A choice is a column that can be shown.
type choice struct {
	Name, Doc string
	Shown     bool
}

// A head is that of a column, with the address that sorts by it.
type head struct {
	Text, Link string
	Numeric    bool
	Order      string // ascending, descending or ""
}

type trialRow struct {
	Value, Link string // for comparisons, and of its page
	Label       string // for a screen reader
	Cells       []trialCell
}

type trialCell struct {
	Text, Class string
	Numeric     bool
	Link        string
}

// trialsOf lays the table out.
func trialsOf(r *http.Request, src *source, st standing, colours map[string]int) trials {
	q := r.URL.Query()
	t := trials{State: q.Get("state"), Where: q.Get("where"), Sort: q.Get("sort"), Columns: q.Get("columns"),
		States: view.States, Total: len(st.runs)}
	if picked := q["column"]; t.Columns == "" && len(picked) > 0 {
		t.Columns = strings.Join(picked, ",")
	}
	usual := "id,label,seed,state,epochs,best_epoch," + st.primary.String()
	if st.primary.Split == "test" {
		usual += ",val." + st.primary.Key
	}
	usual += ",seconds"
	list := view.List{State: t.State, Where: t.Where, Sort: t.Sort, Columns: t.Columns}
	if list.Columns == "" {
		list.Columns = usual
	} else if added, add := strings.CutPrefix(list.Columns, "+"); add {
		list.Columns = usual + "," + added
	}
	if err := list.Parse(); err != nil {
		t.Problem = err.Error()
		list = view.List{Columns: usual}
		_ = list.Parse() // which are fields
	}
	rows := list.Choose(st.runs, st.labels)
	t.paging = pageOf(r, len(rows), rowsOfPage)
	shown := list.Shown()
	t.Choices = choicesOf(shown, st)
	for _, f := range shown {
		t.Heads = append(t.Heads, headOf(r.URL, f, t.Sort))
	}
	for _, row := range rows[t.From-1 : t.To] {
		one := trialRow{Value: src.name + "/" + row.ID, Link: runLink(src, row.ID), Label: "compare run " + row.ID}
		for i, text := range list.Cells(row) {
			c := trialCell{Text: text, Numeric: numeric(shown[i])}
			switch shown[i].Name {
			case "id":
				c.Link = one.Link
			case "state":
				c.Class = reports.StateClass(row.State)
			case "label", "arm":
				if colour, known := colours[row.ID]; known {
					c.Class = charts.ArmClass(colour)
				}
			}
			one.Cells = append(one.Cells, c)
		}
		t.Rows = append(t.Rows, one)
	}
	return t
}

func numeric(f view.Field) bool { return f.Numeric() && f.Name != "id" }

// choicesOf are the columns that a study's trials may differ in, and those of runs.
func choicesOf(shown []view.Field, st standing) []choice {
	is := map[string]bool{}
	var list []choice
	for _, f := range shown {
		is[f.Name] = true
		list = append(list, choice{f.Name, f.Doc, true})
	}
	swept := map[string]bool{}
	for _, r := range st.runs {
		for path := range r.Swept {
			swept[path] = true
		}
	}
	for _, f := range view.Fields() {
		split, _, _ := strings.Cut(f.Name, ".")
		hidden := split == "test" && st.withheld != "" || split == "final"
		if !is[f.Name] && !hidden && (swept[f.Name] || !strings.Contains(f.Name, ".") || split == "test" || split == "val") {
			list = append(list, choice{f.Name, f.Doc, false})
		}
	}
	return list
}

// headOf is the head of a column. The first click on it sorts texts upwards, and numbers downwards.
func headOf(u *url.URL, f view.Field, sorted string) head {
	h := head{Text: f.Heading, Numeric: numeric(f)}
	first, _, _ := strings.Cut(sorted, ",")
	up, down := f.Name, "-"+f.Name
	next := up
	if f.Numeric() {
		next = down
	}
	switch first {
	case up:
		h.Order, next = "ascending", down
	case down:
		h.Order, next = "descending", up
	}
	h.Link = with(without(u, "page"), "sort", next) + "#trials"
	return h
}

// with is an address with a value of its query changed.
func with(u *url.URL, key, value string) string {
	q := u.Query()
	q.Set(key, value)
	return u.EscapedPath() + "?" + q.Encode()
}

func without(u *url.URL, key string) *url.URL {
	q := u.Query()
	q.Del(key)
	to := *u
	to.RawQuery = q.Encode()
	return &to
}
