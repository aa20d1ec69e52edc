package experiments

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// Captions and splits of one's own, in their short and long forms.
func TestOwnData(t *testing.T) {
	const head = "study: a\ndata: {name: folder, root: photos, "
	for _, c := range []struct {
		text string
		sets []string
		want Data // as far as captions and splits go
	}{
		{"captions: c.tsv}", nil, Data{Split: "column", Captions: Captions{Path: "c.tsv"}}},
		{"captions: {path: c.tsv, image: file, caption: text, split: part}}", nil,
			Data{Split: "column", Captions: Captions{"c.tsv", "file", "text", "part"}}},
		{"captions: c.tsv, split: column}", []string{"data.captions.image=file"}, Data{Split: "column", Captions: Captions{Path: "c.tsv", Image: "file"}}},
		{"captions: {path: c.tsv, image: file}}", []string{"data.captions=d.csv"}, Data{Split: "column", Captions: Captions{Path: "d.csv", Image: "file"}}},
		{"captions: c.tsv, split: {train: a.txt, val: b.txt, test: c.txt}}", nil,
			Data{Split: "lists", Captions: Captions{Path: "c.tsv"}, Partition: Partition{Train: "a.txt", Val: "b.txt", Test: "c.txt"}}},
		{"captions: c.tsv, split: {val: 20, test: 12.50%, seed: 3}}", nil,
			Data{Split: "drawn", Captions: Captions{Path: "c.tsv"}, Partition: Partition{Val: "20", Test: "12.5%", Seed: 3}}},
		{"captions: c.tsv, split: drawn}", nil,
			Data{Split: "drawn", Captions: Captions{Path: "c.tsv"}, Partition: Partition{Val: "10%", Test: "10%", Seed: 1}}},
		{"captions: c.tsv}", []string{"data.split.seed=2"},
			Data{Split: "drawn", Captions: Captions{Path: "c.tsv"}, Partition: Partition{Val: "10%", Test: "10%", Seed: 2}}},
		{"captions: c.tsv, split: {val: 5%, test: 5%}}", []string{"data.split.seed=2", "data.split.val=7"},
			Data{Split: "drawn", Captions: Captions{Path: "c.tsv"}, Partition: Partition{Val: "7", Test: "5%", Seed: 2}}},
		{"captions: c.tsv}", []string{"data.split={val: 1, test: 2}"},
			Data{Split: "drawn", Captions: Captions{Path: "c.tsv"}, Partition: Partition{Val: "1", Test: "2", Seed: 1}}},
		{"captions: c.tsv, split: {val: 5%}}", []string{"data.split=column"}, Data{Split: "column", Captions: Captions{Path: "c.tsv"}}},
		// What has no effect beside the rest is no part of a trial.
		{"captions: {path: c.tsv, split: part}, split: drawn}", nil,
			Data{Split: "drawn", Captions: Captions{Path: "c.tsv"}, Partition: Partition{Val: "10%", Test: "10%", Seed: 1}}},
	} {
		s := load(t, head+c.text+"\n", c.sets...)
		trials, err := s.Plan()
		if err != nil {
			t.Errorf("%s %v: %v", c.text, c.sets, err)
			continue
		}
		got := trials[0].Settings.Data
		if got.Split != c.want.Split || got.Captions != c.want.Captions || got.Partition != c.want.Partition || got.Root != "photos" {
			t.Errorf("%s %v: data are %+v, want %+v", c.text, c.sets, got, c.want)
		}
		// The resolved study asks for the same.
		text, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("again.yaml", text)
		if err != nil {
			t.Errorf("%s %v resolves to\n%s%v", c.text, c.sets, text, err)
			continue
		}
		same, err := again.Plan()
		if err != nil || same[0].ID != trials[0].ID {
			t.Errorf("%s %v resolves to another trial (%v):\n%s", c.text, c.sets, err, text)
		}
	}
}

// Captions and parts of a split are swept as any other setting, and arms may differ in them.
func TestSweptSplits(t *testing.T) {
	const head = "study: a\ndata: {name: folder, root: photos, captions: c.tsv}\n"
	for over, want := range map[string]int{
		"data.split.seed: [1, 2, 3]":                               3,
		"data.split.val: [10%, 20, 10.0%]":                         2,
		"data.captions.path: [a.csv, b.csv]":                       2,
		"data.split: [column, drawn]":                              2,
		"data.split.seed: [1, 2], data.split.test: [5%, 10%]":      4,
		"data.split.seed: [1, 2], data.captions.caption: [en, de]": 4,
	} {
		s := load(t, head+"sweep: {over: {"+over+"}}\n")
		trials, err := s.Plan()
		if err != nil || len(trials) != want {
			t.Errorf("%s: %d trials (%v), want %d", over, len(trials), err, want)
		}
		for _, trial := range trials {
			if seed := trial.Settings.Data.Partition.Seed; strings.Contains(over, "split.") && trial.Settings.Data.Split != "drawn" || (trial.Settings.Data.Split == "drawn") != (seed > 0) {
				t.Errorf("%s: data are %+v", over, trial.Settings.Data)
			}
		}
		text, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("again.yaml", text)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := again.Plan(); err != nil || len(same) != want || same[0].ID != trials[0].ID || same[want-1].ID != trials[want-1].ID {
			t.Errorf("%s resolves to other trials (%v):\n%s", over, err, text)
		}
	}
	s := load(t, head+`sweep: {over: {seed: [1, 2, 3, 4, 5]}}
compare: {arms: {few: {data.split.test: 5%}, many: {data.split.test: 20%}}, baseline: few, primary: {metric: test.cider, minimum_effect: 1}}
`)
	trials, err := s.Plan()
	if err != nil || len(trials) != 10 || trials[0].Settings.Data.Partition.Test != "5%" || trials[1].Settings.Data.Partition != (Partition{Val: "10%", Test: "20%", Seed: 1}) {
		t.Errorf("plan is %s (%v)", brief(trials), err)
	}
}

