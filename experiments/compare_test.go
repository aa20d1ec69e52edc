package experiments

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// The JSON of what the project's studies compare, which results.db holds, as it was before there were factors, looks,
// interactions and named arms.
func TestCompareKeepsItsJSON(t *testing.T) {
	for path, want := range map[string]string{
		"demo.yaml": `{"arms":"model.attention","baseline":"none","contrasts":[["soft","none"]],` +
			`"primary":{"metric":"test.bleu4","minimum_effect":2,"alpha":0.05},"match_parameters":0.02}`,
		"flickr8k.yaml": `{"arms":"model.attention","baseline":"none","contrasts":[["soft","none"],["soft","uniform"],["adaptive","soft"],["adaptive","none"]],` +
			`"primary":{"metric":"test.cider","minimum_effect":1,"alpha":0.05},"match_parameters":0.02}`,
		"seed.yaml": `{"arms":"","baseline":"","contrasts":null,"primary":{"metric":"","minimum_effect":0,"alpha":0.05},"match_parameters":0}`,
	} {
		s, err := Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := json.Marshal(s.Compare); err != nil || string(got) != want {
			t.Errorf("%s compares %s (%v), want %s", path, got, err, want)
		}
	}
}

const named = `study: a
model: {dropout: 0.2}
sweep: {over: {train.optimizer.lr: [1e-3, 2e-3], seed: [1, 2, 3, 4, 5]}}
compare:
  arms:
    plain: {model.attention: none}
    wide & dry: {model.attention: none, model.hidden: 600, model.dropout: 0}
    soft: {model.attention: soft}
  baseline: plain
  contrasts: [[wide & dry, plain], [soft, plain], {interaction: [train.optimizer.lr, arms]}]
  primary: {metric: test.cider, minimum_effect: 1}
`

func TestNamedArms(t *testing.T) {
	s := load(t, named)
	trials, err := s.Plan()
	if err != nil || len(trials) != 30 {
		t.Fatalf("%d trials (%v), want 30", len(trials), err)
	}
	if got, want := brief(trials[:6]), "plain/1 plain/1 wide & dry/1 wide & dry/1 soft/1 soft/1"; got != want {
		t.Errorf("plan begins %s, want %s", got, want)
	}
	wide := trials[3]
	want := map[string]string{"model.attention": "none", "model.hidden": "600", "model.dropout": "0", "train.optimizer.lr": "0.002"}
	if m := wide.Settings.Model; !reflect.DeepEqual(wide.Swept, want) || m.Hidden != 600 || m.Dropout != 0 || m.Attention != "none" {
		t.Errorf("the trial of an arm is %+v", wide)
	}
	want = map[string]string{"model.attention": "soft", "model.hidden": "512", "model.dropout": "0.2", "train.optimizer.lr": "0.001"}
	if soft := trials[4]; !reflect.DeepEqual(soft.Swept, want) || soft.Settings.Model.Dropout != 0.2 {
		t.Errorf("an arm takes what it does not set from the study: %+v", soft)
	}
	if c := s.Compare; c.Arms != "" || !c.Compares() || c.Interactions[0] != [2]string{"arms", "train.optimizer.lr"} ||
		strings.Join(c.ArmPaths(), " ") != "model.attention model.dropout model.hidden" {
		t.Errorf("compare is %+v", c)
	}
	// A trial is the same whichever study asks for it.
	if same := plan(t, "study: b\nmodel: {attention: none, hidden: 600, dropout: 0}\ntrain: {optimizer: {lr: 2e-3}}\n")[0]; same.ID != wide.ID {
		t.Errorf("the trial of an arm is %s, of a study with the same settings %s", wide.ID, same.ID)
	}
	set := load(t, named, "compare.arms.soft.model.attention=adaptive", "compare.arms.third={train.epochs: 3}")
	if arms := set.Compare.Named; len(arms) != 4 || arms[2].Settings["model.attention"] != "adaptive" || arms[3].Settings["train.epochs"] != "3" {
		t.Errorf("with --set the arms are %+v", arms)
	}
}

func TestNamedArmsAreMatched(t *testing.T) {
	const text = `study: a
sweep: {method: zip, over: {model.embedding: [64, 256], train.optimizer.lr: [1e-3, 2e-3], seed: [1, 2]}}
compare:
  arms: {plain: {model.attention: none}, deep: {model.attention: adaptive, decode.beam: 3}}
  baseline: plain
  primary: {metric: test.cider, minimum_effect: 1}
  match_parameters: 2%
`
	s := load(t, text)
	if err := s.MatchParameters(count); err != nil {
		t.Fatal(err)
	}
	trials, err := s.Plan()
	if err != nil || len(trials) != 8 {
		t.Fatalf("%d trials (%v), want 8", len(trials), err)
	}
	of := map[string]int64{}
	for _, trial := range trials {
		of[trial.Arm+trial.Swept["model.embedding"]] = trial.Parameters
	}
	for _, size := range []string{"64", "256"} { // each size is matched by itself
		if ratio := float64(of["plain"+size]) / float64(of["deep"+size]); ratio < 0.98 || ratio > 1.02 {
			t.Errorf("with embeddings of %s the arms have %v parameters", size, of)
		}
	}
	if of["deep64"] == of["deep256"] {
		t.Errorf("sizes are matched across the sweep: %v", of)
	}
}

func TestStop(t *testing.T) {
	const text = `study: a
sweep: {over: {model.attention: [none, soft], seed: [9, 8, 7, 6, 5, 4]}}
compare:
  arms: model.attention
  baseline: none
  primary: {metric: test.cider, minimum_effect: 1}
`
	if s := load(t, text); s.Compare.Stop.Active() || s.Compare.Stop.Spending != "" {
		t.Errorf("a study without compare.stop stops by %+v", s.Compare.Stop)
	}
	s := load(t, text+"  stop: {looks: [2, 4]}\n")
	if got := fmt.Sprintf("%+v", s.Compare.Stop); got != "{Looks:[2 4] Spending:obrien-fleming Futility:0.1}" || !s.Compare.Stop.Active() {
		t.Errorf("the defaults of compare.stop are %s", got)
	}
	trials, err := s.Plan()
	if err != nil || brief(trials) != "none/9 soft/9 none/8 soft/8 none/7 soft/7 none/6 soft/6" {
		t.Errorf("up to the last look the plan is %s (%v)", brief(trials), err)
	}
	if d := s.Declare(trials); fmt.Sprint(d.Seeds) != "[9 8 7 6]" {
		t.Errorf("declared are the seeds %v", d.Seeds)
	}
	s = load(t, text+"  stop: {looks: [2, 3, 6], spending: pocock, futility: 0}\n")
	got, err := json.Marshal(s.Compare.Stop)
	if err != nil || string(got) != `{"looks":[2,3,6],"spending":"pocock","futility":0}` {
		t.Errorf("compare.stop as JSON is %s (%v)", got, err)
	}
}
