package experiments

import (
	"reflect"
	"strings"
	"testing"
)

// declare is the declaration of text, which must be good.
func declare(t *testing.T, text string, sets ...string) Declaration {
	t.Helper()
	s := load(t, text, sets...)
	trials, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return s.Declare(trials)
}

const factorial = `study: a
train: {epochs: 3}
sweep:
  over:
    model.attention: [none, soft, adaptive]
    model.dropout: [0.3, 0.1, 0.5]
    decode.beam: [1, 3]
    seed: [1, 2, 3, 4, 5]
compare:
  arms: model.attention
  baseline: none
  contrasts: [[soft, none], [adaptive, soft], {interaction: [model.attention, model.dropout]}]
  primary: {metric: test.cider, minimum_effect: 1}
`

// pairs is factorial without its factors.
var pairs = strings.NewReplacer("    model.dropout: [0.3, 0.1, 0.5]\n    decode.beam: [1, 3]\n", "",
	", {interaction: [model.attention, model.dropout]}", "").Replace(factorial)

func TestDeclarationIsOfWhatMatters(t *testing.T) {
	base := declare(t, factorial)
	for name, text := range map[string]string{
		"order": `# a comment
question: Why?
study: b
compare:
  primary: {minimum_effect: 1.0, metric: test.cider, alpha: 0.05}
  contrasts: [{interaction: [model.dropout, arms]}, [adaptive, soft], [soft, none]]
  baseline: none
  factors: average
  arms: model.attention
sweep:
  seed: 3
  over:
    seed: [5, 4, 3, 2, 1]
    decode.beam: [3, 1]
    model.dropout: [0.3, 0.1, 0.5]
    model.attention: [adaptive, none, soft]
model: {dropout: 0.2, cell: gru}
data: {root: /elsewhere}
seed: 9
train: {epochs: 3, schedule: {step_epochs: 7}}
checkpoints: {keep: none}
`,
	} {
		other := declare(t, text)
		if diff := base.Differences(other); len(diff) > 0 || base.SHA256() != other.SHA256() {
			t.Errorf("%s: %q differs, %s against %s", name, diff, base.SHA256(), other.SHA256())
		}
	}
	if len(base.SHA256()) != 64 || base.Settings.Seed != 0 || base.Settings.Model.Dropout != 0 || base.Settings.Train.Epochs != 3 || base.Sweep.axis("seed") != nil {
		t.Errorf("declared are %+v", base)
	}
	raw, err := base.JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadDeclaration(raw)
	if err != nil || !reflect.DeepEqual(again, base) || again.SHA256() != base.SHA256() {
		t.Errorf("read again (%v), the declaration is %+v, want %+v", err, again, base)
	}
	for _, bad := range []string{"", "[]", `{"compare": 3}`, "{"} {
		if _, err := ReadDeclaration([]byte(bad)); err == nil || !strings.Contains(err.Error(), "read the declaration of a study") {
			t.Errorf("ReadDeclaration(%q) says %v", bad, err)
		}
	}
	// What is read may be anything.
	strange, err := ReadDeclaration([]byte(`{"compare": {"arms": "x.y", "contrasts": [["a", "b"]], "interactions": [["x.y", "z"], ["", ""]]}, "trials": [{"arm": "a"}, {}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(strange.Contrasts()); n != 0 || len(strange.Cells()) != 2 || len(strange.Differences(base)) == 0 {
		t.Errorf("a strange declaration has %d contrasts and %d cells", n, len(strange.Cells()))
	}
}

func TestDeclarationDifferences(t *testing.T) {
	for _, c := range []struct {
		text string
		sets []string
		want string
	}{
		{pairs, nil, ""},
		{pairs, []string{"compare.primary.metric=test.rouge_l"}, "compare.primary.metric: test.cider was declared, now test.rouge_l"},
		{pairs, []string{"compare.primary={minimum_effect: 2, alpha: 0.01}"},
			"compare.primary.minimum_effect: 1 was declared, now 2\ncompare.primary.alpha: 0.05 was declared, now 0.01"},
		{pairs, []string{"compare.match_parameters=2%"}, "compare.match_parameters: off was declared, now 2%"},
		{pairs, []string{"compare.contrasts=[[adaptive, soft]]"}, "compare.contrasts: soft − none was removed"},
		{pairs, []string{"compare.contrasts=[[soft, none], [adaptive, soft], [adaptive, none]]"}, "compare.contrasts: adaptive − none was added"},
		{pairs, []string{"compare.baseline=soft"}, "compare.baseline: none was declared, now soft"},
		{pairs, []string{"sweep.over.seed=[1, 2, 3, 4, 5, 6, 7, 8]"}, "seeds: 6 to 8 were added to 1 to 5"},
		{pairs, []string{"sweep.over.seed=[1, 2, 3, 4, 5, 7]"}, "seeds: 7 was added to 1 to 5"},
		{pairs, []string{"sweep.over.seed=[1, 2, 4]"}, "seeds: 3 and 5 were removed from 1 to 5"},
		{pairs, []string{"sweep.over.seed=[6, 1, 2, 4, 5]"}, "seeds: 3 was removed from 1 to 5\nseeds: 6 was added to 1 to 5"},
		{pairs, []string{"sweep.over.seed=[5, 4, 3, 2, 1]"}, ""},
		{pairs, []string{"sweep.over.model.attention=[none, soft, adaptive, uniform]"},
			"sweep.over.model.attention: [adaptive, none, soft] was declared, now [adaptive, none, soft, uniform]"},
		{pairs, []string{"sweep.over.model.dropout=[0.1, 0.2]"}, "sweep.over.model.dropout: none was declared, now [0.1, 0.2]"},
		{pairs, []string{"train.epochs=4"}, "train.epochs: 3 was declared, now 4"},
		{pairs, []string{"train.optimizer.name=sgd"}, "train.optimizer.name: adam was declared, now sgd\n" +
			"train.optimizer.beta1: 0.9 was declared, now none\ntrain.optimizer.beta2: 0.999 was declared, now none\n" +
			"train.optimizer.epsilon: 1e-08 was declared, now none\ntrain.optimizer.momentum: none was declared, now 0.9"},
		{pairs, []string{"model.cell=lstm"}, "model.cell: gru was declared, now lstm"},
		{pairs, []string{"decode.split=val", "compare.primary.metric=val.cider"},
			"decode.split: test was declared, now val\ncompare.primary.metric: test.cider was declared, now val.cider"},
		{pairs, []string{"compare.stop={looks: [3, 5]}"}, "compare.stop.looks: none was declared, now [3, 5]"},
		{pairs, []string{"compare.ensemble=seeds"}, "compare.ensemble: none was declared, now seeds"},
		{pairs, []string{"compare.ensemble=none"}, ""},
		{factorial, []string{"compare.factors=each"}, "compare.factors: average was declared, now each"},
		{factorial, []string{"compare.contrasts=[[soft, none], [adaptive, soft]]"},
			"compare.contrasts: the interaction of model.attention with model.dropout was removed"},
		// The first value is what others are held against in an interaction, and nothing else depends on it.
		{factorial, []string{"sweep.over.model.dropout=[0.1, 0.3, 0.5]"}, "sweep.over.model.dropout: [0.3, 0.1, 0.5] was declared, now [0.1, 0.3, 0.5]"},
		{factorial, []string{"sweep.over.decode.beam=[3, 1]"}, ""},
		{named, []string{"compare.arms.soft.model.attention=adaptive"}, "compare.arms.soft.model.attention: soft was declared, now adaptive"},
		{named, []string{"compare.arms.soft.model.layers=2"}, "compare.arms.soft.model.layers: none was declared, now 2"},
		{named, []string{"compare.arms.more={model.layers: 2}"}, "compare.arms: more was added"},
		{pairs + "  stop: {looks: [3, 5]}\n", []string{"sweep.over.seed=[1, 3, 2, 4, 5]"}, "seeds: 1 to 5 were declared in this order, now 1, 3, 2, 4 and 5"},
		{pairs + "  stop: {looks: [3, 5]}\n", []string{"compare.stop={spending: pocock, futility: 0}"},
			"compare.stop.spending: obrien-fleming was declared, now pocock\ncompare.stop.futility: 0.1 was declared, now 0"},
		{search, []string{"sweep.samples=41"}, "sweep.samples: 40 was declared, now 41"},
		{search, []string{"sweep.over.train.optimizer.lr={uniform: [1e-4, 1e-2]}"},
			"sweep.over.train.optimizer.lr: {log: [0.0001, 0.01]} was declared, now {uniform: [0.0001, 0.01]}"},
		{search, []string{"sweep.prune={method: asha}"}, "sweep.prune.method: none was declared, now asha\n" +
			"sweep.prune.min_epochs: none was declared, now 1\nsweep.prune.startup: none was declared, now 5\nsweep.prune.factor: none was declared, now 3"},
	} {
		before, now := declare(t, c.text), declare(t, c.text, c.sets...)
		if got := strings.Join(before.Differences(now), "\n"); got != c.want {
			t.Errorf("with %q the differences are\n%s\nwant\n%s", c.sets, got, c.want)
		}
		if same := before.SHA256() == now.SHA256(); same != (c.want == "") {
			t.Errorf("with %q the sums are equal: %v", c.sets, same)
		}
	}
	compared := declare(t, pairs)
	alone := declare(t, "study: a\ntrain: {epochs: 3}\nsweep: {over: {model.attention: [none, soft, adaptive], seed: [1, 2, 3, 4, 5]}}\n")
	if got := compared.Differences(alone); len(got) != 1 || got[0] != "compare: it was removed" {
		t.Errorf("without compare the differences are %q", got)
	}
}

// Where only the data differ, the trials do.
func TestDeclarationOfOtherData(t *testing.T) {
	s := load(t, pairs)
	before, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	declared := s.Declare(before)
	if err := s.SetContents(func(Data) (Content, error) { return Content{Pictures: "9b07"}, nil }); err != nil {
		t.Fatal(err)
	}
	after, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	now := s.Declare(after)
	if got := declared.Differences(now); len(got) != 1 || got[0] != "trials: 15 of 15 have a different identity" || declared.SHA256() == now.SHA256() {
		t.Errorf("the differences are %q", got)
	}
	if now.Settings != declared.Settings {
		t.Errorf("the content is declared as a setting: %+v", now.Settings)
	}
}

// The plan of a search grows with its results, and what it declares stays.
func TestDeclarationOfASearch(t *testing.T) {
	s := load(t, searchStudy)
	trials, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	declared := s.Declare(trials)
	var known []Result
	for _, trial := range trials {
		known = append(known, Result{Swept: trial.Swept, Seed: 1, Ended: true, Value: toy(trial.Swept)})
	}
	s.Continue(known)
	more, err := s.Plan()
	if err != nil || len(more) <= len(trials) {
		t.Fatalf("the search has %d trials after %d (%v)", len(more), len(trials), err)
	}
	if now := s.Declare(more); len(declared.Differences(now)) > 0 || declared.SHA256() != now.SHA256() {
		t.Errorf("a search that goes on differs in %q", declared.Differences(now))
	}
}
