package view

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"glimpse/internal/store"
	"glimpse/internal/term"
)

func listedRuns() []store.Run {
	run := func(id, arm string, seed int64, cider float64, hidden string) store.Run {
		r := store.Run{ID: id, Study: "s", Arm: arm, Seed: seed, State: store.Completed, Epochs: 3, Seconds: 90,
			Created: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Environment: json.RawMessage(`{"host":"a","versions":{"go":"1.25"}}`),
			Settings: json.RawMessage(`{"model":{"hidden":` + hidden + `,"attention":"` + arm + `"}}`)}
		if !math.IsNaN(cider) {
			r.Metrics = map[string]map[string]float64{"test": {"cider": cider, "length_ratio": 0.98765}}
		}
		return r
	}
	failed := run("d4", "soft", 2, math.NaN(), "96")
	failed.State, failed.Error = store.Failed, "the loss\nis not finite"
	return []store.Run{run("a1", "none", 1, 0.5, "64"), run("b2", "adaptive", 1, 0.61, "96"), run("c3", "adaptive", 0, 0.52, "128"), failed}
}

func TestRunsAreChosenAndSorted(t *testing.T) {
	for _, c := range []struct {
		list List
		want string
	}{
		{List{}, "a1 b2 c3 d4"},
		{List{Where: "arm=adaptive and test.cider>60"}, "b2"},
		{List{Where: "test.cider<=52 and host=a"}, "a1 c3"},
		{List{Where: "model.hidden in (64, 128) or error~finite"}, "a1 c3 d4"},
		{List{Where: "seed=0"}, "c3"},
		{List{Where: "not test.cider"}, "d4"},
		{List{Where: "seconds=1m30s and created<2026-02-01 and model.attention!=none"}, "b2 c3 d4"},
		{List{Where: "finished"}, ""},
		{List{Sort: "test.cider"}, "a1 c3 b2 d4"},
		{List{Sort: "-test.cider"}, "b2 c3 a1 d4"},
		{List{Sort: "arm, -model.hidden"}, "c3 b2 a1 d4"},
		{List{State: store.Failed}, "d4"},
		{List{State: store.Completed, Where: "arm=soft"}, ""},
	} {
		if err := c.list.Parse(); err != nil {
			t.Error(err)
			continue
		}
		var ids []string
		for _, row := range c.list.Choose(listedRuns(), nil) {
			ids = append(ids, row.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("where %q, sort %q gives %q, want %q", c.list.Where, c.list.Sort, got, c.want)
		}
	}
}

// TestTags holds that tags are chosen by, each for itself, and join the usual columns where a run has any.
func TestTags(t *testing.T) {
	runs := listedRuns()
	runs[1].Tags = []string{"best", "paper"}
	for _, c := range []struct {
		list List
		want string // ids
		tags bool   // whether there is a column of them
	}{
		{List{}, "a1 b2 c3 d4", true},
		{List{Where: "tag=paper"}, "b2", true},
		{List{Where: "not tag"}, "a1 c3 d4", false},
		{List{Where: "tag='best paper'"}, "", false},
		{List{Columns: "id"}, "a1 b2 c3 d4", false},
		{List{Columns: "+tag"}, "a1 b2 c3 d4", true},
	} {
		if err := c.list.Parse(); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, row := range c.list.Choose(runs, nil) {
			ids = append(ids, row.ID)
		}
		count := 0
		for _, heading := range c.list.Headings() {
			if heading == "TAGS" {
				count++
			}
		}
		if got := strings.Join(ids, " "); got != c.want || count > 1 || (count == 1) != c.tags {
			t.Errorf("where %q, columns %q: %q with %d columns of tags, want %q", c.list.Where, c.list.Columns, got, count, c.want)
		}
	}
	if NewRun(runs[0]).Tags == nil || len(NewRun(runs[1]).Tags) != 2 {
		t.Errorf("as JSON: %v, %v", NewRun(runs[0]).Tags, NewRun(runs[1]).Tags)
	}
}

func TestRunsColumns(t *testing.T) {
	list := List{Columns: "id,model.hidden,test.cider,val.cider,test.length_ratio,created,error,seconds"}
	if err := list.Parse(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	table := &term.Table{}
	table.Add(list.Headings()...)
	for _, row := range list.Choose(listedRuns()[2:], nil) {
		table.Add(list.Cells(row)...)
	}
	if err := table.Print(&out); err != nil {
		t.Fatal(err)
	}
	want := `RUN  model.hidden  test CIDEr  val CIDEr  test LENGTH RATIO  CREATED           ERROR                   TIME
c3   128           52.0        -          0.988              2026-01-31 12:00  -                       1m30s
d4   96            -           -          -                  2026-01-31 12:00  the loss is not finite  1m30s
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	usual, more := List{}, List{Columns: "+model.hidden"}
	if err := usual.Parse(); err != nil {
		t.Fatal(err)
	}
	if err := more.Parse(); err != nil || len(more.shown) != len(usual.shown)+1 || more.shown[len(usual.shown)].Name != "model.hidden" {
		t.Errorf("+model.hidden shows %d columns, %v", len(more.shown), err)
	}
}

// TestSilentRuns holds that a run whose process gives no sign of life says so, is found by that, and is still running.
func TestSilentRuns(t *testing.T) {
	heard := time.Now().Add(-time.Hour)
	runs := listedRuns()
	for i, at := range map[int]time.Time{0: heard, 1: time.Now()} {
		runs[i].State, runs[i].Heard, runs[i].Owner.Lease = store.Running, at, time.Minute
	}
	list := List{State: store.Running, Where: "state=running", Columns: "id,state,silent_since", Sort: "silent_since"}
	if err := list.Parse(); err != nil {
		t.Fatal(err)
	}
	rows := list.Choose(runs, nil)
	if len(rows) != 2 {
		t.Fatalf("%d runs are running", len(rows))
	}
	minute := heard.UTC().Format("2006-01-02 15:04")
	if got, want := list.Cells(rows[0]), []string{"a1", "running, no sign of life since " + minute + " UTC", minute}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := list.Cells(rows[1]), []string{"b2", "running", "-"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if NewRun(runs[0]).SilentSince == nil || NewRun(runs[1]).SilentSince != nil || NewRun(runs[0]).State != store.Running {
		t.Errorf("as JSON: %+v, %+v", NewRun(runs[0]), NewRun(runs[1]))
	}
}

func TestRunsRefusesFields(t *testing.T) {
	for _, c := range []struct {
		list List
		want string
	}{
		{List{Where: "arm=none and cidr>50"}, "where: no field \"cidr\"; did you mean test.cider or val.cider or final.cider?"},
		{List{Where: "arm=none and cidr>50"}, "\n  arm=none and cidr>50\n               ^"},
		{List{Sort: "-model.hiden"}, "sort: no field \"model.hiden\"; did you mean \"model.hidden\"?"},
		{List{State: "done"}, `state "done": expected one of queued, running, completed, failed, interrupted, pruned`},
		{List{Columns: "hidden"}, "columns: no field \"hidden\"; did you mean model.hidden?"},
	} {
		if err := c.list.Parse(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v\nwant\n%s", err, c.want)
		}
	}
}

func TestCompleteFields(t *testing.T) {
	first := func(words []string, typed string) string {
		if i := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, typed) }); i >= 0 {
			return words[i]
		}
		return ""
	}
	for typed, want := range map[string]string{"test.cid": "test.cider", "arm,-model.hi": "arm,-model.hidden", "+val.bleu4": "+val.bleu4"} {
		if got := first(CompleteFields(typed), typed); got != want {
			t.Errorf("%s is completed to %q, want %s", typed, got, want)
		}
	}
	const typed = "arm=none and (decode.b"
	if got := first(CompleteWhere(typed), typed); got != "arm=none and (decode.beam" {
		t.Errorf("an expression is completed to %q", got)
	}
}
