package experiments

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// studies are the study files of the project.
func studies(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("*.yaml")
	if err != nil || len(paths) < 4 {
		t.Fatalf("found the studies %q (%v), want at least 4", paths, err)
	}
	return paths
}

func TestStudies(t *testing.T) {
	want := map[string]int{"demo.yaml": 10, "flickr8k.yaml": 20, "flickr8k-pilot.yaml": 2, "seed.yaml": 2}
	names := map[string]string{}
	for _, path := range studies(t) {
		s, err := Load(path, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		trials, err := s.Plan()
		if n, known := want[path]; err != nil || known && len(trials) != n {
			t.Errorf("%s has %d trials (%v), want %d", path, len(trials), err, n)
		}
		if other, taken := names[s.Name]; taken {
			t.Errorf("%s and %s are both called %s", path, other, s.Name)
		}
		names[s.Name] = path
		command := "\n# run:     glimpse run experiments/" + path
		if s.Data.Name != "shapes" { // no study says where its data lie
			command += " --data FOLDER"
		}
		for _, part := range []string{command + "\n", "\n# expect:  "} {
			if !strings.Contains(string(s.Source), part) {
				t.Errorf("%s does not open with a comment that holds %q", path, part)
			}
		}
		if s.Question == "" || s.Path != path {
			t.Errorf("%s asks %q and comes from %s", path, s.Question, s.Path)
		}
	}
}

func TestPilotExtends(t *testing.T) {
	s, err := Load("flickr8k-pilot.yaml", []string{"train.optimizer.lr=1e-3"})
	if err != nil {
		t.Fatal(err)
	}
	trials, err := s.Plan()
	if err != nil || brief(trials) != "none/1 adaptive/1" {
		t.Fatalf("plan is %s (%v)", brief(trials), err)
	}
	got := trials[1].Settings
	if got.Train.Epochs != 3 || got.Train.Optimizer.LR != 1e-3 || got.Train.Optimizer.ClipNorm != 5 || got.Encoder.Name != "efficientnet_lite2" || s.Compare.MatchParameters != 0 {
		t.Errorf("settings are %+v", got)
	}
}

func TestExtendsReplacesSweptValues(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"base.yaml":       "study: base\nmodel: {hidden: 64, dropout: 0.1}\nsweep: {method: random, samples: 2, over: {train.optimizer.lr: {log: [1e-4, 1e-2]}}}\n",
		"sub/middle.yaml": "extends: ../base.yaml\nmodel: {hidden: 32}\n",
		"top.yaml":        "study: top\nextends: sub/middle.yaml\nsweep: {over: {train.optimizer.lr: {uniform: [1e-3, 1e-2]}}}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Load(filepath.Join(dir, "top.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var read []string
	for _, file := range s.Files {
		read = append(read, filepath.Base(file))
	}
	if !slices.Equal(read, []string{"top.yaml", "middle.yaml", "base.yaml"}) {
		t.Errorf("it was read from %v", s.Files)
	}
	want := []Axis{{Path: "train.optimizer.lr", Draw: "uniform", Low: 1e-3, High: 1e-2}}
	if !reflect.DeepEqual(s.Sweep.Over, want) || s.Model.Hidden != 32 || s.Model.Dropout != 0.1 || s.Name != "top" {
		t.Errorf("study is %+v", s)
	}
}

func TestSet(t *testing.T) {
	const text = "study: a\nmodel: {hidden: 64}\nsweep: {over: {model.attention: [none, soft], seed: [1, 2]}}\n"
	s := load(t, text, "model.hidden=32", "model.hidden = 48", "question=Is it: so?", "data.root=", "train.optimizer={lr: 1e-2}",
		"sweep.over.seed=[3]", "sweep.over.model.attention=[soft, none]", "study=b")
	trials, err := s.Plan()
	if err != nil || len(trials) != 2 || trials[0].Settings.Seed != 3 || trials[0].Settings.Model.Attention != "soft" {
		t.Errorf("plan is %+v (%v)", trials, err)
	}
	if s.Model.Hidden != 48 || s.Question != "Is it: so?" || s.Train.Optimizer.LR != 1e-2 || s.Name != "b" {
		t.Errorf("study is %+v", s)
	}
}

func TestNumericArms(t *testing.T) {
	s := load(t, `study: a
sweep: {over: {train.optimizer.lr: [1e-3, 5e-4], seed: [1, 2, 3, 4, 5]}}
compare: {arms: train.optimizer.lr, baseline: 0.00100, contrasts: [[5.0e-4, 1e-3]], primary: {metric: test.cider, minimum_effect: 1}}
`)
	if s.Compare.Baseline != "0.001" || s.Compare.Contrasts[0] != [2]string{"0.0005", "0.001"} {
		t.Errorf("compare is %+v", s.Compare)
	}
}

func TestContrastsDefaultToBaseline(t *testing.T) {
	s := load(t, "study: a\nsweep: {over: {model.attention: [soft, none, uniform]}}\n"+
		"compare: {arms: model.attention, baseline: none, primary: {metric: test.cider, minimum_effect: 1}}\n")
	if want := [][2]string{{"soft", "none"}, {"uniform", "none"}}; !slices.Equal(s.Compare.Contrasts, want) {
		t.Errorf("contrasts are %v, want %v", s.Compare.Contrasts, want)
	}
}

func TestOddFilesLoad(t *testing.T) {
	for name, text := range map[string]string{
		"BOM":          "\ufeffstudy: a\ntrain: {epochs: 3}\n",
		"CRLF":         "study: a\r\ntrain:\r\n  epochs: 3\r\n",
		"document":     "---\nstudy: a\ntrain: {epochs: 3}\n...\n",
		"JSON":         `{"study": "a", "train": {"epochs": 3}}`,
		"no last line": "study: a\ntrain: {epochs: 3}",
	} {
		if got := load(t, text); got.Train.Epochs != 3 {
			t.Errorf("%s: epochs is %d", name, got.Train.Epochs)
		}
	}
}

func TestYAMLKeepsThePlan(t *testing.T) {
	texts := []string{"study: a\n", search, matched, searchStudy, named, factorial, pairs + "  stop: {looks: [2, 5], spending: pocock, futility: 0}\n",
		strings.Replace(factorial, "  baseline", "  factors: each\n  baseline", 1), strings.Replace(named, "lr, arms]}", "lr, arms]}]\n  factors: each #", 1),
		strings.Replace(named, "[[wide & dry, plain], [soft, plain], ", "[", 1), "study: a\nsweep: {seed: 7, startup: 3, prune: {factor: 5}}\n",
		"study: a\nsweep: {over: {seed: [1, 2]}}\ncompare: {ensemble: seeds}\n", "study: a\nsweep: {over: {model.hidden: [8, 16], seed: [1, 2]}}\ncompare: {ensemble: seeds}\n",
		"study: a\nsweep: {over: {seed: [1, 2]}}\ncompare: {arms: {\"1\": {}, \"yes\": {encoder.name: resnet18, encoder.weights: \"1.5\", model.dropout: 0}}, baseline: 1, " +
			"primary: {metric: test.cider, minimum_effect: 1}}\n",
		"study: \"12\"\nquestion: \"yes\"\ndata: {root: \"0.5\"}\nencoder: {weights: random}\nsweep: {over: {encoder.name: [inception_v3, resnet18], seed: [1, 2]}}\n",
		"study: a\ndecode: {split: val}\nsweep: {over: {train.optimizer.name: [sgd, adam], train.optimizer.lr: [1e-7, 1e-3]}}\n" +
			"compare: {arms: train.optimizer.lr, baseline: 1e-7, primary: {metric: val.bleu4, minimum_effect: 0.25}, match_parameters: 0.7%}\n"}
	for _, path := range studies(t) {
		s, err := Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
		if again := load(t, string(text)); !samePlan(t, s, again) {
			t.Errorf("%s resolved has another plan or declaration", path)
		}
	}
	for _, text := range texts {
		s := load(t, text)
		resolved, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("resolved.yaml", resolved)
		if err != nil {
			t.Fatalf("%v\nin\n%s", err, resolved)
		}
		if !samePlan(t, s, again) || !reflect.DeepEqual(s.Compare, again.Compare) || s.Name != again.Name || s.Question != again.Question {
			t.Errorf("another plan is made of\n%s\nthan of\n%s", resolved, text)
		}
		for _, w := range again.Warnings() {
			if strings.Contains(w, "no effect") {
				t.Errorf("the resolved file warns: %s", w)
			}
		}
		if twice, err := again.YAML(); err != nil || !bytes.Equal(resolved, twice) {
			t.Errorf("resolving twice (%v) gives\n%s\nafter\n%s", err, twice, resolved)
		}
	}
}

// samePlan says whether two studies have the same trials and declare the same.
func samePlan(t *testing.T, a, b *Study) bool {
	t.Helper()
	p, err := a.Plan()
	q, other := b.Plan()
	return err == nil && other == nil && reflect.DeepEqual(p, q) && reflect.DeepEqual(a.Declare(p), b.Declare(q)) && a.Declare(p).SHA256() != ""
}

// FuzzLoad holds that Load ends without a panic on any bytes, that what it
// refuses it can place, and that what it accepts has a plan which survives
// being written out.
func FuzzLoad(f *testing.F) {
	paths, _ := filepath.Glob("*.yaml")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "seed=2")
	}
	f.Add([]byte(search), "sweep.over.model.hidden={int: [1, 3]}")
	f.Add([]byte(matched), "compare.baseline=soft")
	f.Add([]byte(named), "compare.arms.soft.model.hidden=3")
	f.Add([]byte(factorial), "compare.stop={looks: [2, 4]}")
	f.Add([]byte("study: &a a\nmodel: {hidden: [*a]}\n"), "=")
	f.Fuzz(func(t *testing.T, text []byte, set string) {
		if bytes.Contains(text, []byte("extends")) {
			return // would read files
		}
		s, err := parse("study.yaml", text, []string{set})
		if err != nil {
			checkErrors(t, err)
			return
		}
		resolved, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		s.Warnings()
		if trials, err := s.Plan(); err == nil && len(trials) < 500 {
			checkDeclaration(t, s.Declare(trials))
		}
		again, err := Parse("resolved.yaml", resolved)
		if err != nil {
			t.Fatalf("%v\nin\n%s\nof\n%s", err, resolved, text)
		}
		if !samePlan(t, s, again) || again.Name != s.Name {
			t.Errorf("another plan is made of\n%s\nthan of\n%s", resolved, text)
		}
	})
}

