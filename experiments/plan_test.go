package experiments

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// load is Load of text, which must be good.
func load(t *testing.T, text string, sets ...string) *Study {
	t.Helper()
	s, err := parse("study.yaml", []byte(text), sets)
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	return s
}

// plan is the plan of text, which must be good.
func plan(t *testing.T, text string, sets ...string) []Trial {
	t.Helper()
	trials, err := load(t, text, sets...).Plan()
	if err != nil {
		t.Fatal(err)
	}
	return trials
}

// brief writes each trial as its arm and seed, or its swept values.
func brief(trials []Trial) string {
	var parts []string
	for _, trial := range trials {
		parts = append(parts, fmt.Sprintf("%s/%d", trial.Arm, trial.Settings.Seed))
	}
	return strings.Join(parts, " ")
}

// The identity of a trial must outlive every change of this package: results
// are stored under it.
func TestIDStaysTheSame(t *testing.T) {
	if got := plan(t, "study: a")[0].ID; got != "6fc140d38214" {
		t.Errorf("the id of all defaults is %s; results stored under the old one are lost", got)
	}
}

// The ids that the project's studies had when they were run. Parameters are not matched here (that needs the networks), so
// those of results.db differ for the arms that matching widens.
func TestStudiesKeepTheirTrials(t *testing.T) {
	for path, want := range map[string]string{
		"demo.yaml":                 "10 026b859853f5 e10941517690",
		"flickr8k.yaml":             "20 56b8c0e8fa62 524b121447c5",
		"flickr8k-replication.yaml": "12 eb917eeb5716 b5058417f370",
	} {
		s, err := Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		trials, err := s.Plan()
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(len(trials), " ", trials[0].ID, " ", trials[len(trials)-1].ID); got != want {
			t.Errorf("%s has trials, the first and the last of which are %s, want %s", path, got, want)
		}
	}
}

func TestSparingTheTestSplitIsAnotherTrial(t *testing.T) {
	usual, spared := plan(t, "study: a\ndecode: {split: test}\n")[0], plan(t, "study: a\ndecode: {split: val}\n")[0]
	if usual.ID != plan(t, "study: a\n")[0].ID || usual.Settings.Decode.FinalSplit() != "test" {
		t.Errorf("decode.split test is not the default: %+v", usual)
	}
	if spared.ID == usual.ID || spared.Settings.Decode.FinalSplit() != "val" {
		t.Errorf("decode.split val changes nothing: %+v", spared)
	}
}

func TestPlainBeamSearchIsTheDefault(t *testing.T) {
	usual := plan(t, "study: a\n")[0]
	for _, same := range []string{"{no_repeat_ngram: 0}", "{groups: 1}", "{groups: 1, diversity: 2}"} {
		if got := plan(t, "study: a\ndecode: "+same+"\n")[0]; got.ID != usual.ID || got.Settings.Decode != usual.Settings.Decode {
			t.Errorf("%s: %+v", same, got.Settings.Decode)
		}
	}
	grouped := plan(t, "study: a\ndecode: {beam: 6, groups: 3, no_repeat_ngram: 3}\n")[0]
	if d := grouped.Settings.Decode; d.Groups != 3 || d.Diversity != 0.5 || d.NoRepeat != 3 {
		t.Errorf("%+v", d)
	}
	if d := grouped.Settings.Decode.OfWidth(4); d.Beam != 4 || d.Groups != 0 || d.Diversity != 0 || d.NoRepeat != 3 {
		t.Errorf("%+v", d)
	}
}

