package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// declaring makes a declaration whose hash is its name.
func declaring(name, reason string) Declaration {
	return Declaration{Text: json.RawMessage(`{"compare":"` + name + `"}`), SHA256: name, Reason: reason, Commit: "c"}
}

// complete claims a run and completes it.
func complete(t *testing.T, db *DB, id string) {
	t.Helper()
	if err := tryComplete(db, id); err != nil {
		t.Fatal(err)
	}
}

func tryComplete(db *DB, id string) error {
	ctx := context.Background()
	run, err := db.Run(ctx, id)
	if err != nil {
		return err
	}
	claim, err := db.Claim(ctx, run, Owner{Host: "h"})
	if err != nil {
		return err
	}
	return db.Complete(ctx, claim, Result{Metrics: map[string]map[string]float64{"test": {"cider": math.NaN()}}})
}

// declared are a study's declarations as "number hash known", with an asterisk once frozen.
func declared(t *testing.T, db *DB, study string) []string {
	t.Helper()
	declarations, err := db.Declarations(context.Background(), study)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, d := range declarations {
		text := fmt.Sprint(d.Number, " ", d.SHA256, " ", d.Known)
		if !d.Frozen.IsZero() {
			text += "*"
		}
		list = append(list, text)
	}
	return list
}

// members are the runs of a study in their order.
func members(t *testing.T, db *DB, study string) []string {
	t.Helper()
	list, err := db.Runs(context.Background(), study)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, run := range list {
		ids = append(ids, run.ID+" "+run.Arm)
	}
	return ids
}

