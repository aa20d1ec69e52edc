package experiments

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A new study loads, warns of nothing, and asks for what was asked.
func TestDraft(t *testing.T) {
	for _, c := range []struct {
		draft    Draft
		arms     string
		trials   int
		question string
	}{
		{Draft{}, "none soft", 10, "Does attention help"},
		{Draft{Data: "flickr8k", Root: "pictures"}, "none uniform soft adaptive", 20, "Does adaptive attention"},
		{Draft{Data: "flickr30k", Root: "pictures"}, "none uniform soft adaptive", 20, "Does adaptive attention"},
		{Draft{Data: "coco"}, "none uniform soft adaptive", 20, "Does adaptive attention"},
		{Draft{Over: []string{"model.hidden=48,96,192"}}, "48 96 192", 15, "What difference does model.hidden make: 48, 96 or 192?"},
		{Draft{Over: []string{"model.attention=none,soft"}, Seeds: 7, Question: "Is it: \"so\"?\nReally?"}, "none soft", 14, "Is it: \"so\"?\nReally?"},
		{Draft{Over: []string{"model.attention_size=16,32"}}, "16 32", 10, "What"},
		{Draft{Over: []string{"train.optimizer.name=adam, sgd"}}, "adam sgd", 10, "What"},
		{Draft{Over: []string{"train.optimizer.lr=5e-4,1e-3"}, Data: "flickr8k"}, "0.0005 0.001", 10, "What"},
		{Draft{Over: []string{"encoder.name=efficientnet_lite0,efficientnet_lite2"}, Data: "flickr8k"}, "efficientnet_lite0 efficientnet_lite2", 10, "What"},
		// Seven contrasts need a sixth seed.
		{Draft{Over: []string{"train.label_smoothing=0,.01,.02,.05,.1,.15,.2,.3"}}, "0 0.01 0.02 0.05 0.1 0.15 0.2 0.3", 48, "What"},
		// The first is the arms, further ones are factors, over which a contrast is averaged.
		{Draft{Over: []string{"model.attention=none,soft", "model.dropout=0.1,0.3", "train.optimizer.lr=1e-3,2e-3"}}, "none soft", 40,
			"What difference does model.attention make: none or soft, averaged over model.dropout and train.optimizer.lr?"},
		{Draft{Over: []string{"train.label_smoothing=0,.01,.02,.05,.1,.15,.2,.3", "model.hidden=64,96"}}, "0 0.01 0.02 0.05 0.1 0.15 0.2 0.3", 96, "What"},
	} {
		for _, all := range []bool{false, true} {
			d := c.draft
			d.Name, d.Path, d.All = "mine", "experiments/mine.yaml", all
			text, s, err := d.Write()
			if err != nil {
				t.Errorf("%+v: %v", d, err)
				continue
			}
			trials, err := s.Plan()
			if err != nil || len(trials) != c.trials || strings.Join(s.arms(), " ") != c.arms {
				t.Errorf("%+v: %d trials of the arms %q (%v), want %d of %q", d, len(trials), s.arms(), err, c.trials, c.arms)
			}
			if warnings := s.Warnings(); len(warnings) > 0 {
				t.Errorf("%+v: warnings %q in\n%s", d, warnings, text)
			}
			if s.Name != "mine" || !strings.HasPrefix(s.Question, c.question) || s.Data.Root != d.Root && d.Root != "" {
				t.Errorf("%+v: the study is called %q, asks %q and looks in %q", d, s.Name, s.Question, s.Data.Root)
			}
			if want := d.Data; want != "" && (s.Data.Name != want || s.Data.Split != DataSettings(want, "").Data.Split) {
				t.Errorf("%+v: the data are %s %s", d, s.Data.Name, s.Data.Split)
			}
			checkComments(t, s, string(text), all)
		}
	}
}

// checkComments holds that each key of a draft stands below what the table says of it, that no line is wide, and that all
// keys are there if asked for.
func checkComments(t *testing.T, s *Study, text string, all bool) {
	t.Helper()
	said, trials := "", []Trial(nil)
	for line := range strings.SplitSeq(text, "\n") {
		name, _, isKey := strings.Cut(strings.TrimSpace(line), ":")
		switch comment, isComment := strings.CutPrefix(strings.TrimSpace(line), "# "); {
		case isComment:
			said = strings.TrimSpace(said + " " + comment)
			if len([]rune(line)) > 80 {
				t.Errorf("%q is wider than 80 columns", line)
			}
			continue
		case isKey && said != "" && !slices.ContainsFunc(keys, func(k key) bool {
			return (k.path == name || strings.HasSuffix(k.path, "."+name)) && k.tells() == said
		}):
			t.Errorf("%s stands below %q", name, said)
		}
		said = ""
	}
	trials, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	for i := range keys {
		if k := &keys[i]; all && isSetting(k.path) && s.Sweep.axis(k.path) == nil && s.node(k, trials) != nil && !s.given(k.path) {
			t.Errorf("the draft of all keys lacks %s", k.path)
		}
	}
}