func TestIDByContent(t *testing.T) {
	base := plan(t, "study: a\ntrain: {optimizer: {lr: 5e-4}, epochs: 3}\nmodel: {attention: none}\n")[0].ID
	for name, text := range map[string]string{
		"order":          "model: {attention: none}\ntrain: {epochs: 3, optimizer: {lr: 5e-4}}\nstudy: a\n",
		"comments":       "# why\nstudy: a # that\ntrain:\n  # long enough\n  epochs: 3\nmodel: {attention: none}\n",
		"float":          "study: a\ntrain: {optimizer: {lr: 0.0005}, epochs: 3}\nmodel: {attention: none}\n",
		"other float":    "study: a\ntrain: {optimizer: {lr: 50.0e-5}, epochs: 3}\nmodel: {attention: none}\n",
		"defaults":       "study: a\ntrain: {epochs: 3, batch_images: 16, optimizer: {name: adam, beta1: 0.9}}\nmodel: {attention: none, dropout: 0.5}\nseed: 1\nencoder: {name: cnn, image_size: 64}\n",
		"root":           "study: a\ndata: {root: /elsewhere}\ntrain: {epochs: 3}\nmodel: {attention: none}\n",
		"study's name":   "study: b\nquestion: Why?\ntrain: {epochs: 3}\nmodel: {attention: none}\n",
		"without effect": "study: a\ntrain: {epochs: 3}\nmodel: {attention: none, attention_size: 7}\n",
		"aliases":        "study: a\ntrain: {epochs: &n 3, schedule: {step_epochs: *n}}\nmodel: {attention: none}\n",
	} {
		if got := plan(t, text)[0].ID; got != base {
			t.Errorf("%s: the id is %s, not %s", name, got, base)
		}
	}
	for _, change := range []string{"train.epochs=4", "seed=2", "train.optimizer.lr=0.00050001", "data.seed=2", "model.attention=uniform"} {
		if got := plan(t, "study: a\ntrain: {epochs: 3}\nmodel: {attention: none}\n", change)[0].ID; got == base {
			t.Errorf("%s leaves the id as it is", change)
		}
	}
}

func TestGridRunsEachSeedOfAllArmsFirst(t *testing.T) {
	trials := plan(t, "study: a\nsweep: {over: {model.attention: [none, soft], seed: [7, 3]}}\n"+
		"compare: {arms: model.attention, baseline: none, primary: {metric: test.cider, minimum_effect: 1}}\n")
	if got, want := brief(trials), "none/7 soft/7 none/3 soft/3"; got != want {
		t.Errorf("plan is %s, want %s", got, want)
	}
	if want := map[string]string{"model.attention": "none"}; !reflect.DeepEqual(trials[0].Swept, want) {
		t.Errorf("swept is %v, want %v", trials[0].Swept, want)
	}
}

func TestArmsWithoutCompare(t *testing.T) {
	if got, want := brief(plan(t, "study: a\n")), "a/1"; got != want {
		t.Errorf("plan is %s, want %s", got, want)
	}
	got := brief(plan(t, "study: a\nsweep: {over: {model.hidden: [8], train.optimizer.lr: [1e-3, 5e-4]}}\n"))
	if want := "model.hidden=8 train.optimizer.lr=0.001/1 model.hidden=8 train.optimizer.lr=0.0005/1"; got != want {
		t.Errorf("plan is %s, want %s", got, want)
	}
}

func TestZipPairsAndCrossesSeeds(t *testing.T) {
	trials := plan(t, "study: a\nsweep: {method: zip, over: {model.hidden: [8, 16], train.optimizer.lr: [2e-3, 1e-3], seed: [1, 2, 3]}}\n")
	var got []string
	for _, trial := range trials {
		got = append(got, fmt.Sprintf("%d %g %d", trial.Settings.Model.Hidden, trial.Settings.Train.Optimizer.LR, trial.Settings.Seed))
	}
	want := []string{"8 0.002 1", "16 0.001 1", "8 0.002 2", "16 0.001 2", "8 0.002 3", "16 0.001 3"}
	if !slices.Equal(got, want) {
		t.Errorf("plan is %q, want %q", got, want)
	}
}

const search = `study: a
sweep:
  method: random
  samples: 40
  over:
    train.optimizer.lr: {log: [1e-4, 1e-2]}
    model.dropout: {uniform: [0, 0.7]}
    model.hidden: {int: [60, 63]}
    model.embedding: {log: [10, 1000]}
    train.optimizer.name: {choice: [adam, adamw]}
    model.attention: [none, soft]
`