// TestDeclarationsFollowTheirRules saves the study s again and again, completing
// runs in between.
func TestDeclarationsFollowTheirRules(t *testing.T) {
	earlier := declaring("earlier", "")
	earlier.Declared = time.UnixMilli(1000)
	type step struct {
		complete string // a run, before anything is saved
		runs     []Run
		d        Declaration
		earlier  *Declaration
		frozen   string // the hash in the FrozenError that is wanted
	}
	all := runs(4)
	renamed := runs(4)
	for i := range renamed {
		renamed[i].Arm = "none"
	}
	backwards := runs(2)
	slices.Reverse(backwards)
	for name, c := range map[string]struct {
		steps   []step
		want    []string
		members []string
	}{
		"the first": {
			[]step{{runs: all[:1], d: declaring("a", "")}},
			[]string{"0 a 0"}, []string{"aa00 soft"},
		},
		"none": {
			[]step{{runs: all[:2]},
				{complete: "aa00", runs: all[1:2]}},
			nil, []string{"aa01 soft"},
		},
		"another before results": {
			[]step{{runs: all[:2], d: declaring("a", "")},
				{runs: renamed[1:3], d: declaring("b", "")}},
			[]string{"0 b 0"}, []string{"aa01 none", "aa02 none"},
		},
		"frozen by a result": {
			[]step{{runs: all[:2], d: declaring("a", "")},
				{complete: "aa01", runs: all[:2], d: declaring("a", "")}},
			[]string{"0 a 0*"}, []string{"aa00 soft", "aa01 soft"},
		},
		"another after results": {
			[]step{{runs: all[:2], d: declaring("a", "")},
				{complete: "aa01", runs: all, d: declaring("b", ""), frozen: "a"}},
			[]string{"0 a 0*"}, []string{"aa00 soft", "aa01 soft"},
		},
		"an amendment": {
			[]step{{runs: all[:2], d: declaring("a", "")},
				{complete: "aa01", runs: renamed[1:3], d: declaring("b", "a slip")}},
			[]string{"0 a 0*", "1 b 1*"}, []string{"aa00 soft", "aa01 soft", "aa02 none"},
		},
		"an amendment of an amendment": {
			[]step{{runs: all[:2], d: declaring("a", "")},
				{complete: "aa01", runs: all[:2], d: declaring("b", "a slip")},
				{runs: all[:2], d: declaring("c", ""), frozen: "b"},
				{complete: "aa00", runs: all[:3], d: declaring("c", "another")}},
			[]string{"0 a 0*", "1 b 1*", "2 c 2*"}, []string{"aa00 soft", "aa01 soft", "aa02 soft"},
		},
		"back to the first": {
			[]step{{runs: all[:2], d: declaring("a", "")},
				{complete: "aa01", runs: all[:2], d: declaring("b", "a slip")},
				{runs: all[:1], d: declaring("a", "")}},
			[]string{"0 a 0*", "1 b 1*"}, []string{"aa00 soft", "aa01 soft"},
		},
		"a plan that grows": {
			[]step{{runs: all[:2], d: declaring("a", "")},
				{complete: "aa00", runs: all[:3], d: declaring("a", "")},
				{complete: "aa02", runs: all, d: declaring("a", "")},
				{runs: backwards, d: declaring("a", "")}},
			[]string{"0 a 0*"}, []string{"aa00 soft", "aa01 soft", "aa02 soft", "aa03 soft"},
		},
		"a plan that grows by results": { // of another study
			[]step{{runs: all[:1], d: declaring("a", "")},
				{complete: "aa03", runs: all, d: declaring("a", "")}},
			[]string{"0 a 0*"}, []string{"aa00 soft", "aa01 soft", "aa02 soft", "aa03 soft"},
		},
		"results of before": {
			[]step{{runs: all[:2]},
				{complete: "aa00", runs: all[:2], d: declaring("a", "")}},
			[]string{"0 a 1*"}, []string{"aa00 soft", "aa01 soft"},
		},
		"what was declared earlier, and nothing since": {
			[]step{{runs: all[:2]},
				{complete: "aa00", runs: all[1:], d: declaring("earlier", ""), earlier: &earlier}},
			[]string{"0 earlier 0*"}, []string{"aa00 soft", "aa01 soft", "aa02 soft", "aa03 soft"},
		},
		"what was declared earlier, then another": {
			[]step{{runs: all[:2]},
				{complete: "aa00", runs: all, d: declaring("a", ""), earlier: &earlier, frozen: "earlier"}},
			nil, []string{"aa00 soft", "aa01 soft"}},
		"what was declared earlier, then an amendment": {
			[]step{{runs: all[:2]},
				{complete: "aa00", runs: all[:2], d: declaring("a", "r"), earlier: &earlier}},
			[]string{"0 earlier 0*", "1 a 1*"}, []string{"aa00 soft", "aa01 soft"},
		},
		"what was declared earlier, without results": {
			[]step{{runs: all[:2]},
				{runs: all[1:2], d: declaring("a", ""), earlier: &earlier}},
			[]string{"0 a 0"}, []string{"aa01 soft"},
		},
		"earlier comes too late": {
			[]step{{runs: all[:1], d: declaring("a", "")},
				{complete: "aa00", runs: all[:1], d: declaring("a", ""), earlier: &earlier}},
			[]string{"0 a 0*"}, []string{"aa00 soft"},
		},
		"without one, of a frozen study": {
			[]step{{runs: all[:1], d: declaring("a", "")},
				{complete: "aa00", runs: all[1:2]}},
			[]string{"0 a 0*"}, []string{"aa00 soft", "aa01 soft"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, ctx := open(t), context.Background()
			if err := db.SaveStudy(ctx, Study{Name: "other"}, all[3:], Declaration{}, nil); err != nil {
				t.Fatal(err)
			}
			for i, s := range c.steps {
				if s.complete != "" {
					complete(t, db, s.complete)
				}
				err := db.SaveStudy(ctx, Study{Name: "s", Question: fmt.Sprint(i)}, s.runs, s.d, s.earlier)
				var frozen *FrozenError
				switch {
				case s.frozen == "" && err != nil:
					t.Fatal(err)
				case s.frozen == "":
				case !errors.As(err, &frozen):
					t.Fatalf("step %d: %v, want a FrozenError", i, err)
				default:
					if frozen.Study != "s" || frozen.Frozen.SHA256 != s.frozen ||
						frozen.Frozen.Frozen.IsZero() || !strings.Contains(err.Error(), "amend it with `glimpse run --amend REASON`") {
						t.Errorf("step %d: %v", i, err)
					}
					if study, err := db.Study(ctx, "s"); err != nil || study.Question == fmt.Sprint(i) {
						t.Errorf("step %d was written: %+v, %v", i, study, err)
					}
				}
			}
			if got := declared(t, db, "s"); !slices.Equal(got, c.want) {
				t.Errorf("declared are %q, want %q", got, c.want)
			}
			if got := members(t, db, "s"); !slices.Equal(got, c.members) {
				t.Errorf("members are %q, want %q", got, c.members)
			}
			findings, err := db.Findings(ctx, nil)
			for _, f := range findings.List {
				if err != nil || strings.Contains(f.Problem, "declar") {
					t.Errorf("found %+v, %v", f, err)
				}
			}
		})
	}
}