// Settings of other data sets are written as they were before there were folders.
func TestOldSettingsHaveNoNewKeys(t *testing.T) {
	for _, path := range studies(t) {
		s, err := Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		trials, err := s.Plan()
		if err != nil {
			t.Fatal(err)
		}
		declared, err := s.Declare(trials).JSON()
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(trials[0].Settings.canonical()), string(declared)} {
			if name := s.Data.Name; name != "folder" && (strings.Contains(text, `"split.`) || strings.Contains(text, `"captions":`)) {
				t.Errorf("%s: %s", path, text)
			}
		}
	}
}

// A draft of one's own data fits their size and says why; it is what was found.
func TestDraftOfOwnData(t *testing.T) {
	captions := Captions{Path: "captions.tsv", Image: "file", Caption: "text"}
	drawn := Data{Name: "folder", Root: "photos", Split: "drawn", Captions: captions, Partition: Partition{Val: "10%", Test: "10%", Seed: 1}}
	listed := Data{Name: "folder", Root: "photos", Split: "lists", Captions: Captions{Path: "c.json"}, Partition: Partition{Train: "tr.txt", Test: "te.txt"}}
	column := Data{Name: "folder", Root: "photos", Split: "column", Captions: captions}
	for _, c := range []struct {
		own                            Own
		epochs, batch, count, perImage int
		metric                         string
		wants                          string // a line of the file
		warmup, hidden                 int
	}{
		{Own{drawn, 48, 6, 240, 5}, 30, 4, 2, 5, "val.cider", "    val: 10%\n", 36, 256},
		{Own{column, 12, 2, 12, 1}, 30, 4, 1, 1, "val.cider", "  split: column\n", 9, 256},
		{Own{listed, 800, 0, 4000, 7}, 22, 8, 3, 5, "last", "    train: tr.txt\n", 200, 256},
		{Own{column, 6000, 1000, 30000, 5}, 6, 16, 5, 5, "val.cider", "    image: file\n", 200, 512},
		{Own{column, 100000, 1000, 500000, 5}, 6, 16, 5, 5, "val.cider", "    path: captions.tsv\n", 200, 512},
	} {
		for _, all := range []bool{false, true} {
			text, s, err := Draft{Name: "mine", Path: "mine.yaml", Own: &c.own, All: all}.Write()
			if err != nil {
				t.Errorf("%+v: %v", c.own, err)
				continue
			}
			d, n := s.Data, s.Train
			if n.Epochs != c.epochs || n.BatchImages != c.batch || d.MinCount != c.count || d.CaptionsPerImage != c.perImage ||
				n.Select.Metric != c.metric || n.Schedule.WarmupSteps != c.warmup || s.Model.Hidden != c.hidden {
				t.Errorf("%+v: data %+v, training %+v, hidden %d", c.own, d, n, s.Model.Hidden)
			}
			if d.Name != "folder" || d.Root != "photos" || d.Split != c.own.Data.Split || d.Captions != c.own.Data.Captions || d.Partition != c.own.Data.Partition {
				t.Errorf("data are %+v, want %+v", d, c.own.Data)
			}
			if !strings.Contains(string(text), c.wants) || !strings.Contains(string(text), "training captions.\n  min_count") {
				t.Errorf("%+v: it lacks %q or a reason:\n%s", c.own, c.wants, text)
			}
			if warnings := s.Warnings(); len(warnings) > 0 {
				t.Errorf("warnings %q", warnings)
			}
		}
	}
}

// A setting's JSON has it at the path of its key, dots and all: tables and filters of runs find it
// there.
func TestSettingsAreFoundByPath(t *testing.T) {
	full := Study{}
	for _, path := range settingPaths() {
		text := "7"
		switch k := find(path); {
		case k.isText():
			text = "some text"
		case k.kind == reflect.Bool:
			text = "true"
		}
		full.set(path, text)
	}
	raw, err := json.Marshal(full.Settings)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var walk func(path string, of any)
	walk = func(path string, of any) {
		inner, ok := of.(map[string]any)
		if !ok {
			found[path] = true
		}
		for name, value := range inner {
			walk(strings.TrimPrefix(path+"."+name, "."), value)
		}
	}
	walk("", tree)
	for _, path := range settingPaths() {
		if !found[path] {
			t.Errorf("%s is not in %s", path, raw)
		}
	}
}