func TestRandomDraws(t *testing.T) {
	trials := plan(t, search)
	if len(trials) != 80 {
		t.Fatalf("%d trials, want 40 samples of 2 arms", len(trials))
	}
	hidden, rates, low := map[int]bool{}, map[float64]bool{}, 0
	for i, trial := range trials {
		s := trial.Settings
		hidden[s.Model.Hidden], rates[s.Train.Optimizer.LR] = true, true
		if s.Train.Optimizer.LR < 1e-3 {
			low++
		}
		if s.Train.Optimizer.LR < 1e-4 || s.Train.Optimizer.LR > 1e-2 || s.Model.Dropout < 0 || s.Model.Dropout > 0.7 || s.Model.Embedding < 10 || s.Model.Embedding > 1000 {
			t.Errorf("trial %d is outside its ranges: %+v", i, s)
		}
		if i%2 == 1 && s.Train.Optimizer.LR != trials[i-1].Settings.Train.Optimizer.LR {
			t.Errorf("the arms of sample %d got different learning rates", i/2)
		}
	}
	if len(hidden) != 4 || len(rates) < 35 || low < 25 || low > 55 {
		t.Errorf("draws are not spread: %d hidden sizes, %d rates, %d of 80 below the middle", len(hidden), len(rates), low)
	}
	if again := plan(t, search); !reflect.DeepEqual(trials, again) {
		t.Error("the same study draws differently")
	}
	if other := plan(t, search, "sweep.seed=2"); reflect.DeepEqual(trials, other) {
		t.Error("another sweep.seed draws the same")
	}
	if fewer := plan(t, search, "sweep.samples=10"); !reflect.DeepEqual(trials[:20], fewer) {
		t.Error("fewer samples are not the first of more")
	}
	lines := strings.Split(strings.TrimSpace(search), "\n")
	slices.Reverse(lines[5:10]) // the ranges
	if turned := plan(t, strings.Join(lines, "\n")); !reflect.DeepEqual(trials, turned) {
		t.Error("the order of the ranges changes what is drawn")
	}
}

func TestEqualTrialsRunOnce(t *testing.T) {
	s := load(t, "study: a\nsweep: {over: {model.attention: [none, soft], model.attention_size: [8, 16], seed: [1, 1]}}\n")
	trials, err := s.Plan()
	if err != nil || len(trials) != 3 { // none once, soft twice
		t.Errorf("%d trials (%v), want 3", len(trials), err)
	}
	if w := s.Warnings(); len(w) != 1 || !strings.Contains(w[0], "5 of the sweep's trials are duplicates") {
		t.Errorf("warnings are %q", w)
	}
}

func TestTrialSettingsAreComplete(t *testing.T) {
	trials := plan(t, "study: a\nencoder: {weights: w.pth}\nsweep: {over: {encoder.name: [cnn, inception_v3, resnet18], model.attention: [none, soft]}}\n")
	for i, want := range []string{"64//32/0", "64//32/256", "299/w.pth/0/0", "299/w.pth/0/256", "224/w.pth/0/0", "224/w.pth/0/256"} {
		s := trials[i].Settings
		got := fmt.Sprintf("%d/%s/%d/%d", s.Encoder.ImageSize, s.Encoder.Weights, s.Encoder.Channels, s.Model.AttentionSize)
		if got != want {
			t.Errorf("trial %d has size/weights/channels/attention %s, want %s", i, got, want)
		}
		if err := s.Check(); err != nil {
			t.Errorf("trial %d: %v", i, err)
		}
		if id := s.ID(); id != trials[i].ID {
			t.Errorf("trial %d says it is %s, but is %s", i, trials[i].ID, id)
		}
	}
	broken := trials[0].Settings
	broken.Train.Epochs, broken.Model.Dropout = 0, 1
	if err := broken.Check(); err == nil || !strings.Contains(err.Error(), "train.epochs is 0") || !strings.Contains(err.Error(), "model.dropout is 1") {
		t.Errorf("Check says %v", err)
	}
}