// A run freezes every study that holds it, and a study is frozen as of its first result.
func TestResultFreezesAllStudiesThatHoldIt(t *testing.T) {
	db, ctx := open(t), context.Background()
	for _, study := range []string{"s", "t", "other"} {
		list := runs(3)
		if study == "other" {
			list = list[2:]
		}
		if err := db.SaveStudy(ctx, Study{Name: study}, list, declaring("of "+study, ""), nil); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now().Truncate(time.Millisecond)
	complete(t, db, "aa00")
	first, err := db.Declarations(ctx, "")
	if err != nil || len(first) != 3 || first[0].Study != "other" || !first[0].Frozen.IsZero() {
		t.Fatalf("declarations %+v, %v", first, err)
	}
	run, err := db.Run(ctx, "aa00")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range first[1:] {
		if d.Frozen.Before(before) || !d.Frozen.Equal(run.Finished) || string(d.Text) != `{"compare":"of `+d.Study+`"}` || d.Commit != "c" {
			t.Errorf("declaration %+v", d)
		}
	}
	time.Sleep(2 * time.Millisecond)
	complete(t, db, "aa01")
	again, err := db.Declarations(ctx, "s")
	if err != nil || len(again) != 1 || !again[0].Frozen.Equal(run.Finished) {
		t.Errorf("frozen anew: %+v, %v", again, err)
	}
	// A study that takes up a run with a result knew it, and is frozen as of that.
	if err := db.SaveStudy(ctx, Study{Name: "late"}, runs(3), declaring("late", ""), nil); err != nil {
		t.Fatal(err)
	}
	late, err := db.Declarations(ctx, "late")
	if err != nil || late[0].Known != 2 || !late[0].Frozen.Equal(run.Finished) || !late[0].Declared.After(late[0].Frozen) {
		t.Errorf("declared late: %+v, %v", late, err)
	}
	if list, err := db.Runs(ctx, "late"); err != nil || !math.IsNaN(list[0].Metrics["test"]["cider"]) {
		t.Errorf("a value that is not finite came back as %+v, %v", list[0].Metrics, err)
	}
}

// The same declaration, made again before there are results, keeps its time.
func TestDeclaredOnce(t *testing.T) {
	db, ctx := open(t), context.Background()
	d := declaring("a", "")
	d.Declared = time.UnixMilli(5000)
	for _, n := range []int{1, 3} {
		if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(n), d, nil); err != nil {
			t.Fatal(err)
		}
		d.Declared = time.Time{}
	}
	got, err := db.Declarations(ctx, "s")
	if err != nil || len(got) != 1 || got[0].Declared.UnixMilli() != 5000 {
		t.Errorf("%+v, %v", got, err)
	}
	for name, broken := range map[string]Declaration{
		"no JSON": {Text: json.RawMessage(`{`), SHA256: "a"},
		"no hash": {Text: json.RawMessage(`{}`)},
	} {
		if err := db.SaveStudy(ctx, Study{Name: "t"}, runs(1), broken, nil); err == nil {
			t.Errorf("%s: it was recorded", name)
		}
	}
}

// Of two processes that declare different things while a run completes, at most
// one is heard once there is a result, and the other is refused.
func TestDeclarationsRace(t *testing.T) {
	for range 20 {
		db, ctx := open(t), context.Background()
		if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(2), declaring("a", ""), nil); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		refused := make([]error, 2)
		for i, name := range []string{"b", "c"} {
			group.Go(func() {
				other, err := Open(db.Path())
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = other.Close() }()
				refused[i] = other.SaveStudy(ctx, Study{Name: "s"}, runs(2), declaring(name, ""), nil)
			})
		}
		group.Go(func() {
			if err := tryComplete(db, "aa00"); err != nil {
				t.Error(err)
			}
		})
		group.Wait()
		got, err := db.Declarations(ctx, "s")
		if err != nil || len(got) != 1 || got[0].Frozen.IsZero() || got[0].Known != 0 {
			t.Fatalf("%+v, %v", got, err)
		}
		for i, name := range []string{"b", "c"} {
			if refused[i] != nil && !errors.As(refused[i], new(*FrozenError)) {
				t.Fatal(refused[i])
			}
			if refused[i] != nil && got[0].SHA256 == name {
				t.Errorf("%s was refused, and is recorded", name)
			}
		}
		if got[0].SHA256 == "a" && (refused[0] == nil || refused[1] == nil) {
			t.Error("a declaration was taken and is not there")
		}
	}
}