// checkDeclaration holds what any declaration must: cells and labels are each one's own, and contrasts are of cells.
func checkDeclaration(t *testing.T, d Declaration) {
	t.Helper()
	names, labels, trials := map[string]bool{}, map[string]bool{}, 0
	for _, c := range d.Cells() {
		names[c.Name], labels[c.Label] = true, true
		trials += len(c.Trials)
	}
	if cells := len(d.Cells()); len(names) != cells || len(labels) != cells || trials != len(d.Trials) {
		t.Errorf("%d cells have %d names and %d labels, and %d of %d trials", cells, len(names), len(labels), trials, len(d.Trials))
	}
	sums := map[string][]Term{}
	for _, c := range d.Contrasts() {
		for _, side := range []Side{c.B, c.A} {
			if before, known := sums[side.Name]; known && !reflect.DeepEqual(before, side.Terms) {
				t.Errorf("%s is two sums: %v and %v", side.Name, before, side.Terms)
			}
			sums[side.Name] = side.Terms
			if one := len(side.Terms) == 1; names[side.Name] && (!one || side.Terms[0] != Term{side.Name, 1}) {
				t.Errorf("%s is a cell, and the sum %v", side.Name, side.Terms)
			}
			for _, term := range side.Terms {
				if !names[term.Cell] || term.Weight == 0 {
					t.Errorf("%s has the term %v", side.Name, term)
				}
			}
		}
	}
	raw, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadDeclaration(raw)
	if err != nil || len(d.Differences(again)) > 0 || again.SHA256() != d.SHA256() {
		t.Errorf("read again, the declaration differs in %q (%v)", d.Differences(again), err)
	}
}