func TestPlanRefusesWhatChangedSinceLoad(t *testing.T) {
	s := load(t, "study: a\n")
	s.Train.Epochs = -2
	if _, err := s.Plan(); err == nil || !strings.Contains(err.Error(), "train.epochs is -2") {
		t.Errorf("Plan says %v", err)
	}
}

func TestWarnings(t *testing.T) {
	const compare = "compare: {arms: model.attention, baseline: none, primary: {metric: test.cider, minimum_effect: 1}, match_parameters: 2%}\n"
	for _, c := range []struct{ name, text, want string }{
		{"3 seeds", "sweep: {over: {model.attention: [none, soft], seed: [1, 2, 3]}}\n" + compare,
			"study.yaml:2: 3 seeds per arm: the smallest possible permutation p is 0.1; after Holm over 1 contrast it is 0.1, with alpha 0.05; use at least 5 seeds"},
		{"5 seeds", "sweep: {over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5]}}\n" + compare, ""},
		{"5 seeds, strict alpha", "sweep: {over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5]}}\n" + strings.Replace(compare, "effect: 1", "effect: 1, alpha: 1e-3", 1),
			"use at least 7 seeds"},
		{"sizes", "sweep: {over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5]}}\n" + strings.Replace(compare, "2%", "off", 1),
			"compare.match_parameters is off"},
		{"factorial", "sweep: {over: {model.attention: [none, soft], decode.beam: [1, 2, 3, 4, 5, 6, 7, 8], seed: [1, 2, 3, 4, 5]}}\n" + compare, ""},
		// Eight levels are eight contrasts.
		{"each level", "sweep: {over: {model.attention: [none, soft], decode.beam: [1, 2, 3, 4, 5, 6, 7, 8], seed: [1, 2, 3, 4, 5]}}\n" + strings.Replace(compare, "{arms", "{factors: each, arms", 1),
			"5 seeds per arm: the smallest possible permutation p is 0.0079; after Holm over 8 contrasts it is 0.063, with alpha 0.05; use at least 6 seeds"},
		{"factors of nothing", "sweep: {over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5]}}\n" + strings.Replace(compare, "{arms", "{factors: each, arms", 1),
			"compare.factors has no effect"},
		{"last look", "sweep: {over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5]}}\n" + strings.Replace(compare, "{arms", "{stop: {looks: [2, 5]}, arms", 1), ""},
		{"early last look", "sweep: {over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5, 6]}}\n" + strings.Replace(compare, "{arms", "{stop: {looks: [2, 5]}, arms", 1),
			"the last look is at 5 of 6 seeds; the others are not trained"},
		{"named sizes", "sweep: {over: {seed: [1, 2, 3, 4, 5]}}\ncompare: {arms: {a: {model.attention: none}, b: {model.attention: soft, model.layers: 2}}, baseline: a, primary: {metric: test.cider, minimum_effect: 1}}\n",
			"compare.match_parameters is off"},
		{"validation", "decode: {split: val}\nsweep: {over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5]}}\n" + strings.Replace(compare, "test.", "val.", 1),
			"which also selects the epochs"},
		{"no effect", "data: {name: flickr8k, images: 50}\n", "study.yaml:2: data.images has no effect in any trial"},
		{"a password", "question: Does it work with http://me:hunter2@host?\n", "looks like a password or a token"},
		{"effect in some", "model: {attention_size: 5}\nsweep: {over: {model.attention: [none, soft]}}\n", ""},
	} {
		got := load(t, "study: a\n"+c.text).Warnings()
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: warnings are %q, want %q", c.name, got, c.want)
		}
	}
}