// What a new study shares with the demo is trained once.
func TestDraftHasTheDemosTrials(t *testing.T) {
	demo, err := Demo(nil)
	if err != nil {
		t.Fatal(err)
	}
	known, err := demo.Plan()
	if err != nil {
		t.Fatal(err)
	}
	_, s, err := Draft{Name: "mine", Path: "mine.yaml"}.Write()
	if err != nil {
		t.Fatal(err)
	}
	trials, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	for i, trial := range known {
		if trials[i].ID != trial.ID {
			t.Errorf("trial %d is %s of %s, in the demo %s of %s", i, trials[i].ID, trials[i].Arm, trial.ID, trial.Arm)
		}
	}
}

func TestDraftRefuses(t *testing.T) {
	for _, c := range []struct {
		draft Draft
		want  string
	}{
		{Draft{Name: "../mine"}, `the name "../mine" must be at most 64 letters`},
		{Draft{Name: ""}, `the name "" must be`},
		{Draft{Name: strings.Repeat("a", 65)}, "must be at most 64 letters"},
		{Draft{Name: "a", Data: "flicker8k"}, `unknown data set "flicker8k"; did you mean "flickr8k"? (known: shapes, flickr8k, flickr30k, coco), and no folder or file has that name`},
		{Draft{Name: "a", Over: []string{"model.hidden"}}, "--sweep model.hidden: write KEY=VALUE,VALUE, such as model.hidden=64,128"},
		{Draft{Name: "a", Over: []string{"model.hiden=1,2"}}, `no setting "model.hiden"; did you mean "model.hidden"?`},
		{Draft{Name: "a", Over: []string{"lr=1,2"}}, `no setting "lr"; did you mean encoder.train.lr or train.optimizer.lr or train.reinforce.lr?`},
		{Draft{Name: "a", Over: []string{"sweep.method=grid,zip"}}, `no setting "sweep.method"`},
		{Draft{Name: "a", Over: []string{"seed=1,2"}}, "set their number with --seeds"},
		{Draft{Name: "a", Over: []string{"data.root=a,b"}}, "cannot be swept"},
		{Draft{Name: "a", Over: []string{"model.hidden=64"}}, "a comparison needs at least two values"},
		{Draft{Name: "a", Over: []string{"train.optimizer.lr=1e-3,0.001"}}, "0.001 is listed twice"},
		{Draft{Name: "a", Over: []string{"model.hidden=64,many"}}, `model.hidden is "many", but must be a whole number from 1 to 16384`},
		{Draft{Name: "a", Over: []string{"model.hidden=64,"}}, "model.hidden is empty, but must be a whole number"},
		{Draft{Name: "a", Over: []string{"model.attention=none,sft"}}, `did you mean "soft"?`},
		{Draft{Name: "a", Over: []string{"data.split=official,karpathy"}}, "shapes only has the split official"},
		{Draft{Name: "a", Over: []string{"decode.length_penalty=[,{"}}, "not valid YAML"},
		{Draft{Name: "a", Over: []string{"model.attention=none,soft", "model.hiden=1,2"}}, `--sweep model.hiden=1,2: no setting "model.hiden"; did you mean`},
		{Draft{Name: "a", Over: []string{"model.hidden=1,2", "model.hidden=3,4"}}, "--sweep model.hidden=3,4: model.hidden is swept twice"},
		{Draft{Name: "a", Over: []string{"model.hidden=1,2", "data.split=official,karpathy"}}, "--sweep model.hidden=1,2 --sweep data.split=official,karpathy: data.split is karpathy"},
		{Draft{Name: "a", Question: "\x1b[31m", Over: []string{"model.hidden=1,2"}}, "the new study is not valid: question contains the control character U+001B"},
	} {
		if _, _, err := c.draft.Write(); err == nil || !strings.Contains(err.Error(), c.want) || regexp.MustCompile(`:\d+: |--set`).MatchString(err.Error()) {
			t.Errorf("%+v: %v, want %q", c.draft, err, c.want)
		}
	}
}