// The version of YAML may be named at the head of a study, whichever the parser knows.
func TestVersionDirective(t *testing.T) {
	want, err := parse("s.yaml", []byte("study: s\ntrain: {epochs: 3}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, head := range []string{"%YAML 1.2\n---\n", "%YAML 1.1\n---\n", "\ufeff%YAML 1.2\r\n---\r\n", "# A study.\n\n%YAML  1.2 # as tools write it\n---\n", "%YAML 1.2\n"} {
		s, err := parse("s.yaml", []byte(head+"study: s\ntrain: {epochs: 3}\n"), nil)
		if err != nil || s.Settings != want.Settings || s.Name != "s" {
			t.Errorf("%q: %v", head, err)
		} else if line := s.places["train.epochs"].line; line != 2+strings.Count(head, "\n") {
			t.Errorf("%q: train.epochs is in line %d", head, line)
		}
		_, err = parse("s.yaml", []byte(head+"study: s\ntrain: {epochs: x}\n"), nil)
		if want := fmt.Sprintf("s.yaml:%d: ", 2+strings.Count(head, "\n")); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", head, err, want)
		}
	}
	if _, err := parse("s.yaml", []byte("study: s\n%YAML 1.2\n"), nil); err == nil || !strings.Contains(err.Error(), "not valid YAML") {
		t.Errorf("within a study: %v", err)
	}
}