// The smallest p by counting: of all ways to part 2n values in two halves, the
// two that part them by size are the most extreme.
func TestSmallestP(t *testing.T) {
	for n, ways := range map[int]float64{1: 2, 2: 6, 3: 20, 4: 70, 5: 252} { // central binomial coefficients
		if got := smallestP(n); strconv.FormatFloat(got, 'g', 12, 64) != strconv.FormatFloat(2/ways, 'g', 12, 64) {
			t.Errorf("smallestP(%d) = %v, want %v", n, got, 2/ways)
		}
	}
}

// A study without reinforcement has the trials that it had before there was any; of a reinforced one, what has no effect beside
// the rest cannot tell trials apart.
func TestReinforcementIsLeftOut(t *testing.T) {
	id := func(train string) string { return plan(t, "study: a\ntrain: {reinforce: "+train+"}\n")[0].ID }
	before := plan(t, "study: a\n")[0]
	if raw, err := json.Marshal(before.Settings); err != nil || strings.Contains(string(raw), "reinforce") {
		t.Errorf("settings are %s, %v", raw, err)
	}
	for _, same := range []string{"{epochs: 0}", "{epochs: 0, lr: 1, samples: 1, metric: bleu4}"} {
		if got := id(same); got != before.ID {
			t.Errorf("train.reinforce %s is trial %s, want %s", same, got, before.ID)
		}
	}
	full := id("{epochs: 2, lr: 2e-5, schedule: constant, metric: cider_d, samples: 5, baseline: mean}")
	if full != id("{epochs: 2}") || full != id("{epochs: 2, weights: {bleu4: 3}}") || full == before.ID {
		t.Error("the defaults, or weights of a reward that is no sum, make another trial")
	}
	if full == id("{epochs: 2, schedule: cosine}") {
		t.Error("another schedule is the same trial")
	}
	weighted := plan(t, "study: a\ntrain: {reinforce: {epochs: 2, metric: weighted}}\n")[0].Settings.Train
	if weighted.Reinforce.Rewards() != (Weights{CIDErD: 1, BLEU4: 0.5}) || weighted.AllEpochs() != weighted.Epochs+2 {
		t.Errorf("a weighted reward is %+v", weighted.Reinforce)
	}
	for metric, want := range map[string]Weights{"cider_d": {CIDErD: 1}, "bleu4": {BLEU4: 1}} {
		if got := (Reinforce{Metric: metric}).Rewards(); got != want {
			t.Errorf("metric %s rewards by %+v", metric, got)
		}
	}
}

// The default cell is left out of a trial, so that ids are what they were before there was a choice, and is told
// everywhere else.
func TestCellIsAnotherTrial(t *testing.T) {
	usual, lstm := plan(t, "study: a\nmodel: {cell: gru}\n")[0], plan(t, "study: a\nmodel: {cell: lstm}\n")[0]
	if usual.ID != plan(t, "study: a\n")[0].ID || usual.Settings.Model.Cell != "" || usual.Settings.Model.CellName() != "gru" {
		t.Errorf("gru is not the default: %+v", usual)
	}
	if lstm.ID == usual.ID || lstm.Settings.Model.CellName() != "lstm" {
		t.Errorf("lstm changes nothing: %+v", lstm)
	}
	s := load(t, "study: a\nmodel: {cell: gru}\ndecode: {split: test}\n")
	if warnings := s.Warnings(); len(warnings) > 0 {
		t.Errorf("defaults that are given are warned of: %q", warnings)
	}
	text, err := s.YAML()
	if err != nil || !strings.Contains(string(text), "cell: gru\n") {
		t.Errorf("the resolved study does not tell the cell: %v\n%s", err, text)
	}
	const compared = "study: a\ncompare: {arms: {plain: {model.attention: none}, memory: {model.cell: lstm}}, baseline: plain, primary: {metric: test.cider, minimum_effect: 1}}\n"
	for _, trial := range plan(t, compared) {
		if want := map[string]string{"plain": "gru", "memory": "lstm"}[trial.Arm]; trial.Swept["model.cell"] != want {
			t.Errorf("arm %s is of cell %q, want %s", trial.Arm, trial.Swept["model.cell"], want)
		}
	}
}
